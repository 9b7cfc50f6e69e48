package pool

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
)

// owners says who has which server.
type owners struct {
	m sync.Map // from *Server to *atomic.Int64, the owner's number or 0
}

// of returns the place of the owner of s.
func (o *owners) of(s *Server) *atomic.Int64 {
	owner, _ := o.m.LoadOrStore(s, new(atomic.Int64))

	return owner.(*atomic.Int64)
}

// A customer acquires a server again and again, in a hurry at times, keeps it for a
// moment, and releases or destroys it.
type customer struct {
	*testing.T
	number int64
	pool   *Pool
	owners *owners
	rng    *rand.Rand
	rounds int
	served int
	done   *sync.WaitGroup
}

// Interrupted implements Client.
func (c *customer) Interrupted() error { return nil }

// Suits implements Client.
func (c *customer) Suits(*Server) bool { return false }

// Run implements reactor.Job.
func (c *customer) Run(t *reactor.Task) {
	defer c.done.Done()
	for range c.rounds {
		c.round(t)
	}
}

// round is one attempt to get a server.
func (c *customer) round(t *reactor.Task) {
	limit := time.Minute
	if c.rng.IntN(4) == 0 {
		limit = time.Duration(c.rng.IntN(int(2 * time.Millisecond)))
	}
	s, _, err := c.pool.Acquire(t, t.Loop().Now()+limit, c)
	if err != nil {
		if timeout := (*WaitTimeoutError)(nil); !errors.As(err, &timeout) || limit == time.Minute {
			c.Errorf("customer %d: %v", c.number, err)
		}

		return
	}
	c.served++
	owner := c.owners.of(s)
	if !owner.CompareAndSwap(0, c.number) {
		c.Errorf("customer %d has got the server of customer %d", c.number, owner.Load())
	}
	if s.Conn.Loop() != t.Loop() {
		c.Errorf("customer %d has got a server of another loop", c.number)
	}
	t.Join(1, s.Conn)
	for range c.rng.IntN(3) {
		t.Wait(t.Loop().Now() + time.Duration(1+c.rng.IntN(int(100*time.Microsecond))))
	}
	t.Leave(1)
	if !owner.CompareAndSwap(c.number, 0) {
		c.Errorf("the server of customer %d has been given to %d", c.number, owner.Load())
	}
	if c.rng.IntN(50) == 0 {
		c.pool.Destroy(s, ReasonAbandoned)
	} else {
		c.pool.Release(s)
	}
}

// TestStress has many tasks on three loops compete for five servers.
func TestStress(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, 3, new(reactor.Clock))
	p := r.pool(func(o *Options) { o.Size = 5 })
	var done sync.WaitGroup
	customers := make([]*customer, 30)
	for i := range customers {
		customers[i] = &customer{
			T: t, number: int64(i + 1), pool: p, owners: new(owners),
			rng: rand.New(rand.NewPCG(uint64(i), 0)), rounds: 100, done: &done,
		}
		customers[i].owners = customers[0].owners
		loop := r.loops[i%len(r.loops)]
		done.Add(1)
		loop.Post(func() { loop.Go(customers[i]) })
	}
	over := make(chan struct{})
	go func() { // ends with the customers
		done.Wait()
		close(over)
	}()
	for end := time.After(patience); ; {
		select {
		case <-over:
			served := 0
			for _, c := range customers {
				served += c.served
			}
			t.Logf("%d served, %d timed out, %d servers opened", served, 3000-served, p.Stat().Opened)
			if served < 1000 {
				t.Error("too few were served to prove anything")
			}
			r.eventually("all servers are idle", func() bool {
				s := p.Stat()

				return s.Idle == s.Open
			})
			r.wantStat(p, p.Stat().Open, p.Stat().Open, 0)

			return
		case <-end:
			t.Fatalf("stuck: %+v", p.Stat())
		case <-time.After(time.Millisecond):
			if s := p.Stat(); s.Open > 5 {
				t.Errorf("%d servers are open", s.Open)
			}
		}
	}
}
