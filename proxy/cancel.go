package proxy

import (
	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// cancel carries out a client's request to cancel what another connection of it is
// doing. The only answer is the end of the connection, whatever comes of the request.
// Drivers wait for it before they send their next statement, which the request must
// not hit: so it comes once the request has had its effect, or can have none. It may
// wait.
func (l *login) cancel(r *wire.CancelRequest) {
	s := l.canceled(r)
	if s == nil {
		return
	}
	over := false
	s.loop.Post(func() {
		s.cancel(func() {
			l.loop.Post(func() {
				if !over {
					over = true
					l.task.Wake()
				}
			})
		})
	})
	for !over && !l.conn.Ready(reactor.Hangup) && l.wait(reactor.Hangup) == nil {
	}
	over = true // the task may be another's by the time that it is
}

// canceled returns the session that a request is for, or nil: there is none with that
// key, or nobody looks.
func (l *login) canceled(r *wire.CancelRequest) *session {
	p := l.proxy
	p.counters.Cancels.Add(1)
	now := l.loop.Now()
	if !p.guesses.allows(l.addr.Addr(), now) {
		p.counters.Unheard.Add(1)

		return nil
	}
	p.mu.Lock()
	s := p.sessions[r.PID]
	p.mu.Unlock()
	if s != nil && s.owns(r.Secret) {
		return s
	}
	p.counters.BadCancels.Add(1)
	if p.guesses.wrong(l.addr.Addr(), now) {
		p.log.Warn("too many cancel requests with unknown keys", zap.Stringer("addr", address(l.addr)),
			zap.Duration("ignored_for", guessPeriod))
	}

	return nil
}

// cancel cancels what the session is doing: it leaves the queue if it waits for a
// server; what a server does for it PostgreSQL is asked to cancel. A statement of
// pgweir's own must not be hit, as the client's behind it relies on it, so the request
// waits for its end. done is called once the request can hit nothing any more. It runs
// on the loop.
func (s *session) cancel(done func()) {
	k := s.link
	switch {
	case s.ended || k == nil: // too late
		done()
	case k.parked:
		s.cancelled = true
		k.task.Wake()
		done()
	case k.server == nil: // too late, or too early
		done()
	default:
		k.canceling = append(k.canceling, done)
		k.passCancels()
	}
}

// passCancels has PostgreSQL asked to cancel what the server does for the client, as
// often as was requested, unless it runs a query of pgweir's first.
func (k *link) passCancels() {
	if len(k.canceling) == 0 || k.owed.runsOurs() {
		return
	}
	for i, done := range k.canceling {
		if k.owed.idle() || !k.session.route.pool.Cancel(k.server, done) {
			done()
		}
		k.canceling[i] = nil
	}
	k.canceling = k.canceling[:0]
}

// dropCancels drops the requests that have come too late.
func (k *link) dropCancels() {
	for i, done := range k.canceling {
		done()
		k.canceling[i] = nil
	}
	k.canceling = k.canceling[:0]
}
