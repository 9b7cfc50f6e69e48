package stats

import (
	"sync"
	"testing"
	"time"
)

func TestTally(t *testing.T) {
	t.Parallel()
	var tally Tally
	tally.Checkout(time.Millisecond)
	tally.Book(Transaction{Took: time.Second, Queries: 3, FromClient: 100, FromServer: 2000})
	tally.Checkout(0)
	tally.Book(Transaction{Took: time.Minute, Queries: 1, FromClient: 10, FromServer: 20})
	tally.Sent(5)
	for name, n := range map[string]struct{ got, want uint64 }{
		"transactions":       {tally.Transactions.Load(), 2},
		"queries":            {tally.Queries.Load(), 4},
		"bytes from clients": {tally.FromClients.Load(), 110},
		"bytes to clients":   {tally.ToClients.Load(), 2025},
	} {
		if n.got != n.want {
			t.Errorf("%d %s, want %d", n.got, name, n.want)
		}
	}
	var wait, took Snapshot
	wait.Add(&tally.Wait)
	took.Add(&tally.Transaction)
	if wait.Sum != time.Millisecond || wait.Count() != 2 || took.Sum != 61*time.Second || took.Count() != 2 {
		t.Errorf("waits %v of %d, transactions %v of %d", wait.Sum, wait.Count(), took.Sum, took.Count())
	}
}

// TestTallyReaders reads while one goroutine writes: no count may go back or be lost.
func TestTallyReaders(t *testing.T) {
	t.Parallel()
	const n = 20_000
	var tally Tally
	var wg sync.WaitGroup
	wg.Go(func() {
		for range n {
			tally.Book(Transaction{Took: time.Millisecond, Queries: 1})
		}
	})
	for range 2 {
		wg.Go(func() {
			for last := uint64(0); last < n; {
				got := tally.Queries.Load()
				if got < last {
					t.Errorf("%d queries after %d", got, last)
				}
				last = got
				var s Snapshot
				s.Add(&tally.Transaction)
			}
		})
	}
	wg.Wait()
	var s Snapshot
	s.Add(&tally.Transaction)
	if s.Count() != n {
		t.Errorf("%d transactions, want %d", s.Count(), n)
	}
}

func TestBookAllocs(t *testing.T) {
	var tally Tally
	if n := testing.AllocsPerRun(100, func() {
		tally.Checkout(time.Millisecond)
		tally.Book(Transaction{Took: time.Millisecond, Queries: 1})
	}); n != 0 {
		t.Errorf("%v allocations for a transaction, want 0", n)
	}
}
