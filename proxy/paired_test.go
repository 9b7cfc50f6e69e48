package proxy

import (
	"testing"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// What many tests begin with, or come to.

// paired starts a proxy with a pool of one server, which the test plays, and a client
// with settings. The server is open and idle, the client at rest.
func paired(t testing.TB, change func(*config.Pgweir), settings ...wire.Parameter) (*fakeServer, *rig, *client, *fakeConn) {
	t.Helper()
	f := newFake(t)
	r := newRig(t, f.config(change))
	c := r.connect(settings...)

	return f, r, c, f.accept()
}

// queue has c send what it needs a server for, while there is none, and returns once c
// waits for it.
func (r *rig) queue(c *client, frames ...[]byte) {
	c.t.Helper()
	waiting := r.pool().Waiting + 1
	c.send(frames...)
	r.eventually("the client waits for a server", func() bool { return r.pool().Waiting == waiting })
}

// answer plays the server for a query that c has sent.
func (s *fakeConn) answer(c *client, sql string) {
	c.t.Helper()
	s.wantQuery(sql)
	s.send(result("1"))
	c.want("TDCZ")
}

// endsAfter checks that c hears nothing until that much time has passed, and then why
// its session ends.
func (r *rig) endsAfter(d time.Duration, c *client, code, text string) *wire.Error {
	c.t.Helper()
	r.step(d - 1)
	c.wantSilence()
	r.step(1)

	return c.wantFatal(code, text)
}

// lockOut ends the only server, s, and has PostgreSQL refuse from now on with e whoever
// logs in.
func (r *rig) lockOut(f *fakeServer, s *fakeConn, e *wire.Error) {
	r.t.Helper()
	f.setLogin(func(s *fakeConn) bool {
		_, _ = s.nc.Write(e.Append(nil))

		return false
	})
	s.reset()
	r.eventually("the server is gone", func() bool { return r.pool().Open == 0 })
}
