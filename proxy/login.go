package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// A login is a connection between accept and hand-over. It has a goroutine of its
// own, which ends with it, and one deadline for all of it.
type login struct {
	proxy    *Proxy
	nc       net.Conn
	conn     *wire.LoginConn
	deadline time.Duration // of the home loop's clock; 0: none
	ctx      context.Context
	cancel   context.CancelCauseFunc // breaks it off, with what the client is told
}

// errLoginTimeout breaks off a login, in PostgreSQL's words.
var errLoginTimeout = wire.Fatalf(wire.CodeQueryCanceled, "canceling authentication due to timeout").
	WithHint("See client_login_timeout.")

// newLogin returns the login of a new connection.
func newLogin(p *Proxy, nc net.Conn) *login {
	l := &login{proxy: p, nc: nc, conn: wire.NewLoginConn(nc)}
	l.deadline = after(p.home().Clock().Now(), p.config.Pgweir.ClientLoginTimeout)
	l.ctx, l.cancel = context.WithCancelCause(context.Background())

	return l
}

// run takes the connection through login. In the end it is a session's, or closed.
func (l *login) run() {
	unwatch := context.AfterFunc(l.ctx, func() { _ = l.nc.SetReadDeadline(time.Unix(1, 0)) })
	defer func() {
		if v := recover(); v != nil {
			l.proxy.counters.Panics.Add(1)
			l.proxy.log.Error("panic at login", zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
			_ = l.nc.Close()
		}
		unwatch()
		l.cancel(nil)
		l.proxy.loginOver(l)
	}()
	start, cancel, err := wire.ReadStartup(l.conn)
	switch {
	case err != nil:
		l.turnAway(err, start)
	case cancel != nil:
		l.proxy.cancel(cancel)
		_ = l.nc.Close()
	default:
		if err := l.admit(start); err != nil {
			l.turnAway(err, start)
		}
	}
}

// loginOver forgets a login.
func (p *Proxy) loginOver(l *login) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.logins, l)
	p.checkEnded()
}

// admit counts the client in and makes it a session.
func (l *login) admit(start *wire.StartupRequest) error {
	p := l.proxy
	if p.clients.Add(1) > int64(p.config.Pgweir.MaxClientConn) {
		p.clients.Add(-1)

		return wire.Fatalf(wire.CodeTooManyConnections, "no more connections allowed (max_client_conn)").
			WithHint("Close connections that are not needed, or raise max_client_conn.")
	}
	s, err := l.authenticate(start)
	if err == nil {
		err = l.welcome(s, start)
	}
	if err != nil {
		p.clients.Add(-1)
	}

	return err
}

// authenticate lets the client prove who it is and finds its way to the database.
func (l *login) authenticate(start *wire.StartupRequest) (*session, error) {
	p := l.proxy
	frame, version := start.Negotiation()
	if frame != nil {
		if _, err := l.conn.Write(frame); err != nil {
			return nil, err
		}
	}
	start.Version = version
	settings, err := startupSettings(start)
	if err != nil {
		return nil, err
	}
	secret, known := p.users[start.User]
	known = known || len(p.users) == 0 && p.method == wire.MethodTrust
	credentials, err := wire.Authenticate(l.conn, p.method, start.User, secret, known, p.mockKey)
	if err != nil {
		return nil, err
	}
	route, err := p.route(start.Database, start.User, credentials)
	if err != nil {
		return nil, err
	}

	return &session{
		proxy:    p,
		route:    route,
		loop:     p.loops.Pick(),
		id:       p.nextID.Add(1),
		addr:     l.nc.RemoteAddr().String(),
		settings: route.share(settings),
	}, nil
}

