package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"go.uber.org/zap/zapcore"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// checkDelay is server_check_delay in these tests.
const checkDelay = 30 * time.Second

// checked is a change of the configuration that has servers checked with a query.
func checked(sql string) func(*config.Pgweir) {
	return func(g *config.Pgweir) { g.ServerCheckQuery, g.ServerCheckDelay = sql, checkDelay }
}

// emptyAnswer is what PostgreSQL says to an empty query.
func emptyAnswer() []byte { return join(emptyQuery(), ready(wire.TxIdle)) }

// severalIdle has n servers opened in a pool of that size, and released. The last of them
// was used last.
func (r *rig) severalIdle(f *fakeServer, n int) []*fakeConn {
	r.t.Helper()
	var clients []*client
	var servers []*fakeConn
	for range n {
		c := r.connect()
		c.send(query("BEGIN"))
		s := f.accept()
		s.wantQuery("BEGIN")
		s.send(done("BEGIN", wire.TxActive))
		c.want("CZ")
		clients, servers = append(clients, c), append(servers, s)
	}
	for i, s := range servers {
		commitTx(clients[i], s)
		r.step(time.Millisecond)
	}

	return servers
}

// warnings counts the warnings of that text.
func (r *rig) warnings(text string) int {
	return r.logs.FilterMessage(text).FilterLevelExact(zapcore.WarnLevel).Len()
}

// TestServerCheck: a server that was idle for server_check_delay is asked whether it is
// there before its next use, and not again as long as it is used. Nobody hears of it.
func TestServerCheck(t *testing.T) {
	for name, test := range map[string]struct {
		query, asked string
		answer       []byte
	}{
		"empty query": {config.EmptyQuery, "", emptyAnswer()},
		"statement":   {"SELECT 1", "SELECT 1", result("1")},
	} {
		t.Run(name, func(t *testing.T) {
			_, r, c, s := paired(t, checked(test.query), wire.Parameter{Name: "application_name", Value: "mine"})
			c.send(query("SELECT 'first'"))
			s.want("QQ") // its application_name, in front
			s.send(done("SET", wire.TxIdle), result("1"))
			c.want("TDCZ")
			r.step(checkDelay - 1)
			ping(c, s)

			r.step(checkDelay)
			c.send(query("SELECT 'late'"))
			s.wantQuery(test.asked)
			r.settle()
			s.wantSilence()
			s.send(test.answer)
			s.answer(c, "SELECT 'late'")
			ping(c, s)
			if n := r.proxy.Stat().Routes[0].Queries; n != 4 {
				t.Errorf("%d queries are counted, want the client's 4", n)
			}
		})
	}
}

// TestServerCheckOff: without server_check_query nobody is asked; with server_check_delay
// of 0 everybody is, always.
func TestServerCheckOff(t *testing.T) {
	t.Run("no query", func(t *testing.T) {
		_, r, c, s := paired(t, func(g *config.Pgweir) { g.ServerCheckQuery, g.ServerCheckDelay = "", 0 })
		r.step(time.Minute)
		ping(c, s)
	})
	t.Run("no delay", func(t *testing.T) {
		_, _, c, s := paired(t, func(g *config.Pgweir) { g.ServerCheckQuery, g.ServerCheckDelay = config.EmptyQuery, 0 })
		ping(c, s) // it has just been opened
		for range 2 {
			c.send(query("SELECT 1"))
			s.wantQuery("")
			s.send(emptyAnswer())
			s.answer(c, "SELECT 1")
		}
	})
}

// TestServerCheckWrong: a check that PostgreSQL always refuses costs a new server each
// time, but the client is served by that.
func TestServerCheckWrong(t *testing.T) {
	f, _, c, s := paired(t, func(g *config.Pgweir) { g.ServerCheckQuery, g.ServerCheckDelay = "SELEC 1", 0 })
	ping(c, s)
	for range 3 {
		c.send(query("SELECT 1"))
		s.wantQuery("SELEC 1")
		s.send(wire.Errorf("42601", "syntax error").Append(nil), ready(wire.TxIdle))
		s.wantClosed()
		s = f.accept()
		s.answer(c, "SELECT 1")
	}
}

// TestServerCheckSilent: a server that does not answer its check is closed with those
// that have been idle for longer, and the client is served by another. One that was used
// since stays.
func TestServerCheckSilent(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(func(g *config.Pgweir) {
		checked(config.EmptyQuery)(g)
		g.DefaultPoolSize = 3
	}))
	c := r.connect()
	servers := r.severalIdle(f, 3)
	r.step(checkDelay)
	c.send(parse("", "SELECT 1"), bind(""), execute(0), syncMsg())
	silent := servers[2]
	silent.wantQuery("")

	r.step(executeTimeout - 1)
	c.wantSilence()
	r.step(1)
	for _, s := range servers {
		s.wantClosed()
	}
	s := f.accept()
	s.want("PBES")
	s.send(frameOf(&pgproto3.ParseComplete{}), frameOf(&pgproto3.BindComplete{}), dataRow("1"), done("SELECT 1", wire.TxIdle))
	c.want("12DCZ")
	if n := r.pool().Closed[pool.ReasonCheck]; n != 3 {
		t.Errorf("%d servers closed for their check, want 3", n)
	}
	if n := r.warnings("server check failed"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
	if w := r.proxy.Stat().Routes[0].Wait; w.Sum < executeTimeout {
		t.Errorf("clients have waited %v for servers in all, the check is missing", w.Sum)
	}
}

