package pool

import (
	"testing"
	"time"

	"github.com/pgweir/pgweir/wire"
)

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, func(o *Options) { o.Size, o.IdleTimeout = 2, 10*time.Minute })
	short, long := r.client(p, 0, 0), r.client(p, 1, 0)
	short.served()
	kept := long.served().server
	short.release()
	r.step(9 * time.Minute)
	long.release() // its server is idle from now on
	r.step(time.Minute - janitorPeriod)
	r.wantStat(p, 2, 2, 0)
	r.step(janitorPeriod)
	r.wantClosed(p, ReasonIdle, 1)
	c := r.client(p, 0, 0)
	if c.served().server != kept {
		t.Error("the wrong one was closed")
	}
	r.step(time.Hour) // in use it is not idle
	c.release()
	r.wantStat(p, 1, 1, 0)
	r.step(10*time.Minute + janitorPeriod)
	r.wantClosed(p, ReasonIdle, 2)
	r.wantStat(p, 0, 0, 0)
}

// TestCloseIdle closes those that have been idle since a time, on whatever loop, and
// neither those that were used since nor those in use.
func TestCloseIdle(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, func(o *Options) { o.Size = 4 })
	old, same, later, busy := r.client(p, 0, 0), r.client(p, 1, 0), r.client(p, 0, 0), r.client(p, 1, 0)
	for _, c := range []*client{old, same, later, busy} {
		c.served()
	}
	old.release()
	r.step(time.Second)
	same.release()
	since := r.clock.Now()
	r.step(1)
	later.release()
	if n := p.CloseIdle(since, ReasonCheck); n != 2 {
		t.Errorf("closed %d, want 2", n)
	}
	r.wantClosed(p, ReasonCheck, 2)
	r.wantStat(p, 2, 1, 0)
	c := r.client(p, 0, 0)
	if at := c.served().server.IdleSince(); at != since+1 {
		t.Errorf("idle since %v, want %v", at, since+1)
	}
	c.release()
	busy.release()
	r.wantStat(p, 2, 2, 0)
}

// TestIdleSinceHandedOn: a server that goes from one client to the next was not idle.
func TestIdleSinceHandedOn(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	first := r.client(p, 0, 0)
	first.served()
	second := r.client(p, 0, 0)
	r.step(time.Hour)
	first.release()
	if at := second.served().server.IdleSince(); at != r.clock.Now() {
		t.Errorf("idle since %v, want now, %v", at, r.clock.Now())
	}
	second.release()
}

// TestLifetime checks that a server is closed once it is old, when it is idle or
// released, and not before; up to a tenth is taken off at random.
func TestLifetime(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.Size, o.Lifetime = 2, time.Hour })
	used, idle := r.client(p, 0, 0), r.client(p, 0, 0)
	used.served()
	idle.use()
	r.step(53 * time.Minute)
	r.wantStat(p, 2, 1, 0)
	r.step(7*time.Minute + janitorPeriod)
	r.wantClosed(p, ReasonLifetime, 1)
	r.wantStat(p, 1, 0, 0)
	used.release()
	r.wantClosed(p, ReasonLifetime, 2)
	r.wantStat(p, 0, 0, 0)
}

// TestLifetimeWithWaiters checks that whoever waits for a server that turns out to
// be too old gets another one at once.
func TestLifetimeWithWaiters(t *testing.T) {
	t.Parallel()
	for name, lifetime := range map[string]time.Duration{"one use": 0, "an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, p := newPool(t, 2, func(o *Options) { o.Lifetime = lifetime })
			holder := r.holder(p)
			c := r.client(p, 1, 0)
			r.clock.Step(lifetime)
			holder.release()
			if got := c.served().server.Welcome.PID; got != 2 {
				t.Errorf("got server %d, want the second", got)
			}
			r.wantClosed(p, ReasonLifetime, 1)
			c.release()
		})
	}
}

// TestOneUse checks that a server which was opened but not used waits for its use
// even if it has no lifetime.
func TestOneUse(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.Lifetime = 0 })
	if _, err := p.Welcome(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.eventually("it is idle", func() bool { return p.Stat().Idle == 1 })
	r.step(time.Minute)
	r.wantStat(p, 1, 1, 0)
	for n := range 3 {
		c := r.client(p, 0, 0)
		if got := c.served().server.Welcome.PID; got != uint32(n+1) {
			t.Errorf("use %d is of server %d", n+1, got)
		}
		c.release()
		r.wantClosed(p, ReasonLifetime, uint64(n+1))
	}
	r.wantStat(p, 0, 0, 0)
}

// TestSpread checks that servers opened together do not all end together.
func TestSpread(t *testing.T) {
	t.Parallel()
	seen := make(map[time.Duration]bool)
	for range 20 {
		d := spread(time.Hour)
		if d < 0 || d > 6*time.Minute {
			t.Errorf("%v is not up to a tenth of an hour", d)
		}
		seen[d] = true
	}
	if len(seen) < 15 {
		t.Errorf("%d different values of 20", len(seen))
	}
}

// TestIdleServerSpeaks checks what an idle server may say, and that it is closed if
// it says anything else.
func TestIdleServerSpeaks(t *testing.T) {
	t.Parallel()
	parameter := wire.AppendParameterStatus(nil, "TimeZone", "UTC")
	shutdown := wire.Fatalf(wire.CodeAdminShutdown, "terminating connection").Append(nil)
	for name, test := range map[string]struct {
		says []byte
		ends bool
		why  Reason // "": it is kept
	}{
		"a parameter":            {says: parameter},
		"a notification":         {says: []byte("A\x00\x00\x00\x0b\x00\x00\x00\x01a\x00\x00")},
		"a notice":               {says: []byte("N\x00\x00\x00\x05\x00")},
		"two things":             {says: append(append([]byte{}, parameter...), parameter...)},
		"nothing, and ends":      {ends: true, why: ReasonServerEOF},
		"an error":               {says: shutdown, why: ReasonServerError},
		"an error, and ends":     {says: shutdown, ends: true, why: ReasonServerError},
		"an answer":              {says: wire.AppendReadyForQuery(nil, wire.TxIdle), why: ReasonServerError},
		"an impossible length":   {says: []byte("N\x00\x00\x00\x03"), why: ReasonServerError},
		"half a message":         {says: parameter[:8], why: ReasonServerError},
		"a parameter and an end": {says: parameter, ends: true, why: ReasonServerEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, p := newPool(t, 1, nil)
			c := r.client(p, 0, 0)
			s := c.served().server
			c.release()
			nc := r.postgres.session(s.Welcome.PID)
			_, _ = nc.Write(test.says)
			if test.ends {
				_ = nc.Close()
			}
			if test.why != "" {
				r.wantClosed(p, test.why, 1)
				r.wantStat(p, 0, 0, 0)
			}
			c = r.client(p, 0, 0)
			if got := c.served().server; (got == s) != (test.why == "") {
				t.Errorf("kept: %v", got == s)
			}
			c.release()
		})
	}
}
