package proxy

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// recovers checks that after the loss of its server the pool opens another, and that
// c, or who comes now, is served.
func recovers(f *fakeServer, c *client) {
	c.t.Helper()
	c.send(query("again"))
	f.accept().answer(c, "again")
}

// fatal57P01 is what PostgreSQL says when somebody terminates a backend.
func fatal57P01() []byte {
	return wire.Fatalf(wire.CodeAdminShutdown, "terminating connection due to administrator command").Append(nil)
}

// TestServerMisbehaves: whatever a server does with a query outstanding, the client
// gets what is well formed, one FATAL if its session ends for that, and never hangs.
// The server is closed and another takes its place.
func TestServerMisbehaves(t *testing.T) {
	lost := []string{wire.CodeResolutionUnknown, "server closed the connection unexpectedly"}
	nonsense := []string{wire.CodeConnectionFailure, "server sent what was not asked for"}
	tests := map[string]struct {
		send   []byte
		goes   bool     // and it closes the connection
		before string   // what the client gets before the end
		fatal  []string // SQLSTATE and text of the FATAL that it gets; nil: none
	}{
		"end without a word":      {nil, true, "", lost},
		"end between rows":        {join(rowDescription(), dataRow("1")), true, "TD", lost},
		"end in a header":         {join(rowDescription(), dataRow("1")[:4]), true, "T", lost},
		"end before ready":        {join(rowDescription(), complete("SELECT 0")), true, "TC", lost},
		"FATAL and the end":       {join(rowDescription(), fatal57P01()), true, "T", []string{"57P01", "administrator"}},
		"FATAL without the end":   {fatal57P01(), false, "", []string{"57P01", "administrator"}},
		"ready twice":             {join(result("1"), ready('I')), false, "TDCZ", nonsense},
		"ready of length four":    {[]byte("Z\x00\x00\x00\x04"), false, "", nonsense},
		"row of length three":     {join(rowDescription(), []byte("D\x00\x00\x00\x03")), false, "T", nonsense},
		"row of negative length":  {join(rowDescription(), []byte("D\xff\xff\xff\xfe")), false, "T", nonsense},
		"error of length three":   {[]byte("E\x00\x00\x00\x03"), false, "", nonsense},
		"answer to another query": {join(done("SELECT 1", 'I'), complete("SELECT 1")), false, "CZ", nonsense},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, nil)
			running(c, s)
			s.send(test.send)
			if test.goes {
				_ = s.nc.Close()
			}
			c.want(test.before)
			c.wantFatal(test.fatal[0], test.fatal[1])
			if !test.goes {
				s.wantClosed()
			}
			recovers(f, r.connect())
		})
	}
}

// TestServerEndsInRow: in the middle of a message nothing can be said; the client
// sees the end. Only rows that are larger than a buffer go to it in parts.
func TestServerEndsInRow(t *testing.T) {
	f, r, c, s := paired(t, nil)
	running(c, s)
	s.send(rowDescription(), dataRow(strings.Repeat("x", 2*reactor.LargeBuffer))[:50])
	_ = s.nc.Close()
	c.want("T")
	if f, err := c.read(); err == nil {
		t.Errorf("got %v, want the end in the middle of a message", f)
	}
	recovers(f, r.connect())
}

// TestServerMalformedError: an error that cannot be understood is passed on.
func TestServerMalformedError(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "no SQLSTATE": "SERROR\x00Mboo\x00\x00", "unterminated": "SERROR\x00Mboo",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, c, s := paired(t, nil)
			running(c, s)
			s.send([]byte("E\x00\x00\x00"), []byte{byte(4 + len(body))}, []byte(body), ready('I'))
			if got := string(c.want("EZ")[0].body); got != body {
				t.Errorf("got %q, want %q", got, body)
			}
			ping(c, s)
		})
	}
}

// TestServerUnknownMessage: a message of a type that the proxy does not know is for
// the client to judge.
func TestServerUnknownMessage(t *testing.T) {
	_, _, c, s := paired(t, nil)
	running(c, s)
	s.send(rowDescription(), []byte("~\x00\x00\x00\x07new"), complete("SELECT 0"), ready('I'))
	if got := string(c.want("T~CZ")[1].body); got != "new" {
		t.Errorf("got the body %q", got)
	}
	ping(c, s)
}

// asynchronous are the messages that may come at any time.
func asynchronous() []byte {
	return join(notice("n"), wire.AppendParameterStatus(nil, "is_superuser", "off"),
		frameOf(&pgproto3.NotificationResponse{PID: 7, Channel: "c", Payload: "p"}))
}

// TestServerAsynchronous: what comes unasked is the client's who has the server, and
// nobody's else.
func TestServerAsynchronous(t *testing.T) {
	f, r, c, s := paired(t, nil)
	s.send(asynchronous())
	r.settle()
	c.wantSilence()
	beginTx(c, s)
	s.send(asynchronous())
	c.want("NSA")
	running(c, s)
	s.send(asynchronous(), rowDescription(), asynchronous(), complete("SELECT 0"), asynchronous(), ready('T'))
	c.want("NSATNSACNSAZ")
	commitTx(c, s)
	s.send(asynchronous())
	r.settle()
	c.wantSilence()
	ping(c, s)
	f.wantNoOther()
}

