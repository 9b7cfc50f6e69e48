package reactor

import (
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pgweir/pgweir/internal/skiptest"
)

// wantAllocs checks how many allocations one call of f makes.
func wantAllocs(t *testing.T, want float64, f func()) {
	t.Helper()
	for range 10 {
		f()
	}
	if got := testing.AllocsPerRun(200, f); got != want {
		t.Errorf("%v allocations, want %v", got, want)
	}
}

// pingPong returns a function that has one byte go through an echo, which is a task
// if the connection is at rest between any two.
func pingPong(t testing.TB, l *Loop, handler func(c *Conn) Handler) func() {
	c, peer := pair(t)
	attach(t, l, c, handler(c))
	buf := make([]byte, 1)

	return func() {
		_, _ = peer.Write(buf)
		turn(l)
		if n, err := peer.Read(buf); n != 1 || err != nil {
			t.Fatalf("the answer is %d bytes, %v", n, err)
		}
	}
}

// An endless echo keeps its task.
type endless struct {
	conn *Conn
}

// Run implements Job.
func (e *endless) Run(t *Task) {
	var buf [10]byte
	t.Join(0, e.conn)
	for {
		n, err := e.conn.Read(buf[:])
		switch {
		case err == ErrWouldBlock:
			e.conn.Want(Readable)
			t.Wait(0)
		case err != nil:
			e.conn.Close()

			return
		default:
			writeAll(t, e.conn, buf[:n])
		}
	}
}

func TestAllocsFromRest(t *testing.T) {
	skiptest.UnderRace(t)
	l := stillLoop(t, Options{})
	wantAllocs(t, 0, pingPong(t, l, func(c *Conn) Handler { return &echo{c} }))
}

func TestAllocsTask(t *testing.T) {
	skiptest.UnderRace(t)
	l := stillLoop(t, Options{})
	var c *Conn
	ping := pingPong(t, l, func(conn *Conn) Handler {
		c = conn

		return quietly(t)
	})
	l.Go(&endless{c})
	wantAllocs(t, 0, ping)
	_ = unix.Shutdown(c.fd, unix.SHUT_RDWR)
	turnUntil(t, l, func() bool { return l.tasks == 0 })
}

func TestAllocsDeadline(t *testing.T) {
	skiptest.UnderRace(t)
	clock := NewSteppedClock()
	l := stillLoop(t, Options{Clock: clock})
	var task *Task
	over := false
	l.Go(jobFunc(func(t *Task) {
		for task = t; !over; {
			t.Wait(l.Now() + 1)
		}
	}))
	wantAllocs(t, 0, func() {
		clock.Step(1)
		turn(l)
	})
	over = true
	task.Wake()
	turn(l)
}

// TestMemoryAtRest checks the bound on what a connection at rest costs us, the
// kernel's share left out.
func TestMemoryAtRest(t *testing.T) {
	skiptest.UnderRace(t)
	const n, bound = 200, 150 // connections; bytes
	l := stillLoop(t, Options{})
	var fds [n]int
	for i := range fds {
		c, _ := pair(t)
		fds[i] = c.fd
	}
	h := quietly(t)
	before := liveBytes()
	var conns [n]*Conn
	for i, fd := range fds {
		conns[i] = NewConn(fd)
		attach(t, l, conns[i], h)
	}
	got := (liveBytes() - before) / n
	least := int64(unsafe.Sizeof(Conn{})) // else the measurement is wrong
	for _, c := range conns {
		l.Detach(c)
	}
	if got < least || got > bound {
		t.Errorf("%d bytes for a connection at rest, want %d to %d", got, least, bound)
	}
}

// liveBytes is the size of what is in use on the heap. Some of what nobody uses any
// more is only gone after a second collection.
func liveBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)

	return int64(m.HeapAlloc)
}

func BenchmarkFromRest(b *testing.B) {
	ping := pingPong(b, stillLoop(b, Options{}), func(c *Conn) Handler { return &echo{c} })
	for b.Loop() {
		ping()
	}
}

func BenchmarkResume(b *testing.B) {
	l := stillLoop(b, Options{})
	over := false
	var task *Task
	l.Go(jobFunc(func(t *Task) {
		for task = t; !over; {
			t.Wait(0)
		}
	}))
	for b.Loop() {
		task.resume()
	}
	over = true
	task.resume()
}

func BenchmarkPost(b *testing.B) {
	l := stillLoop(b, Options{})
	f := func() {}
	for b.Loop() {
		l.Post(f)
		l.deliver()
	}
}

func BenchmarkPostWake(b *testing.B) {
	l := startLoops(b, 1, Options{}).Loops()[0]
	done := make(chan struct{}, 1)
	for b.Loop() {
		l.Post(func() { done <- struct{}{} })
		<-done
	}
}
