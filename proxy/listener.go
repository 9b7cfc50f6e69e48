package proxy

import (
	"net"
	"net/netip"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
)

// The pauses after an error of accept, for instance for want of descriptors: they
// double from the first to the last, as in net/http.
const (
	firstAcceptPause = 5 * time.Millisecond
	lastAcceptPause  = time.Second
)

// A listener accepts clients on the home loop.
type listener struct {
	proxy  *Proxy
	loop   *reactor.Loop
	socket *reactor.Listener
	addr   net.Addr
	pause  time.Duration // after the last error; 0: it went well since
	closed chan struct{}
}

// newListener takes nl over.
func newListener(p *Proxy, nl net.Listener) (*listener, error) {
	socket, err := reactor.NewListener(nl)
	if err != nil {
		return nil, err
	}
	// The connections that it accepts inherit these.
	if err := socket.Conn.SetTCP(tcpOptions(&p.config.Pgweir)); err != nil {
		socket.Conn.Close()

		return nil, err
	}
	l := &listener{proxy: p, loop: p.home(), socket: socket, addr: nl.Addr(), closed: make(chan struct{})}
	socket.Accepted = l.accepted
	socket.Failed = l.failed

	return l, nil
}

// run accepts clients until close.
func (l *listener) run() error {
	failed := make(chan error, 1)
	l.loop.Post(func() {
		if err := l.loop.Attach(l.socket.Conn, l.socket); err != nil {
			failed <- err
		}
	})
	select {
	case err := <-failed:
		l.close()

		return err
	case <-l.closed:
		return ErrClosed
	}
}

// close stops accepting. It may be called from any goroutine, once.
func (l *listener) close() {
	l.loop.Post(func() {
		l.socket.Conn.Close()
		if l.addr.Network() == "unix" {
			_ = os.Remove(l.addr.String())
		}
		close(l.closed)
	})
}

// accepted starts the login of a new connection. It runs on the loop.
func (l *listener) accepted(c *reactor.Conn, from netip.AddrPort) {
	l.pause = 0
	l.proxy.accepted(c, from)
}

// failed makes a pause after an error of accept: the reason will hardly be gone at
// once. It runs on the loop.
func (l *listener) failed(err error) {
	l.proxy.counters.AcceptErrors.Add(1)
	l.pause = min(max(2*l.pause, firstAcceptPause), lastAcceptPause)
	l.proxy.log.Warn("accept failed", zap.Stringer("addr", l.addr), zap.Error(err),
		zap.Duration("retry_in", l.pause))
	l.loop.Detach(l.socket.Conn)
	l.loop.AfterFunc(l.pause, l.resume)
}

// resume goes on accepting after a pause.
func (l *listener) resume() {
	if l.proxy.isDraining() {
		return
	}
	if err := l.loop.Attach(l.socket.Conn, l.socket); err != nil {
		l.failed(err)
	}
}
