package reactor

import (
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
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

	return &Listener{Conn: conn}, nil
}

// acceptBurst bounds how many connections are accepted before others on the loop
// have their turn.
const acceptBurst = 64

// Ready implements [Handler]: it accepts what there is.
func (ln *Listener) Ready(c *Conn) {
	c.ready = 0
	for range acceptBurst {
		fd, sa, err := unix.Accept4(c.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			ln.Accepted(NewConn(fd), peerAddr(sa))
		case unix.EAGAIN:
			return
		case unix.EINTR, unix.ECONNABORTED: // that one thought better of it
		default:
			ln.Failed(err)

			return
		}
		if c.closed {
			return
		}
	}
}

// peerAddr translates the address of a peer.
func peerAddr(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}

	return netip.AddrPort{}
}
