package proxy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// limit is what the timeout under test is set to. All others are off or far away.
const limit = 20 * time.Second

// beginTx opens a transaction for c on s.
func beginTx(c *client, s *fakeConn) {
	c.t.Helper()
	c.send(query("BEGIN"))
	s.wantQuery("BEGIN")
	s.send(done("BEGIN", wire.TxActive))
	c.want("CZ")
}

// commitTx ends it.
func commitTx(c *client, s *fakeConn) {
	c.t.Helper()
	c.send(query("COMMIT"))
	s.wantQuery("COMMIT")
	s.send(done("COMMIT", wire.TxIdle))
	c.want("CZ")
}

// rolledBack plays the server that the proxy cleans up.
func (s *fakeConn) rolledBack() {
	s.t.Helper()
	s.wantQuery("ROLLBACK")
	s.send(done("ROLLBACK", wire.TxIdle))
}

// wasReset plays the server that the proxy resets after a session.
func (s *fakeConn) wasReset() {
	s.t.Helper()
	s.wantQuery("DISCARD ALL")
	s.send(done("DISCARD ALL", wire.TxIdle))
}

// TestQueryWaitTimeout: who waits for a server for too long is told so and may ask
// again.
func TestQueryWaitTimeout(t *testing.T) {
	_, r, first, s := paired(t, func(g *config.Pgweir) { g.QueryWaitTimeout = limit })
	second := r.connect()
	beginTx(first, s)

	second.send(query("SELECT 1"))
	r.settle()
	r.step(limit - 1)
	second.wantSilence()
	r.step(1)
	e := second.wantError("ERROR", wire.CodeTooManyConnections, "pool exhausted, waited 20.0s")
	if !strings.Contains(e.Hint, "query_wait_timeout") {
		t.Errorf("the hint does not name the setting: %q", e.Hint)
	}
	if z := second.want("Z")[0].body; string(z) != "I" {
		t.Errorf("status %q after it", z)
	}

	commitTx(first, s)
	ping(second, s)
	if n := r.proxy.Stat().Errors[wire.CodeTooManyConnections]; n != 1 {
		t.Errorf("%d errors counted", n)
	}
}

// TestClientLoginTimeoutSilent: a connection that has not said what it is may speak
// another protocol, so that it is closed without a word.
func TestClientLoginTimeoutSilent(t *testing.T) {
	f := newFake(t)
	for name, said := range map[string]string{
		"nothing": "", "half a startup packet": "\x00\x00\x00\x20\x00\x03\x00\x00user",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, f.config(func(g *config.Pgweir) { g.ClientLoginTimeout = limit }))
			c := r.dial()
			c.send([]byte(said))
			r.eventually("the login has begun", func() bool { return r.proxy.Stat().Logins == 1 })
			r.step(limit - 1)
			c.wantSilence()
			r.step(1)
			c.wantEnd()
		})
	}
}

// TestClientLoginTimeoutTold: a client that has said who it is, is told.
func TestClientLoginTimeoutTold(t *testing.T) {
	f := newFake(t)
	cfg := f.config(func(g *config.Pgweir) {
		g.ClientLoginTimeout = limit
		g.AuthType = config.AuthPlain
	})
	cfg.Users["app"] = config.User{Password: "secret", MaxUserConnections: config.Inherit}
	r := newRig(t, cfg)
	c := r.dial()
	c.send(startupPacket())
	c.want("R")
	r.endsAfter(limit, c, wire.CodeQueryCanceled, "canceling authentication due to timeout")
}

// TestClientLoginTimeoutNoServer: so is one that waits for a server to greet it.
func TestClientLoginTimeoutNoServer(t *testing.T) {
	f := newFake(t)
	release := make(chan struct{})
	defer close(release)
	f.setLogin(func(*fakeConn) bool { <-release; return false })
	r := newRig(t, f.config(func(g *config.Pgweir) {
		g.ClientLoginTimeout = limit
		g.ServerConnectTimeout = time.Hour
	}))
	c := r.dial()
	c.send(startupPacket())
	r.eventually("a server is being opened", func() bool { return f.attempts.Load() == 1 })
	r.endsAfter(limit, c, wire.CodeQueryCanceled, "canceling authentication due to timeout")
}

