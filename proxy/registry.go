package proxy

import (
	"crypto/rand"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/wire"
)

// register gives the session its cancel key. It is an error when the proxy is
// ending.
func (p *Proxy) register(s *session, v wire.Version) error {
	for {
		pid, secret, err := wire.NewCancelKey(v, rand.Reader)
		if err != nil {
			return err
		}
		p.mu.Lock()
		_, taken := p.sessions[pid]
		ending := p.draining
		if !taken && !ending {
			s.pid, s.secret = pid, secret
			p.sessions[pid] = s
		}
		p.mu.Unlock()
		switch {
		case ending:
			return errShutdown
		case !taken:
			return nil
		}
	}
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

// loginOver forgets a login.
func (p *Proxy) loginOver(l *login) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.logins, l)
	p.checkEnded()
}

// logBegin writes the one line about the beginning of a session.
func (p *Proxy) logBegin(s *session) {
	if !p.config.Pgweir.LogConnections {
		return
	}
	key := s.route.pool.Key()
	p.log.Info("client connected", zap.Uint64("client_id", s.id), zap.String("database", key.Database),
		zap.String("user", key.User), zap.Stringer("addr", address(s.addr)))
}

// checkEnded closes ended once there is nobody left. mu is held.
func (p *Proxy) checkEnded() {
	if p.draining && len(p.sessions) == 0 && len(p.logins) == 0 {
		select {
		case <-p.ended:
		default:
			close(p.ended)
		}
	}
}

// allSessions returns the sessions there are.
func (p *Proxy) allSessions() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*session, 0, len(p.sessions))
	for _, s := range p.sessions {
		all = append(all, s)
	}

	return all
}

// forget ends the proxy's part in a session.
func (p *Proxy) forget(s *session, why error) {
	s.route.pool.Leave()
	p.clients.Add(-1)
	p.mu.Lock()
	delete(p.sessions, s.pid)
	p.checkEnded()
	p.mu.Unlock()
	p.logEnd(s, why)
}

// logEnd writes the one line about the end of a session.
func (p *Proxy) logEnd(s *session, why error) {
	if !p.config.Pgweir.LogDisconnections {
		return
	}
	key := s.route.pool.Key()
	p.log.Info("client disconnected", zap.Uint64("client_id", s.id),
		zap.String("database", key.Database), zap.String("user", key.User),
		zap.Stringer("addr", address(s.addr)), zap.NamedError("reason", why))
}
