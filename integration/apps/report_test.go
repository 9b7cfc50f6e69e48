package apps

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// The generated part of a page lies between these two lines.
const (
	beginMarker = "<!-- apps:begin -->"
	endMarker   = "<!-- apps:end -->"
)

// A report is all results. The zero value is empty; its methods may be called by several
// goroutines.
type report struct {
	mu      sync.Mutex // guards results
	results []result
}

// add adds a result.
func (r *report) add(one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, one)
}

// String returns the report in Markdown.
func (r *report) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.results) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Run on %s; %d CPUs, which others used, too: load average %s at the end.\nA cell has the best "+
		"confidence, and how many of the loops that ran were found.\n\n",
		time.Now().UTC().Format("2006-01-02 15:04 MST"), runtime.NumCPU(), loadAverage())
	r.table(&b, "loop over", func(one result) bool { return one.table != "" })
	b.WriteString("\nWhat runs no loop over a list, and what was said of it:\n\n")
	r.table(&b, "variant", func(one result) bool { return one.table == "" })
	b.WriteString("\n")
	r.score(&b)

	return b.String()
}

// loadAverage is how many wanted a CPU in the last minute, as far as the system tells.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}

	return strings.Fields(string(text))[0]
}

// table writes a table of some of the results, with a column for each load. second is the
// head of the second column.
func (r *report) table(b *strings.Builder, second string, like func(result) bool) {
	fmt.Fprintf(b, "| program | %s | ids |", second)
	for _, l := range loads() {
		fmt.Fprintf(b, " %d client%s |", l.clients, plural(l.clients))
	}
	fmt.Fprintf(b, "\n|%s\n", strings.Repeat("---|", 3+len(loads())))
	var rows []string
	cells := make(map[string]map[load]string)
	for _, one := range r.results {
		if !like(one) {
			continue
		}
		row := fmt.Sprintf("| %s | %s | %s", one.name(), cmp.Or(one.table, one.app.variant), one.ids)
		if !slices.Contains(rows, row) {
			rows = append(rows, row)
			cells[row] = make(map[load]string)
		}
		cells[row][one.load] = one.String()
	}
	for _, row := range rows {
		fmt.Fprintf(b, "%s |", row)
		for _, l := range loads() {
			fmt.Fprintf(b, " %s |", cells[row][l])
		}
		b.WriteString("\n")
	}
}

// name is that of the program, and what is special about its loops.
func (one result) name() string {
	if one.table == "" || one.app.variant == "loop" {
		return one.app.name
	}

	return one.app.name + ", " + one.app.variant
}

// plural returns the ending of a noun.
func plural(n int) string {
	if n == 1 {
		return ""
	}

	return "s"
}

// String says in a few words what was found.
func (one result) String() string {
	if one.table == "" {
		return one.said()
	}
	if len(one.found) == 0 {
		return "**missed**"
	}

	return fmt.Sprintf("%s %d/%d", best(one.found), one.times(), one.load.clients*one.load.requests)
}

// times is how often its loop was found.
func (one result) times() (n int) {
	for _, f := range one.found {
		n += f.Occurrences
	}

	return n
}

// said returns the kinds and confidences of what was said of a run without loops.
func (one result) said() string {
	var words []string
	for _, f := range one.noise {
		words = append(words, fmt.Sprintf("**%s %s**", f.Confidence, f.Kind))
	}
	for _, f := range one.rest {
		words = append(words, f.Confidence+" "+f.Kind)
	}
	slices.Sort(words)
	words = slices.Compact(words)
	if len(words) == 0 {
		return "-"
	}

	return strings.Join(words, ", ")
}

// best is the best confidence of findings of which there is one.
func best(found []finding) string {
	if slices.ContainsFunc(found, func(f finding) bool { return f.Confidence == "proven" }) {
		return "proven"
	}

	return "likely"
}

// score writes precision and recall.
func (r *report) score(b *strings.Builder) {
	loops, ran, seen := 0, 0, 0
	right, wrong := make(map[string]int), make(map[string]int)
	for _, one := range r.results {
		for _, f := range one.noise {
			wrong[f.Confidence]++
		}
		if one.table == "" {
			continue
		}
		loops++
		ran += one.load.clients * one.load.requests
		seen += one.times()
		if len(one.found) > 0 {
			right[best(one.found)]++
		}
	}
	b.WriteString("| confidence | right | wrong | precision | recall |\n|---|--:|--:|--:|--:|\n")
	for _, c := range []string{"proven", "likely"} {
		fmt.Fprintf(b, "| %s | %d | %d | %s | %s |\n", c, right[c], wrong[c],
			percent(right[c], right[c]+wrong[c]), percent(right[c], loops))
	}
	found, noise := right["proven"]+right["likely"], wrong["proven"]+wrong["likely"]
	fmt.Fprintf(b, "| both | %d | %d | %s | %s |\n", found, noise, percent(found, found+noise), percent(found, loops))
	fmt.Fprintf(b, "\nThat is by cell. Of %d loops that ran %d were found, %s.\n", ran, seen, percent(seen, ran))
}

// percent returns a share, "-" of nothing.
func percent(n, of int) string {
	if of == 0 {
		return "-"
	}

	// Cut rather than rounded: 100 % is all.
	return fmt.Sprintf("%g %%", math.Floor(1000*float64(n)/float64(of))/10)
}

// writeInto writes the report into a page, in place of what is between the markers.
func (r *report) writeInto(path string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(page), beginMarker+"\n")
	_, after, ok2 := strings.Cut(rest, endMarker)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %s and %s", path, beginMarker, endMarker)
	}

	return os.WriteFile(path, []byte(before+beginMarker+"\n"+r.String()+endMarker+after), 0o644)
}
