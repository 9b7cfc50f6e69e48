package pool

import (
	"context"
	"runtime"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// A rig is a set of pools in front of a fake PostgreSQL, on loops whose clock the
// test moves.
type rig struct {
	testing.TB
	postgres *fakePostgres
	clock    *reactor.Clock
	loops    []*reactor.Loop
	pools    *Pools
}

// newRig returns a rig with n loops. In the end it checks that everything can be
// closed.
func newRig(t testing.TB, n int) *rig {
	t.Helper()

	return newRigWith(t, n, reactor.NewSteppedClock())
}

// newRigWith is newRig with a clock.
func newRigWith(t testing.TB, n int, clock *reactor.Clock) *rig {
	t.Helper()
	group, err := reactor.StartGroup(n, reactor.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(group.Stop)
	r := &rig{
		TB: t, clock: clock, loops: group.Loops(),
		postgres: startFake(t), pools: New(group, zap.NewNop()),
	}
	t.Cleanup(r.close)

	return r
}

// newPool returns a rig with n loops and a pool, as rig.pool makes it.
func newPool(t testing.TB, n int, change func(o *Options)) (*rig, *Pool) {
	t.Helper()
	r := newRig(t, n)

	return r, r.pool(change)
}

// close closes the pools. It fails the test if a server was kept.
func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.pools.Close(ctx); err != nil {
		r.Error(err)
	}
}

// options are those of a pool of one server, with no limits of time to speak of.
func (r *rig) options() Options {
	return Options{
		Network: "tcp", Address: r.postgres.address,
		Login:          wire.LoginParams{User: "bob", Database: "shop"},
		Size:           1,
		ConnectTimeout: 1000 * time.Hour,
		LoginRetry:     15 * time.Second,
		Lifetime:       1000 * time.Hour,
		CancelTimeout:  10 * time.Second,
	}
}

// pool returns a pool with the usual options and what change, if not nil, does to them.
func (r *rig) pool(change func(o *Options)) *Pool {
	r.Helper()

	return r.poolOf(Key{Database: "shop", User: "bob"}, change)
}

// poolOf is pool with a key.
func (r *rig) poolOf(key Key, change func(o *Options)) *Pool {
	r.Helper()
	p, err := r.pools.Get(key, func() Options {
		o := r.options()
		if change != nil {
			change(&o)
		}

		return o
	})
	if err != nil {
		r.Fatal(err)
	}

	return p
}

// settle returns once the loops have done all that was posted to them.
func (r *rig) settle() {
	for range 2 * len(r.loops) { // posts may cause posts
		for _, l := range r.loops {
			done := make(chan struct{})
			l.Post(func() { close(done) })
			<-done
		}
	}
}

// step moves the clock and returns once the loops have seen it.
func (r *rig) step(d time.Duration) {
	r.clock.Step(d)
	r.settle()
}

// eventually waits until the condition holds.
func (r *rig) eventually(what string, condition func() bool) {
	r.Helper()
	for start := time.Now(); !condition(); runtime.Gosched() {
		if time.Since(start) > patience {
			r.Fatalf("never came: %s", what)
		}
		r.settle()
	}
}

// wantStat checks a snapshot of p.
func (r *rig) wantStat(p *Pool, open, idle, waiting int) {
	r.Helper()
	s := p.Stat()
	if s.Open != open || s.Idle != idle || s.Waiting != waiting {
		r.Errorf("%d open, %d idle, %d waiting; want %d, %d, %d", s.Open, s.Idle, s.Waiting, open, idle, waiting)
	}
}

// wantClosed checks how many servers p has closed for a reason, soon.
func (r *rig) wantClosed(p *Pool, why Reason, n uint64) {
	r.Helper()
	r.eventually(string(why), func() bool { return p.Stat().Closed[why] >= n })
	if got := p.Stat().Closed[why]; got != n {
		r.Errorf("%d servers closed for %s, want %d", got, why, n)
	}
}

// A client is a task that acquires a server, keeps it until it is told what to do
// with it, and is over.
type client struct {
	rig      *rig
	pool     *Pool
	loop     *reactor.Loop
	deadline time.Duration
	suits    *Server // nil: none

	got  chan outcome // what Acquire returned
	over chan struct{}

	// Touched on the loop only.
	task      *reactor.Task
	server    *Server
	parting   func(s *Server)
	interrupt error
	confirmed int // of its cancels, so many are over
}

// An outcome is what Acquire returned.
type outcome struct {
	server *Server
	waited time.Duration
	err    error
}

// client starts a client on that loop, which waits for at most so long; 0: for ever.
func (r *rig) client(p *Pool, loop int, limit time.Duration) *client {
	r.Helper()
	c := r.newClient(p, loop)
	if limit != 0 {
		c.deadline = r.clock.Now() + limit
	}
	c.start()

	return c
}

// newClient makes a client on that loop, to be started.
func (r *rig) newClient(p *Pool, loop int) *client {
	return &client{rig: r, pool: p, loop: r.loops[loop], got: make(chan outcome, 1), over: make(chan struct{})}
}

// start has the client acquire a server.
func (c *client) start() {
	c.loop.Post(func() { c.loop.Go(c) })
	c.rig.settle()
}

// holder returns a client on the first loop which has its server.
func (r *rig) holder(p *Pool) *client {
	r.Helper()
	c := r.client(p, 0, 0)
	c.served()

	return c
}

// Run implements reactor.Job.
func (c *client) Run(t *reactor.Task) {
	defer close(c.over)
	c.task = t
	s, waited, err := c.pool.Acquire(t, c.deadline, c)
	c.got <- outcome{s, waited, err}
	if err != nil {
		return
	}
	c.server = s
	t.Join(1, s.Conn)
	for c.parting == nil {
		t.Wait(0)
	}
	t.Leave(1)
	c.parting(s)
}

// Interrupted implements Client.
func (c *client) Interrupted() error { return c.interrupt }

// Suits implements Client.
func (c *client) Suits(s *Server) bool { return c.suits == s }

// served waits until the client has its server.
func (c *client) served() outcome {
	c.rig.Helper()
	select {
	case o := <-c.got:
		if o.err != nil {
			c.rig.Fatalf("not served: %v", o.err)
		}

		return o
	case <-time.After(patience):
		c.rig.Fatal("not served")
	}

	return outcome{}
}

// use waits until the client has its server, and has it release that at once.
func (c *client) use() {
	c.rig.Helper()
	c.served()
	c.release()
}

// refused waits until the client is told that it gets none.
func (c *client) refused() outcome {
	c.rig.Helper()
	select {
	case o := <-c.got:
		if o.err == nil {
			c.rig.Fatal("served")
		}

		return o
	case <-time.After(patience):
		c.rig.Fatal("not refused")
	}

	return outcome{}
}

// waiting checks that the client has not been told anything.
func (c *client) waiting() {
	c.rig.Helper()
	c.rig.settle()
	select {
	case o := <-c.got:
		c.rig.Fatalf("it does not wait: %+v", o)
	default:
	}
}

// part has the client give its server away by f.
func (c *client) part(f func(s *Server)) {
	c.rig.Helper()
	c.loop.Post(func() {
		c.parting = f
		c.task.Wake()
	})
	select {
	case <-c.over:
	case <-time.After(patience):
		c.rig.Fatal("the client does not part with its server")
	}
}

// release has the client release its server.
func (c *client) release() {
	c.rig.Helper()
	c.part(c.pool.Release)
	c.rig.settle()
}
