package proxy

import (
	"strconv"
	"strings"
	"testing"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// refusing is a rig whose only server is in a transaction of busy, so that c waits
// for query_wait_timeout and no longer.
type refusing struct {
	*rig
	fake    *fakeServer
	server  *fakeConn
	busy, c *client
}

// newRefusing starts one.
func newRefusing(t *testing.T) *refusing {
	t.Helper()
	f, r, busy, s := paired(t, func(g *config.Pgweir) { g.QueryWaitTimeout = limit })
	x := &refusing{rig: r, fake: f, server: s, busy: busy, c: r.connect()}
	beginTx(x.busy, x.server)

	return x
}

// refuse lets the wait end in vain.
func (x *refusing) refuse() {
	x.t.Helper()
	x.settle()
	x.step(limit)
	x.c.wantError("ERROR", wire.CodeTooManyConnections, "pool exhausted")
}

// usable checks that c can go on once there is a server, and nothing that was refused
// has reached that.
func (x *refusing) usable() {
	x.t.Helper()
	x.c.wantSilence()
	commitTx(x.busy, x.server)
	ping(x.c, x.server)
	x.fake.wantNoOther()
}

// TestRefuse: after a refusal the client's messages are discarded as PostgreSQL does
// after an error, and the session goes on.
func TestRefuse(t *testing.T) {
	tests := map[string]struct {
		send, later []byte
		gets        string // after the error, before and after later
		getsLater   string
	}{
		"query":                  {query("SELECT 1"), nil, "Z", ""},
		"function call":          {functionCall(int4pl, "1", "2"), nil, "Z", ""},
		"extended series":        {join(extended("SELECT 1"), syncMsg()), nil, "Z", ""},
		"delayed Sync":           {extended("SELECT 1"), join(extended("SELECT 2"), syncMsg()), "", "Z"},
		"query before the Sync":  {join(extended("SELECT 1"), query("SELECT 2")), syncMsg(), "", "Z"},
		"several Syncs":          {join(extended("SELECT 1"), syncMsg(), syncMsg()), syncMsg(), "ZZ", "Z"},
		"copy data behind it":    {join(query(copyIntoT), copyData("1\n"), copyDone()), syncMsg(), "Z", "Z"},
		"Flush and a lone Close": {join(closeStmt("s"), flushMsg()), syncMsg(), "", "Z"},
		"large Bind":             {join(extended("SELECT $1", strings.Repeat("x", 1<<20)), syncMsg()), nil, "Z", ""},
		"large query":            {query("SELECT '" + strings.Repeat("x", 1<<20) + "'"), syncMsg(), "Z", "Z"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x := newRefusing(t)
			written := make(chan struct{})
			go func() { // large ones are only read after the refusal
				defer close(written)
				x.c.send(test.send)
			}()
			x.eventually("the client waits for a server", func() bool { return x.pool().Waiting == 1 })
			x.refuse()
			x.c.want(test.gets)
			<-written
			if test.later != nil {
				x.settle()
				x.c.wantSilence()
				x.c.send(test.later)
				x.c.want(test.getsLater)
			}
			x.usable()
		})
	}
}

// TestRefuseAgain: what follows in the pipeline is tried anew.
func TestRefuseAgain(t *testing.T) {
	x := newRefusing(t)
	x.c.send(extended("SELECT 1"), syncMsg(), query("SELECT 2"), extended("SELECT 3"), syncMsg())
	for range 3 {
		x.refuse()
		x.c.want("Z")
	}
	x.usable()
}

// TestRefuseBehindSyncs: Syncs before what is refused are answered, and each answer
// is whole, also if they fill a buffer.
func TestRefuseBehindSyncs(t *testing.T) {
	for _, n := range []int{1, 1300, 1364, 1365, 1366, 3000} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			x := newRefusing(t)
			x.queue(x.c, repeat(n, syncMsg()), query("SELECT 1"))
			x.step(limit)
			x.c.want(strings.Repeat("Z", n))
			x.c.wantError("ERROR", wire.CodeTooManyConnections, "pool exhausted")
			x.c.want("Z")
			x.usable()
		})
	}
}

// TestRefuseBadServer: a refusal says why no server could be opened, whole, however
// much PostgreSQL had to say.
func TestRefuseBadServer(t *testing.T) {
	reason := "starting up" + strings.Repeat(", really", 2000)
	f, r, c, s := paired(t, func(g *config.Pgweir) { g.QueryWaitTimeout = limit })
	r.lockOut(f, s, wire.Fatalf(wire.CodeCannotConnectNow, "%s", reason))
	c.send(query("SELECT 1"))
	r.eventually("an attempt has failed", func() bool { return r.pool().OpenFailed == 1 })
	r.step(limit)
	c.wantError("ERROR", wire.CodeTooManyConnections, "starting up")
	c.want("Z")
	f.setLogin((*fakeConn).greet)
	c.send(query("SELECT 2"))
	r.eventually("the pause is over", func() bool { r.step(limit / 4); return len(f.servers) > 0 })
	f.accept().answer(c, "SELECT 2")
}

// TestRefuseHopeless: if PostgreSQL does not let pgweir in, who waits is told at once.
func TestRefuseHopeless(t *testing.T) {
	f, r, c, s := paired(t, nil)
	r.lockOut(f, s, wire.Fatalf(wire.CodeInvalidPassword, "password authentication failed"))
	c.send(query("SELECT 1"))
	c.wantFatal(wire.CodeInvalidPassword, "password authentication failed")
}
