package reactor

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestConnReadWrite(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	buf := make([]byte, 10)
	if n, err := b.Read(buf); n != 0 || err != ErrWouldBlock {
		t.Errorf("read %d, %v from an empty socket", n, err)
	}
	if b.Pending() {
		t.Error("an empty socket has something pending")
	}
	if n, err := a.Write([]byte("hello")); n != 5 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if !b.Pending() {
		t.Error("nothing is pending")
	}
	if n, err := b.Read(buf[:3]); string(buf[:n]) != "hel" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if n, err := b.Read(buf); string(buf[:n]) != "lo" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	a.Close()
	a.Close() // does nothing
	if !b.Pending() {
		t.Error("the end is not pending")
	}
	if n, err := b.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("read %d, %v at the end", n, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, unix.EPIPE) {
		t.Errorf("writing to nobody: %v, want EPIPE", err)
	}
}

func TestConnWriteFull(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.ready = Writable
	sent := fill(t, a)
	if a.Ready(Writable) {
		t.Error("a full socket is writable")
	}
	if got := drain(t, b); got != sent {
		t.Errorf("read %d bytes of %d", got, sent)
	}
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	for name, beforehand := range map[string]string{"nothing sent": "", "bytes in the kernel": "before "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := stillLoop(t, Options{})
			nc, peer := tcpPair(t)
			_, _ = peer.Write([]byte(beforehand))
			_ = nc.SetDeadline(time.Unix(1, 0)) // must not matter afterwards

			c, err := HandOver(nc)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			if _, err := nc.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the original is not closed: %v", err)
			}
			got := make([]byte, 0, 100)
			attach(t, l, c, handlerFunc(func(c *Conn) {
				n, _ := c.Read(got[len(got):cap(got)])
				got = got[:len(got)+n]
			}))
			turnUntil(t, l, func() bool { return string(got) == beforehand })
			_, _ = peer.Write([]byte("after"))
			turnUntil(t, l, func() bool { return string(got) == beforehand+"after" })
			wantSleep(t, l)

			if n, err := c.Write([]byte("answer")); n != 6 || err != nil {
				t.Fatalf("wrote %d, %v", n, err)
			}
			c.Close()
			if answer, err := io.ReadAll(peer); string(answer) != "answer" || err != nil {
				t.Errorf("the peer read %q, %v", answer, err)
			}
		})
	}
}

func TestHandOverErrors(t *testing.T) {
	t.Parallel()
	piped, peer := net.Pipe() // has no descriptor
	if _, err := HandOver(piped); err == nil {
		t.Error("no error for a connection without a descriptor")
	}
	if _, err := peer.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("not closed on error: %v", err)
	}
	nc, _ := tcpPair(t)
	nc.Close()
	if _, err := HandOver(nc); err == nil {
		t.Error("no error for a closed connection")
	}
}

// TestHandler checks that a handler hears again and again until it has read, and
// nothing afterwards.
func TestHandler(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	a, b := pair(t)
	heard, read := 0, false
	attach(t, l, a, handlerFunc(func(c *Conn) {
		if heard++; read {
			drain(t, c)
		}
	}))
	wantSleep(t, l)
	if heard != 0 {
		t.Error("the handler heard of nothing")
	}
	_, _ = b.Write([]byte("hello"))
	turn(l)
	turn(l)
	if heard < 2 {
		t.Errorf("heard %d times of unread data, want each round", heard)
	}
	read = true
	wantSleep(t, l)
	b.Close()
	heard = 0
	a.handler = handlerFunc(func(c *Conn) {
		heard++
		c.Close()
	})
	turn(l)
	wantSleep(t, l)
	if heard != 1 {
		t.Errorf("heard %d times of the end, want 1", heard)
	}
}

// TestCloseInRound closes a connection in the round that has reported it: its
// handler must not hear of it any more, nor the next to get its descriptor.
func TestCloseInRound(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	a, a2 := pair(t)
	b, b2 := pair(t)
	heard := 0
	closeBoth := handlerFunc(func(*Conn) {
		heard++
		a.Close()
		b.Close()
	})
	attach(t, l, a, closeBoth)
	attach(t, l, b, closeBoth)
	_, _ = a2.Write([]byte("x"))
	_, _ = b2.Write([]byte("x"))
	turn(l)
	turn(l)
	if heard != 1 {
		t.Errorf("heard %d times, want 1", heard)
	}
}

