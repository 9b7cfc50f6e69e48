package reactor

import (
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testPatience is how long a test waits for what must come.
const testPatience = 10 * time.Second

// A jobFunc is a job made of a function.
type jobFunc func(t *Task)

// Run implements Job.
func (f jobFunc) Run(t *Task) { f(t) }

// A handlerFunc is a handler made of a function.
type handlerFunc func(c *Conn)

// Ready implements Handler.
func (f handlerFunc) Ready(c *Conn) { f(c) }

// quietly is a handler that must not hear anything.
func quietly(t testing.TB) Handler {
	return handlerFunc(func(c *Conn) { t.Errorf("the handler heard of %v", c.ready) })
}

// stillLoop returns a loop that the test turns itself, with turn, on its own
// goroutine.
func stillLoop(t testing.TB, o Options) *Loop {
	t.Helper()
	l, err := NewLoop(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Stop()
		l.Run()
	})

	return l
}

// turn gives a still loop one round, in which it does not wait.
func turn(l *Loop) {
	l.Post(func() {})
	l.turn()
}

// turnUntil turns a still loop until done.
func turnUntil(t testing.TB, l *Loop, done func() bool) {
	t.Helper()
	for start := time.Now(); !done(); turn(l) {
		if time.Since(start) > testPatience {
			t.Fatal("nothing happens")
		}
	}
}

// wantSleep checks that a still loop comes to rest: that soon nothing is reported
// any more, so that it would sleep.
func wantSleep(t testing.TB, l *Loop) {
	t.Helper()
	for range 4 {
		turn(l)
	}
	if n := l.poll.wait(0); n != 0 || len(l.runnable) != 0 {
		t.Errorf("the loop does not sleep: %d events, %d tasks to resume", n, len(l.runnable))
	}
}

// startLoops starts a group that stops with the test.
func startLoops(t testing.TB, n int, o Options) *Group {
	t.Helper()
	g, err := StartGroup(n, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)

	return g
}

// do runs f on a loop and waits for it.
func do(l *Loop, f func()) {
	done := make(chan struct{})
	l.Post(func() {
		defer close(done)
		f()
	})
	<-done
}

// pair returns two ends of a connection, neither attached. They are closed with the
// test.
func pair(t testing.TB) (a, b *Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = NewConn(fds[0]), NewConn(fds[1])
	t.Cleanup(func() {
		b.loop = nil // it may have stopped
		b.Close()
		a.loop = nil
		a.Close()
	})

	return a, b
}

// attach attaches c to l.
func attach(t testing.TB, l *Loop, c *Conn, h Handler) {
	t.Helper()
	if err := l.Attach(c, h); err != nil {
		t.Fatal(err)
	}
}

// tcpPair returns the two ends of a TCP connection over the loopback device.
func tcpPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})

	return a, b
}

// fill writes to c until it takes no more.
func fill(t testing.TB, c *Conn) (n int) {
	t.Helper()
	block := make([]byte, 64<<10)
	for {
		k, err := c.Write(block)
		n += k
		if err == ErrWouldBlock {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// drain reads from c until there is nothing more.
func drain(t testing.TB, c *Conn) (n int) {
	t.Helper()
	block := make([]byte, 64<<10)
	for {
		k, err := c.Read(block)
		n += k
		if err == ErrWouldBlock {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A recorder keeps the panics that a loop reports.
type recorder struct {
	mu     sync.Mutex
	panics []error
}

// panicked is for Options.
func (r *recorder) panicked(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.panics = append(r.panics, err)
}

// take returns what was reported since the last take.
func (r *recorder) take() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	panics := r.panics
	r.panics = nil

	return panics
}
