package clients

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exceptions are the tests of a suite that cannot pass through pgweir.
type exceptions []exception

// An exception is one test, or all tests whose names begin like that, on one route.
type exception struct {
	route  string
	pkg    string
	test   string // with * at the end: what begins so
	skip   bool   // it is not even run: it would take others down with it, or minutes
	reason string
}

// readExceptions reads a list, testdata/<name>.txt. Its lines are a mode of pgweir, or
// "both"; "fails" or "skip"; the package and the test; and after a colon the reason.
// Empty lines and lines with # are for people.
func readExceptions(t testing.TB, name string) exceptions {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list exceptions
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		what, reason, _ := strings.Cut(line, ": ")
		f := strings.Fields(what)
		if len(f) != 4 || f[1] != "fails" && f[1] != "skip" || reason == "" {
			t.Fatalf("testdata/%s.txt: want mode, fails or skip, package, test: reason; got %q", name, line)
		}
		for _, mode := range []string{session, transaction} {
			if f[0] == mode || f[0] == "both" {
				list = append(list, exception{mode, f[2], f[3], f[1] == "skip", reason})
			}
		}
	}

	return list
}

// skipped returns the pattern for go test's -skip.
func (x exceptions) skipped(route, pkg string) string {
	patterns := []string{"^$"} // an empty pattern would be none
	for _, e := range x {
		if e.skip && e.route == route && e.pkg == pkg {
			patterns = append(patterns, "^"+strings.ReplaceAll(regexp.QuoteMeta(e.test), `\*`, ".*")+"$")
		}
	}

	return strings.Join(patterns, "|")
}

// covers reports whether the exception is about a test, by package and name, or about the
// one that it belongs to.
func (e exception) covers(test string) bool {
	name, ok := strings.CutPrefix(test, e.pkg+" ")
	if begin, all := strings.CutSuffix(e.test, "*"); all {
		return ok && strings.HasPrefix(name, begin)
	}

	return ok && (name == e.test || strings.HasPrefix(name, e.test+"/"))
}

// check compares what passed on a route with what passes directly, and with the list.
func (x exceptions) check(t testing.TB, route string, want, got outcomes) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("the tests have not been run directly")
	}
	lost := want.lost(got)
	listed := func(name string) bool {
		return slices.ContainsFunc(x, func(e exception) bool { return e.route == route && e.covers(name) })
	}
	for _, name := range lost {
		if !listed(name) {
			t.Errorf("%s passes directly, but not through pgweir (%s):\n%s", name, got[name].action, got[name].output)
		}
	}
	for _, e := range x {
		// One that is not run says nothing.
		if e.route == route && !e.skip && want.has(e.covers) && !slices.ContainsFunc(lost, e.covers) {
			t.Errorf("%s %s passes, but testdata says that it cannot: %s", e.pkg, e.test, e.reason)
		}
	}
	t.Logf("%d tests pass, %d cannot", got.count("pass"), len(lost))
}
