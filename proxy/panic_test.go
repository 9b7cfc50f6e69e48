package proxy

import (
	"testing"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// breakQueue makes the link of the client whose cancel key has that pid panic when
// the server next answers: its queue of what is owed has entries and no place for
// them.
func (r *rig) breakQueue(pid uint32) {
	r.onLoop(func() { r.session(pid).link.owed.ring = nil })
}

// session returns a session by its cancel key.
func (r *rig) session(pid uint32) *session {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()

	return r.proxy.sessions[pid]
}

// TestPanic: a panic ends the session that it happens in and closes its server. The
// others, on the same loop, go on.
func TestPanic(t *testing.T) {
	f, r, victim, s := paired(t, func(g *config.Pgweir) { g.DefaultPoolSize = 2 })
	r.panics = 1
	other := r.connect()
	running(victim, s)
	other.send(query("SELECT 2"))
	otherServer := f.accept()
	otherServer.wantQuery("SELECT 2")

	r.breakQueue(victim.welcome.PID)
	s.send(result("1"))
	victim.wantFatal(wire.CodeInternalError, "internal error")
	s.wantClosed()

	otherServer.send(result("2"))
	other.want("TDCZ")
	ping(other, otherServer)
	ping(r.connect(), otherServer)
	if n := r.proxy.Stat().Panics; n != 1 {
		t.Errorf("%d panics counted", n)
	}
}

// TestPanicWithoutServer: a panic while there is no server ends the session too, and
// leaves the servers alone.
func TestPanicWithoutServer(t *testing.T) {
	_, r, victim, s := paired(t, nil)
	r.panics = 1
	other := r.connect()
	victim.send(query("SELECT 1")[:7])
	r.settle()
	r.onLoop(func() { r.session(victim.welcome.PID).link.up.scan = 1 << 20 }) // beyond the buffer
	victim.send(query("SELECT 1")[7:])
	victim.wantFatal(wire.CodeInternalError, "internal error")
	ping(other, s)
	if n := r.proxy.Stat().Panics; n != 1 {
		t.Errorf("%d panics counted", n)
	}
}
