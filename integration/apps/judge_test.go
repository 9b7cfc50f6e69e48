package apps

import (
	"fmt"
	"slices"
	"testing"
)

// A finding is one of GET /api/nplusone, as far as it matters here.
type finding struct {
	Kind, Confidence string
	Count            int
	Child            struct {
		Text   string
		Tables []string
	}
	Provenance  string
	Occurrences int
}

// String returns the finding for people.
func (f finding) String() string {
	return fmt.Sprintf("%s, %s, %d times, at most %d of %s; %s", f.Kind, f.Confidence, f.Occurrences, f.Count, f.Child.Text, f.Provenance)
}

// alarms reports whether it tells somebody to mend something: there is evidence, and it
// is of the kinds that a program can do without. A loop of writes may be what is wanted.
func (f finding) alarms() bool {
	return f.evident() && (f.Kind == "n+1" || f.Kind == "duplicate")
}

// evident reports whether there is more evidence than the count.
func (f finding) evident() bool { return f.Confidence == "proven" || f.Confidence == "likely" }

// A run is a program in one variant with one load, on tables whose ids begin there.
type run struct {
	app  app
	ids  string
	load load
}

// A result is what was found of one loop of a run; or what was found of a run, if it has
// none.
type result struct {
	run
	table string    // of the loop; "" if there is none
	found []finding // of that loop
	noise []finding // all others that tell somebody to mend something
	rest  []finding // what does not
}

// judge enters what was found, and fails the test if a loop was missed or something else
// was taken for one.
func judge(t *testing.T, r run, found []finding) {
	t.Helper()
	one := result{run: r}
	for _, table := range r.app.loops {
		looped := result{run: r, table: table}
		looped.found = slices.DeleteFunc(slices.Clone(found), func(f finding) bool { return !f.isLoopOver(table) })
		ledger.add(looped)
		if len(looped.found) == 0 {
			t.Errorf("the loop over %s was not found, but:\n%v", table, found)
		}
	}
	for _, f := range found {
		switch {
		case slices.ContainsFunc(r.app.loops, f.isLoopOver):
		case f.alarms():
			one.noise = append(one.noise, f)
			t.Errorf("this is none: %v", f)
		default:
			one.rest = append(one.rest, f)
			t.Logf("also: %v", f)
		}
	}
	if r.app.loops == nil || one.noise != nil {
		ledger.add(one)
	}
}

// isLoopOver reports whether the finding says that rows of a table are asked for in a
// loop.
func (f finding) isLoopOver(table string) bool {
	// Some join the table that the rows of the list are in.
	return f.evident() && f.Kind == "n+1" && len(f.Child.Tables) > 0 && f.Child.Tables[0] == table
}
