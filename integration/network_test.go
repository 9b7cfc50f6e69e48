package integration

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/postgres"
)

// A network stands between pgweir and PostgreSQL, and fails at will. With the zero value
// of what can be set it only passes on.
type network struct {
	listener net.Listener
	target   string
	group    sync.WaitGroup

	passage sync.RWMutex // held to write by whoever lets nothing pass
	delay   atomic.Int64 // of each piece, in nanoseconds
	piece   atomic.Int64 // how many bytes pass at a time; 0: all there are

	mu    sync.Mutex // guards the following
	ended bool
	pairs map[*pair]struct{}
}

// A pair is a connection of pgweir's and the one to PostgreSQL that it is joined to.
type pair struct {
	pgweir, server *net.TCPConn
	lost           atomic.Bool // what is sent on it gets lost
}

// startNetwork starts a network, until the end of the test.
func startNetwork(t *testing.T, c *postgres.Cluster) *network {
	t.Helper()
	n := &network{
		listener: listenLocal(t), target: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), pairs: make(map[*pair]struct{}),
	}
	n.group.Go(n.run)
	t.Cleanup(func() {
		_ = n.listener.Close()
		n.end()
		n.group.Wait()
	})

	return n
}

// run accepts connections until the listener is closed.
func (n *network) run() {
	for {
		nc, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.group.Go(func() { n.join(nc.(*net.TCPConn)) })
	}
}

// join joins a connection to one to PostgreSQL, until both are closed.
func (n *network) join(nc *net.TCPConn) {
	defer nc.Close()
	server, err := net.Dial("tcp", n.target)
	if err != nil {
		return
	}
	defer server.Close()
	p := &pair{pgweir: nc, server: server.(*net.TCPConn)}
	if !n.add(p) {
		return
	}
	var up sync.WaitGroup
	up.Go(func() { n.pass(p, p.server, p.pgweir) })
	n.pass(p, p.pgweir, p.server)
	up.Wait()
	n.mu.Lock()
	delete(n.pairs, p)
	n.mu.Unlock()
}

// add notes a pair. It is false at the end.
func (n *network) add(p *pair) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ended {
		n.pairs[p] = struct{}{}
	}

	return !n.ended
}

// pass passes on what comes from one side of a pair to the other, and its end, unless it
// gets lost.
func (n *network) pass(p *pair, to, from *net.TCPConn) {
	defer func() {
		if !p.lost.Load() {
			_ = to.CloseWrite()
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		room := buf
		if piece := n.piece.Load(); piece > 0 {
			room = buf[:piece]
		}
		got, err := from.Read(room)
		time.Sleep(time.Duration(n.delay.Load()))
		n.passage.RLock()
		var writeErr error
		if !p.lost.Load() {
			_, writeErr = to.Write(room[:got])
		}
		n.passage.RUnlock()
		if err != nil || writeErr != nil {
			return
		}
	}
}

// silence lets nothing pass for a time. What was sent meanwhile passes then.
func (n *network) silence(d time.Duration) {
	n.passage.Lock()
	defer n.passage.Unlock()
	time.Sleep(d)
}

// each does something to all pairs there are.
func (n *network) each(f func(*pair)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for p := range n.pairs {
		f(p)
	}
}

// end closes all there are, and lets no others come.
func (n *network) end() {
	n.mu.Lock()
	n.ended = true
	n.mu.Unlock()
	n.each((*pair).reset)
}

// lose has all get lost that is sent from now on, without a word to either side, as a
// firewall does that has forgotten the connection.
func (p *pair) lose() {
	p.lost.Store(true)
}

// reset breaks the connection: both sides get a RST.
func (p *pair) reset() {
	for _, nc := range []*net.TCPConn{p.pgweir, p.server} {
		_ = nc.SetLinger(0)
		_ = nc.Close()
	}
}

// halfClose has pgweir read the end of the connection, while it can still write to it.
func (p *pair) halfClose() {
	_ = p.pgweir.CloseWrite()
}