// TestServerCheckSparesTheLively: of the idle servers those stay that were used later
// than the one that is silent.
func TestServerCheckSparesTheLively(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(func(g *config.Pgweir) {
		checked(config.EmptyQuery)(g)
		g.DefaultPoolSize, g.ServerRoundRobin = 2, true
	}))
	c := r.connect()
	servers := r.severalIdle(f, 2)
	r.step(checkDelay)
	for _, s := range servers { // in turn
		c.send(query("SELECT 1"))
		s.wantQuery("")
		if s == servers[1] {
			break
		}
		s.send(emptyAnswer())
		s.answer(c, "SELECT 1")
	}
	r.step(executeTimeout)
	servers[1].wantClosed()
	servers[0].answer(c, "SELECT 1")
}

// TestServerCheckWaitTimeout: the check takes no longer than the client waits for a
// server.
func TestServerCheckWaitTimeout(t *testing.T) {
	const wait = 2 * time.Second
	f, r, c, s := paired(t, func(g *config.Pgweir) {
		checked(config.EmptyQuery)(g)
		g.QueryWaitTimeout = wait
	})
	r.step(checkDelay)
	c.send(query("SELECT 1"))
	s.wantQuery("")
	r.step(wait - 1)
	c.wantSilence()
	r.step(1)
	c.wantError("ERROR", wire.CodeTooManyConnections, "no server connection after 2.0s: servers did not stand their check")
	c.want("Z")
	s.wantClosed()
	recovers(f, c)
}

// TestServerCheckGone: a server that turns out to be gone when it is asked is replaced at
// once, without a word in the log; so is one that answers with an error, with a word.
func TestServerCheckGone(t *testing.T) {
	for name, test := range map[string]struct {
		fails    func(s *fakeConn)
		why      pool.Reason
		warnings int
	}{
		"ended":      {func(s *fakeConn) { _ = s.nc.Close() }, pool.ReasonServerEOF, 0},
		"reset":      {(*fakeConn).reset, pool.ReasonServerEOF, 0},
		"terminated": {func(s *fakeConn) { s.send(fatal57P01()); _ = s.nc.Close() }, pool.ReasonServerEOF, 0},
		"error": {func(s *fakeConn) {
			s.send(wire.Errorf("42601", "syntax error").Append(nil), ready(wire.TxIdle))
		}, pool.ReasonCheck, 1},
		"ended in an error": {func(s *fakeConn) { s.send(fatal57P01()[:20]); _ = s.nc.Close() }, pool.ReasonServerEOF, 0},
		"ended in a row": {func(s *fakeConn) {
			s.send(rowDescription(), dataRow(strings.Repeat("x", 100))[:50])
			_ = s.nc.Close()
		}, pool.ReasonServerEOF, 0},
		"in a transaction": {func(s *fakeConn) { s.send(done("BEGIN", wire.TxActive)) }, pool.ReasonCheck, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, checked("SELEC 1"))
			r.step(checkDelay)
			c.send(query("SELECT 1"))
			s.wantQuery("SELEC 1")
			test.fails(s)
			f.accept().answer(c, "SELECT 1")
			if n := r.pool().Closed[test.why]; n != 1 {
				t.Errorf("closed: %v", r.pool().Closed)
			}
			if n := r.warnings("server check failed"); n != test.warnings {
				t.Errorf("%d warnings, want %d", n, test.warnings)
			}
		})
	}
}

// TestServerCheckCancelled: a cancel request that comes during the check ends the
// client's statement before it is sent, and does the server no harm: also one that has
// still to get the client's settings goes on as it was.
func TestServerCheckCancelled(t *testing.T) {
	f, r, other, s := paired(t, checked(config.EmptyQuery))
	c := r.connect(wire.Parameter{Name: "application_name", Value: "mine"})
	r.step(checkDelay)
	c.send(query("SELECT 1"))
	s.wantQuery("")
	r.cancel(c)
	r.eventually("the request has come", func() bool { return r.proxy.Stat().Cancels == 1 })
	s.send(emptyAnswer())
	c.wantError("ERROR", wire.CodeQueryCanceled, "user request")
	c.want("Z")
	ping(other, s)
	c.send(query("SELECT 2"))
	s.want("QQ") // its application_name, in front
	s.send(done("SET", wire.TxIdle), result("2"))
	c.want("TDCZ")
	if n := len(f.cancels); n != 0 {
		t.Errorf("PostgreSQL got %d cancel requests", n)
	}
}

// TestServerCheckClientGone: a client that goes during the check leaves a good server.
func TestServerCheckClientGone(t *testing.T) {
	_, r, c, s := paired(t, checked(config.EmptyQuery))
	r.step(checkDelay)
	c.send(query("SELECT 1"))
	s.wantQuery("")
	c.reset()
	r.settle()
	s.send(emptyAnswer())
	r.eventually("the client is gone", func() bool { return r.proxy.Stat().Clients == 0 && r.inUse() == 0 })
}
