package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// A fakeServer is a PostgreSQL that does what the test says, also what PostgreSQL
// would never do. It logs everybody in; then the test plays each connection.
type fakeServer struct {
	t        testing.TB
	listener net.Listener
	servers  chan *fakeConn   // logged in, in order
	cancels  chan *fakeCancel // requests to cancel, not confirmed yet
	attempts atomic.Int64     // how many have tried to log in
	handlers sync.WaitGroup

	mu    sync.Mutex // guards the following
	login func(*fakeConn) bool
	pid   uint32
	conns []net.Conn
}

// A fakeConn is one connection of a fakeServer.
type fakeConn struct {
	t   testing.TB
	nc  net.Conn
	in  *bufio.Reader
	pid uint32 // its cancel key; the secret is always fakeSecret
}

// A fakeCancel is a cancel request. PostgreSQL confirms it by closing the
// connection.
type fakeCancel struct {
	*wire.CancelRequest
	nc net.Conn
}

// fakeSecret is the secret of all cancel keys that a fakeServer gives out.
const fakeSecret = "\x01\x02\x03\x04"

// newFake starts a fakeServer, which ends with the test.
func newFake(t testing.TB) *fakeServer {
	t.Helper()
	checkLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{
		t: t, listener: l, servers: make(chan *fakeConn, 64), cancels: make(chan *fakeCancel, 64), login: (*fakeConn).greet,
	}
	f.handlers.Go(f.serve)
	t.Cleanup(f.close)

	return f
}

// close ends f and all its connections.
func (f *fakeServer) close() {
	_ = f.listener.Close()
	f.handlers.Wait()
	for _, nc := range f.conns {
		_ = nc.Close()
	}
}

// config is a configuration that sends everybody to f.
func (f *fakeServer) config(change func(*config.Pgweir)) *config.Config {
	addr := f.listener.Addr().(*net.TCPAddr)
	c := config.Default()
	c.Pgweir.AuthType = config.AuthTrust
	c.Pgweir.DefaultPoolSize = 1
	c.Pgweir.ServerCheckQuery = "" // what the fake is asked is up to the test
	c.Databases[config.AnyDatabase] = config.Database{
		Host: addr.IP.String(), Port: addr.Port,
		MinPoolSize: config.Inherit, ReservePoolSize: config.Inherit, MaxDBConnections: config.Inherit,
	}
	if change != nil {
		change(&c.Pgweir)
	}

	return c
}

// setLogin says what is done with connections that ask to log in. It returns
// whether they are in.
func (f *fakeServer) setLogin(login func(*fakeConn) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.login = login
}

// serve takes connections until the listener is closed.
func (f *fakeServer) serve() {
	for {
		nc, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns = append(f.conns, nc)
		f.mu.Unlock()
		f.handlers.Go(func() { f.handle(nc) })
	}
}

// handle reads the first packet of a connection.
func (f *fakeServer) handle(nc net.Conn) {
	_ = nc.SetDeadline(time.Now().Add(6 * patience))
	_, cancel, err := wire.ReadStartup(nc)
	switch {
	case err != nil:
		_ = nc.Close()
	case cancel != nil:
		f.cancels <- &fakeCancel{cancel, nc}
	default:
		f.attempts.Add(1)
		f.admit(nc)
	}
}

// admit logs a connection in, or not.
func (f *fakeServer) admit(nc net.Conn) {
	f.mu.Lock()
	f.pid++
	s := &fakeConn{t: f.t, nc: nc, in: bufio.NewReader(nc), pid: f.pid}
	login := f.login
	f.mu.Unlock()
	if login(s) {
		f.servers <- s
	} else {
		_ = nc.Close()
	}
}

// greet is what PostgreSQL says to those it lets in.
func (s *fakeConn) greet() bool {
	b := wire.AppendAuthenticationOk(nil)
	b = wire.AppendParameterStatus(b, "server_version", "17.0")
	b = wire.AppendParameterStatus(b, "application_name", "")
	b = wire.AppendBackendKeyData(b, s.pid, []byte(fakeSecret))
	_, err := s.nc.Write(wire.AppendReadyForQuery(b, wire.TxIdle))

	return err == nil
}

