package reactor

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// A Listener accepts connections on its loop. Make it with [NewListener]; Attach of
// its Conn starts it.
type Listener struct {
	Conn *Conn
	// Accepted is called on the loop with each new connection, which it owns from
	// then on, and the address of the peer, which is zero for a unix socket.
	Accepted func(c *Conn, from netip.AddrPort)
	// Failed is called on the loop when accept fails, for instance for want of
	// descriptors. The loop will ask again at once unless the Conn is detached.
	Failed func(err error)
}

// NewListener takes the socket of nl out of the Go runtime's hands. nl is closed; a
// unix socket's file stays. New sockets have the options that nl's has, as far as
// the system hands them down: on Linux those of TCP and keep-alive.
func NewListener(nl net.Listener) (*Listener, error) {
	if u, ok := nl.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	sc, ok := nl.(syscall.Conn)
	if !ok {
		return nil, errors.New("reactor: listener has no descriptor")
	}
	conn, err := takeOver(sc)
	if err := errors.Join(err, nl.Close()); err != nil {
		return nil, err
	}

	conn.deferAccept()

	return &Listener{Conn: conn}, nil
}

// Ready implements [Handler]: it accepts one connection. If there are more the loop
// tells it again, after the others who are ready.
func (ln *Listener) Ready(c *Conn) {
	c.ready = 0
	fd, from, err := accept(c.fd)
	switch err {
	case 0:
		conn := NewConn(fd)
		conn.ready = Readable // since accept was deferred until it is
		ln.Accepted(conn, from)
	case syscall.EAGAIN, syscall.EINTR, syscall.ECONNABORTED: // that one thought better of it
	default:
		ln.Failed(err)
	}
}
