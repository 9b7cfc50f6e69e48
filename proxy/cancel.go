package proxy

import (
	"github.com/pgweir/pgweir/wire"
)

// cancel carries out a client's request to cancel what another connection of it is
// doing. There is no answer, whatever comes of it.
func (p *Proxy) cancel(r *wire.CancelRequest) {
	p.counters.Cancels.Add(1)
	p.mu.Lock()
	s := p.sessions[r.PID]
	p.mu.Unlock()
	if s == nil || !s.owns(r.Secret) {
		p.counters.BadCancels.Add(1)

		return
	}
	s.post(s.cancel)
}

// cancel cancels what the session is doing: it leaves the queue if it waits for a
// server; what a server does for it PostgreSQL is asked to cancel. It runs on the
// loop.
func (s *session) cancel() {
	k := s.link
	switch {
	case k == nil: // too late
	case k.parked:
		s.cancelled = true
		k.task.Wake()
	case k.server != nil && !k.owed.idle():
		s.route.pool.Cancel(k.server)
	}
}
