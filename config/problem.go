package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one thing that is wrong with the configuration, and what to do
// about it.
type Problem struct {
	File string // the file it is in; empty when it is in none
	Line int    // from 1; 0: not known
	Col  int    // from 1; 0: not known

	// Path says which setting: "databases.shop.port", the name of an environment
	// variable, or a flag with its dashes. It is empty when the problem is the
	// file itself.
	Path string

	Message    string // what is wrong, lowercase, without a period
	Suggestion string // what to write instead; may be empty
}

// String returns the problem on one line, in the form editors and CI systems jump
// to: file:line:col: path: message; suggestion.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		for _, n := range []int{p.Line, p.Col} {
			if n > 0 {
				b.WriteString(":" + strconv.Itoa(n))
			}
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Suggestion != "" {
		b.WriteString("; " + p.Suggestion)
	}
	return b.String()
}

// Problems is the error of this package: everything that is wrong, in the order
// of the file. It is never returned empty.
type Problems []Problem //nolint:errname // a list of Problem reads as one

// Error returns the problems one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// sort puts the problems into the order they are read in: those with a line in
// the file first, then the others as they were found.
func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}
