package pool

import (
	"bytes"
	"testing"
	"time"
)

// cancel has the client ask for n cancels of what its server does, and returns how
// many were sent.
func (c *client) cancel(n int) (sent int) {
	done := make(chan struct{})
	c.loop.Post(func() {
		defer close(done)
		for range n {
			if c.pool.Cancel(c.server, c.canceled) {
				sent++
			}
		}
	})
	<-done

	return sent
}

// canceled counts that a cancel is over. It runs on the loop.
func (c *client) canceled() {
	c.confirmed++
}

// arrived waits for n cancel requests to arrive at PostgreSQL.
func (f *fakePostgres) arrived(n int) {
	f.t.Helper()
	for range n {
		select {
		case <-f.canceled:
		case <-time.After(patience):
			f.t.Fatal("no cancel request")
		}
	}
}

// wantCanceling waits until n cancel requests are still on their way.
func (r *rig) wantCanceling(p *Pool, n int) {
	r.Helper()
	r.eventually("the others are confirmed or given up", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()

		return p.canceling == n
	})
}

// TestCancel checks that a server with a cancel on its way is given to nobody before
// that is confirmed: the cancel could hit the next one's query.
func TestCancel(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, nil)
	holder := r.client(p, 0, 0)
	server := holder.served().server
	next := r.client(p, 1, 0)
	if holder.cancel(2) != 2 {
		t.Error("not sent")
	}
	r.postgres.arrived(2)
	key := r.postgres.cancels[0].key
	if key.PID != server.Welcome.PID || !bytes.Equal(key.Secret, secretOf(key.PID)) {
		t.Errorf("the request is for %+v", key)
	}
	holder.release()
	next.waiting()
	r.wantStat(p, 1, 0, 1)

	_ = r.postgres.cancels[0].conn.Close()
	r.wantCanceling(p, 1)
	next.waiting()
	r.postgres.confirmCancel()
	if next.served().server != server {
		t.Error("another server")
	}
	next.release()
	if s := p.Stat(); s.Cancels != 2 || s.Idle != 1 {
		t.Errorf("%d cancels, %d idle", s.Cancels, s.Idle)
	}
}

// TestCancelWhileInUse checks that a confirmed cancel changes nothing for a server
// that its client still has.
func TestCancelWhileInUse(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	c := r.holder(p)
	c.cancel(1)
	r.postgres.arrived(1)
	r.postgres.confirmCancel()
	r.wantCanceling(p, 0)
	r.wantStat(p, 1, 0, 0)
	c.release()
	r.wantStat(p, 1, 1, 0)
	if c.confirmed != 1 {
		t.Errorf("whoever asked was told %d times", c.confirmed)
	}
}

// TestCancelTimeout checks that a server whose cancel is not confirmed in time is
// closed, released or not.
func TestCancelTimeout(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"released before": true, "released after": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, p := newPool(t, 1, nil)
			holder := r.holder(p)
			holder.cancel(1)
			r.postgres.arrived(1)
			next := r.client(p, 0, 0)
			if early {
				holder.release()
			}
			r.step(10*time.Second - 1)
			next.waiting()
			r.step(1)
			r.wantCanceling(p, 0)
			if !early {
				holder.release()
			}
			if got := next.served().server.Welcome.PID; got != 2 {
				t.Error("got the server that may still be hit")
			}
			r.wantClosed(p, ReasonCancel, 1)
			next.release()
		})
	}
}

// TestCancelOfDestroyed checks that a server may be closed while its cancel is on
// the way.
func TestCancelOfDestroyed(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	c := r.holder(p)
	c.cancel(1)
	r.postgres.arrived(1)
	c.part(func(s *Server) { p.Destroy(s, ReasonAbandoned) })
	next := r.holder(p)
	r.postgres.confirmCancel()
	next.release()
	r.wantStat(p, 1, 1, 0)
	if n := p.Stat().Closed[ReasonCancel]; n != 0 {
		t.Errorf("%d servers closed for their cancels", n)
	}
}

func TestCancelsAreBounded(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.Size, o.Reserve = 2, 1 })
	c := r.holder(p)
	if got := c.cancel(10); got != 6 {
		t.Errorf("%d of 10 cancels sent, want 6", got)
	}
	r.postgres.arrived(6)
	r.postgres.confirmCancel()
	c.release()
	r.eventually("the server is idle", func() bool { return p.Stat().Idle == 1 })
}

// TestIdleWhileCanceling checks that a server which ends while its cancel is on the
// way is closed then.
func TestIdleWhileCanceling(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	c := r.client(p, 0, 0)
	pid := c.served().server.Welcome.PID
	c.cancel(1)
	r.postgres.arrived(1)
	c.release()
	_ = r.postgres.session(pid).Close()
	r.wantClosed(p, ReasonServerEOF, 1)
	r.postgres.confirmCancel()
	next := r.holder(p)
	next.release()
	r.wantStat(p, 1, 1, 0)
}
