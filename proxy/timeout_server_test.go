package proxy

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// running has c run a query on s that does not end.
func running(c *client, s *fakeConn) {
	c.t.Helper()
	c.send(query("SELECT pg_sleep(1000)"))
	s.want("Q")
}

// canceledError is what PostgreSQL says when a cancel has its effect.
func canceledError() []byte {
	return join(wire.Errorf(wire.CodeQueryCanceled, "canceling statement due to user request").Append(nil),
		ready(wire.TxIdle))
}

// TestQueryTimeout: PostgreSQL is asked to cancel; what it says reaches the client,
// which goes on.
func TestQueryTimeout(t *testing.T) {
	f, r, c, s := paired(t, func(g *config.Pgweir) { g.QueryTimeout = limit })
	running(c, s)
	r.step(limit - 1)
	if n := len(f.cancels); n != 0 {
		t.Fatalf("%d cancel requests came too early", n)
	}
	r.step(1)
	cancel := f.canceled(s)
	s.send(canceledError())
	c.wantError("ERROR", wire.CodeQueryCanceled, "canceling statement")
	c.want("Z")

	// Until the cancel is confirmed it may hit the next query: none is sent.
	c.send(query("SELECT 1"))
	r.settle()
	s.wantSilence()
	cancel.confirm()
	s.answer(c, "SELECT 1")
}

// TestQueryTimeoutAfterQueue: the time in the queue does not count, and neither does the
// statement that gives the server the client's settings, which is never cancelled.
func TestQueryTimeoutAfterQueue(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(func(g *config.Pgweir) { g.QueryTimeout = limit }))
	busy, c := r.connect(), r.connect(wire.Parameter{Name: "application_name", Value: "mine"})
	s := f.accept()
	beginTx(busy, s)
	r.queue(c, query("SELECT 1"))
	r.step(2 * limit)
	commitTx(busy, s)
	s.want("QQ")
	r.step(executeTimeout - 1)
	if n := len(f.cancels); n != 0 {
		t.Fatalf("%d cancel requests came too early", n)
	}
	s.send(done("SET", wire.TxIdle))
	r.step(limit - 1)
	if n := len(f.cancels); n != 0 {
		t.Fatalf("%d cancel requests came too early", n)
	}
	r.step(1)
	f.canceled(s).confirm()
	s.send(canceledError())
	c.want("EZ")
}

// TestOwnStatementTimeout: a server that does not answer a statement of pgweir's own in
// time is closed, whatever query_timeout says.
func TestOwnStatementTimeout(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"without query_timeout": 0, "with one": limit} {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, func(g *config.Pgweir) { g.QueryTimeout = timeout })
			c.send(query("SET x = 1"))
			s.want("Q")
			s.send(done("SET", wire.TxIdle))
			c.want("CZ")
			s.want("Q") // what is there?
			r.endsAfter(executeTimeout, c, wire.CodeConnectionFailure, "did not answer")
			f.canceled(s).confirm()
			s.wantClosed()
		})
	}
}

// TestQueryTimeoutIgnored: a server that does not react to the cancel is closed, and
// so is its client.
func TestQueryTimeoutIgnored(t *testing.T) {
	const wait = 7 * time.Second
	f, r, c, s := paired(t, func(g *config.Pgweir) {
		g.QueryTimeout = limit
		g.CancelWaitTimeout = wait
	})
	running(c, s)
	r.step(limit)
	f.canceled(s).confirm()
	e := r.endsAfter(wait, c, wire.CodeQueryCanceled, "canceling statement due to query_timeout")
	if e.Hint == "" {
		t.Error("there is no hint")
	}
	f.canceled(s).confirm() // once more, as for any server that is left at work
	s.wantClosed()
	if n := r.pool().Closed[pool.ReasonAbandoned]; n != 1 {
		t.Errorf("%d servers closed as abandoned", n)
	}
}

// TestQueryTimeoutPipeline: each statement of a pipeline has the whole time, and one
// that had too much of it takes none from the next.
func TestQueryTimeoutPipeline(t *testing.T) {
	tests := map[string]struct {
		send    []byte // a pipeline of three
		ok, err []byte // the answers to one of them
		sees    string // of ok
	}{
		"queries":    {repeat(3, query("SELECT 1")), done("SELECT 1", wire.TxIdle), canceledError(), "CZ"},
		"statements": {query("a; b; c"), complete("SELECT 1"), nil, "C"},
		"executes":   {join(repeat(3, execute(0)), syncMsg()), complete("SELECT 1"), nil, "C"},
		"portals":    {join(repeat(3, execute(1)), syncMsg()), frameOf(&pgproto3.PortalSuspended{}), nil, "s"},
		"series": {
			repeat(3, parse("", "SELECT 1"), bind(""), execute(0), syncMsg()),
			join(frameOf(&pgproto3.ParseComplete{}), frameOf(&pgproto3.BindComplete{}), done("SELECT 1", wire.TxIdle)),
			canceledError(), "12CZ",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, func(g *config.Pgweir) { g.QueryTimeout = limit })
			c.send(test.send)
			r.step(limit - 1)
			s.send(test.ok)
			c.want(test.sees)
			if test.err != nil {
				r.step(limit)
				f.canceled(s).confirm()
				s.send(test.err)
				c.want("EZ")
			} else {
				r.step(limit - 1)
				s.send(test.ok)
				c.want(test.sees)
			}
			r.step(limit - 1)
			if n := len(f.cancels); n != 0 {
				t.Fatalf("%d cancel requests for the last statement before its time", n)
			}
			c.wantSilence()
			r.step(1)
			f.canceled(s).confirm()
			s.send(canceledError())
			c.want("EZ")
		})
	}
}

