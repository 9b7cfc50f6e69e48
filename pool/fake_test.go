package pool

import (
	"io"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/pgweir/pgweir/wire"
)

// A fakePostgres logs in whoever comes, without a password, and then says nothing.
type fakePostgres struct {
	t       testing.TB
	address string

	mu       sync.Mutex // guards the following
	listener net.Listener
	sessions map[uint32]net.Conn // logged in, by PID
	lastPID  uint32
	refusal  *wire.Error       // for all who log in; nil: they are welcome
	hold     chan struct{}     // logins wait until they get something, or it is closed; nil: they do not
	logins   int               // so far, refused ones included
	cancels  []*cancelAttempt  // so far
	canceled chan struct{}     // gets something with each cancel request
	wg       sync.WaitGroup    // all goroutines
	conns    map[net.Conn]bool // all connections
}

// A cancelAttempt is a cancel request that is being handled until its connection is
// closed.
type cancelAttempt struct {
	key  wire.CancelRequest
	conn net.Conn
}

// startFake starts a fake PostgreSQL that ends with the test.
func startFake(t testing.TB) *fakePostgres {
	t.Helper()
	f := &fakePostgres{
		t:        t,
		sessions: make(map[uint32]net.Conn),
		canceled: make(chan struct{}, 100),
		conns:    make(map[net.Conn]bool),
	}
	f.listen("127.0.0.1:0")
	t.Cleanup(f.stop)

	return f
}

// listen begins to accept connections on address.
func (f *fakePostgres) listen(address string) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	f.listener, f.address = ln, ln.Addr().String()
	f.mu.Unlock()
	f.wg.Go(func() { // ends when the listener is closed
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			f.wg.Go(func() { f.serve(nc) })
		}
	})
}

// stop ends it and waits for its goroutines. Connections are cut.
func (f *fakePostgres) stop() {
	f.mu.Lock()
	_ = f.listener.Close()
	for nc := range f.conns {
		_ = nc.Close()
	}
	if f.hold != nil {
		close(f.hold)
		f.hold = nil
	}
	f.mu.Unlock()
	f.wg.Wait()
}

// serve handles one connection to its end.
func (f *fakePostgres) serve(nc net.Conn) {
	f.mu.Lock()
	f.conns[nc] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.conns, nc)
		f.mu.Unlock()
		_ = nc.Close()
	}()
	_, cancel, err := wire.ReadStartup(nc)
	switch {
	case err != nil:
		return
	case cancel != nil:
		f.mu.Lock()
		f.cancels = append(f.cancels, &cancelAttempt{*cancel, nc})
		f.mu.Unlock()
		f.canceled <- struct{}{}
	case !f.welcome(nc):
		return
	}
	_, _ = io.Copy(io.Discard, nc)
}

// welcome answers a login. It is false if the login was refused.
func (f *fakePostgres) welcome(nc net.Conn) bool {
	f.mu.Lock()
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	if f.refusal != nil {
		_, _ = nc.Write(f.refusal.Append(nil))

		return false
	}
	f.lastPID++
	f.sessions[f.lastPID] = nc
	b := wire.AppendAuthenticationOk(nil)
	b = wire.AppendParameterStatus(b, "server_version", "17.0")
	b = wire.AppendBackendKeyData(b, f.lastPID, secretOf(f.lastPID))
	_, _ = nc.Write(wire.AppendReadyForQuery(b, wire.TxIdle))

	return true
}

// secretOf is the cancel key of the session with that PID.
func secretOf(pid uint32) []byte {
	return []byte{1, 2, 3, byte(pid)}
}

// refuse makes all logins fail from now on, or, with nil, succeed again.
func (f *fakePostgres) refuse(e *wire.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusal = e
}

// holdLogins has logins wait until the function it returns is called.
func (f *fakePostgres) holdLogins() (letGo func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	hold := make(chan struct{})
	f.hold = hold

	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.hold == hold {
			f.hold = nil
			close(hold)
		}
	}
}

// letOneGo lets one of the logins go on that are held.
func (f *fakePostgres) letOneGo() {
	f.mu.Lock()
	hold := f.hold
	f.mu.Unlock()
	hold <- struct{}{}
}

// loginCount is how many logins there were so far.
func (f *fakePostgres) loginCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()

	return f.logins
}

// session is the connection of the session with that PID.
func (f *fakePostgres) session(pid uint32) net.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()

	return f.sessions[pid]
}

// end ends the session of s and returns when s has been told.
func (f *fakePostgres) end(s *Server) {
	_ = f.session(s.Welcome.PID).Close()
	for !s.Conn.Pending() {
		runtime.Gosched()
	}
}

// confirmCancel ends the connections of all cancel requests so far, as PostgreSQL
// does once it has sent the signal.
func (f *fakePostgres) confirmCancel() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cancels {
		_ = c.conn.Close()
	}
}