// TestServerSpeaksBehindReady: what comes in one piece with the last answer, but behind
// it, is not the client's any more, the announcement of the server's end least of all.
func TestServerSpeaksBehindReady(t *testing.T) {
	f, _, c, s := paired(t, nil)
	running(c, s)
	s.send(join(result("1"), asynchronous()))
	c.want("TDCZ")
	c.wantSilence()
	running(c, s)
	s.send(join(result("1"), fatal57P01()))
	c.want("TDCZ")
	c.wantSilence()
	s.wantClosed()
	recovers(f, c)
}

// TestServerEndsIdle: an idle server that goes, with or without a word, or speaks
// nonsense, is replaced, and no client notices.
func TestServerEndsIdle(t *testing.T) {
	tests := map[string]struct {
		send   []byte
		goes   bool
		reason pool.Reason
	}{
		"end":               {nil, true, pool.ReasonServerEOF},
		"FATAL and the end": {fatal57P01(), true, pool.ReasonServerError},
		"ready":             {ready('I'), false, pool.ReasonServerError},
		"row":               {dataRow("somebody else's"), false, pool.ReasonServerError},
		"half a message":    {notice("n")[:7], false, pool.ReasonServerError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, nil)
			if test.send != nil {
				s.send(test.send)
			}
			if test.goes {
				_ = s.nc.Close()
			} else {
				s.wantClosed()
			}
			r.eventually("the server is gone", func() bool { return r.pool().Open == 0 })
			c.wantSilence()
			recovers(f, c)
			if n := r.pool().Closed[test.reason]; n != 1 {
				t.Errorf("closed %v, want one for %q", r.pool().Closed, test.reason)
			}
		})
	}
}

// TestServerEndsInTransaction: a client that is idle in a transaction is told once.
func TestServerEndsInTransaction(t *testing.T) {
	for name, last := range map[string][]byte{"without a word": nil, "FATAL": fatal57P01()} {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, nil)
			beginTx(c, s)
			s.send(last)
			_ = s.nc.Close()
			code := wire.CodeConnectionFailure
			if last != nil {
				code = wire.CodeAdminShutdown
			}
			c.wantFatal(code, "")
			recovers(f, r.connect())
		})
	}
}

// TestServerEndsUnknown: whether a lost server may have committed something depends on
// what it had not answered yet.
func TestServerEndsUnknown(t *testing.T) {
	series := join(bind("s"), execute(0))
	tests := map[string]struct {
		inTx bool
		send []byte
		code string
	}{
		"query":                           {false, query("INSERT"), wire.CodeResolutionUnknown},
		"query in a transaction":          {true, query("COMMIT"), wire.CodeResolutionUnknown},
		"function call":                   {false, functionCall(int4pl, "1", "2"), wire.CodeResolutionUnknown},
		"series":                          {false, join(series, syncMsg()), wire.CodeResolutionUnknown},
		"series in a transaction":         {true, join(series, syncMsg()), wire.CodeResolutionUnknown},
		"series behind a query":           {false, join(query("SELECT 1"), parse("", "SELECT 1")), wire.CodeResolutionUnknown},
		"Parse":                           {false, join(parse("", "SELECT 1"), flushMsg()), wire.CodeConnectionFailure},
		"Parse and Sync in a transaction": {true, join(parse("", "SELECT 1"), syncMsg()), wire.CodeConnectionFailure},
		"Parse and Sync":                  {false, join(parse("", "SELECT 1"), syncMsg()), wire.CodeResolutionUnknown},
		"nothing, in a transaction":       {true, nil, wire.CodeConnectionFailure},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, r, c, s := paired(t, nil)
			if test.inTx {
				beginTx(c, s)
			}
			c.send(test.send)
			r.settle()
			_ = s.nc.Close()
			e := c.wantFatal(test.code, "server closed the connection unexpectedly")
			if doubt := test.code == wire.CodeResolutionUnknown; doubt != (e.Detail != "") {
				t.Errorf("detail %q", e.Detail)
			}
		})
	}
}

// TestServerEndsUnderSettings: pgweir's own statement commits nothing of the client's.
func TestServerEndsUnderSettings(t *testing.T) {
	_, _, c, s := paired(t, nil, wire.Parameter{Name: "application_name", Value: "other"})
	c.send(parse("", "SELECT 1"), flushMsg())
	s.want("QPH")
	_ = s.nc.Close()
	c.wantFatal(wire.CodeConnectionFailure, "server closed the connection unexpectedly")
}

// meanwhile has the loop find out at once that the clients have sent something, and
// what f does only after that.
func (r *rig) meanwhile(sent, f func()) {
	held, held2, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	loop := r.loops.Loops()[0]
	loop.Post(func() { close(held); <-held2 })
	<-held
	sent()
	loop.Post(func() { f(); close(done) }) // the round that collects what was sent runs it first
	close(held2)
	<-done
}

