package stats

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// random makes up an execution.
func random(rng *rand.Rand) Execution {
	x := Execution{
		Fingerprint: Fingerprint(rng.IntN(20)), Pool: PoolID(rng.IntN(2)), Route: RouteID(rng.IntN(5)),
		Ordinal: uint32(rng.IntN(9)), Rows: rng.Uint64N(100), BytesIn: rng.Uint64N(1000), BytesOut: rng.Uint64N(5000),
		Wait: time.Duration(rng.IntN(1e6)), Server: time.Duration(rng.Int64N(1 << (10 + rng.IntN(28)))),
		Gap: time.Duration(rng.IntN(1e6) - 1000),
	}
	if n := rng.IntN(20); n < 4 {
		x.SQLState = []string{"23505", "40001", "57014", "22012"}[n]
	}

	return x
}

// TestShardsAddUp books the same into one shard and into three, which hand over at
// odd moments: the figures must be the same.
func TestShardsAddUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 0))
		now := time.Unix(1_700_000_000, 0)
		o := Options{Now: func() time.Time { return now }}
		one, three := newTest(o, 1), newTest(o, 3)
		for i := range 5000 {
			x := random(rng)
			one.Shard(0).Book(&x)
			three.Shard(rng.IntN(3)).Book(&x)
			r := Request{Statements: rng.Uint64N(100), Distinct: 1, Took: x.Server}
			one.BookRequest(&r)
			three.BookRequest(&r)
			if i%700 == 0 {
				three.Collect(t.Context())
			}
		}
		want, got := one.Snapshot(t.Context()), three.Snapshot(t.Context())
		for _, r := range []*Report{want, got} {
			r.Slow = nil // how many are told of depends on the moment
			for i := range r.Statements {
				s := &r.Statements[i] // sets without an order, and whichever slow one came last
				slices.SortFunc(s.Routes[:], func(a, b RouteCount) int { return cmp.Compare(a.Route, b.Route) })
				slices.SortFunc(s.Classes[:], func(a, b ClassCount) int { return slices.Compare(a.Class[:], b.Class[:]) })
				s.Last, s.LastRoute = SlowSample{}, ""
			}
			r.Admitted = 0 // each loop admits for itself
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-one shard +three):\n%s", seed, diff)
		}
	}
}

// TestDiff checks that the difference of two reports is what was booked in between.
func TestDiff(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	s, between := newTest(Options{}, 2), newTest(Options{}, 1)
	for range 500 {
		x := random(rng)
		s.Shard(0).Book(&x)
	}
	old := s.Snapshot(t.Context())
	for range 500 {
		x := random(rng)
		s.Shard(1).Book(&x)
		between.Shard(0).Book(&x)
	}
	got, want := s.Snapshot(t.Context()).Diff(old), between.Snapshot(t.Context())
	if len(got.Statements) != len(want.Statements) {
		t.Fatalf("%d statements, want %d", len(got.Statements), len(want.Statements))
	}
	for i := range want.Statements {
		g, w := &got.Statements[i], &want.Statements[i]
		if g.key() != w.key() || g.Calls != w.Calls || g.Errors != w.Errors || g.Cancelled != w.Cancelled ||
			g.Rows != w.Rows || g.Latency != w.Latency || g.Failed != w.Failed || g.Custom != w.Custom || g.Gap != w.Gap {
			t.Errorf("got %+v\nwant %+v", g, w)
		}
	}
	s.Reset(t.Context())
	if r := s.Snapshot(t.Context()); len(r.Statements) != 0 {
		t.Errorf("%d statements after a reset", len(r.Statements))
	}
}

// TestFlood books a million different statements with hostile routes and texts between
// those of an honest application. Memory stays flat, the honest ones are kept, and no
// execution is lost.
func TestFlood(t *testing.T) {
	const tracked, honest, flood = 200, 50, 1_000_000
	s := newTest(Options{Tracked: tracked}, 2)
	all := typical(honest)
	hostile := strings.Repeat("x\x00\xff", 2000)
	book := func(x *Execution, loop int) {
		shard := s.Shard(loop)
		x.Route = shard.Route(fmt.Appendf(nil, "%x%s", uint64(x.Fingerprint), hostile[:x.Fingerprint%50]))
		if shard.Book(x).Describe {
			shard.Describe(Text{Normalised: hostile, Summary: hostile})
		}
	}
	run := func() {
		for i := range flood / 2 {
			x := Execution{Fingerprint: Fingerprint(rand.Uint64()) | 1<<63, Pool: 1}
			book(&x, i%2)
			if i%20 == 0 {
				book(&all[i/20%honest], i%2)
			}
			if i%100_000 == 0 {
				s.Collect(t.Context())
			}
		}
	}
	run()
	before := heap()
	run()
	if after := heap(); after > before+1<<20 {
		t.Errorf("the heap has grown from %d to %d KB with the second half", before>>10, after>>10)
	}
	r := s.Snapshot(t.Context())
	runtime.KeepAlive(all)
	var calls uint64
	kept := 0
	for i := range r.Statements {
		st := &r.Statements[i]
		calls += st.Calls
		if slices.ContainsFunc(all, func(x Execution) bool { return x.Fingerprint == st.Fingerprint }) && st.Calls > 950 {
			kept++
		}
		if len(st.Text.Normalised) > MaxText || len(st.Text.Summary) > maxName || strings.ContainsRune(st.Text.Summary, 0) {
			t.Fatalf("a text of %d bytes, a summary of %d: %.40q", len(st.Text.Normalised), len(st.Text.Summary), st.Text.Summary)
		}
	}
	if calls != flood+flood/20 {
		t.Errorf("%d calls, want %d", calls, flood+flood/20)
	}
	if kept < honest {
		t.Errorf("%d of %d honest statements have 95 %% of their calls", kept, honest)
	}
	if len(r.Statements) > tracked+specials*2 {
		t.Errorf("%d statements, want %d and the rest", len(r.Statements), tracked)
	}
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)

	return m.HeapAlloc
}

