package proxy

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// A login is a connection between accept and its first rest. It is a task on the
// loop that will serve the client, and reads like blocking code; what takes long or
// must wait for others is done elsewhere. It has one deadline for all of it.
type login struct {
	proxy    *Proxy
	loop     *reactor.Loop
	conn     *reactor.Conn
	addr     netip.AddrPort // of the client; zero: by a unix socket
	deadline time.Duration  // 0: none

	task    *reactor.Task
	stop    error // why it must end; nil: it need not
	started bool  // the client has said who it is
}

// errLoginTimeout ends a login that takes too long, in PostgreSQL's words.
var errLoginTimeout = wire.Fatalf(wire.CodeQueryCanceled, "canceling authentication due to timeout").
	WithHint("See client_login_timeout.")

// begin puts the connection on its loop, where it runs.
func (l *login) begin() {
	if err := l.loop.Attach(l.conn, l); err != nil {
		l.conn.Close()
		l.proxy.loginOver(l)

		return
	}
	l.deadline = after(l.loop.Now(), l.proxy.config.Pgweir.ClientLoginTimeout)
	l.loop.Go(l)
}

// Ready implements [reactor.Handler]. A login has a task from beginning to end, so
// nothing is left to do.
func (l *login) Ready(*reactor.Conn) {}

// Run implements [reactor.Job]: it takes the connection through login. In the end it
// is a session's, or closed.
func (l *login) Run(t *reactor.Task) {
	l.task = t
	t.Join(clientPlace, l.conn)
	s, err := l.protect(l.admit)
	l.proxy.loginOver(l)
	switch {
	case err != nil:
		l.turnAway(err)
	case s != nil:
		l.conn.Handle(s)
		s.begin(t)
	default: // a cancel request: it is never answered
		l.conn.Close()
	}
}

// protect calls f and makes an error of its panic.
func (l *login) protect(f func() (*session, error)) (s *session, err error) {
	defer func() {
		if v := recover(); v != nil {
			l.proxy.panicked(v)
			s, err = nil, errInternal
		}
	}()

	return f()
}

// admit finds out what the client wants, and makes it a session. A nil session
// without an error means that it wanted nothing more. It may wait.
func (l *login) admit() (*session, error) {
	p := l.proxy
	buf := l.loop.Borrow(reactor.SmallBuffer)
	defer l.loop.Return(buf)
	conn := wire.NewLoginConn(l, buf)
	start, cancel, err := wire.ReadStartup(conn)
	switch {
	case err != nil:
		return nil, err
	case cancel != nil:
		l.cancel(cancel)

		return nil, nil
	}
	l.started = true
	if p.clients.Add(1) > int64(p.config.Pgweir.MaxClientConn) {
		p.clients.Add(-1)

		return nil, wire.Fatalf(wire.CodeTooManyConnections, "no more connections allowed (max_client_conn)").
			WithHint("Close connections that are not needed, or raise max_client_conn.")
	}
	s, err := l.authenticate(conn, start)
	if err == nil {
		err = l.welcome(conn, s, start)
	}
	if err != nil {
		p.clients.Add(-1)
		_ = conn.Flush() // the error comes behind it

		return nil, refusal{err, start}
	}
	s.ahead = append(s.ahead, conn.Buffered()...)

	return s, nil
}

// authenticate lets the client prove who it is and finds its way to the database. It
// may wait.
func (l *login) authenticate(conn *wire.LoginConn, start *wire.StartupRequest) (*session, error) {
	p := l.proxy
	frame, version := start.Negotiation()
	_, _ = conn.Write(frame) // is held
	start.Version = version
	settings, err := startupSettings(start)
	if err != nil {
		return nil, err
	}
	secret, known := p.users[start.User]
	known = known || len(p.users) == 0 && p.method == wire.MethodTrust
	credentials, err := wire.Authenticate(conn, p.method, start.User, secret, known, p.mockKey, l.elsewhere)
	if err != nil {
		return nil, err
	}
	route, err := p.route(start.Database, start.User, credentials)
	if err != nil {
		return nil, err
	}

	settings = route.share(settings)
	s := &session{
		proxy:    p,
		route:    route,
		loop:     l.loop,
		conn:     l.conn,
		id:       p.nextID.Add(1),
		addr:     l.addr,
		settings: settings,
		initial:  settings,
	}
	s.worker().meter.Connect(&s.measured, route.figures, start.Database, start.User, s.application())

	return s, nil
}

