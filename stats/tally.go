package stats

import (
	"sync/atomic"
	"time"
)

// A Tally counts what the sessions of one pool did on one loop. The zero value is
// ready to use. One goroutine writes it, any may read.
type Tally struct {
	Transactions atomic.Uint64 // ended, good or bad
	Queries      atomic.Uint64 // simple queries, executed portals and function calls
	FromClients  atomic.Uint64 // bytes
	ToClients    atomic.Uint64 // bytes
	Wait         Histogram     // how long each checkout waited for a server
	Transaction  Histogram     // how long each had its server
}

// Checkout books that a client got a server after wait.
func (t *Tally) Checkout(wait time.Duration) {
	t.Wait.Observe(wait)
}

// A Transaction is what happened between a checkout and its end.
type Transaction struct {
	Took                   time.Duration
	Queries                uint64
	FromClient, FromServer uint64 // bytes
}

// Book books the end of a transaction.
func (t *Tally) Book(tx Transaction) {
	add(&t.Transactions, 1)
	add(&t.Queries, tx.Queries)
	add(&t.FromClients, tx.FromClient)
	add(&t.ToClients, tx.FromServer)
	t.Transaction.Observe(tx.Took)
}

// Sent books bytes that a client got while it had no server.
func (t *Tally) Sent(n uint64) {
	add(&t.ToClients, n)
}

// add adds to a counter that only its caller writes: without a competitor a load
// and a store do.
func add(c *atomic.Uint64, n uint64) {
	c.Store(c.Load() + n)
}
