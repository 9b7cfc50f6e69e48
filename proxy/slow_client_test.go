package proxy

import (
	"strings"
	"testing"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// writeLimited sets client_write_timeout.
func writeLimited(g *config.Pgweir) { g.ClientWriteTimeout = limit }

// reasons are what the log says of the ends of sessions.
func (r *rig) reasons() []string {
	var all []string
	for _, e := range r.logs.FilterMessage("client disconnected").All() {
		all = append(all, e.ContextMap()["reason"].(string))
	}

	return all
}

// slowEnd is what the log says of the end of a client that takes nothing.
const slowEnd = "client_write_timeout"

// wantSlowEnd checks that one session has ended for client_write_timeout.
func (r *rig) wantSlowEnd() {
	r.t.Helper()
	r.eventually("the session is over", func() bool {
		got := r.reasons()

		return len(got) == 1 && strings.Contains(got[0], slowEnd)
	})
}

// TestClientWriteTimeout: a client that takes nothing of its answers loses its server,
// which is of use to others afterwards: rolled back if it has said all it had to say,
// else cancelled and closed.
func TestClientWriteTimeout(t *testing.T) {
	for name, test := range map[string]struct {
		begin func(c *client, s *fakeConn)
		then  func(f *fakeServer, other *client, s *fakeConn)
		why   pool.Reason // for closing the server; empty: it is not
	}{
		"in a transaction": {beginTx, func(_ *fakeServer, other *client, s *fakeConn) {
			s.rolledBack()
			ping(other, s)
		}, ""},
		"in a query": {running, func(f *fakeServer, other *client, s *fakeConn) {
			f.canceled(s).confirm()
			s.wantClosed()
			recovers(f, other)
		}, pool.ReasonAbandoned},
	} {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, writeLimited)
			other := r.connect()
			test.begin(c, s)
			r.choked(c, s)
			r.step(limit - 1)
			if got := r.reasons(); len(got) > 0 {
				t.Fatalf("too early: %q", got)
			}
			r.step(1)
			test.then(f, other, s)
			r.step(farewellTimeout)
			r.wantSlowEnd()
			if test.why != "" && r.pool().Closed[test.why] != 1 {
				t.Errorf("closed: %v", r.pool().Closed)
			}
			if n := r.proxy.Stat().Errors[wire.CodeQueryCanceled]; n != 1 {
				t.Errorf("%d errors are counted", n)
			}
		})
	}
}

// TestClientWriteTimeoutTold: a client that begins to take its answers when it is too
// late learns why its session ends.
func TestClientWriteTimeoutTold(t *testing.T) {
	_, r, c, s := paired(t, writeLimited)
	beginTx(c, s)
	n := r.choked(c, s)
	r.step(limit)
	s.rolledBack()
	c.want(strings.Repeat("N", n))
	c.wantFatal(wire.CodeQueryCanceled, slowEnd)
}

// TestClientWriteTimeoutSlow: a client that takes something now and then may take as long
// as it likes.
func TestClientWriteTimeoutSlow(t *testing.T) {
	_, r, c, s := paired(t, writeLimited)
	beginTx(c, s)
	for range 3 {
		n := r.choked(c, s)
		r.step(limit - 1)
		c.want(strings.Repeat("N", n))
		r.settle()
	}
	r.step(100 * limit)
	commitTx(c, s)
}

// TestClientWriteTimeoutLittle: what a client takes at the last moment counts even if it
// is so little that the system does not tell of it.
func TestClientWriteTimeoutLittle(t *testing.T) {
	_, r, c, s := paired(t, writeLimited)
	beginTx(c, s)
	n := r.choked(c, s)
	r.step(limit - 1)
	c.want(strings.Repeat("N", n/10))
	r.step(1)
	r.step(limit - 2)
	if got := r.reasons(); len(got) > 0 {
		t.Fatalf("ended: %q", got)
	}
	c.want(strings.Repeat("N", n-n/10))
	r.settle()
	commitTx(c, s)
}

// TestClientWriteTimeoutNoServer: a client that has no server takes none from anybody,
// and may leave what it was sent last as long as it likes; so may any if the setting is 0.
func TestClientWriteTimeoutNoServer(t *testing.T) {
	t.Run("no server", func(t *testing.T) {
		_, r, c, s := paired(t, writeLimited)
		beginTx(c, s)
		n := r.choked(c, s)
		c.send(query("COMMIT"))
		s.wantQuery("COMMIT")
		s.send(done("COMMIT", wire.TxIdle))
		r.eventually("the server is released", func() bool { return r.inUse() == 0 })
		r.step(10 * limit)
		c.want(strings.Repeat("N", n) + "CZ")
		ping(c, s)
	})
	t.Run("no limit", func(t *testing.T) {
		_, r, c, s := paired(t, nil)
		beginTx(c, s)
		n := r.choked(c, s)
		r.step(100 * limit)
		c.want(strings.Repeat("N", n))
		commitTx(c, s)
	})
}