// TestQueryTimeoutSeries: Parse and Bind take from the time of their Execute.
func TestQueryTimeoutSeries(t *testing.T) {
	f, r, c, s := paired(t, func(g *config.Pgweir) { g.QueryTimeout = limit })
	c.send(parse("", "SELECT 1"), bind(""), execute(0), syncMsg())
	s.want("PBES")
	r.step(limit - 1)
	s.send(frameOf(&pgproto3.ParseComplete{}), frameOf(&pgproto3.BindComplete{}))
	c.want("12")
	r.step(1)
	f.canceled(s).confirm()
	s.send(canceledError())
	c.want("EZ")
}

// TestCancelWaitTimeout: a server that was released with a cancel under way is not
// given to anybody until that is confirmed, and is closed if it is not.
func TestCancelWaitTimeout(t *testing.T) {
	f, r, c, s := paired(t, func(g *config.Pgweir) { g.CancelWaitTimeout = limit })
	other := r.connect()
	running(c, s)
	r.cancel(c)
	f.canceled(s)
	s.send(canceledError())
	c.want("EZ")

	other.send(query("SELECT 2"))
	r.settle()
	r.step(limit - 1)
	s.wantSilence()
	f.wantNoOther()
	r.step(1)
	s.wantClosed()
	s = f.accept()
	s.answer(other, "SELECT 2")
	if n := r.pool().Closed[pool.ReasonCancel]; n != 1 {
		t.Errorf("%d servers closed for a cancel that was not confirmed", n)
	}
}

// TestServerConnectTimeout: a PostgreSQL that accepts and says nothing is given up.
func TestServerConnectTimeout(t *testing.T) {
	f := newFake(t)
	release := make(chan struct{})
	defer close(release)
	f.setLogin(func(*fakeConn) bool { <-release; return false })
	r := newRig(t, f.config(func(g *config.Pgweir) {
		g.ClientLoginTimeout = time.Hour
		g.ServerConnectTimeout = limit
	}))
	c := r.dial()
	c.send(startupPacket())
	r.eventually("a server is being opened", func() bool { return f.attempts.Load() == 1 })
	e := r.endsAfter(limit, c, wire.CodeCannotConnectNow, "cannot connect to PostgreSQL")
	if e.Detail == "" || e.Hint == "" {
		t.Errorf("detail %q, hint %q", e.Detail, e.Hint)
	}
}

// TestServerIdleTimeout: an idle server is closed, and not while it is used.
func TestServerIdleTimeout(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) {
		g.ServerIdleTimeout = limit
		g.ServerLifetime = 100 * limit
	})
	beginTx(c, s)
	r.step(2 * limit)
	s.wantSilence()
	commitTx(c, s)
	r.step(limit - 1)
	s.wantSilence()
	r.step(time.Second) // the janitor's period
	s.wantClosed()
	if n := r.pool().Closed[pool.ReasonIdle]; n != 1 {
		t.Errorf("%d servers closed as idle", n)
	}
	c.wantSilence()
}

// TestServerUsedOnce: with a lifetime of 0 a server is closed after its first use.
func TestServerUsedOnce(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) { g.ServerLifetime = 0 })
	r.step(time.Second) // the janitor leaves one alone that was not used yet
	beginTx(c, s)
	commitTx(c, s)
	s.wantClosed()
	if n := r.pool().Closed[pool.ReasonLifetime]; n != 1 {
		t.Errorf("%d servers closed at the end of their lifetime, want 1", n)
	}
}

// TestServerLifetime: a server is closed at the end of its lifetime, or up to a
// tenth before, but never under a client.
func TestServerLifetime(t *testing.T) {
	for name, inUse := range map[string]bool{"idle": false, "in use": true} {
		t.Run(name, func(t *testing.T) {
			_, r, c, s := paired(t, func(g *config.Pgweir) {
				g.ServerIdleTimeout = 0
				g.ServerLifetime = limit
			})
			if inUse {
				beginTx(c, s)
			}
			r.step(limit - limit/10 - 1)
			s.wantSilence()
			r.step(limit/10 + time.Second)
			if inUse {
				s.wantSilence()
				commitTx(c, s)
			}
			s.wantClosed()
			if n := r.pool().Closed[pool.ReasonLifetime]; n != 1 {
				t.Errorf("%d servers closed for their age", n)
			}
		})
	}
}

// TestServerLoginRetry: after each failure the pause doubles up to the setting, half
// of it at random. Who waits is served as soon as it works again.
func TestServerLoginRetry(t *testing.T) {
	f, r, c, s := paired(t, func(g *config.Pgweir) { g.ServerLoginRetry = 8 * firstPause })
	r.lockOut(f, s, wire.Fatalf(wire.CodeCannotConnectNow, "the database system is starting up"))
	c.send(query("SELECT 1"))

	pause := firstPause
	for failed := uint64(1); failed < 7; failed++ {
		r.eventually("an attempt has failed", func() bool { return r.pool().OpenFailed == failed })
		r.step(pause/2 - 1)
		if n := f.attempts.Load(); n != int64(1+failed) {
			t.Fatalf("attempt %d came before half of %v had passed", n-1, pause)
		}
		r.step(pause/2 + 1)
		pause = min(2*pause, 8*firstPause)
	}
	r.eventually("an attempt has failed", func() bool { return r.pool().OpenFailed == 7 })
	c.wantSilence()
	f.setLogin((*fakeConn).greet)
	r.step(pause)
	f.accept().answer(c, "SELECT 1")
}

// firstPause is the pool's pause after the first failure.
const firstPause = 50 * time.Millisecond
