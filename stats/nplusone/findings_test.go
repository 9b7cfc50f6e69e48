package nplusone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.tags = request(1)
	c.nPlusOne(70)
	w.end()
	var b bytes.Buffer
	if err := w.group.Findings.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"findings":[{"kind":"n+1","confidence":"proven","count":70,"distinct":70,`+
		`"child":{"fingerprint":"%016x","text":"SELECT name FROM orders WHERE user_id = $1","tables":["orders"]},`+
		`"parent":{"fingerprint":"%016x","text":"SELECT id, name FROM users","tables":["users"]},`+
		`"provenance":"orders.user_id <- users.id (64/64 values)","route":"/users",`+
		`"exec_ms":70,"gap_ms":21,"round_trips":70,"occurrences":1,`+
		`"first_seen":"2023-11-14T22:13:20.0026Z","last_seen":"2023-11-14T22:13:20.0923Z",`+
		`"suggestion":"Load the rows along with the list: select_related() for one row, prefetch_related() for many. `+
		`Ask for all rows with one statement: WHERE orders.user_id = ANY($1), or JOIN orders ON orders.user_id = users.id.",`+
		`"origin":{"database":"shop","user":"app","application":"web"}}]}`+"\n",
		w.statement(ordersOf).Fingerprint, w.statement(listUsers).Fingerprint)
	got := w.group.Findings.List()[0]
	text := strings.ReplaceAll(b.String(), fmt.Sprintf(`"distinct":%d`, got.Distinct), `"distinct":70`)
	if d := cmp.Diff(want, text); d != "" {
		t.Error(d)
	}
	if got.Distinct < 66 {
		t.Errorf("%d distinct values, want about 70", got.Distinct)
	}
	if !got.Warn() || got.SavedMS < 85 || got.SavedMS > 91 {
		t.Errorf("warning %v, %v ms saved, want true and about 90", got.Warn(), got.SavedMS)
	}
}

// untold leaves out the texts of a finding.
func untold(*Finding) {}

func TestNoFindings(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := newWorld(Rules{}, evidence{}).group.Findings.WriteJSON(&b); err != nil || b.String() != `{"findings":[]}`+"\n" {
		t.Errorf("%s, %v", b.String(), err)
	}
}

func TestLogged(t *testing.T) {
	t.Parallel()
	var logged []uint64
	l := newFindings(time.Unix(0, 0), func(f Finding) { logged = append(logged, f.Occurrences) })
	for range 1200 {
		l.add(Finding{Kind: KindNPlusOne, Occurrences: 1}, untold)
	}
	if d := cmp.Diff([]uint64{1, 10, 100, 1000}, logged); d != "" {
		t.Error(d)
	}
	if got := l.Counts()[Label{Kind: KindNPlusOne}]; got != 1200 {
		t.Errorf("counted %d, want 1200", got)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	l := newFindings(time.Unix(100, 0), nil)
	for i, f := range []Finding{
		{Confidence: Likely, Count: 90, first: 5, last: 6},
		{Confidence: Proven, Count: 10, first: 7, last: 9},
		{Confidence: Suspected, Count: 99, first: 1, last: 2},
	} {
		provenance := string("abc"[i])
		f.Kind, f.Route, f.Occurrences, f.ExecMS, f.RoundTrips = KindNPlusOne, "/", 1, float64(i+1), 10
		l.add(f, func(known *Finding) { known.Provenance = provenance })
	}
	list := l.List()
	if len(list) != 1 {
		t.Fatalf("%d findings, want 1", len(list))
	}
	f := list[0]
	if f.Confidence != Proven || f.Count != 10 || f.Provenance != "b" || f.ExecMS != 6 || f.RoundTrips != 30 ||
		f.Occurrences != 3 || f.FirstSeen != time.Unix(100, 1) || f.LastSeen != time.Unix(100, 9) {
		t.Errorf("merged to %+v", f)
	}
}

// TestBoundedFindings adds more than are kept, under more routes than are counted by name.
func TestBoundedFindings(t *testing.T) {
	t.Parallel()
	l := newFindings(time.Unix(0, 0), nil)
	const n = 3 * maxFindings
	for i := range n {
		l.add(Finding{
			Kind: KindNPlusOne, Route: fmt.Sprintf("/%d", i), Occurrences: 1, last: time.Duration(i),
			Origin: Origin{Database: fmt.Sprintf("d%d", i%100)},
		}, untold)
	}
	list, counts := l.List(), l.Counts()
	if len(list) < maxFindings*9/10 || len(list) > maxFindings || len(counts) > maxCounters+1 {
		t.Errorf("%d findings and %d counters", len(list), len(counts))
	}
	var sum uint64
	for _, c := range counts {
		sum += c
	}
	if sum != n {
		t.Errorf("counted %d, want %d", sum, n)
	}
	for i := range list {
		if list[i].last < n-maxFindings {
			t.Errorf("%s is kept, of %d the last %d should be", list[i].Route, n, maxFindings)
		}
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	for framework, want := range map[string]string{
		"django:4.2": "prefetch_related", "Rails": "includes()", "sqlalchemy": "selectinload", "hibernate": "JOIN FETCH",
		"gorm": "Preload(", "ecto": "preload", "laravel": "with()", "prisma": "include", "": "= ANY($1)",
	} {
		w := newWorld(Rules{}, evidence{})
		c := w.connect()
		c.tags = &Tags{Framework: framework}
		c.nPlusOne(20)
		if got := w.end()[0].Suggestion; !strings.Contains(got, want) || !strings.Contains(got, "= ANY($1)") {
			t.Errorf("%s: %q does not have %q", framework, got, want)
		}
	}
}

// TestSuggestionWithoutParent: without a list it is not known which parameter is the one
// that all rows should be asked for with.
func TestSuggestionWithoutParent(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.tags = &Tags{Request: "1"}
	for i := range 20 {
		c.one("SELECT name FROM users WHERE id % $1 = $2", 7, 20_000+i)
	}
	f := w.end()[0]
	if f.Kind != KindNPlusOne || f.Parent != nil || strings.Contains(f.Suggestion, "$") || !strings.Contains(f.Suggestion, "= ANY(") {
		t.Errorf("%s, parent %v: %s", f.Kind, f.Parent, f.Suggestion)
	}
}

// TestSharedByLoops has loops of one process book the same requests at the same time,
// while somebody reads.
func TestSharedByLoops(t *testing.T) {
	t.Parallel()
	g := New(Options{Loops: 4, Start: time.Unix(0, 0)})
	child := g.Statement(Description{Fingerprint: 1, Text: ordersOf, Kind: Read, Tables: []string{"orders"}})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			d := g.Detector()
			c := Client{Origin: NewOrigin("shop", "app", "web")}
			for i := range 4000 {
				var p Parameters
				p.Literal([]byte("7"))
				now := time.Duration(i) * time.Millisecond
				d.Book(&Execution{Statement: child, Client: &c, Tags: request(i / 10), Parameters: p, At: now})
				if i%100 == 0 {
					g.Sweep(now)
					_, _ = json.Marshal(g.Findings.List())
				}
			}
			d.Close()
		})
	}
	wg.Wait()
	g.Close()
	var trips uint64
	for _, f := range g.Findings.List() {
		trips += f.RoundTrips
	}
	if trips < 15_000 || trips > 16_000 {
		t.Errorf("%d round trips of duplicates, want nearly all of 16000", trips)
	}
}
