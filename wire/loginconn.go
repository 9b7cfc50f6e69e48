package wire

import (
	"bytes"
	"fmt"
	"io"
)

// LoginBuffer is the size of a buffer that holds all that either side says at login,
// but for the oddest messages; bigger ones are read past it.
const LoginBuffer = 4 << 10

// A LoginConn reads ahead, so that a message at login, or PostgreSQL's whole welcome,
// costs one read of the connection instead of two each message. Whoever takes the
// connection over takes what is in [LoginConn.Buffered] with it. It holds what is
// written until it must wait for the other side, or until [LoginConn.Flush].
type LoginConn struct {
	rw    io.ReadWriter
	buf   []byte // to read into
	ahead []byte // the part of buf that was read and not yet asked for
	held  []byte // written, but not to rw yet
}

// NewLoginConn returns a LoginConn over rw. It has the use of buf as long as it is
// used; a smaller one than [LoginBuffer] will do less well.
func NewLoginConn(rw io.ReadWriter, buf []byte) *LoginConn {
	half := len(buf) / 2

	return &LoginConn{rw: rw, buf: buf[:half:half], held: buf[half:half]}
}

// Read reads from what was read ahead, or else writes what is held, and reads once
// from the connection.
func (c *LoginConn) Read(p []byte) (int, error) {
	if len(c.ahead) == 0 {
		if err := c.Flush(); err != nil {
			return 0, err
		}
		if len(p) >= len(c.buf) {
			return c.rw.Read(p)
		}
		n, err := c.rw.Read(c.buf)
		if n == 0 {
			return 0, err
		}
		c.ahead = c.buf[:n] // an error beside bytes comes again with the next read
	}
	n := copy(p, c.ahead)
	c.ahead = c.ahead[n:]

	return n, nil
}

// Write holds a copy of p.
func (c *LoginConn) Write(p []byte) (int, error) {
	c.held = append(c.held, p...)

	return len(p), nil
}

// AvailableBuffer returns an empty buffer to append to, for the next Write to hold
// without a copy, as that of [bufio.Writer] does.
func (c *LoginConn) AvailableBuffer() []byte {
	return c.held[len(c.held):]
}

// Flush writes what is held to the connection.
func (c *LoginConn) Flush() error {
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.rw.Write(c.held)
	c.held = c.held[:0]

	return err
}

// Buffered returns what was read ahead of what has been asked for, and is valid
// until the next Read.
func (c *LoginConn) Buffered() []byte {
	return c.ahead
}

// readMessage reads one message with a type byte. Its length field may be up to
// limit. The memory for it grows as it arrives: a length is only a promise. An error
// at the very beginning is the reader's own, io.EOF for one that is at its end.
func readMessage(r io.Reader, limit int) (typ byte, body []byte, err error) {
	var b [HeaderSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, nil, err
	}
	h, _ := PeekHeader(b[:])
	if h.Size < HeaderSize || h.Size-1 > limit {
		return h.Type, nil, &lengthError{typ: h.Type, length: h.Size - 1}
	}

	n := h.Size - HeaderSize
	if n <= LoginBuffer/2 {
		body = make([]byte, n)
		_, err = io.ReadFull(r, body)

		return h.Type, body, unexpectedEOF(err)
	}
	var grown bytes.Buffer
	_, err = io.CopyN(&grown, r, int64(n))

	return h.Type, grown.Bytes(), unexpectedEOF(err)
}

// A lengthError is a message whose length field is impossible or beyond its limit.
type lengthError struct {
	typ    byte
	length int
}

// Error names the message and its length.
func (e *lengthError) Error() string {
	return fmt.Sprintf("%q message of length %d", e.typ, e.length)
}
