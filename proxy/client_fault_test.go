package proxy

import (
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// vanishing is the ways in which a client ends without a goodbye.
func vanishing() map[string]func(*client) {
	return map[string]func(*client){
		"close":      func(c *client) { _ = c.nc.Close() },
		"reset":      (*client).reset,
		"half-close": func(c *client) { _ = c.nc.(*net.TCPConn).CloseWrite() },
	}
}

// TestClientVanishesIdle: a client at rest leaves no trace.
func TestClientVanishesIdle(t *testing.T) {
	for name, leave := range vanishing() {
		t.Run(name, func(t *testing.T) {
			_, r, c, s := paired(t, nil)
			other := r.connect()
			ping(c, s)
			leave(c)
			r.eventually("the session is over", func() bool { return r.proxy.Stat().Clients == 1 })
			ping(other, s)
		})
	}
}

// TestClientVanishesInTransaction: the transaction is rolled back, and the server
// goes to the next client.
func TestClientVanishesInTransaction(t *testing.T) {
	for name, leave := range vanishing() {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, nil)
			other := r.connect()
			beginTx(c, s)
			leave(c)
			s.rolledBack()
			ping(other, s)
			f.wantNoOther()
		})
	}
}

// TestClientVanishesInQuery: nobody wants the result. PostgreSQL is asked to cancel,
// and the server is closed.
func TestClientVanishesInQuery(t *testing.T) {
	for name, leave := range vanishing() {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, nil)
			other := r.connect()
			running(c, s)
			s.send(rowDescription(), dataRow("1"))
			c.want("TD")
			leave(c)
			f.canceled(s).confirm()
			s.wantClosed()
			recovers(f, other)
			if n := r.pool().Closed[pool.ReasonAbandoned]; n != 1 {
				t.Errorf("closed %v, want one abandoned", r.pool().Closed)
			}
		})
	}
}

// TestClientVanishesQueued: no server is ever given to a client that is gone.
func TestClientVanishesQueued(t *testing.T) {
	for name, leave := range vanishing() {
		t.Run(name, func(t *testing.T) {
			_, r, busy, s := paired(t, nil)
			c, other := r.connect(), r.connect()
			beginTx(busy, s)
			r.queue(c, query("INSERT INTO t VALUES (1)"))
			r.queue(other, query("SELECT 2"))
			leave(c)
			r.eventually("the client is out of the queue", func() bool { return r.pool().Waiting == 1 })
			busy.send(query("COMMIT"))
			s.wantQuery("COMMIT")
			s.send(done("COMMIT", wire.TxIdle))
			s.answer(other, "SELECT 2")
		})
	}
}

// TestClientVanishesInCopy: nothing of a copy that was not finished stays.
func TestClientVanishesInCopy(t *testing.T) {
	o := newOracle(t, nil)
	for name, leave := range vanishing() {
		t.Run(name, func(t *testing.T) {
			c := o.through(t)
			c.send(query(copyIntoT))
			c.want("G")
			c.send(copyData("1\ta\n"), copyData("2\tb")[:6])
			o.settle()
			leave(c)
			o.eventually("no server is in use", func() bool { return o.inUse() == 0 })
			o.eventually("PostgreSQL has ended the copy", func() bool {
				return o.do("SELECT count(*) FROM pg_stat_activity"+
					" WHERE datname = current_database() AND query LIKE 'COPY%'") == "0"
			})
			if n := o.do("SELECT count(*) FROM t"); n != "0" {
				t.Errorf("%s rows of it are there", n)
			}
		})
	}
}

// TestClientVanishesInFlood: a client that does not read is held back, and once it
// goes its server is free.
func TestClientVanishesInFlood(t *testing.T) {
	for name, leave := range vanishing() {
		if name == "half-close" {
			continue // it may still read what comes: nothing is wrong
		}
		t.Run(name, func(t *testing.T) {
			o := newOracle(t, nil)
			c, other := o.through(t), o.through(t)
			c.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"))
			o.eventually("a server is in use", func() bool { return o.inUse() == 1 })
			other.send(query("SELECT 1"))
			o.settle()
			other.wantSilence()
			leave(c)
			other.want("TDCZ")
			o.eventually("the backend has stopped", func() bool {
				return o.do("SELECT count(*) FROM pg_stat_activity"+
					" WHERE state = 'active' AND pid <> pg_backend_pid()") == "0"
			})
		})
	}
}

// TestClientStallsBeforeQuery: a client gets no server before its first message is
// there whole, as far as a buffer holds it.
func TestClientStallsBeforeQuery(t *testing.T) {
	_, r, c, s := paired(t, nil)
	other := r.connect()
	q := query("SELECT 1")
	for at := 1; at < len(q); at++ {
		c.send(q[at-1 : at])
		r.settle()
		ping(other, s)
	}
	c.send(q[len(q)-1:])
	s.answer(c, "SELECT 1")
}

// TestClientStallsBehindQuery: nor does it keep one for a message behind others that
// is not there whole.
func TestClientStallsBehindQuery(t *testing.T) {
	f, r, c, s := paired(t, nil)
	other := r.connect()
	series := join(bind("s"), execute(0), syncMsg())
	answer := join(frameOf(&pgproto3.BindComplete{}), done("SELECT 1", wire.TxIdle))
	for at := 1; at < len(bind("s")); at++ {
		c.send(syncMsg(), series, syncMsg(), series[:at])
		s.want("BESS")
		s.send(answer, ready(wire.TxIdle))
		c.want("Z2CZZ")
		ping(other, s)
		c.send(series[at:])
		s.want("BES")
		s.send(answer)
		c.want("2CZ")
	}
	f.wantNoOther()
}

// TestClientStallsInTransaction: nothing of a message that is not there whole has
// reached the server, which can be rolled back.
func TestClientStallsInTransaction(t *testing.T) {
	f, r, c, s := paired(t, nil)
	other := r.connect()
	beginTx(c, s)
	c.send(query("SELECT 1")[:9])
	r.settle()
	c.reset()
	s.rolledBack()
	ping(other, s)
	f.wantNoOther()
}

// TestClientGoodbyeWaits: a client that says goodbye behind its work gets it done,
// answers or not.
func TestClientGoodbyeWaits(t *testing.T) {
	f, r, c, s := paired(t, nil)
	other := r.connect()
	c.send(query("one"), query("two"), terminate())
	s.wantQuery("one")
	s.wantQuery("two")
	_ = c.nc.Close()
	r.settle()
	s.send(result("1"))
	r.settle()
	s.wantSilence() // it is still the client's, which is owed one more
	s.send(done("BEGIN", wire.TxActive))
	s.rolledBack()
	ping(other, s)
	f.wantNoOther()
}

// TestStatementMode: a transaction block is refused, and what it began is undone.
func TestStatementMode(t *testing.T) {
	_, r, c, s := paired(t, func(g *config.Pgweir) { g.PoolMode = config.PoolStatement })
	ping(c, s)
	c.send(query("BEGIN"))
	s.wantQuery("BEGIN")
	s.send(done("BEGIN", wire.TxActive))
	c.want("CZ")
	c.wantFatal(wire.CodeFeatureNotSupported, "not allowed in statement pooling mode")
	s.rolledBack()
	ping(r.connect(), s)
}
