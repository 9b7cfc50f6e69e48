package proxy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/wire"
)

// A frame is one message from a server.
type frame struct {
	typ  byte
	body []byte
}

// String shows what a client can tell apart, for comparison. Of errors and notices
// that is what programs look at, not where in PostgreSQL's source they come from.
func (f frame) String() string {
	switch f.typ {
	case wire.ErrorResponse, wire.NoticeResponse:
		e, err := wire.ParseError(f.body)
		if err != nil {
			return err.Error()
		}

		return fmt.Sprintf("%c %v %q %q", f.typ, e, e.Detail, e.Hint)
	}

	return fmt.Sprintf("%c %q", f.typ, f.body)
}

// traces shows frames, one each.
func traces(frames []frame) []string {
	lines := make([]string, 0, len(frames))
	for _, f := range frames {
		lines = append(lines, f.String())
	}

	return lines
}

// readFrame reads one frame.
func readFrame(r io.Reader) (frame, error) {
	var header [wire.HeaderSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return frame{}, err
	}
	body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
	_, err := io.ReadFull(r, body)

	return frame{header[0], body}, err
}

// A client speaks raw frames with a proxy or with PostgreSQL. Whatever it waits
// for fails the test if it does not come.
type client struct {
	t       testing.TB
	nc      net.Conn
	in      *bufio.Reader
	welcome *wire.Welcome // nil before login
}

// dial connects to an address, and no more.
func dial(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(6 * patience))
	t.Cleanup(func() { _ = nc.Close() })

	return &client{t: t, nc: nc, in: bufio.NewReader(nc)}
}

// login logs in.
func (c *client) login(p wire.LoginParams) *client {
	c.t.Helper()
	var err error
	rw := struct {
		io.Reader
		io.Writer
	}{c.in, c.nc}
	if c.welcome, err = wire.Login(rw, p); err != nil {
		c.t.Fatalf("log in: %v", err)
	}

	return c
}

// dial connects to the proxy.
func (r *rig) dial() *client {
	r.t.Helper()
	c := dial(r.t, r.addr)
	r.clients = append(r.clients, c)

	return c
}

// connect logs in to the proxy as the one user that the tests have, with settings.
// When it returns the session is at rest.
func (r *rig) connect(settings ...wire.Parameter) *client {
	r.t.Helper()

	return r.connectAs("app", settings...)
}

// connectAs is connect as another user.
func (r *rig) connectAs(user string, settings ...wire.Parameter) *client {
	r.t.Helper()
	c := r.dial().login(wire.LoginParams{User: user, Database: "db", Parameters: settings})
	r.settle()

	return c
}

// send sends frames in one write.
func (c *client) send(frames ...[]byte) {
	c.t.Helper()
	_ = c.nc.SetWriteDeadline(time.Now().Add(6 * patience))
	if _, err := c.nc.Write(join(frames...)); err != nil {
		c.t.Fatalf("client: send: %v", err)
	}
}

// read reads the next frame.
func (c *client) read() (frame, error) {
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))

	return readFrame(c.in)
}

// until reads until a frame of each of these types has come, in that order, and
// returns all that came.
func (c *client) until(types string) []frame {
	c.t.Helper()
	var frames []frame
	for len(types) > 0 {
		f, err := c.read()
		if err != nil {
			c.t.Fatalf("client: waiting for %q after %q: %v", types, traces(frames), err)
		}
		frames = append(frames, f)
		if f.typ == types[0] {
			types = types[1:]
		}
	}

	return frames
}

// want reads as many frames as there are types and checks that they are these.
func (c *client) want(types string) []frame {
	c.t.Helper()
	var frames []frame
	for range len(types) {
		f, err := c.read()
		if err != nil {
			c.t.Fatalf("client: got %q and then %v, want %q", traces(frames), err, types)
		}
		frames = append(frames, f)
	}
	if got := typesOf(frames); got != types {
		c.t.Fatalf("client: got %q, want %q", traces(frames), types)
	}

	return frames
}

// wantError reads an error of that SQLSTATE, with a message that contains text.
func (c *client) wantError(severity, code, text string) *wire.Error {
	c.t.Helper()
	e, err := wire.ParseError(c.want("E")[0].body)
	if err != nil {
		c.t.Fatal(err)
	}
	if e.Severity != severity || e.Code != code || !strings.Contains(e.Message, text) {
		c.t.Fatalf("client: got %v, want %s with %q (SQLSTATE %s)", e, severity, text, code)
	}

	return e
}

// wantFatal reads one error that ends the session, and the end.
func (c *client) wantFatal(code, text string) *wire.Error {
	c.t.Helper()
	e := c.wantError("FATAL", code, text)
	c.wantEnd()

	return e
}

// wantEnd checks that the connection was closed, and nothing came before that.
func (c *client) wantEnd() {
	c.t.Helper()
	f, err := c.read()
	if err == nil {
		c.t.Fatalf("client: got %v, want the end of the connection", f)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("client: the connection was not closed")
	}
}

// silence is how long nothing must come where nothing should: once the loops have
// settled an answer is already in the socket.
const silence = 3 * time.Millisecond

// wantSilence checks that nothing has come, not even the end.
func (c *client) wantSilence() {
	c.t.Helper()
	_ = c.nc.SetReadDeadline(time.Now().Add(silence))
	b, err := c.in.Peek(1)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("client: got %q, %v, want silence", b, err)
	}
}

// reset closes the connection with a reset instead of an end.
func (c *client) reset() {
	_ = c.nc.(*net.TCPConn).SetLinger(0)
	_ = c.nc.Close()
}

// typesOf lists the types of frames.
func typesOf(frames []frame) string {
	var b strings.Builder
	for _, f := range frames {
		b.WriteByte(f.typ)
	}

	return b.String()
}
