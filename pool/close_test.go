package pool

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
)

// startClose begins to close the pools and returns what tells of its end.
func (r *rig) startClose() <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.pools.Close(context.Background()) }() // ends with the servers
	r.eventually("the pools are closed", func() bool {
		for _, p := range r.pools.All() {
			if !p.Gone() {
				return false
			}
		}

		return true
	})
	r.settle()

	return done
}

// TestClose checks that closing refuses those who wait, in all pools, and waits for
// the servers in use.
func TestClose(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, func(o *Options) { o.Size = 2 })
	other := r.poolOf(Key{"stock", "alice"}, nil)
	unused := r.poolOf(Key{"empty", "alice"}, nil)
	holders := []*client{r.client(p, 0, 0), r.client(p, 1, 0), r.client(other, 0, 0)}
	for _, c := range holders {
		c.served()
	}
	waiters := []*client{r.client(p, 0, 0), r.client(p, 1, 0), r.client(other, 1, 0)}
	holders[0].part(func(s *Server) { p.Destroy(s, ReasonLink) })
	waiters[0].served()
	done := r.startClose()
	for i, c := range waiters[1:] {
		if err := c.refused().err; err != ErrClosed {
			t.Errorf("waiter %d: got %v, want ErrClosed", i+1, err)
		}
	}
	if err := r.client(p, 0, 0).refused().err; err != ErrClosed {
		t.Errorf("a late client: got %v, want ErrClosed", err)
	}
	if _, err := r.pools.Get(Key{"late", "carol"}, r.options); err != ErrClosed {
		t.Errorf("a late pool: got %v, want ErrClosed", err)
	}
	if _, err := unused.Welcome(t.Context()); err != ErrClosed {
		t.Errorf("a late login: got %v, want ErrClosed", err)
	}
	if holders[1].cancel(1) != 0 {
		t.Error("a cancel was sent for a pool that is closed")
	}
	for _, c := range []*client{holders[1], holders[2], waiters[0]} {
		select {
		case err := <-done:
			t.Fatalf("closed while servers are in use: %v", err)
		default:
		}
		c.release()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	r.wantClosed(p, ReasonShutdown, 2)
	r.wantClosed(other, ReasonShutdown, 1)
}

// TestCloseWhileOpening checks that a server which is being opened when the pool
// closes does not stay.
func TestCloseWhileOpening(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	letGo := r.postgres.holdLogins()
	c := r.client(p, 0, 0)
	done := r.startClose()
	if err := c.refused().err; err != ErrClosed {
		t.Errorf("got %v, want ErrClosed", err)
	}
	letGo()
	if err := <-done; err != nil {
		t.Error(err)
	}
	r.eventually("nothing is open", func() bool { return p.Stat().Open == 0 })
}

// TestCloseOnTheWay closes the pools while servers move between loops.
func TestCloseOnTheWay(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{0, time.Minute} {
		for range 20 {
			r, p := newPool(t, 2, nil)
			holder := r.holder(p)
			c := r.client(p, 1, limit)
			go r.clock.Step(limit) // ends soon
			holder.part(p.Release)
			done := r.startClose()
			r.eventually("an answer", func() bool { return len(c.got) > 0 })
			if o := <-c.got; o.err == nil {
				c.release()
			}
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Fatal("a server was kept")
			}
		}
	}
}

// TestCloseDeadOnTheWay closes a pool while a server is on its way to a waiter, and
// ends: there will be no other one.
func TestCloseDeadOnTheWay(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, nil)
	holder := r.holder(p)
	c := r.client(p, 1, 0)
	holder.part(func(s *Server) {
		r.postgres.end(s)
		p.Release(s)
		p.close()
	})
	if err := c.refused().err; err != ErrClosed {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestCloseGivesUp(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, nil)
	c := r.holder(p)
	late := errors.New("too late")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(late)
	if err := r.pools.Close(ctx); !errors.Is(err, late) {
		t.Errorf("got %v, want %v", err, late)
	}
	c.release()
}

// TestCloseLeavesNothing checks that goroutines and descriptors are gone afterwards.
func TestCloseLeavesNothing(t *testing.T) {
	goroutines, descriptors := runtime.NumGoroutine(), countDescriptors()
	group, err := reactor.StartGroup(2, reactor.Options{Clock: reactor.NewSteppedClock()})
	if err != nil {
		t.Fatal(err)
	}
	f := startFake(t)
	r := &rig{TB: t, clock: group.Loops()[0].Clock(), loops: group.Loops(), postgres: f, pools: New(group, zap.NewNop())}
	p := r.pool(func(o *Options) { o.Size = 5 })
	var clients []*client
	for i := range 8 {
		clients = append(clients, r.client(p, i%2, 0))
	}
	for _, c := range clients[:5] {
		c.served()
	}
	clients[0].cancel(1)
	f.arrived(1)
	f.confirmCancel()
	for i, c := range clients {
		if i > 4 {
			c.served()
		}
		c.release()
	}
	r.close()
	group.Stop()
	f.stop()
	for start := time.Now(); runtime.NumGoroutine() > goroutines && time.Since(start) < patience; {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := countDescriptors(); n > descriptors {
		t.Errorf("%d descriptors, %d before", n, descriptors)
	}
}

// countDescriptors counts the open descriptors of this process.
func countDescriptors() (n int) {
	for fd := range 1024 {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0); errno == 0 {
			n++
		}
	}

	return n
}
