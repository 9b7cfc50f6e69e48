package reactor

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// An echo serves one connection: at rest until something comes, then a task that
// writes back what there is.
type echo struct {
	conn *Conn
}

// Ready implements Handler.
func (e *echo) Ready(c *Conn) { c.Loop().Go(e) }

// Run implements Job.
func (e *echo) Run(t *Task) {
	buf := t.Loop().Borrow(SmallBuffer)
	defer t.Loop().Return(buf)
	t.Join(0, e.conn)
	for {
		n, err := e.conn.Read(buf)
		if err == ErrWouldBlock {
			return // to rest
		}
		if err != nil || !writeAll(t, e.conn, buf[:n]) {
			e.conn.Close()

			return
		}
	}
}

// writeAll writes b to c, waiting as need be.
func writeAll(t *Task, c *Conn, b []byte) bool {
	for len(b) > 0 {
		n, err := c.Write(b)
		if b = b[n:]; err == ErrWouldBlock {
			c.Want(Writable)
			t.Wait(0)
		} else if err != nil {
			return false
		}
	}

	return true
}

// TestEcho sends random data over hundreds of connections on three loops and checks
// that all of it comes back.
func TestEcho(t *testing.T) {
	t.Parallel()
	g := startLoops(t, 3, Options{})
	var wg sync.WaitGroup
	for i := range 200 {
		nc, peer := tcpPair(t)
		c, err := HandOver(nc)
		if err != nil {
			t.Fatal(err)
		}
		l := g.Loops()[i%3]
		do(l, func() { attach(t, l, c, &echo{c}) })
		wg.Go(func() { converse(t, peer, uint64(i)) })
	}
	wg.Wait()
}

// converse sends messages of random sizes to an echo, each tenth large enough to
// fill all buffers in between, and checks what comes back.
func converse(t *testing.T, peer net.Conn, seed uint64) {
	rng := rand.NewChaCha8([32]byte{byte(seed)})
	_ = peer.SetDeadline(time.Now().Add(testPatience))
	for i := range 10 {
		size := 1 + rng.Uint64()%5000
		if i == int(seed%10) {
			size = 200_000
		}
		sent, got := make([]byte, size), make([]byte, size)
		_, _ = rng.Read(sent)
		go func() { _, _ = peer.Write(sent) }() // ends with the deadline at the latest
		if _, err := io.ReadFull(peer, got); err != nil {
			t.Errorf("connection %d: %v", seed, err)

			return
		}
		if !bytes.Equal(sent, got) {
			t.Errorf("connection %d: something else came back", seed)

			return
		}
	}
	peer.Close()
}

// A nomad is a connection that changes its loop after each read.
type nomad struct {
	conn  *Conn
	loops []*Loop
	got   []byte
	moves int
	done  chan struct{} // closed at the end of the stream
}

// Ready implements Handler.
func (n *nomad) Ready(c *Conn) {
	var buf [1000]byte
	k, err := c.Read(buf[:])
	n.got = append(n.got, buf[:k]...)
	if err == io.EOF {
		c.Close()
		close(n.done)

		return
	}
	n.moves++
	c.Loop().Detach(c)
	to := n.loops[n.moves%len(n.loops)]
	to.Post(func() { _ = to.Attach(c, n) })
}

// TestMove moves connections to and fro between loops while data comes in: each byte
// must arrive, once, in order.
func TestMove(t *testing.T) {
	t.Parallel()
	g := startLoops(t, 2, Options{})
	var wg sync.WaitGroup
	for range 10 {
		nc, peer := tcpPair(t)
		c, err := HandOver(nc)
		if err != nil {
			t.Fatal(err)
		}
		n := &nomad{conn: c, loops: g.Loops(), done: make(chan struct{})}
		do(g.Loops()[0], func() { attach(t, g.Loops()[0], c, n) })
		wg.Go(func() {
			sent := make([]byte, 300_000)
			for i := range sent {
				sent[i] = byte(i * i >> 3)
			}
			_, _ = peer.Write(sent)
			_ = peer.Close()
			select {
			case <-n.done:
			case <-time.After(testPatience):
				t.Error("the end did not come")

				return
			}
			if !bytes.Equal(n.got, sent) {
				t.Errorf("%d bytes came, and not the %d that were sent", len(n.got), len(sent))
			}
			if n.moves < 10 {
				t.Errorf("moved %d times only", n.moves)
			}
		})
	}
	wg.Wait()
}