// TestClientIdleTimeout: a client at rest is told and closed, counted from its last
// answer.
func TestClientIdleTimeout(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) { g.ClientIdleTimeout = limit })
	for range 3 {
		r.step(limit - 1)
		ping(c, s)
	}
	r.endsAfter(limit, c, wire.CodeIdleSessionTimeout, "client_idle_timeout")
	ping(r.connect(), s)
}

// TestClientIdleTimeoutPing: a Sync is a sign of life although no server hears it.
func TestClientIdleTimeoutPing(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(func(g *config.Pgweir) { g.ClientIdleTimeout = limit }))
	c := r.connect()
	for range 3 {
		r.step(limit - 1)
		c.send(syncMsg())
		c.want("Z")
	}
	r.step(limit)
	c.wantFatal(wire.CodeIdleSessionTimeout, "client_idle_timeout")
}

// TestClientIdleTimeoutHalfMessage: a client that stalls in the middle of a message
// is idle too, and keeps no server.
func TestClientIdleTimeoutHalfMessage(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) { g.ClientIdleTimeout = limit })
	other := r.connect()
	c.send(query("SELECT 1")[:9])
	r.settle()
	ping(other, s)
	r.step(limit - 1)
	ping(other, s)
	c.wantSilence()
	r.step(1)
	c.wantFatal(wire.CodeIdleSessionTimeout, "client_idle_timeout")
	ping(other, s)
}

// TestClientIdleTimeoutSession: in session mode the server is reset and goes to the
// next client.
func TestClientIdleTimeoutSession(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) {
		g.ClientIdleTimeout = limit
		g.PoolMode = config.PoolSession
	})
	ping(c, s)
	r.step(limit - 1)
	c.wantSilence()
	s.wantSilence()
	r.step(1)
	c.wantFatal(wire.CodeIdleSessionTimeout, "client_idle_timeout")
	s.wasReset()
	next := r.connect()
	ping(next, s)
	_ = next.nc.Close()
	s.wasReset()
}

// TestIdleTransactionTimeout: the transaction is rolled back and the server goes to
// the next client.
func TestIdleTransactionTimeout(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) { g.IdleTransactionTimeout = limit })
	beginTx(c, s)
	r.step(limit - 1)
	c.send(query("SELECT 1"))
	s.want("Q")
	r.step(2 * limit) // a query in progress is not idle
	s.send(complete("SELECT 1"), ready(wire.TxActive))
	c.want("CZ")
	r.step(limit - 1)
	c.wantSilence()
	s.wantSilence()
	r.step(1)
	c.wantFatal(wire.CodeIdleInTransaction, "idle_transaction_timeout")
	s.rolledBack()
	ping(r.connect(), s)
}

