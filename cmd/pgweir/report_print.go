package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/pgweir/pgweir/stats/nplusone"
)

// print prints the report.
func (r *report) print(w io.Writer) {
	r.printTotals(w)
	if r.tables[0].Totals.Calls == 0 {
		fmt.Fprintln(w, "  no statement was measured")
	} else {
		for i := range rankings {
			r.printStatements(w, i)
		}
	}
	r.printLoops(w)
}

// printTotals prints what all statements come to.
func (r *report) printTotals(w io.Writer) {
	s := &r.tables[0]
	t := &s.Totals
	fmt.Fprintf(w, "Since %s, for %s\n\n", s.Since.Local().Format(time.DateTime), s.At.Sub(s.Since).Round(time.Second))
	if t.Calls == 0 {
		return
	}
	fmt.Fprintf(w, "  %-22s %d, of %d kinds; %d rows\n", "statements", t.Calls, t.Statements, t.Rows)
	fmt.Fprintf(w, "  %-22s %d, and %d cancelled\n", "errors", t.Errors, t.Cancelled)
	fmt.Fprintf(w, "  %-22s %s, and %s of waiting for a server\n", "time in PostgreSQL", took(t.TotalMS), took(t.WaitMS))
	if t.UniquePercent != nil && t.DuplicatePercent != nil {
		fmt.Fprintf(w, "  %-22s %d; %.0f %% of their statements are unique, %.0f %% repeat one of the same request\n",
			"requests", t.Requests, *t.UniquePercent, *t.DuplicatePercent)
	}
}

// Lines of a table of statements, and the room for a text behind the figures.
const (
	statementHead = "  %8s %4s %8s %8s %8s %8s  %s\n"
	statementLine = "  %8s %4.0f %8d %8s %8s %8s  %s\n"
	statementRoom = columns - 2 - 5*8 - 4 - 5 - 2
)

// printStatements prints the i-th table. In the one of waits those that have not waited
// are left out.
func (r *report) printStatements(w io.Writer, i int) {
	fmt.Fprintf(w, "\n%s\n", rankings[i].title)
	some := false
	for _, s := range r.tables[i].Statements {
		if rankings[i].by == "wait" && s.WaitMS == 0 {
			break // and so have all that come after it
		}
		if !some {
			fmt.Fprintf(w, statementHead, "total", "%", "calls", "mean", "p95", "wait", "statement")
		}
		some = true
		fmt.Fprintf(w, statementLine, took(s.TotalMS), 100*s.TotalMS/max(r.tables[0].Totals.TotalMS, 1e-9),
			s.Calls, took(s.MeanMS), took(s.P95MS), took(s.WaitMS),
			cut(r.prefix(s.Database)+cmp.Or(s.Query, s.Fingerprint), statementRoom))
	}
	if !some {
		fmt.Fprintln(w, "  none")
	}
}

// prefix is the name of a statement's database, if there are several.
func (r *report) prefix(database string) string {
	for i := range r.tables {
		for j := range r.tables[i].Statements {
			if r.tables[i].Statements[j].Database != database {
				return database + ": "
			}
		}
	}

	return ""
}

// printLoops prints the loops in the traffic.
func (r *report) printLoops(w io.Writer) {
	found := r.loops.Findings
	fmt.Fprintln(w, "\nN+1 and its like")
	switch {
	case !r.looked:
		fmt.Fprintln(w, "  not looked for: nplusone = false in [stats]")

		return
	case len(found) == 0:
		fmt.Fprintln(w, "  none")

		return
	}
	for i := range found[:min(r.rows, len(found))] {
		printLoop(w, &found[i])
	}
	if more := len(found) - r.rows; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
	fmt.Fprintln(w, "\npgweir nplusone tells more of these.")
}

// printLoop prints a loop in two lines.
func printLoop(w io.Writer, f *nplusone.Finding) {
	line := fmt.Sprintf("  %-10s %-9s %5d x %3d %8s  ", f.Kind, f.Confidence, f.Count, f.Occurrences, took(f.ExecMS+f.GapMS))
	fmt.Fprintln(w, rest(line, f.Child.Text))
	if f.Provenance != "" || f.Route != "" {
		fmt.Fprintln(w, rest(fmt.Sprintf("  %-10s ", ""), f.Route+" "+f.Provenance))
	}
}

// rest puts as much of a text behind the beginning of a line as there is room for.
func rest(line, text string) string {
	return line + cut(text, max(1, columns-len(line)))
}