// TestServerGoneAtCheckout: a server that goes in the very moment of checkout, before
// anything was sent to it, is replaced by another; the client notices nothing.
func TestServerGoneAtCheckout(t *testing.T) {
	settings := wire.Parameter{Name: "application_name", Value: "other"}
	tests := map[string]struct {
		settings []wire.Parameter
		send     []byte
		injected string // what the proxy puts in front
		bye      bool
	}{
		"query":             {nil, query("SELECT 1"), "", false},
		"query and goodbye": {nil, join(query("SELECT 1"), terminate()), "", true},
		"query with settings": {
			[]wire.Parameter{settings},
			query("SELECT 1"),
			"SELECT pg_catalog.set_config('application_name','other',false);", false,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, r, c, s := paired(t, nil, test.settings...)
			r.meanwhile(func() { c.send(test.send) }, s.reset)
			s = f.accept()
			if test.injected != "" {
				s.wantQuery(test.injected)
				s.send(done("SELECT 1", 'I'))
			}
			s.answer(c, "SELECT 1")
			if test.bye {
				c.wantEnd()
			} else {
				c.wantSilence()
			}
			if s := r.proxy.Stat().Routes[0]; s.Transactions != 1 || s.Wait.Count() != 1 {
				t.Errorf("%d transactions and %d waits booked, want 1 of each", s.Transactions, s.Wait.Count())
			}
		})
	}
}

// TestWaitAcrossStaleServer: a client that waited for a server which was gone, and then
// for another one, has waited once, all the time, and for query_wait_timeout at most.
func TestWaitAcrossStaleServer(t *testing.T) {
	for name, rest := range map[string]time.Duration{"served": limit/2 - 1, "timeout": limit / 2} {
		t.Run(name, func(t *testing.T) {
			f, r, holder, s := paired(t, func(g *config.Pgweir) { g.QueryWaitTimeout = limit })
			c := r.connect()
			beginTx(holder, s)
			r.queue(c, query("SELECT 1"))
			r.step(limit / 2)
			held := make(chan struct{})
			letIn := sync.OnceFunc(func() { close(held) })
			defer letIn()
			f.setLogin(func(s *fakeConn) bool { <-held; return s.greet() })
			holder.send(query("COMMIT"))
			s.wantQuery("COMMIT")
			r.meanwhile(func() { s.send(done("COMMIT", wire.TxIdle)) }, s.reset)
			holder.want("CZ")
			r.eventually("it waits for another", func() bool { return r.pool().Opening == 1 })
			r.step(rest)
			if rest < limit/2 {
				letIn()
				f.accept().answer(c, "SELECT 1")
			} else {
				c.want("EZ")
			}
			want := map[string]time.Duration{"served": limit - 1}[name] // the holder's was 0
			if s := r.proxy.Stat().Routes[0]; s.Wait.Sum != want || s.Wait.Count() != s.Transactions {
				t.Errorf("waits of %v in %d transactions, %d waits; want %v", s.Wait.Sum, s.Transactions, s.Wait.Count(), want)
			}
		})
	}
}

// TestServerFlood: a server that sends without end to a client that reads slowly is
// held back; the proxy does not grow. In the end all has come.
func TestServerFlood(t *testing.T) {
	const n = 200
	f, r, c, s := paired(t, func(g *config.Pgweir) { g.DefaultPoolSize = 2 })
	r.tick()
	other := r.connect()
	running(c, s)
	flood := notice(strings.Repeat("x", 1<<20))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range n {
			s.send(flood)
		}
		s.send(result("1"))
	}()
	recovers(f, other) // others go on

	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		if got := c.want("N")[0]; len(got.body) != len(flood)-wire.HeaderSize {
			t.Fatalf("notice %d has %d bytes", i, len(got.body))
		}
		if i == n/2 {
			runtime.GC()
			runtime.ReadMemStats(&during)
		}
	}
	<-sent
	c.want("TDCZ")
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

// TestServerEndsWithSession: a server that ends before it has told what its client has
// left in its session takes that with it. The client, who has been told that its SET is
// done, must know.
func TestServerEndsWithSession(t *testing.T) {
	last := wire.Fatalf(wire.CodeAdminShutdown, "terminating connection").Append(nil)
	tests := map[string]struct {
		behind []byte // what comes with the answer
		asked  []byte // what comes when pgweir asks; nil: it does not come to that
		code   string
	}{
		"right behind the answer": {last, nil, wire.CodeAdminShutdown},
		"when it is asked":        {nil, last, wire.CodeAdminShutdown},
		"without a word":          {nil, []byte{}, wire.CodeConnectionFailure},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			r := newRig(t, f.config(nil))
			c := r.connect()
			s := f.accept()
			c.send(query("SET app.tenant = 'mine'"))
			s.want("Q")
			s.send(done("SET", wire.TxIdle), test.behind)
			c.want("CZ")
			if test.asked != nil {
				s.want("Q")
				s.send(test.asked)
			}
			_ = s.nc.Close()
			c.wantFatal(test.code, "")
		})
	}
}