// TestReaders reads while loops book: nothing may be lost, or go back, and a loop that
// does not answer holds up nobody for long.
func TestReaders(t *testing.T) {
	t.Parallel()
	const loops, n = 3, 20_000
	inboxes, posts := make([]chan func(), loops), make([]func(func()), loops)
	for i := range inboxes {
		inboxes[i] = make(chan func(), 100)
		posts[i] = func(f func()) { inboxes[i] <- f }
	}
	s := NewStatements(Options{}, posts...)
	pool := s.Pool("shop", "app", 0)
	var booking, reading sync.WaitGroup
	stop := make(chan struct{})
	for i := range loops {
		booking.Go(func() {
			for k := range n {
				x := Execution{Pool: pool, Fingerprint: Fingerprint(k%100) + specials, Server: time.Second}
				if b := s.Shard(i).Book(&x); b.Describe {
					s.Shard(i).Describe(Text{Normalised: "SELECT $1"})
				}
				select {
				case f := <-inboxes[i]:
					f()
				default:
				}
			}
		})
		reading.Go(func() {
			for last := uint64(0); ; {
				got := callsOf(s.Snapshot(t.Context()))
				if got < last {
					t.Errorf("%d calls after %d", got, last)
				}
				last = got
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	booking.Wait()
	for i := range inboxes { // the loops turn on
		go func() {
			for f := range inboxes[i] {
				f()
			}
		}()
	}
	close(stop)
	reading.Wait()
	if got := callsOf(s.Snapshot(t.Context())); got != loops*n {
		t.Errorf("%d calls, want %d", got, loops*n)
	}
	for i := range inboxes {
		close(inboxes[i])
	}
}

// callsOf adds up the calls of all statements.
func callsOf(r *Report) uint64 {
	var n uint64
	for i := range r.Statements {
		n += r.Statements[i].Calls
	}

	return n
}

// TestTextsComeBack has two loops track different statements, of which a reader keeps
// half. What it takes up later has its text still.
func TestTextsComeBack(t *testing.T) {
	t.Parallel()
	const tracked = 10
	s := newTest(Options{Tracked: tracked}, 4)
	book := func(loop, times int) {
		for i := range tracked {
			for range times {
				x := Execution{Fingerprint: Fingerprint(1000*(loop+1) + i), Pool: 1}
				if s.Shard(loop).Book(&x).Describe {
					s.Shard(loop).Describe(Text{Normalised: x.Fingerprint.String()})
				}
			}
		}
	}
	for loop := range 4 {
		book(loop, 1+loop) // the first loop's are the lightest
	}
	s.Collect(t.Context())
	book(0, 1000)
	s.Collect(t.Context())
	got := 0
	for _, st := range s.Snapshot(t.Context()).Statements {
		if st.Fingerprint >= 1000 && st.Fingerprint < 2000 && st.Text.Normalised == st.Fingerprint.String() {
			got++
		}
	}
	if got != tracked {
		t.Errorf("%d statements have their text, want %d", got, tracked)
	}
}

// TestDeafLoop reads with a loop that does not turn for a while: the others' figures are
// there, and its own come later.
func TestDeafLoop(t *testing.T) {
	t.Parallel()
	var late []func()
	s := NewStatements(Options{}, func(f func()) { f() }, func(f func()) { late = append(late, f) })
	x := Execution{Fingerprint: 99}
	s.Shard(0).Book(&x)
	s.Shard(1).Book(&x)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got := callsOf(s.Snapshot(ctx)); got != 1 {
		t.Errorf("%d calls without the deaf loop, want 1", got)
	}
	s.Shard(1).Book(&x)
	late[0]()
	if got := callsOf(s.Snapshot(t.Context())); got != 3 || len(late) != 1 {
		t.Errorf("%d calls and %d requests after it has answered, want 3 and 1", got, len(late))
	}
}
