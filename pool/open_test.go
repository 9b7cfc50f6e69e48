package pool

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pgweir/pgweir/wire"
)

// retryIn is how long p waits before it tries again to open a server.
func (r *rig) retryIn(p *Pool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.retryAt - r.clock.Now()
}

// failures waits until n attempts to open a server have failed.
func (r *rig) failures(p *Pool, n uint64) {
	r.Helper()
	r.eventually("a failure", func() bool { return p.Stat().OpenFailed >= n })
	if got := p.Stat().OpenFailed; got != n {
		r.Fatalf("%d attempts failed, want %d", got, n)
	}
}

func TestOpensAreBounded(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, func(o *Options) { o.Size = 10 })
	letGo := r.postgres.holdLogins()
	var clients []*client
	for i := range 12 {
		clients = append(clients, r.client(p, i%2, 0))
		if s, want := p.Stat(), min(i+1, maxOpening); s.Opening != want || s.Open != want {
			t.Errorf("%d clients wait: %d servers being opened, want %d", i+1, s.Opening, want)
		}
	}
	letGo()
	for _, c := range clients[:10] {
		c.served()
	}
	r.wantStat(p, 10, 0, 2)
	for _, c := range clients[:10] {
		c.release()
	}
	for _, c := range clients[10:] {
		c.use()
	}
	if n := r.postgres.loginCount(); n != 10 {
		t.Errorf("%d logins, want 10", n)
	}
}

// TestBackOff checks that the pauses between failed attempts double, half of each
// being random, up to LoginRetry, and that a client which waits through all that is
// served in the end, and the next failure begins anew.
func TestBackOff(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]func(f *fakePostgres){
		"not ready": func(f *fakePostgres) { f.refuse(wire.Fatalf(wire.CodeCannotConnectNow, "starting up")) },
		"refused":   func(f *fakePostgres) { _ = f.listener.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, p := newPool(t, 1, nil)
			down(r.postgres)
			c := r.client(p, 0, 0)
			for n := range 12 {
				r.failures(p, uint64(n+1))
				got := r.wantPause(p, n+1)
				r.step(got - 1)
				r.failures(p, uint64(n+1))
				c.waiting()
				r.step(1)
			}
			r.failures(p, 13)
			if p.Stat().LastErr == nil {
				t.Error("the reason is not known")
			}
			r.postgres.refuse(nil)
			if name == "refused" {
				r.postgres.listen(r.postgres.address)
			}
			r.step(15 * time.Second)
			c.served()
			if s := p.Stat(); s.LastErr != nil || s.Opened != 1 {
				t.Errorf("%d opened, last error %v", s.Opened, s.LastErr)
			}
			r.postgres.refuse(wire.Fatalf(wire.CodeCannotConnectNow, "shutting down"))
			c.part(func(s *Server) { p.Destroy(s, ReasonLink) })
			last := r.client(p, 0, time.Second)
			r.failures(p, 14)
			if got := r.retryIn(p); got > firstRetry {
				t.Errorf("after a success the first pause is %v", got)
			}
			r.postgres.refuse(nil)
			r.step(firstRetry)
			last.use()
		})
	}
}

// wantPause checks that the next attempt comes after the pause that follows n failed
// rounds, and returns it.
func (r *rig) wantPause(p *Pool, n int) time.Duration {
	r.Helper()
	want := min(firstRetry<<(n-1), p.options.LoginRetry)
	got := r.retryIn(p)
	if got < want/2 || got > want {
		r.Errorf("failure %d: the next attempt in %v, want %v to %v", n, got, want/2, want)
	}

	return got
}

// TestRound checks that attempts which fail together count once, that a single one
// is made after each pause, and that a success is followed by several at a time.
func TestRound(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.Size = 10 })
	r.postgres.refuse(wire.Fatalf(wire.CodeCannotConnectNow, "starting up"))
	letGo := r.postgres.holdLogins()
	var clients []*client
	for range 10 {
		clients = append(clients, r.client(p, 0, 0))
	}
	letGo()
	r.failures(p, maxOpening)
	for n := 1; n < 4; n++ {
		r.step(r.wantPause(p, n))
		r.failures(p, maxOpening+uint64(n))
	}

	letGo = r.postgres.holdLogins()
	r.postgres.refuse(nil)
	r.step(r.wantPause(p, 4))
	r.wantStat(p, 1, 0, 10)
	r.postgres.letOneGo()
	r.eventually("more are opened", func() bool { return p.Stat().Opening == maxOpening })
	letGo()
	for _, c := range clients {
		c.use()
	}
}

// TestRoundEndsLate has the attempts of a round end after the pause which the first
// of them has set: the next one is made after the last, at once.
func TestRoundEndsLate(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]*wire.Error{
		"failed": wire.Fatalf(wire.CodeCannotConnectNow, "starting up"), "succeeded": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, p := newPool(t, 1, func(o *Options) { o.Size = 3 })
			letGo := r.postgres.holdLogins()
			r.postgres.refuse(wire.Fatalf(wire.CodeCannotConnectNow, "starting up"))
			var clients []*client
			for range 3 {
				clients = append(clients, r.client(p, 0, 0))
			}
			r.postgres.letOneGo()
			r.failures(p, 1)
			r.step(r.wantPause(p, 1))
			r.wantStat(p, 2, 0, 3)
			r.postgres.refuse(refusal)
			letGo()
			if refusal != nil {
				r.failures(p, 4)
				r.step(r.wantPause(p, 2) - 1)
				r.failures(p, 4)
				r.postgres.refuse(nil)
				r.step(1)
			}
			for _, c := range clients {
				c.served()
			}
			for _, c := range clients {
				c.release()
			}
		})
	}
}

