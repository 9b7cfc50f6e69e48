package nplusone

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// TestNothingIsProvenByChance runs random traffic without a loop: lists, reads by values
// that have nothing to do with them, writes, pauses, transactions, tags. Nothing of it
// may be proven.
func TestNothingIsProvenByChance(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(Rules{}, evidence{})
		clients := make([]*connection, 1+r.IntN(16))
		for i := range clients {
			clients[i] = w.connect()
			clients[i].binary = i%2 == 0
		}
		for n := range 3000 {
			randomStep(r, clients[r.IntN(len(clients))], n)
		}
		for _, f := range w.end() {
			if f.Confidence == Proven {
				t.Errorf("seed %d: %+v", seed, f)
			}
		}
	}
}

// randomStep has a client do something. Step n is for request n/50 if it is tagged.
func randomStep(r *rand.Rand, c *connection, n int) {
	switch c.tags = nil; r.IntN(3) {
	case 0:
		c.tags = request(n / 50)
	case 1:
		c.tags = &Tags{Route: fmt.Sprintf("/%d", n/50%3)}
	}
	table := r.IntN(4)
	switch r.IntN(10) {
	case 0, 1:
		// Keys are in no order, as far apart as those of a table with deleted rows.
		rows := make([]int, r.IntN(150))
		for i := range rows {
			rows[i] = r.IntN(1_000_000)
		}
		c.run(fmt.Sprintf("SELECT id FROM t%d WHERE a > $1", table), ids(rows...), r.IntN(1_000_000))
	case 2:
		c.do(fmt.Sprintf("UPDATE t%d SET a = 1 WHERE id = $1", table), r.IntN(1_000_000))
	case 3:
		c.do([]string{"BEGIN", "COMMIT"}[r.IntN(2)])
	case 4:
		c.think(time.Duration(r.IntN(200)) * time.Millisecond)
	default:
		c.one(fmt.Sprintf("SELECT name FROM t%d WHERE id = $1", table), r.IntN(1_000_000))
	}
}

// TestLoopsAmongNoise has each fifth request loop, among others on the same connections
// without a pause and on other connections at the same time. All loops are proven, nothing
// else is, nor likely; with -v it says what is suspected.
func TestLoopsAmongNoise(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{1, 16, 64} {
		r := rand.New(rand.NewPCG(uint64(clients), 2))
		w := newWorld(Rules{}, evidence{})
		all := make([]*connection, clients)
		for i := range all {
			all[i] = w.connect()
		}
		for n := range 500 {
			c := all[n%clients]
			if e := c.client.episode; e != nil && c.now-e.began > maxAge/3 {
				// The limit of an episode would cut a loop in two.
				c.detector.Disconnect(&c.client)
			}
			if n%5 == 0 {
				loopAmongOthers(r, c, all, n)
			}
			for range 20 {
				randomStep(r, c, n)
			}
		}
		found := make(map[string]uint64)
		for _, f := range w.end() {
			name := f.Kind + " " + f.Confidence.String()
			if f.Child.Text == ordersOf && f.Parent != nil && f.Parent.Text == listUsers {
				name = "the loop " + f.Confidence.String()
			}
			found[name] += f.Occurrences
		}
		t.Logf("%d clients: %v", clients, found)
		wrong := uint64(0)
		for _, kind := range []string{KindNPlusOne, KindDuplicate, KindWriteLoop, KindRecursive} {
			wrong += found[kind+" proven"] + found[kind+" likely"]
		}
		if found["the loop proven"] != 100 || wrong != 0 {
			t.Errorf("%d clients: %v, want 100 loops and nothing else proven or likely", clients, found)
		}
	}
}

// loopAmongOthers is a request with a loop, and others between its statements.
func loopAmongOthers(r *rand.Rand, c *connection, all []*connection, n int) {
	c.tags, c.gap = nil, 0
	size := 6 + r.IntN(90)
	c.run(listUsers, ids(upto(100, size)...))
	for _, id := range upto(100, size) {
		if other := all[r.IntN(len(all))]; other != c {
			randomStep(r, other, n)
		}
		c.tags, c.gap = nil, 0
		c.one(ordersOf, id)
	}
}

// TestMemoryIsBounded sends a million statements of which no two are the same, half of
// them under requests of their own, from many clients, and looks at the heap.
func TestMemoryIsBounded(t *testing.T) {
	const limit = 4 << 20
	g := New(Options{Memory: limit, Start: time.Unix(0, 0)})
	d := g.Detector()
	clients := make([]Client, 20_000)
	for i := range clients {
		clients[i].Origin = NewOrigin("shop", "app", "web")
	}
	before := heap()
	for i := range 1_000_000 {
		st := g.Statement(Description{Fingerprint: uint64(i) * 0x9e3779b97f4a7c15, Text: listUsers, Kind: Read})
		x := Execution{Statement: st, Client: &clients[i%len(clients)], At: time.Duration(i) * time.Microsecond, Rows: 2}
		if i%2 == 0 {
			x.Tags = &Tags{Request: fmt.Sprint(i), Route: fmt.Sprint(i)}
		}
		d.Book(&x)
		for range i % 50 / 49 * 5 { // one of 50 is worth a finding
			d.Book(&x)
		}
	}
	if d.Memory() > limit/2+1<<16 {
		t.Errorf("%d bytes of a loop, want at most %d", d.Memory(), limit/2)
	}
	tagged := 0
	for i := range g.requests {
		tagged += g.requests[i].bytes
	}
	if all := d.Memory() + tagged; g.Memory() != all || tagged == 0 {
		t.Errorf("the group has %d bytes, its parts %d", g.Memory(), all)
	}
	if grown := heap() - before; grown > 4*limit {
		t.Errorf("the heap has grown by %d bytes, the limit is %d", grown, limit)
	}
	if g.Evicted() == 0 {
		t.Error("no episode was in the way")
	}
	if n := len(g.Findings.List()); n < maxFindings/2 || n > maxFindings {
		t.Errorf("%d findings, want many, and at most %d", n, maxFindings)
	}
	runtime.KeepAlive(clients)
}

// heap returns the bytes in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)

	return int64(m.HeapAlloc)
}
