package reactor

import (
	"errors"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrWouldBlock is returned by reads and writes when the socket has nothing, or
// takes no more, for now.
var ErrWouldBlock = errors.New("reactor: would block")

// Events is a set of things that can happen on a connection.
type Events uint8

// What can happen on a connection.
const (
	Readable Events = 1 << iota // bytes, or the end, can be read
	Writable                    // bytes can be written
	Hangup                      // the peer has closed, or the connection broke

	// Bulk, wanted with Readable, waits until a good deal can be read, or the end,
	// so that what flows fast is read in few large pieces. Whoever wants it sets a
	// deadline too and wants it no more then: what comes last is a small piece.
	// Unix sockets take no notice of it. It is never reported.
	Bulk
)

// A Handler is told by the loop that a connection at rest has become readable or
// was closed. It must read, start a task, or close the connection: the loop will
// tell it again as long as there is something to read.
type Handler interface {
	Ready(c *Conn)
}

// A Conn is a non-blocking socket that belongs to one loop at a time. At rest
// its Handler hears of events; while it is attached to a task, the task does.
type Conn struct {
	fd      int
	loop    *Loop // nil while it belongs to none
	task    *Task // nil at rest
	handler Handler

	ready  Events // reported by the poller and not used up yet
	want   Events // what its task waits for
	armed  Events // what the poller was asked to report; none: not registered
	bulk   bool   // the system was asked for Bulk
	listed bool   // on the loop's list of ready connections
	closed bool
}

// NewConn wraps a non-blocking socket. The Conn owns fd from here on. It does
// nothing until [Loop.Attach].
func NewConn(fd int) *Conn {
	return &Conn{fd: fd}
}

// HandOver takes the socket out of the Go runtime's hands: the descriptor is
// duplicated and nc closed, so that the runtime's poller lets go of it. On error
// nc is closed too. No deadline of nc survives. The caller must not touch nc
// again and carries along what it has already read from it.
func HandOver(nc net.Conn) (*Conn, error) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		_ = nc.Close()

		return nil, errors.New("reactor: connection has no descriptor")
	}
	c, err := takeOver(sc)
	_ = nc.Close()

	return c, err
}

// takeOver returns a Conn with a duplicate of the descriptor of sc. Both are the
// same socket, non-blocking as the runtime's are.
func takeOver(sc syscall.Conn) (*Conn, error) {
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	var dupErr error
	err = raw.Control(func(old uintptr) {
		fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err := errors.Join(err, dupErr); err != nil {
		return nil, err
	}

	return NewConn(fd), nil
}

// Loop is the loop that owns c, or nil.
func (c *Conn) Loop() *Loop {
	return c.loop
}

// Handle makes h the one who hears of c's events while it is at rest.
func (c *Conn) Handle(h Handler) {
	c.handler = h
}

// Ready reports whether any of e was reported for c and not used up since.
func (c *Conn) Ready(e Events) bool {
	return c.ready&e != 0
}

// Want says what the connection's task waits for on it in its next Wait.
func (c *Conn) Want(e Events) {
	c.want = e
}

// Read reads what there is, up to len(p) bytes. It returns ErrWouldBlock when
// there is nothing, and io.EOF at the end. p must not be empty.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := recv(c.fd, p)
	switch {
	case err != 0:
		return 0, c.failed(err, Readable)
	case n == 0:
		return 0, io.EOF
	case n < len(p):
		// Drained, as far as we know: the poller is level triggered and
		// tells us if not.
		c.ready &^= Readable
	}

	return n, nil
}

// Write writes as much of p as the socket takes and returns how much that was,
// with ErrWouldBlock when it was not all.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := send(c.fd, p)
	if err != 0 {
		return 0, c.failed(err, Writable)
	}
	if n < len(p) {
		c.ready &^= Writable

		return n, ErrWouldBlock
	}

	return n, nil
}

// CloseWrite tells the peer that no more will be written.
func (c *Conn) CloseWrite() {
	_ = unix.Shutdown(c.fd, unix.SHUT_WR) // the peer may be gone
}

// Pending reports whether there is something to read, the end included, by asking
// the system.
func (c *Conn) Pending() bool {
	return pending(c.fd)
}

// failed turns an errno into the error to return. A socket that would block is
// not ready for e any more.
func (c *Conn) failed(err syscall.Errno, e Events) error {
	if err == syscall.EAGAIN {
		c.ready &^= e

		return ErrWouldBlock
	}

	return err
}

// Close closes the socket. Its task, if any, must not wait on it any more.
// Closing a closed Conn does nothing.
func (c *Conn) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.task = nil
	if c.loop != nil {
		c.loop.forget(c)
	}
	closeSocket(c.fd)
}
