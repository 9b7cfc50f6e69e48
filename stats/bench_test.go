package stats

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// newTest returns statements whose loops are the goroutine of the caller.
func newTest(o Options, loops int) *Statements {
	posts := make([]func(func()), loops)
	for i := range posts {
		posts[i] = func(f func()) { f() }
	}

	s := NewStatements(o, posts...)
	s.Pool("shop", "app", 0)
	for _, name := range []string{"GET /orders", "GET /carts", "job: mail"} {
		s.Shard(0).Route([]byte(name))
	}

	return s
}

// typical returns executions of n statements.
func typical(n int) []Execution {
	all := make([]Execution, n)
	for i := range all {
		all[i] = Execution{
			Fingerprint: Fingerprint(mix(uint64(i) + 1000)), Pool: 1, Route: RouteID(2 + i%3), Ordinal: uint32(i % 9),
			Rows: 3, BytesIn: 100, BytesOut: 700, Server: 150*time.Microsecond + time.Duration(i)*time.Microsecond,
			Gap: time.Millisecond,
		}
	}

	return all
}

// TestBookDoesNotAllocate books what is tracked, what is not, and what fails.
func TestBookDoesNotAllocate(t *testing.T) {
	s := newTest(Options{Tracked: 50}, 1)
	shard := s.Shard(0)
	route := []byte("GET /orders")
	all := typical(100)
	all[7].SQLState = "23505"
	book := func() {
		for i := range all {
			all[i].Route = shard.Route(route)
			shard.Book(&all[i])
		}
		s.BookRequest(&Request{Statements: 3, Distinct: 2, Took: time.Millisecond})
	}
	book()
	if n := testing.AllocsPerRun(100, book); n != 0 {
		t.Errorf("%v allocations for 100 statements, want 0", n)
	}
}

// BenchmarkBook books statements that are tracked.
func BenchmarkBook(b *testing.B) {
	for _, n := range []int{1, 100, 2000} {
		b.Run(fmt.Sprintf("statements=%d", n), func(b *testing.B) {
			s := newTest(Options{}, 1)
			shard := s.Shard(0)
			all := typical(n)
			i := 0
			for b.Loop() {
				shard.Book(&all[i])
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

// BenchmarkBookFlood books statements that are all different.
func BenchmarkBookFlood(b *testing.B) {
	shard := newTest(Options{}, 1).Shard(0)
	x := typical(1)[0]
	for b.Loop() {
		x.Fingerprint = Fingerprint(mix(uint64(x.Fingerprint)))
		shard.Book(&x)
	}
}

// BenchmarkHandOver is how long a loop is held up by a reader. What has been booked in
// between is not looked at.
func BenchmarkHandOver(b *testing.B) {
	shard := newTest(Options{}, 1).Shard(0)
	other := newDelta(2000)
	for b.Loop() {
		other = shard.handOver(other, nil, false)
	}
}

// BenchmarkSnapshot books 2000 statements, about 0.2 ms, and reads all figures.
func BenchmarkSnapshot(b *testing.B) {
	s := newTest(Options{}, 1)
	all := typical(2000)
	for b.Loop() {
		for i := range all {
			s.Shard(0).Book(&all[i])
		}
		s.Snapshot(context.Background())
	}
}

// BenchmarkMemo looks up texts of 100 bytes.
func BenchmarkMemo(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("texts=%d", n), func(b *testing.B) {
			texts := make([][]byte, n)
			for i := range texts {
				texts[i] = fmt.Appendf(nil, "%-100d", i)
			}
			m := NewMemo(func(text []byte, _ struct{}) int { return len(text) })
			for range 3 {
				for _, t := range texts {
					m.Get(t, struct{}{})
				}
			}
			i := 0
			for b.Loop() {
				m.Get(texts[i], struct{}{})
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

// BenchmarkMemoFlood looks up texts that never come again, without reading them.
func BenchmarkMemoFlood(b *testing.B) {
	m := NewMemo(func([]byte, struct{}) int { return 0 })
	text := fmt.Appendf(nil, "%-100d", 0)
	n := uint64(0)
	for b.Loop() {
		n++
		for i := range 8 {
			text[i] = byte(n >> (8 * i))
		}
		m.Get(text, struct{}{})
	}
}