// TestBackPressure checks that a side which nobody wants to hear of does not keep
// the loop awake, whatever happens on it, and that all is there when wanted again.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(peer *Conn){
		"data":                func(*Conn) {},
		"data and the end":    func(peer *Conn) { _ = unix.Shutdown(peer.fd, unix.SHUT_WR) },
		"data and a hang-up":  func(peer *Conn) { peer.Close() },
		"data, both shutdown": func(peer *Conn) { _ = unix.Shutdown(peer.fd, unix.SHUT_RDWR) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testUnwanted(t, 0, end)
		})
	}
	t.Run("data, while it takes no more", func(t *testing.T) {
		t.Parallel()
		testUnwanted(t, Writable, func(*Conn) {})
	})
}

// testUnwanted has a task want something else of a full connection than its peer's
// data, and then nothing but them.
func testUnwanted(t *testing.T, want Events, end func(peer *Conn)) {
	l := stillLoop(t, Options{})
	c, peer := pair(t)
	other, _ := pair(t)
	attach(t, l, c, quietly(t))
	attach(t, l, other, quietly(t))
	fill(t, c)
	got, asked := 0, false
	l.Go(jobFunc(func(task *Task) {
		task.Join(0, c)
		task.Join(1, other)
		other.Want(Readable)
		for c.Want(want); !asked; {
			task.Wait(0)
		}
		waitReadable(task, c)
		got, _ = c.Read(make([]byte, 100))
		c.Close()
	}))
	task := c.task
	_, _ = peer.Write([]byte("hello"))
	turn(l)
	end(peer)
	wantSleep(t, l)
	asked = true
	task.Wake()
	turnUntil(t, l, func() bool { return l.tasks == 0 })
	if got != 5 {
		t.Errorf("read %d bytes, want 5", got)
	}
}

// TestRestAfterWrite checks that a connection that was last waited on to take more
// bytes is quiet at rest.
func TestRestAfterWrite(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	c, peer := pair(t)
	attach(t, l, c, quietly(t))
	fill(t, c)
	l.Go(jobFunc(func(task *Task) {
		task.Join(0, c)
		c.Want(Writable)
		for !c.Ready(Writable) {
			task.Wait(0)
		}
	}))
	wantSleep(t, l)
	drain(t, peer)
	turnUntil(t, l, func() bool { return l.tasks == 0 })
	wantSleep(t, l)
}

// TestDetachInRound detaches a connection in the round that has reported it. The
// loop that it is attached to then must be told again.
func TestDetachInRound(t *testing.T) {
	t.Parallel()
	from, to := stillLoop(t, Options{}), stillLoop(t, Options{})
	c, peer := pair(t)
	attach(t, from, c, quietly(t))
	_, _ = peer.Write([]byte("hello"))
	from.Post(func() { from.Detach(c) })
	from.turn()
	wantSleep(t, from)
	if c.Loop() != nil || c.Ready(Readable|Writable|Hangup) {
		t.Errorf("it still has a loop, %v, or is ready, %v", c.Loop() != nil, c.ready)
	}
	got := 0
	attach(t, to, c, handlerFunc(func(c *Conn) { got += drain(t, c) }))
	turnUntil(t, to, func() bool { return got == 5 })
	wantSleep(t, to)
	to.Detach(c)
}

// TestBulk checks that a task which wants much hears only of much, of the end, or of
// its deadline, and that nothing of it is left afterwards.
func TestBulk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		send  int
		end   bool // of what the peer sends
		heard bool
	}{
		"little":              {send: 1000},
		"much":                {send: bulkBytes, heard: true},
		"little, and the end": {send: 1000, end: true, heard: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := NewSteppedClock()
			l := stillLoop(t, Options{Clock: clock})
			nc, peer := tcpPair(t)
			c, err := HandOver(nc)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			read := 0
			attach(t, l, c, handlerFunc(func(c *Conn) {
				n, err := c.Read(make([]byte, 2*bulkBytes))
				if read += n; err == io.EOF {
					c.Close()
				}
			}))
			heard, waits := false, 0
			l.Go(jobFunc(func(task *Task) {
				task.Join(0, c)
				c.Want(Readable | Bulk)
				task.Wait(clock.Now() + time.Second)
				heard = c.Ready(Readable)
				waits++
			}))
			_, _ = peer.Write(make([]byte, test.send))
			if test.end {
				_ = peer.(*net.TCPConn).CloseWrite()
			}
			if test.heard {
				turnUntil(t, l, func() bool { return waits == 1 })
			} else {
				wantSleep(t, l)
				clock.Step(time.Second)
				turn(l)
			}
			if waits != 1 || heard != test.heard {
				t.Errorf("%d waits ended; readable %v, want %v", waits, heard, test.heard)
			}
			turnUntil(t, l, func() bool { return read == test.send }) // at rest, where all is heard of
		})
	}
}
