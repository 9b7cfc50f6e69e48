package proxy

import (
	"crypto/subtle"
	"net/netip"
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/wire"
)

// A session is one client's life after login. It belongs to its loop. At rest it
// is this struct and nothing else; while something is going on it has a link.
type session struct {
	proxy *Proxy
	route *route
	loop  *reactor.Loop
	conn  *reactor.Conn
	id    uint64
	addr  netip.AddrPort // of the client; zero: by a unix socket

	pid    uint32 // cancel key
	secret []byte

	reading  sqltext.Options // how its texts are to be read
	measured meter.Client    // as the source of statements
	settings wire.Parameters // that it asked for at login, or has changed since and that are followed
	proven   bool            // a server has taken them

	initial    wire.Parameters  // the settings that it began with
	told       wire.Parameters  // what it was told of settings that are not followed
	names      []string         // of the application's own settings that it uses
	unnamed    bool             // it uses others, whose names are not known
	loaded     bool             // it has loaded a library into its PostgreSQL session
	statements clientStatements // that it has prepared
	texts      measuredTexts    // of those that it has prepared where they stay
	pinned     *pinning         // why it keeps its server outside transactions; nil: it does not

	ahead []byte         // read at login already; nil from the first task on
	idle  *reactor.Timer // client_idle_timeout; nil: none
	link  *link          // nil at rest

	connected time.Duration // when it had logged in
	rested    time.Duration // when it last came to rest

	stop      error // why it must end; nil: it need not
	begun     bool  // the loop has it
	ended     bool
	draining  bool // it must end once it is outside a transaction
	cancelled bool // a cancel request has come for what it is doing
}

// begin makes what was a login a session, in the task of the login. It may wait.
func (s *session) begin(t *reactor.Task) {
	s.proxy.logBegin(s)
	s.begun, s.connected = true, s.loop.Now()
	if d := s.proxy.config.Pgweir.ClientIdleTimeout; d > 0 {
		s.idle = s.loop.NewTimer(s.idleTooLong)
	}
	switch {
	case s.stop != nil:
		s.close(s.stop)
	case len(s.ahead) > 0:
		s.Run(t)
	default:
		s.rest()
	}
}

// Ready implements [reactor.Handler]: the client at rest has sent something or is
// gone.
func (s *session) Ready(*reactor.Conn) {
	s.loop.Go(s)
}

// Run implements [reactor.Job]: it serves the client until it is at rest again,
// or ends the session.
func (s *session) Run(t *reactor.Task) {
	if s.idle != nil {
		s.idle.Stop()
	}
	w := s.worker()
	s.link = w.takeLink()
	err := s.link.run(s, t)
	w.returnLink(s.link)
	s.link = nil
	if err != nil {
		s.end(err)

		return
	}
	s.rest()
}

// rest is what there is to do for a client at rest: to see to its idle timeout,
// and to end it if it was asked to meanwhile.
func (s *session) rest() {
	s.rested = s.loop.Now()
	if s.draining {
		s.drain()

		return
	}
	if s.idle != nil {
		s.loop.Reset(s.idle, s.loop.Now()+s.proxy.config.Pgweir.ClientIdleTimeout)
	}
}

// idleTooLong ends a session at rest.
func (s *session) idleTooLong() {
	if s.link == nil {
		s.close(errClientIdle)
	}
}

// close ends a session at rest, telling the client why.
func (s *session) close(why error) {
	if e := clientError(why); e != nil {
		_, _ = s.conn.Write(e.Append(nil)) // it may be gone
	}
	s.end(why)
}

// end closes the connection and forgets the session. It is the last thing that
// happens to it.
func (s *session) end(why error) {
	if s.idle != nil {
		s.loop.Drop(s.idle)
	}
	s.ended = true
	s.worker().meter.Disconnect(&s.measured)
	s.drop(s.statements.named)
	s.unpin()
	s.conn.Close()
	s.proxy.forget(s, why)
}

// post runs f on the session's loop, unless the session has ended by then. It may
// be called from any goroutine.
func (s *session) post(f func()) {
	s.loop.Post(func() {
		if !s.ended {
			f()
		}
	})
}

// kill ends the session now, whatever it is doing. It runs on the loop.
func (s *session) kill(why error) {
	switch {
	case s.link != nil:
		s.stop = why
		s.link.task.Wake()
	case s.begun:
		s.close(why)
	default:
		s.stop = why
	}
}

// drain ends the session as soon as it is outside a transaction and has been
// answered all it asked. It runs on the loop.
func (s *session) drain() {
	s.draining = true
	switch {
	case s.link != nil:
		s.link.task.Wake()
	case !s.begun:
		s.stop = errShutdown
	case !s.conn.Pending(): // else it has just asked for something more
		s.close(errShutdown)
	}
}

// Suits implements [pool.Client]: a server that has the session's settings needs nothing
// more.
func (s *session) Suits(server *pool.Server) bool {
	state, _ := server.Session.(*serverState)

	return state != nil && state.settings.Equal(s.settings) || state == nil && len(s.settings) == 0
}

// Interrupted implements [pool.Client]: it tells the task that waits for a
// server when that is in vain.
func (s *session) Interrupted() error {
	switch {
	case s.stop != nil:
		return s.stop
	case s.conn.Ready(reactor.Hangup):
		return errClientGone
	case s.cancelled:
		return errCanceled
	}

	return nil
}

// owns reports whether secret is the session's, in constant time.
func (s *session) owns(secret []byte) bool {
	return subtle.ConstantTimeCompare(s.secret, secret) == 1
}

// worker is what the proxy keeps for the session's loop.
func (s *session) worker() *worker {
	return s.proxy.workers[s.loop.Index()]
}

// application is what the client says that it is.
func (s *session) application() string {
	name, _ := s.settings.Get("application_name")

	return name
}

// tally is where the session books on its loop.
func (s *session) tally(l *reactor.Loop) *stats.Tally {
	return &s.route.tallies[l.Index()]
}
