package wirescript

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/pgweir/pgweir/wire"
)

const (
	// patience is how long a message may take to come, on a busy machine.
	patience = 20 * time.Second

	// lull is how long nothing must come where nothing should, and the length of a
	// pause.
	lull = 40 * time.Millisecond

	// maxBody bounds what is believed of a length.
	maxBody = 64 << 20
)

// errNothing is returned when nothing has come in time.
var errNothing = errors.New("nothing has come")

// A conn is one connection of a client.
type conn struct {
	nc     net.Conn
	in     *bufio.Reader
	out    []byte // what is sent before the next line that is not a ">"
	send   func(nc net.Conn, b []byte)
	pid    uint32 // with secret, for cancelling
	secret []byte
	ended  bool // closed by either side
	early  bool // a ReadyForQuery has been read before it was waited for
	status byte // of that one
}

// newConn speaks over a connection. With a send of nil it sends all at once.
func newConn(nc net.Conn, send func(nc net.Conn, b []byte)) *conn {
	if send == nil {
		send = func(nc net.Conn, b []byte) { _, _ = nc.Write(b) }
	}

	return &conn{nc: nc, in: bufio.NewReader(nc), send: send}
}

// flush sends what is to be sent. That it fails shows in what is received.
func (c *conn) flush() {
	_ = c.nc.SetWriteDeadline(time.Now().Add(patience))
	c.send(c.nc, c.out)
	c.out = nil
}

// Pieces returns a way to send that cuts the beginning of what is sent in pieces of 1
// to 7 bytes. Nothing tells when the other side has read a piece: without the pauses
// it would get all in one.
func Pieces(r *rand.Rand) func(nc net.Conn, b []byte) {
	const longest, beginning, pause = 7, 300, 100 * time.Microsecond

	return func(nc net.Conn, b []byte) {
		for left := max(0, len(b)-beginning); len(b) > left; {
			n := min(1+r.IntN(longest), len(b))
			_, _ = nc.Write(b[:n])
			b = b[n:]
			if r.IntN(2) == 0 {
				time.Sleep(pause) //nolint:forbidigo // there is nothing to wait for
			}
		}
		_, _ = nc.Write(b)
	}
}

// receive reads a message. At the end of the connection, in whatever way, it returns
// io.EOF.
func (c *conn) receive(limit time.Duration) (typ byte, body []byte, err error) {
	if c.early {
		c.early = false

		return wire.ReadyForQuery, []byte{c.status}, nil
	}
	if c.ended {
		return 0, nil, io.EOF
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(limit))
	if _, err = c.in.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, nil, errNothing
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	var header [wire.HeaderSize]byte
	if _, err = io.ReadFull(c.in, header[:]); err == nil {
		n := binary.BigEndian.Uint32(header[1:])
		if n < 4 || n > maxBody {
			return 0, nil, fmt.Errorf("a message %q of %d bytes", header[0], n)
		}
		body = make([]byte, n-4)
		_, err = io.ReadFull(c.in, body)
	}
	if err != nil {
		c.end()

		return 0, nil, io.EOF
	}
	if typ = header[0]; typ == 'K' && len(body) > 4 {
		c.pid, c.secret = binary.BigEndian.Uint32(body), body[4:]
	}

	return typ, body, nil
}

// unread has the next receive return a ReadyForQuery that was received.
func (c *conn) unread(body []byte) {
	c.early, c.status = true, append(body, 0)[0]
}

// end closes the connection.
func (c *conn) end() {
	c.ended = true
	_ = c.nc.Close()
}

// resetByPeer closes the connection with a reset, where the network has such a thing.
func (c *conn) resetByPeer() {
	if tcp, ok := c.nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.end()
}
