package pool

import (
	"errors"
	"testing"
	"time"

	"github.com/pgweir/pgweir/wire"
)

// TestOrder checks that those who wait are served in the order in which they came,
// whatever loops they are on.
func TestOrder(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 3, nil)
	holder := r.client(p, 0, 0)
	server := holder.served().server
	var queue []*client
	for i := range 9 {
		queue = append(queue, r.client(p, i*2%3, 0))
		r.wantStat(p, 1, 0, i+1)
	}
	for i, c := range queue {
		holder.release()
		if got := c.served(); got.server != server {
			t.Errorf("client %d has another server", i)
		}
		if c.server.Conn.Loop() != c.loop {
			t.Errorf("client %d has its server on another loop", i)
		}
		for _, later := range queue[i+1:] {
			later.waiting()
		}
		holder = c
	}
	holder.release()
	r.wantStat(p, 1, 1, 0)
	if n := r.postgres.loginCount(); n != 1 {
		t.Errorf("%d servers were opened, want 1", n)
	}
}

// TestOwnLoop checks that an idle server of the client's own loop is preferred, the
// one that was used last, and that one of another loop does if there is none.
func TestOwnLoop(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, func(o *Options) { o.Size = 3 })
	holders := []*client{r.client(p, 0, 0), r.client(p, 1, 0), r.client(p, 1, 0)}
	var servers []*Server
	for _, c := range holders {
		servers = append(servers, c.served().server)
	}
	for _, c := range holders {
		c.release()
	}
	r.wantStat(p, 3, 3, 0)

	for range 2 {
		own := r.client(p, 1, 0)
		if got := own.served(); got.server != servers[2] || got.waited != 0 {
			t.Errorf("not the last used server of the own loop, after %v", got.waited)
		}
		own.release()
	}
	own := r.client(p, 0, 0)
	if own.served().server != servers[0] {
		t.Error("not the server of the own loop")
	}
	foreign := r.client(p, 0, 0)
	got := foreign.served().server
	if got == servers[0] || got.Conn.Loop() != r.loops[0] {
		t.Error("the server of the other loop was not moved")
	}
	own.release()
	foreign.release()
	r.wantStat(p, 3, 3, 0)
}

func TestWaitTimeout(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, nil)
	holder := r.client(p, 0, 0)
	server := holder.served().server
	early, late := r.client(p, 1, time.Minute), r.client(p, 1, time.Hour)
	r.step(time.Minute - 1)
	early.waiting()
	r.step(1)
	got := early.refused()
	var timeout *WaitTimeoutError
	if !errors.As(got.err, &timeout) || timeout.Waited != time.Minute || timeout.Cause != nil ||
		got.waited != time.Minute {
		t.Errorf("got %+v", got)
	}
	if s := p.Stat(); s.Waiting != 1 || s.MaxWait != time.Minute {
		t.Errorf("%d wait, the first for %v", s.Waiting, s.MaxWait)
	}
	holder.release()
	if late.served().server != server {
		t.Error("the next one has another server")
	}
	late.release()
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	holder := r.holder(p)
	first, second := r.client(p, 0, time.Hour), r.client(p, 0, 0)
	reason := errors.New("its client has gone")
	r.loops[0].Post(func() {
		first.interrupt = reason
		first.task.Wake()
	})
	if err := first.refused().err; err != reason {
		t.Errorf("got %v, want %v", err, reason)
	}
	holder.release()
	second.use()
}

// TestWakeIsNoGrant checks that a waiter which is woken for no reason goes on
// waiting.
func TestWakeIsNoGrant(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	holder := r.holder(p)
	c := r.client(p, 0, time.Hour)
	for range 3 {
		r.loops[0].Post(c.task.Wake)
		c.waiting()
	}
	holder.release()
	c.use()
}

// TestGrantOnTheWay has a waiter give up while a server is on its way to it from
// another loop: the server must not get lost.
func TestGrantOnTheWay(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, nil)
	for range 50 {
		holder := r.holder(p)
		c := r.client(p, 1, time.Minute)
		go r.clock.Step(time.Minute) // ends soon
		holder.release()
		r.eventually("an answer", func() bool { return len(c.got) > 0 })
		if o := <-c.got; o.err == nil {
			c.release()
		}
		r.eventually("the server is idle again", func() bool { return p.Stat().Idle == 1 })
	}
	r.wantStat(p, 1, 1, 0)
}

// TestDeadOnTheWay has servers end while they are moved between loops: the waiter
// gets another one.
func TestDeadOnTheWay(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, nil)
	for range 20 {
		holder := r.client(p, 0, 0)
		pid := holder.served().server.Welcome.PID
		first, second := r.client(p, 1, 0), r.client(p, 0, 0)
		holder.part(func(s *Server) {
			r.postgres.end(s)
			p.Release(s)
		})
		if got := first.served().server.Welcome.PID; got == pid {
			t.Error("a dead server was handed out")
		}
		second.waiting()
		first.release()
		second.served()
		second.part(func(s *Server) { p.Destroy(s, ReasonAbandoned) })
	}
	r.wantStat(p, 0, 0, 0)
}

// TestDeadInTheRound has a server end in the very round of its loop in which a client
// asks for it.
func TestDeadInTheRound(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	c := r.client(p, 0, 0)
	s := c.served().server
	c.release()
	c = &client{rig: r, pool: p, loop: r.loops[0], got: make(chan outcome, 1), over: make(chan struct{})}
	c.loop.Post(func() {
		r.postgres.end(s)
		c.loop.Post(func() { c.loop.Go(c) }) // in the round that hears of it, but earlier
	})
	if c.served().server == s {
		t.Error("a dead server was handed out")
	}
	c.release()
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"pool exhausted, waited 1.5s": &WaitTimeoutError{Waited: 1500 * time.Millisecond},
		"no server for 2.0s: broken":  &WaitTimeoutError{Waited: 2 * time.Second, Cause: errors.New("broken")},
		"connect to host:1: broken":   &OpenError{Address: "host:1", Err: errors.New("broken")},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	pg := wire.Fatalf(wire.CodeInvalidPassword, "no")
	wrapped := &WaitTimeoutError{Cause: &OpenError{Err: pg}}
	if !errors.Is(wrapped, pg) || !hopeless(wrapped) || hopeless(errors.New("broken")) {
		t.Error("the cause cannot be seen")
	}
	if got := (Key{Database: "shop", User: "bob"}).String(); got != "shop/bob" {
		t.Errorf("a key prints as %q", got)
	}
}

// TestSuits checks that an idle server that suits the client is preferred, if it is not
// far down.
func TestSuits(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	p := r.pool(func(o *Options) { o.Size = chooseFrom + 2 })
	var holders []*client
	for range chooseFrom + 2 {
		holders = append(holders, r.holder(p))
	}
	var servers []*Server // the last one used is the last
	for _, c := range holders {
		servers = append(servers, c.server)
		c.release()
	}
	last := len(servers) - 1
	for _, tt := range []struct{ suits, want int }{{2, 2}, {0, last}} {
		c := r.newClient(p, 0)
		c.suits = servers[tt.suits]
		c.start()
		if got := c.served().server; got != servers[tt.want] {
			t.Errorf("%d suits, and the client has another than %d", tt.suits, tt.want)
		}
		defer c.release()
	}
}