// TestJitter checks that two poolers do not come back at the same moment.
func TestJitter(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	pauses := make(map[time.Duration]bool)
	for range 20 {
		p.mu.Lock()
		p.failures = 8
		p.backOff()
		p.mu.Unlock()
		pauses[r.retryIn(p)] = true
	}
	if len(pauses) < 15 {
		t.Errorf("%d different pauses of 20", len(pauses))
	}
}

func TestTimeoutNamesCause(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	r.postgres.refuse(wire.Fatalf(wire.CodeCannotConnectNow, "starting up"))
	c := r.client(p, 0, 10*time.Millisecond)
	r.failures(p, 1)
	r.step(10 * time.Millisecond)
	var pg *wire.Error
	if err := c.refused().err; !errors.As(err, &pg) || pg.Code != wire.CodeCannotConnectNow {
		t.Errorf("got %v", err)
	}
}

// TestHopeless checks that clients are told at once when PostgreSQL does not want
// them, those who come before the next attempt included.
func TestHopeless(t *testing.T) {
	t.Parallel()
	for _, code := range []string{wire.CodeInvalidPassword, wire.CodeInvalidAuthorization, wire.CodeInvalidCatalogName} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r, p := newPool(t, 2, nil)
			r.postgres.refuse(wire.Fatalf(code, "no"))
			letGo := r.postgres.holdLogins()
			clients := []*client{r.client(p, 0, 0), r.client(p, 1, 0), r.client(p, 0, 0)}
			letGo()
			r.failures(p, 1)
			clients = append(clients, r.client(p, 1, 0))
			for i, c := range clients {
				var pg *wire.Error
				if err := c.refused().err; !errors.As(err, &pg) || pg.Code != code {
					t.Errorf("client %d: got %v, want %s", i, err, code)
				}
			}
			r.wantStat(p, 0, 0, 0)

			r.postgres.refuse(nil)
			r.step(time.Second)
			c := r.holder(p)
			c.release()
		})
	}
}

// TestNoTimeouts checks that limits of 0 are none, for opening and for a cancel.
func TestNoTimeouts(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.ConnectTimeout, o.CancelTimeout = 0, 0 })
	letGo := r.postgres.holdLogins()
	c := r.client(p, 0, 0)
	r.step(1000 * time.Hour)
	c.waiting()
	letGo()
	c.served()
	c.cancel(1)
	r.postgres.arrived(1)
	r.step(1000 * time.Hour)
	r.wantCanceling(p, 1)
	r.postgres.confirmCancel()
	r.wantCanceling(p, 0)
	c.release()
	r.failures(p, 0)
}

func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.ConnectTimeout = 15 * time.Second })
	letGo := r.postgres.holdLogins()
	defer letGo()
	c := r.client(p, 0, time.Minute)
	r.eventually("a connection", func() bool {
		r.postgres.mu.Lock()
		defer r.postgres.mu.Unlock()

		return len(r.postgres.conns) == 1
	})
	r.step(15*time.Second - 1)
	r.wantStat(p, 1, 0, 1)
	r.step(1)
	r.failures(p, 1)
	var open *OpenError
	if err := p.Stat().LastErr; !errors.As(err, &open) || !errors.Is(err, errConnectTimeout) ||
		open.Address != r.postgres.address {
		t.Errorf("got %v", err)
	}
	letGo()
	r.step(firstRetry)
	c.use()
}

func TestWelcome(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, nil)
	if p.KnownWelcome() != nil {
		t.Error("a welcome is known without a server")
	}
	for range 3 {
		w, err := p.Welcome(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if w.PID != 1 || p.KnownWelcome() != w {
			t.Errorf("got %+v, want that of the first server", w)
		}
	}
	r.eventually("the server is idle", func() bool { return p.Stat().Idle == 1 })
	c := r.client(p, 0, 0)
	if got := c.served().server.Welcome.PID; got != 1 {
		t.Error("the server that was opened for its welcome is not used")
	}
	c.release()
}

func TestWelcomeFails(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	r.postgres.refuse(wire.Fatalf(wire.CodeCannotConnectNow, "starting up"))
	var pg *wire.Error
	for range 2 { // the second one before the next attempt
		if _, err := p.Welcome(t.Context()); !errors.As(err, &pg) || pg.Code != wire.CodeCannotConnectNow {
			t.Errorf("got %v", err)
		}
	}
	if n := r.postgres.loginCount(); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}

	letGo := r.postgres.holdLogins()
	defer letGo()
	r.postgres.refuse(nil)
	r.step(firstRetry)
	gone := errors.New("its client has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := p.Welcome(ctx); err != gone {
		t.Errorf("got %v, want %v", err, gone)
	}
	p.mu.Lock()
	if n := p.asked(); n != 0 {
		t.Errorf("%d ask for a server, want none", n)
	}
	p.mu.Unlock()
	letGo()
	if _, err := p.Welcome(t.Context()); err != nil {
		t.Error(err)
	}
}
