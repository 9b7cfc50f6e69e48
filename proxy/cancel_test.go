package proxy

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// cancel sends a cancel request for c, and returns the connection that carries it.
func (r *rig) cancel(c *client) *client {
	r.t.Helper()
	carrier := r.dial()
	carrier.send(wire.AppendCancelRequest(nil, c.welcome.PID, c.welcome.Secret))

	return carrier
}

// TestCancelQueued: a cancel request takes a client out of the queue.
func TestCancelQueued(t *testing.T) {
	for name, send := range map[string][]byte{
		"query": query("SELECT 1"), "extended series": join(extended("SELECT 1"), syncMsg()),
	} {
		t.Run(name, func(t *testing.T) {
			x := newRefusing(t)
			x.queue(x.c, send)
			x.cancel(x.c)
			x.c.wantError("ERROR", wire.CodeQueryCanceled, "canceling statement due to user request")
			x.c.want("Z")
			if n := len(x.fake.cancels); n != 0 {
				t.Errorf("%d cancel requests reached PostgreSQL", n)
			}
			x.usable()
		})
	}
}

// TestCancelEndsWhenItIsOver: drivers send their next statement once the connection
// that carried the request has ended, so that must not be before the request can hit
// nothing any more.
func TestCancelEndsWhenItIsOver(t *testing.T) {
	f, r, c, s := paired(t, nil)
	running(c, s)
	carrier := r.cancel(c)
	request := f.canceled(s)
	s.send(canceledError())
	c.want("EZ")
	r.settle()
	carrier.wantSilence()
	request.confirm()
	carrier.wantEnd()

	for what, key := range map[string]*client{"a client at rest": c, "nobody": {welcome: &wire.Welcome{PID: 1, Secret: []byte(fakeSecret)}}} {
		t.Run(what, func(*testing.T) { r.cancel(key).wantEnd() })
	}
	ping(c, s)
}

// TestCancelCarrierLeaves: whoever asks need not wait.
func TestCancelCarrierLeaves(t *testing.T) {
	f, r, c, s := paired(t, nil)
	running(c, s)
	_ = r.cancel(c).nc.Close()
	request := f.canceled(s)
	r.eventually("the login is over", func() bool { return r.proxy.Stat().Logins == 0 })
	request.confirm()
	s.send(canceledError())
	c.want("EZ")
	ping(c, s)
}

// TestCancelSparesSettings: a request that comes while the server takes the client's
// settings must not hit that, or the client's statement would run with another's. It
// is for the statement behind it.
func TestCancelSparesSettings(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(nil))
	c := r.connect(wire.Parameter{Name: "application_name", Value: "mine"})
	s := f.accept()
	c.send(query("SELECT 1"))
	s.want("QQ")
	carrier := r.cancel(c)
	r.settle()
	if n := len(f.cancels); n != 0 {
		t.Fatalf("%d cancel requests reached PostgreSQL while it was taking settings", n)
	}
	s.send(done("SET", wire.TxIdle))
	f.canceled(s).confirm()
	carrier.wantEnd()
	s.send(canceledError())
	c.want("EZ")
	ping(c, s)
}

// TestCancelBehindParse: what pgweir prepares on a server in front of the client's Bind
// holds up no request. PostgreSQL does not answer it before the statement is over.
func TestCancelBehindParse(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(func(g *config.Pgweir) { g.DefaultPoolSize = 2 }))
	c, other := r.connect(), r.connect()
	first := f.accept()
	c.send(parse("s", "SELECT pg_sleep(1000)"), syncMsg())
	first.want("PS")
	first.send(frameOf(&pgproto3.ParseComplete{}), ready(wire.TxIdle))
	c.want("1Z")
	running(other, first)
	c.send(run("s"), syncMsg())
	second := f.accept()
	second.want("PBES")
	r.cancel(c)
	f.canceled(second).confirm()
	second.send(canceledError())
	c.want("EZ")
	first.send(result("1"))
	other.want("TDCZ")
}

// TestCancelBeforeStatement: a client whose settings are still being tried is told at
// once that its statement is cancelled. Nobody has begun it.
func TestCancelBeforeStatement(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(nil))
	c := r.connect(wire.Parameter{Name: "work_mem", Value: "5MB"})
	s := f.accept()
	c.send(extended("SELECT 1"), syncMsg())
	s.want("Q")
	carrier := r.cancel(c)
	r.settle()
	s.send(done("SET", wire.TxIdle))
	c.wantError("ERROR", wire.CodeQueryCanceled, "canceling statement due to user request")
	c.want("Z")
	carrier.wantEnd()
	s.wantSilence()
	ping(c, s)
}

// A holder has a server until it is woken: then it gives it back, and does what the
// test wants before anybody else can do anything on the loop.
type holder struct {
	pool  *pool.Pool
	task  *reactor.Task
	then  func()
	over  bool
	ended chan struct{}
}

// Run implements [reactor.Job].
func (h *holder) Run(t *reactor.Task) {
	defer close(h.ended)
	h.task = t
	s, _, err := h.pool.Acquire(t, 0, h)
	if err != nil {
		panic("bug: " + err.Error())
	}
	for !h.over {
		t.Wait(0)
	}
	h.pool.Release(s)
	h.then()
}

// Interrupted implements [pool.Client].
func (h *holder) Interrupted() error { return nil }

// Suits implements [pool.Client].
func (h *holder) Suits(*pool.Server) bool { return true }

// TestCancelWhenServerIsOnItsWay: a request is not lost because a server has just been
// given to the client that was waiting for one.
func TestCancelWhenServerIsOnItsWay(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) { g.DefaultPoolSize = 1 })
	target := r.session(c.welcome.PID)
	h := &holder{pool: target.route.pool, then: func() { target.cancel(func() {}) }, ended: make(chan struct{})}
	target.loop.Post(func() { target.loop.Go(h) })
	r.eventually("the server is taken", func() bool { st := r.pool(); return st.InUse() == 1 })
	r.queue(c, query("SELECT 1"))
	target.loop.Post(func() {
		h.over = true
		h.task.Wake()
	})
	<-h.ended
	c.wantError("ERROR", wire.CodeQueryCanceled, "canceling statement due to user request")
	c.want("Z")
	s.wantSilence()
	ping(c, s)
}