// accept returns the next server that the proxy has opened.
func (f *fakeServer) accept() *fakeConn {
	f.t.Helper()
	select {
	case s := <-f.servers:
		return s
	case <-time.After(patience):
		f.t.Fatal("fake: the proxy opened no server")

		return nil
	}
}

// wantNoOther checks that the proxy has opened no other server.
func (f *fakeServer) wantNoOther() {
	f.t.Helper()
	if n := len(f.servers); n > 0 {
		f.t.Fatalf("fake: the proxy opened %d more servers", n)
	}
}

// canceled returns the next cancel request, which must be for s.
func (f *fakeServer) canceled(s *fakeConn) *fakeCancel {
	f.t.Helper()
	select {
	case c := <-f.cancels:
		if c.PID != s.pid || string(c.Secret) != fakeSecret {
			f.t.Fatalf("fake: cancel request with key %d %q", c.PID, c.Secret)
		}

		return c
	case <-time.After(patience):
		f.t.Fatal("fake: no cancel request came")

		return nil
	}
}

// confirm says that the request has had its effect.
func (c *fakeCancel) confirm() {
	_ = c.nc.Close()
}

// want reads as many frames as there are types and checks that they are these.
func (s *fakeConn) want(types string) []frame {
	s.t.Helper()
	var frames []frame
	for range len(types) {
		f, err := readFrame(s.in)
		if err != nil {
			s.t.Fatalf("fake: got %q and then %v, want %q", traces(frames), err, types)
		}
		frames = append(frames, f)
	}
	if got := typesOf(frames); got != types {
		s.t.Fatalf("fake: got %q, want %q", traces(frames), types)
	}

	return frames
}

// wantQuery reads a query of that text.
func (s *fakeConn) wantQuery(sql string) {
	s.t.Helper()
	if got := string(bytes.TrimRight(s.want("Q")[0].body, "\x00")); got != sql {
		s.t.Fatalf("fake: got the query %q, want %q", got, sql)
	}
}

// send sends frames in one write.
func (s *fakeConn) send(frames ...[]byte) {
	s.t.Helper()
	if _, err := s.nc.Write(join(frames...)); err != nil {
		s.t.Fatalf("fake: send: %v", err)
	}
}

// wantClosed checks that the proxy has closed the connection, with or without a
// goodbye, and sent nothing else.
func (s *fakeConn) wantClosed() {
	s.t.Helper()
	f, err := readFrame(s.in)
	if err == nil && f.typ == wire.Terminate {
		f, err = readFrame(s.in)
	}
	if err == nil {
		s.t.Fatalf("fake: got %v, want the end of the connection", f)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Fatal("fake: the connection was not closed")
	}
	_ = s.nc.Close()
}

// wantSilence checks that the proxy has sent nothing and not closed the connection.
func (s *fakeConn) wantSilence() {
	s.t.Helper()
	_ = s.nc.SetReadDeadline(time.Now().Add(silence))
	b, err := s.in.Peek(1)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Fatalf("fake: got %q, %v, want silence", b, err)
	}
	_ = s.nc.SetReadDeadline(time.Now().Add(6 * patience))
}

// reset closes the connection with a reset.
func (s *fakeConn) reset() {
	_ = s.nc.(*net.TCPConn).SetLinger(0)
	_ = s.nc.Close()
}

// ping checks that c is served: its query reaches s and the answer comes back.
func ping(c *client, s *fakeConn) {
	c.t.Helper()
	token := "ping " + c.nc.LocalAddr().String()
	c.send(query(token))
	s.wantQuery(token)
	s.send(result(token))
	if got := c.want("TDCZ")[1].String(); got != (frame{'D', dataRow(token)[wire.HeaderSize:]}).String() {
		c.t.Fatalf("client: got the row %s", got)
	}
}
