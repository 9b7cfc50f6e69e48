package reactor

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// TCPOptions are the options of a TCP socket. The system's default holds for what is
// zero, except that Nagle's algorithm is always off: it would hold back the end of
// each answer.
type TCPOptions struct {
	KeepAlive bool
	Idle      time.Duration // before the first probe
	Interval  time.Duration // between probes
	Count     int           // probes without an answer that end the connection
	// UserTimeout ends a connection whose peer does not confirm what was sent.
	UserTimeout time.Duration
}

// SetTCP sets the options of c. On a socket that is not of TCP it does nothing.
func (c *Conn) SetTCP(o TCPOptions) error {
	sa, err := unix.Getsockname(c.fd)
	if err != nil {
		return err
	}
	if _, ok := sa.(*unix.SockaddrUnix); ok {
		return nil
	}
	set := func(level, option, value int) {
		if value != 0 {
			err = errors.Join(err, unix.SetsockoptInt(c.fd, level, option, value))
		}
	}
	set(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if o.KeepAlive {
		set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		set(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds(o.Idle))
		set(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds(o.Interval))
		set(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, o.Count)
	}
	set(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(o.UserTimeout.Milliseconds()))

	return err
}

// seconds rounds up to what the system can count.
func seconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}

// acceptAfter is after how many seconds a connection is accepted even if its client has
// not said anything yet.
const acceptAfter = 1

// deferAccept makes a listener report a connection only once its client, who speaks
// first, has said something: that saves waking up for the mere connection. Where the
// system cannot, as for unix sockets, it reports it at once.
func (c *Conn) deferAccept() {
	_ = unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, acceptAfter)
}

// bulkBytes is how much must be there for [Bulk]: most of a large buffer. It must be
// less than a receive buffer holds at first (tcp_rmem: 128 KB, of which half counts
// for data).
const bulkBytes = 48 << 10

// setBulk switches [Bulk] on or off. If the system refuses, c is as it was.
func (c *Conn) setBulk(on bool) {
	if on == c.bulk {
		return
	}
	c.bulk = on
	low := 1
	if on {
		low = bulkBytes
	}
	_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, low)
}