// TestIdleTransactionTimeoutStalled: a client also keeps its server if it stalls where
// the server cannot answer yet, whatever pgweir thinks that it owes.
func TestIdleTransactionTimeoutStalled(t *testing.T) {
	large := query("SELECT '" + strings.Repeat("x", 100<<10) + "'")
	series := join(parse("", "SELECT 1"), bind(""), execute(0))
	tests := map[string]struct {
		first, answer []byte // what the client waits for, however long it takes; nil: nothing
		sees          string
		send          []byte // what it sends behind that, in two parts
	}{
		"in an open series":                      {nil, nil, "", series},
		"in a message of an open series":         {nil, nil, "", series[:len(series)-3]},
		"in front of a Flush":                    {nil, nil, "", join(series, flushMsg()[:4])},
		"in a large message":                     {nil, nil, "", large[:20<<10]},
		"in a large message of an open series":   {nil, nil, "", join(series, large[:80<<10])},
		"in a large message, behind a query":     {query("a"), result("1"), "TDCZ", large[:80<<10]},
		"in an open series, behind a query":      {query("a"), result("1"), "TDCZ", series},
		"in an open series, behind another":      {join(describePortal(), syncMsg()), join(rowDescription(), ready('I')), "TZ", series},
		"in an open series, behind its Flush":    {join(describePortal(), flushMsg()), rowDescription(), "T", series},
		"in a message, behind a Flush in series": {join(describePortal(), flushMsg()), rowDescription(), "T", series[:len(series)-3]},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, func(g *config.Pgweir) { g.IdleTransactionTimeout = limit })
			last := len(test.send) - 1
			c.send(test.first, test.send[:last])
			if test.first != nil {
				r.step(100 * limit)
				s.send(test.answer)
				c.want(test.sees)
			}
			r.step(limit - 1)
			c.send(test.send[last:])
			r.endsAfter(limit, c, wire.CodeIdleInTransaction, "idle_transaction_timeout")
			f.canceled(s).confirm()
			_ = s.nc.Close()
			recovers(f, r.connect())
		})
	}
}

// TestIdleTransactionTimeoutBusy: it is not for a client that waits for its server.
func TestIdleTransactionTimeoutBusy(t *testing.T) {
	series := join(parse("", "SELECT 1"), bind(""), execute(0))
	tests := map[string][]byte{
		"series and Sync":          join(series, syncMsg()),
		"series and Flush":         join(series, flushMsg()),
		"series and query":         join(series, query("SELECT 1")),
		"function call":            functionCall(int4pl, "1", "2"),
		"series behind another":    join(series, syncMsg(), series),
		"series behind a Flush":    join(series, flushMsg(), series),
		"series behind a query":    join(query("SELECT 1"), series),
		"large message, a query":   join(query("SELECT 1"), query(strings.Repeat("x", 1<<20))[:80<<10]),
		"half a message, a query":  join(query("SELECT 1"), query("SELECT 1")[:9]),
		"large message, in series": join(series, flushMsg(), bind(strings.Repeat("x", 1<<20))[:80<<10]),
	}
	for name, send := range tests {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, func(g *config.Pgweir) { g.IdleTransactionTimeout = limit })
			c.send(send)
			r.settle()
			r.step(100 * limit)
			c.wantSilence()
			_ = c.nc.Close()
			f.canceled(s).confirm()
		})
	}
}

// TestIdleTransactionTimeoutCopy: nor for one that has no data for its COPY yet.
func TestIdleTransactionTimeoutCopy(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.IdleTransactionTimeout = limit })
	c := o.connect()
	c.send(query(copyIntoT))
	c.want("G")
	data := copyData("1\ta\n")
	for _, b := range [][]byte{nil, data, data[:7]} {
		c.send(b)
		o.step(100 * limit)
		c.wantSilence()
	}
	c.send(data[7:], copyFail("enough"))
	c.want("EZ")
}

// TestIdleTransactionTimeoutSeriesPostgres: PostgreSQL does hold back its answer there.
func TestIdleTransactionTimeoutSeriesPostgres(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.IdleTransactionTimeout = limit })
	c, other := o.connect(), o.connect()
	c.send(extended("INSERT INTO t VALUES (1)"))
	o.eventually("PostgreSQL has inserted the row", func() bool {
		return o.do("SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND relation = 't'::regclass"+
			" AND mode = 'RowExclusiveLock'") == "1"
	})
	o.endsAfter(limit, c, wire.CodeIdleInTransaction, "idle_transaction_timeout")
	other.send(query("SELECT 1"))
	other.want("TDCZ")
	if n := o.do("SELECT count(*) FROM t"); n != "0" {
		t.Errorf("%s rows are there", n)
	}
}

