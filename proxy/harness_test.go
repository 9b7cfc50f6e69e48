package proxy

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// TestMain stops the PostgreSQL that the tests share.
func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m))
}

// patience bounds everything that a test waits for, in real time. It is far more
// than anything takes, and is only ever used up by a failure.
const patience = 10 * time.Second

// A rig is a proxy on loopback with loops and pools of its own. Its clock stands
// still unless the test steps it.
type rig struct {
	t       testing.TB
	clock   *reactor.Clock
	loops   *reactor.Group
	pools   *pool.Pools
	meter   *meter.Meter
	proxy   *Proxy
	addr    string
	logs    *observer.ObservedLogs
	serving chan error
	clients []*client
	panics  int // how many the test provokes
}

// posts are the functions that have a loop each run something.
func posts(loops *reactor.Group) (all []func(func())) {
	for _, l := range loops.Loops() {
		all = append(all, l.Post)
	}

	return all
}

// newRig starts a proxy. When the test ends it must have nothing left: no session,
// no server in use, no panic in the log. See also [checkLeaks].
func newRig(t testing.TB, cfg *config.Config) *rig {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	r := &rig{t: t, clock: reactor.NewSteppedClock(), logs: logs, serving: make(chan error, 1)}
	log := zap.New(core, zap.Development()) // what is a bug panics
	var err error
	r.loops, err = reactor.StartGroup(2, reactor.Options{Clock: r.clock, Panicked: func(err error) {
		log.Error("panic on a loop", zap.Error(err))
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.pools = pool.New(r.loops, log)
	r.meter = meter.New(meter.Options{Posts: posts(r.loops), Now: r.clock.Now, Log: log})
	r.proxy, err = New(Options{
		Config: cfg, Users: usersOf(t, cfg), Loops: r.loops, Pools: r.pools, Meter: r.meter, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	go func() { r.serving <- r.proxy.Serve(l) }() // ends with close
	t.Cleanup(r.close)

	return r
}

// usersOf returns the secrets of the configured users.
func usersOf(t testing.TB, cfg *config.Config) map[string]wire.Secret {
	t.Helper()
	users := make(map[string]wire.Secret)
	for name, u := range cfg.Users {
		secret, err := wire.ParseSecret(u.Password.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		users[name] = secret
	}

	return users
}

// close ends the proxy and checks that it leaves nothing behind.
func (r *rig) close() {
	for _, c := range r.clients {
		_ = c.nc.Close()
	}
	r.eventually("every session and login is over", func() bool {
		s := r.proxy.Stat()

		return s.Clients == 0 && s.Logins == 0
	})
	if n := r.proxy.clients.Load(); n != 0 {
		r.t.Errorf("%d clients are still counted against max_client_conn", n)
	}
	r.eventually("no server is in use", func() bool { return r.inUse() == 0 })
	if r.t.Failed() {
		r.step(time.Hour) // whatever it waits for
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.proxy.Shutdown(ctx); err != nil {
		r.t.Errorf("shutdown: %v", err)
	}
	if err := r.pools.Close(ctx); err != nil {
		r.t.Errorf("close pools: %v", err)
	}
	if err := <-r.serving; !errors.Is(err, ErrClosed) {
		r.t.Errorf("Serve returned %v, want ErrClosed", err)
	}
	r.loops.Stop()
	r.checkLog()
	if r.t.Failed() {
		r.dump()
	}
}

// inUse counts the servers that belong to clients, and the clients that wait.
func (r *rig) inUse() int {
	n := 0
	for _, p := range r.pools.All() {
		s := p.Stat()
		n += s.InUse() + s.Waiting
	}

	return n
}

// checkLog looks for panics and errors that the test did not provoke.
func (r *rig) checkLog() {
	panics := 0
	for _, e := range r.logs.All() {
		switch {
		case strings.Contains(e.Message, "panic"):
			panics++
		case e.Level >= zapcore.ErrorLevel:
			r.t.Errorf("logged %s: %s %v", e.Level, e.Message, e.ContextMap())
		}
	}
	if panics != r.panics {
		r.t.Errorf("%d panics logged, want %d", panics, r.panics)
	}
}

// dump prints the log of a failed test.
func (r *rig) dump() {
	for _, e := range r.logs.All() {
		r.t.Logf("%s %s %v", e.Level, e.Message, e.ContextMap())
	}
}

// eventually waits until a condition holds.
func (r *rig) eventually(what string, holds func() bool) {
	r.t.Helper()
	eventually(r.t, what, func() bool {
		r.settle()

		return holds()
	})
}

// eventually waits until a condition holds that some other goroutine brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Errorf("not after %v: %s\n%s", patience, what, stacks[:runtime.Stack(stacks, true)])

			return
		}
		time.Sleep(time.Millisecond)
	}
}

// settle returns once the loops have dealt with everything that had reached them:
// a round to collect it, one to act, and one each for what was posted to the other
// loop and for tasks that woke.
func (r *rig) settle() {
	for range 4 {
		for _, l := range r.loops.Loops() {
			passed := make(chan struct{})
			l.Post(func() { close(passed) })
			<-passed
		}
	}
}

// tick makes the clock go by itself until the end of the test, for one in which so
// much flows that the link waits for the lull behind it.
func (r *rig) tick() {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				r.step(time.Millisecond)
			}
		}
	}()
	r.t.Cleanup(func() {
		close(stop)
		<-stopped
	})
}

// step moves the clock and lets the loops act on it.
func (r *rig) step(d time.Duration) {
	r.settle()
	r.clock.Step(d)
	r.settle()
}

// onLoop runs f on the loop that serves the clients, and returns when it has.
func (r *rig) onLoop(f func()) {
	done := make(chan struct{})
	r.loops.Loops()[0].Post(func() { defer close(done); f() })
	<-done
}

// pool returns the snapshot of the only pool.
func (r *rig) pool() pool.Stat {
	r.t.Helper()
	all := r.pools.All()
	if len(all) != 1 {
		r.t.Fatalf("there are %d pools, want one", len(all))
	}

	return all[0].Stat()
}

// checkLeaks sees to it that a test leaves no goroutine and no descriptor behind. It
// is called before the test starts anything.
func checkLeaks(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the runtime's poller stays once it is there
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	before := takeCensus()
	t.Cleanup(func() {
		eventually(t, "no goroutine and no descriptor is left", before.restored)
	})
}

// A census counts what a test could leave behind.
type census struct {
	goroutines, descriptors int
}

// takeCensus counts.
func takeCensus() census {
	entries, _ := os.ReadDir("/proc/self/fd")

	return census{goroutines: runtime.NumGoroutine(), descriptors: len(entries)}
}

// restored reports whether there is no more than there was.
func (c census) restored() bool {
	now := takeCensus()

	return now.goroutines <= c.goroutines && now.descriptors <= c.descriptors
}
