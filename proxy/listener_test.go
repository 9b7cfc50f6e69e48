package proxy

import (
	"syscall"
	"testing"
	"time"
)

// TestAcceptPause: after an error of accept the listener pauses, longer each time up
// to a second, and then accepts those who came meanwhile.
func TestAcceptPause(t *testing.T) {
	r := newRig(t, newFake(t).config(nil))
	l := r.listener()
	for i, ms := range []int{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000} {
		pause := time.Duration(ms) * time.Millisecond
		r.onLoop(func() { l.failed(syscall.EMFILE) })
		if n := r.proxy.Stat().AcceptErrors; n != uint64(i+1) {
			t.Fatalf("%d errors are counted, want %d", n, i+1)
		}
		r.step(pause - 1)
		if r.accepts(l) {
			t.Fatalf("accepts after less than %v", pause)
		}
		r.step(1)
		if !r.accepts(l) {
			t.Fatalf("does not accept after %v", pause)
		}
	}
	r.onLoop(func() { l.failed(syscall.EMFILE) })
	c := r.dial()
	c.send([]byte{0}) // the beginning of a startup packet
	r.step(lastAcceptPause)
	r.eventually("the client is accepted", func() bool { return r.proxy.Stat().Logins == 1 })
	r.onLoop(func() {
		if l.pause != 0 {
			t.Errorf("the next pause follows one of %v although accept went well", l.pause)
		}
	})
}

// TestAcceptPauseAtShutdown: a listener that pauses when the proxy ends stays closed.
func TestAcceptPauseAtShutdown(t *testing.T) {
	r := newRig(t, newFake(t).config(nil))
	l := r.listener()
	r.onLoop(func() { l.failed(syscall.EMFILE) })
	r.proxy.stopAccepting()
	r.step(lastAcceptPause)
	if r.accepts(l) {
		t.Error("it accepts again")
	}
}

// TestSilentClient: a client that says nothing is accepted nevertheless, so that
// client_login_timeout holds for it.
func TestSilentClient(t *testing.T) {
	r := newRig(t, newFake(t).config(nil))
	c := r.dial()
	r.eventually("the client is accepted", func() bool { return r.proxy.Stat().Logins == 1 })
	r.step(r.proxy.config.Pgweir.ClientLoginTimeout)
	c.wantEnd()
}

// listener returns the only listener.
func (r *rig) listener() *listener {
	r.t.Helper()
	var l *listener
	r.eventually("the proxy listens", func() bool {
		r.proxy.mu.Lock()
		defer r.proxy.mu.Unlock()
		for l = range r.proxy.listeners {
		}

		return l != nil
	})

	return l
}

// accepts reports whether the listener is not pausing.
func (r *rig) accepts(l *listener) (accepts bool) {
	r.onLoop(func() { accepts = l.socket.Conn.Loop() != nil })

	return accepts
}