// welcome tells the client that it is in, and hands its connection over to a loop.
func (l *login) welcome(s *session, start *wire.StartupRequest) error {
	servers := s.route.pool
	w, err := servers.Welcome(l.ctx)
	if err != nil {
		servers.Leave()

		return err
	}
	if ok, err := l.proxy.register(s, start.Version); err != nil || !ok {
		servers.Leave()

		return errors.Join(err, errShutdown)
	}
	if _, err := l.conn.Write(greeting(w, s)); err != nil {
		l.proxy.unregister(s)

		return err
	}

	return l.handOver(s)
}

// greeting is all that a client is sent once it is in.
func greeting(w *wire.Welcome, s *session) []byte {
	b := wire.AppendAuthenticationOk(make([]byte, 0, 512))
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

// handOver gives the connection, and what was read ahead, to the session's loop.
func (l *login) handOver(s *session) error {
	ahead := l.conn.Buffered()
	conn, err := reactor.HandOver(l.nc)
	if err != nil {
		l.proxy.unregister(s)

		return err
	}
	s.conn = conn
	if len(ahead) > 0 {
		s.ahead = append([]byte(nil), ahead...)
	}
	l.proxy.logBegin(s)
	s.loop.Post(s.begin)

	return nil
}

// unregister takes back what register and route did, for a session that has not
// begun.
func (p *Proxy) unregister(s *session) {
	s.route.pool.Leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, s.pid)
	p.checkEnded()
}

// logBegin writes the one line about the beginning of a session.
func (p *Proxy) logBegin(s *session) {
	if !p.config.Pgweir.LogConnections {
		return
	}
	key := s.route.pool.Key()
	p.log.Info("client connected", zap.Uint64("client_id", s.id),
		zap.String("database", key.Database), zap.String("user", key.User), zap.String("addr", s.addr))
}

// lingerTimeout bounds how long a connection that is turned away is given to take
// the reason.
const lingerTimeout = time.Second

// turnAway ends a login: it tells the client why, if there is anything to say and
// somebody to say it to, and closes the connection.
func (l *login) turnAway(err error, start *wire.StartupRequest) {
	defer l.nc.Close()
	if cause := context.Cause(l.ctx); cause != nil {
		err = cause
	}
	l.proxy.countRefusal(err, start, l.nc.RemoteAddr())
	var answer []byte
	var http *wire.HTTPError
	if errors.As(err, &http) {
		answer = http.AppendResponse(nil, metricsURL(l.proxy.config.Pgweir.HTTPListen))
	} else if e := loginError(err); e != nil {
		answer = e.Append(nil)
	}
	silent := start == nil && errors.Is(err, errLoginTimeout) // it may not even speak our protocol
	if len(answer) == 0 || silent {
		return
	}
	_ = l.nc.SetDeadline(time.Now().Add(lingerTimeout))
	_, _ = l.nc.Write(answer)
	l.linger()
}

// linger reads on until the peer closes: closing with unread bytes would make the
// system throw away what the peer has yet to read.
func (l *login) linger() {
	if c, ok := l.nc.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, l.nc, reactor.LargeBuffer)
}

// isPeers reports whether an error at login is the doing of a peer that is gone, or
// that is no client of PostgreSQL: there is nobody to tell.
func isPeers(err error) bool {
	var network net.Error
	var http *wire.HTTPError

	return errors.As(err, &network) || errors.As(err, &http) || errors.Is(err, wire.ErrSilent) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// loginError turns an error into what a client at login is told. There ERROR is not
// enough: it would wait for more.
func loginError(err error) *wire.Error {
	var open *pool.OpenError
	var own *wire.Error
	if !errors.As(err, &open) && !errors.As(err, &own) && isPeers(err) {
		return nil
	}
	e := clientError(err)
	if e != nil && !e.Fatal() {
		fatal := *e
		fatal.Severity = errInternal.Severity

		return &fatal
	}

	return e
}

// metricsURL is where the metrics are, for a person who has come to the wrong port.
func metricsURL(listen string) string {
	if listen == "" {
		return ""
	}

	return "http://" + listen + "/metrics"
}
