package nplusone

import (
	"fmt"
	"testing"
	"time"
)

func TestIgnored(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rules func(w *world) Rules
		want  []string
	}{
		{"nothing", func(*world) Rules { return Rules{} }, []string{"n+1 proven 20"}},
		{"the statement", func(w *world) Rules {
			return Rules{Fingerprints: []uint64{w.statement(ordersOf).Fingerprint}}
		}, nil},
		{"its table", func(*world) Rules { return Rules{Tables: []string{"orders"}} }, nil},
		{"another table", func(*world) Rules { return Rules{Tables: []string{"items"}} }, []string{"n+1 proven 20"}},
		{"the application", func(*world) Rules { return Rules{Applications: []string{"web"}} }, nil},
		{"the user", func(*world) Rules { return Rules{Users: []string{"app"}} }, nil},
		{"the route", func(*world) Rules { return Rules{Routes: []string{"/users"}} }, nil},
		{"another route", func(*world) Rules { return Rules{Routes: []string{"/"}} }, []string{"n+1 proven 20"}},
		{"a job of 20", func(*world) Rules { return Rules{Jobs: []string{"web"}} }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(tt.rules(newWorld(Rules{}, evidence{})), evidence{})
			c := w.connect()
			c.tags = request(1)
			c.nPlusOne(20)
			wantFindings(t, w.end(), tt.want...)
		})
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][]string{49: nil, 50: {"n+1 proven 50"}} {
		w := newWorld(Rules{Jobs: []string{"web"}}, evidence{})
		w.connect().nPlusOne(n)
		wantFindings(t, w.end(), want...)
	}
}

func TestIgnoredByComment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"SELECT 1":                                   false,
		"SELECT 1 /* pgweir:n1 ignore */":            true,
		"/*pgweir:n1 ignore*/ SELECT 1":              true,
		"/* a */ SELECT 1 /* pgweir:n1 ignore */":    true,
		"/* pgweir:n1 */ SELECT 1":                   false,
		"/* pgweir:n1 ignore SELECT 1":               false,
		"SELECT 'pgweir:n1 ignore'":                  false,
		"SELECT 1 /* a */ /* b */ /* c */ -- /* d *": false,
	} {
		if got := Ignored([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	for i := range 20 {
		w.detector.Book(&Execution{
			Statement: w.statement(settingsOf), Client: &c.client, At: time.Duration(i) * time.Millisecond, Ignored: true,
		})
	}
	wantFindings(t, w.end())
}

// TestBoundsOfEpisodes has a loop of six with something in its middle: if that ends the
// episode, nobody knows of six.
func TestBoundsOfEpisodes(t *testing.T) {
	t.Parallel()
	whole := []string{"n+1 proven 6"}
	tests := []struct {
		name    string
		between func(c *connection)
		want    []string
	}{
		{"nothing", func(*connection) {}, whole},
		{"a pause", func(c *connection) { c.think(time.Second) }, nil},
		{"a short pause", func(c *connection) { c.think(20 * time.Millisecond) }, whole},
		{"another route", func(c *connection) { c.tags = &Tags{Route: "/b"} }, nil},
		{"another action", func(c *connection) { c.tags = &Tags{Controller: "c", Action: "b"} }, nil},
		{"no tags", func(c *connection) { c.tags = nil }, whole},
		{"a ping", func(c *connection) { c.one("SELECT 1") }, nil},
		{"a reset", func(c *connection) { c.do("DISCARD ALL") }, nil},
		{"a name", func(c *connection) { c.do("SET application_name = 'web'") }, nil},
		{"a ROLLBACK of nothing", func(c *connection) { c.do("ROLLBACK") }, nil},
		{"a ROLLBACK", func(c *connection) { c.do("BEGIN"); c.do("ROLLBACK") }, whole},
		{"a transaction", func(c *connection) { c.do("BEGIN"); c.do("COMMIT") }, whole},
		{"a disconnect", func(c *connection) { c.detector.Disconnect(&c.client) }, nil},
		{"a sweep", func(c *connection) { c.now += time.Second; c.detector.Sweep(c.now) }, nil},
		{"a sweep that is early", func(c *connection) { c.detector.Sweep(c.now) }, whole},
		{"half a minute", func(c *connection) { c.now += 31 * time.Second }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Rules{}, evidence{})
			c := w.connect()
			c.tags = &Tags{Route: "/a", Controller: "c", Action: "a"}
			c.run(listUsers, ids(upto(100, 6)...))
			for _, id := range upto(100, 6) {
				if id == 103 {
					tt.between(c)
				}
				c.one(ordersOf, id)
			}
			wantFindings(t, w.end(), tt.want...)
		})
	}
}

// TestPauseInTransaction has an application come to a halt for a while in the middle of
// a loop: for as long as its transaction is open it is at the same request.
func TestPauseInTransaction(t *testing.T) {
	t.Parallel()
	for begin, want := range map[string][]string{"BEGIN": {"n+1 proven 6"}, "SET work_mem = 100": nil} {
		w := newWorld(Rules{}, evidence{})
		c := w.connect()
		c.do(begin)
		c.run(listUsers, ids(upto(100, 6)...))
		for _, id := range upto(100, 6) {
			if id == 103 {
				c.think(400 * time.Millisecond)
			}
			c.one(ordersOf, id)
		}
		wantFindings(t, w.end(), want...)
	}
}

// TestSlowApplication takes 60 ms for each row, which is longer than a pause is at first.
func TestSlowApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.step = 60 * time.Millisecond
	c.nPlusOne(3)
	c.nPlusOne(20)
	wantFindings(t, w.end(), "n+1 proven 20")
}

// TestWithout takes away what the rules rest on, and shows what each part is good for.
func TestWithout(t *testing.T) {
	t.Parallel()
	backToBack := func(c *connection) {
		for n := range 60 {
			c.run(listUsers, ids(upto(100, 40)...))
			c.one(ordersOf, 100+n%40)
		}
	}
	tests := []struct {
		name    string
		run     func(c *connection)
		without evidence
		want    []string
	}{
		{"all", func(c *connection) { c.nPlusOne(20) }, evidence{}, []string{"n+1 proven 20"}},
		{"provenance", func(c *connection) { c.nPlusOne(20) }, evidence{provenance: true}, []string{"n+1 likely 20"}},
		{"tags", func(c *connection) {
			for i := range 20 {
				c.tags = request(1)
				c.one(ordersOf, 7*i)
			}
		}, evidence{tags: true}, nil},
		{"rounds, which are there", backToBack, evidence{}, nil},
		{"rounds", func(c *connection) {
			for n := range 40 {
				c.run(listUsers, ids(upto(100, 40)...))
				c.one(ordersOf, 100+n)
			}
		}, evidence{rounds: true}, []string{"n+1 proven 40"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Rules{}, tt.without)
			tt.run(w.connect())
			wantFindings(t, w.end(), tt.want...)
		})
	}
}

// TestManyStatements has a loop behind more statements than an episode keeps.
func TestManyStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.tags = request(1)
	for i := range 100 {
		text := fmt.Sprintf("SELECT name FROM t%d WHERE id = $1", i)
		c.one(text, i)
		c.one(text, i)
	}
	c.nPlusOne(20)
	wantFindings(t, w.end(), "n+1 proven 20")
}
