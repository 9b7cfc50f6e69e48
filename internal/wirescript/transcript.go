package wirescript

import (
	"fmt"
	"slices"
	"strings"
)

// answerIndent tells what was received from the lines of the script.
const answerIndent = "    "

// An Entry is a line of a transcript: a line of the script, or what was received.
type Entry struct {
	Line int // of the script
	Text string
}

// A Transcript is what came of playing a script.
type Transcript []Entry

// String shows all of it.
func (t Transcript) String() string {
	var b strings.Builder
	for _, e := range t {
		fmt.Fprintln(&b, e.Text)
	}

	return b.String()
}

// A Difference is what two transcripts of one script do not have in common.
type Difference struct {
	// Line is the line of the script where it begins.
	Line int

	// Text has the lines that only the wanted transcript has, with a -, those that
	// only the other has, with a +, and some around them, with a space. Parts that are
	// far apart are separated by a line of three dots.
	Text string
}

// Diff compares transcripts. It returns nil if they are the same.
func Diff(want, got Transcript) *Difference {
	edits := compare(want.sorted(), got.sorted())
	show := make([]bool, len(edits))
	d := &Difference{}
	for i, e := range edits {
		if e.sign == ' ' {
			continue
		}
		if d.Line == 0 {
			d.Line = e.entry.Line
		}
		for j := max(0, i-around); j <= min(len(edits)-1, i+around); j++ {
			show[j] = true
		}
	}
	if d.Line == 0 {
		return nil
	}
	d.Text = render(edits, show)

	return d
}

// sorted returns t with each run of ParameterStatus messages in order of their text. They
// come in that of a hash table of PostgreSQL's, another one in each version, which means
// nothing.
func (t Transcript) sorted() Transcript {
	t = slices.Clone(t)
	isStatus := func(e Entry) bool { return strings.HasPrefix(e.Text, answerIndent+"S ") }
	for i := 0; i < len(t); i++ {
		run := i
		for run < len(t) && isStatus(t[run]) {
			run++
		}
		slices.SortFunc(t[i:run], func(a, b Entry) int { return strings.Compare(a.Text, b.Text) })
		i = max(i, run-1)
	}

	return t
}

// around is how many lines are shown before and behind each difference.
const around = 2

// render returns the lines that are to be shown.
func render(edits []edit, show []bool) string {
	var b strings.Builder
	for i, e := range edits {
		switch {
		case show[i]:
			fmt.Fprintf(&b, "%c%s\n", e.sign, e.entry.Text)
		case i > 0 && show[i-1] && anyOf(show[i:]):
			b.WriteString("...\n")
		}
	}

	return b.String()
}

// anyOf reports whether one of the list is true.
func anyOf(list []bool) bool {
	for _, v := range list {
		if v {
			return true
		}
	}

	return false
}

// An edit is a line of a comparison: of both (' '), or of one transcript ('-', '+').
type edit struct {
	sign  byte
	entry Entry
}

// compare returns a comparison with as few lines as possible of only one transcript.
func compare(want, got Transcript) []edit {
	common := commonLines(want, got)
	var edits []edit
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(want) > 0 && len(got) > 0 && want[0].Text == got[0].Text:
			edits = append(edits, edit{' ', got[0]})
			want, got = want[1:], got[1:]
		case len(got) == 0 || len(want) > 0 && common(len(want)-1, len(got)) >= common(len(want), len(got)-1):
			edits = append(edits, edit{'-', want[0]})
			want = want[1:]
		default:
			edits = append(edits, edit{'+', got[0]})
			got = got[1:]
		}
	}

	return edits
}

// commonLines returns a function that tells how many lines the last n of one
// transcript and the last m of the other have in common, in order.
func commonLines(want, got Transcript) func(n, m int) int {
	width := len(got) + 1
	table := make([]int, (len(want)+1)*width)
	for n := 1; n <= len(want); n++ {
		for m := 1; m <= len(got); m++ {
			if want[len(want)-n].Text == got[len(got)-m].Text {
				table[n*width+m] = table[(n-1)*width+m-1] + 1
			} else {
				table[n*width+m] = max(table[(n-1)*width+m], table[n*width+m-1])
			}
		}
	}

	return func(n, m int) int { return table[n*width+m] }
}