// welcome tells the client that it is in. It may wait.
func (l *login) welcome(conn *wire.LoginConn, s *session, start *wire.StartupRequest) error {
	w, err := l.serverWelcome(s)
	if err == nil {
		s.readAs(w)
		err = l.proxy.register(s, start.Version)
	}
	if err != nil {
		s.route.pool.Leave()

		return err
	}
	_, _ = conn.Write(appendGreeting(conn.AvailableBuffer(), w, s)) // is held
	if err := conn.Flush(); err != nil {
		l.proxy.unregister(s)

		return err
	}

	return nil
}

// serverWelcome returns what PostgreSQL says of itself, which only the first client
// of a pool has to wait for. It may wait.
func (l *login) serverWelcome(s *session) (w *wire.Welcome, err error) {
	if w := s.route.pool.KnownWelcome(); w != nil {
		return w, nil
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	l.elsewhereUntil(func() { w, err = s.route.pool.Welcome(ctx) }, func() { cancel(l.overdue()) })

	return w, err
}

// appendGreeting appends all that a client is sent once it is in.
func appendGreeting(b []byte, w *wire.Welcome, s *session) []byte {
	b = wire.AppendAuthenticationOk(b)
	for _, p := range w.Parameters {
		value := p.Value
		if own, ok := s.settings.Get(p.Name); ok {
			value = own
		}
		b = wire.AppendParameterStatus(b, p.Name, value)
	}
	b = wire.AppendBackendKeyData(b, s.pid, s.secret)

	return wire.AppendReadyForQuery(b, wire.TxIdle)
}

// Read implements [io.Reader] for the code of the login: it waits until there is
// something.
func (l *login) Read(p []byte) (int, error) {
	for {
		n, err := 0, reactor.ErrWouldBlock
		if l.conn.Ready(reactor.Readable) {
			n, err = l.conn.Read(p)
		}
		if !errors.Is(err, reactor.ErrWouldBlock) {
			return n, err
		}
		if err := l.wait(reactor.Readable); err != nil {
			return 0, err
		}
	}
}

// Write implements [io.Writer] for the code of the login: it waits until all is
// written.
func (l *login) Write(p []byte) (int, error) {
	written := 0
	for {
		n, err := l.conn.Write(p[written:])
		written += n
		if !errors.Is(err, reactor.ErrWouldBlock) {
			return written, err
		}
		if err := l.wait(reactor.Writable); err != nil {
			return written, err
		}
	}
}

// wait suspends until the connection is ready for e. It is an error if the login
// must end.
func (l *login) wait(e reactor.Events) error {
	if err := l.overdue(); err != nil {
		return err
	}
	l.conn.Want(e)
	l.task.Wait(l.deadline)

	return l.overdue()
}

// overdue returns why the login must end, or nil.
func (l *login) overdue() error {
	switch {
	case l.stop != nil:
		return l.stop
	case l.deadline != 0 && l.loop.Now() >= l.deadline:
		return errLoginTimeout
	}

	return nil
}

// elsewhere runs work, which takes long, in a goroutine, and waits for its end.
func (l *login) elsewhere(work func()) {
	l.elsewhereUntil(work, func() {})
}

// elsewhereUntil is elsewhere for work that can be broken off, which it is when the
// login must end. The goroutine ends with the work.
func (l *login) elsewhereUntil(work, breakOff func()) {
	done := false
	l.proxy.goroutines.Go(func() {
		work()
		l.loop.Post(func() {
			done = true
			l.task.Wake()
		})
	})
	deadline := l.deadline
	for !done {
		l.conn.Want(0)
		l.task.Wait(deadline)
		if l.overdue() != nil {
			breakOff()
			deadline = 0 // it has done its duty
		}
	}
}

// kill ends the login. It runs on the loop.
func (l *login) kill(why error) {
	l.stop = why
	if l.task != nil {
		l.task.Wake()
	}
}