// TestIdleTransactionTimeoutDeafServer: a server that does not roll back in time is
// closed.
func TestIdleTransactionTimeoutDeafServer(t *testing.T) {
	f, r, c, s := paired(t, func(g *config.Pgweir) { g.IdleTransactionTimeout = limit })
	beginTx(c, s)
	r.step(limit)
	c.wantFatal(wire.CodeIdleInTransaction, "idle_transaction_timeout")
	s.wantQuery("ROLLBACK")
	r.step(executeTimeout - 1)
	s.wantSilence()
	r.step(1)
	s.wantClosed()
	if n := r.pool().Closed[pool.ReasonDirty]; n != 1 {
		t.Errorf("%d servers closed because they could not be cleaned", n)
	}
	recovers(f, r.connect())
}

// choked lets s tell c, which does not read, so much that the proxy has some of it left
// in its buffer, and returns how many notices that is.
func (r *rig) choked(c *client, s *fakeConn) int {
	r.t.Helper()
	const atOnce = 6
	n := 0
	for held := 0; held == 0; n += atOnce {
		s.send(repeat(atOnce, notice(strings.Repeat("x", 1<<10)))) // less than the smallest buffer
		r.settle()
		r.onLoop(func() { held = len(r.session(c.welcome.PID).link.down.judged()) })
	}

	return n
}

// TestFarewellChoked: a client that does not take its farewell does not keep its
// server, and is closed after a while; one that takes it in time gets it.
func TestFarewellChoked(t *testing.T) {
	for name, reads := range map[string]bool{"for good": false, "for a while": true} {
		t.Run(name, func(t *testing.T) {
			_, r, c, s := paired(t, func(g *config.Pgweir) { g.IdleTransactionTimeout = limit })
			other := r.connect()
			beginTx(c, s)
			n := r.choked(c, s)
			r.step(limit)
			s.rolledBack()
			ping(other, s)
			r.step(farewellTimeout - 1)
			if got := r.proxy.Stat().Clients; got != 2 {
				t.Fatalf("%d clients are there, want both", got)
			}
			if reads {
				c.want(strings.Repeat("N", n))
				c.wantFatal(wire.CodeIdleInTransaction, "idle_transaction_timeout")
			} else {
				r.step(1)
			}
			r.eventually("the session is over", func() bool { return r.proxy.Stat().Clients == 1 })
		})
	}
}

// TestShutdownTimeout: a drain closes who is at rest or has sent half a message at
// once, and who is in a transaction when its context ends.
func TestShutdownTimeout(t *testing.T) {
	_, r, busy, s := paired(t, nil)
	idle, half := r.connect(), r.connect()
	beginTx(busy, s)
	half.send(query("SELECT 1")[:9])
	r.settle()

	why := errors.New("that was long enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.proxy.Shutdown(ctx) }()
	idle.wantFatal(wire.CodeAdminShutdown, "shutting down")
	half.wantFatal(wire.CodeAdminShutdown, "shutting down")
	r.settle()
	busy.wantSilence()

	cancel(why)
	busy.wantFatal(wire.CodeAdminShutdown, "shutting down")
	s.rolledBack()
	if err := <-ended; !errors.Is(err, why) {
		t.Errorf("Shutdown returned %v, want one that wraps %q", err, why)
	}
}

// TestShutdownAfterTransaction: a drain lets a transaction end.
func TestShutdownAfterTransaction(t *testing.T) {
	_, r, c, s := paired(t, nil)
	beginTx(c, s)
	ended := make(chan error, 1)
	go func() { ended <- r.proxy.Shutdown(context.Background()) }()
	r.eventually("the drain has begun", func() bool { return !r.proxy.Ready() })
	r.settle()
	commitTx(c, s)
	c.wantFatal(wire.CodeAdminShutdown, "shutting down")
	if err := <-ended; err != nil {
		t.Errorf("Shutdown returned %v", err)
	}
}
