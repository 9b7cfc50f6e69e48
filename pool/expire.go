package pool

import (
	"cmp"
	"slices"
	"time"
)

// closeExpired closes the idle servers that have outlived their lifetime, and
// those that were idle for too long but for the minimum.
func (p *Pool) closeExpired() {
	now := p.clock().Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	spare := p.total - p.options.MinSize
	for _, s := range p.idleServers() {
		switch {
		case p.options.Lifetime > 0 && p.expired(s, now):
			p.retire(s, ReasonLifetime)
		case spare > 0 && p.idleTooLong(s, now):
			p.retire(s, ReasonIdle)
		default:
			continue
		}
		spare--
	}
}

// idleTooLong reports whether s was idle for longer than it should be. mu is held.
func (p *Pool) idleTooLong(s *Server, now time.Duration) bool {
	return p.options.IdleTimeout > 0 && now-s.idleSince >= p.options.IdleTimeout
}

// closeIdle closes up to n idle servers, those first that were idle longest, and
// returns how many.
func (p *Pool) closeIdle(n int, why Reason) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	servers := p.idleServers()
	n = min(n, len(servers))
	for _, s := range servers[:n] {
		p.retire(s, why)
	}

	return n
}

// CloseIdle closes the servers that have been idle since that time or longer, and
// returns how many. It may be called from any goroutine.
func (p *Pool) CloseIdle(since time.Duration, why Reason) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	servers := p.idleServers()
	n := 0
	for n < len(servers) && servers[n].idleSince <= since {
		p.retire(servers[n], why)
		n++
	}

	return n
}

// hasIdle reports whether p has an idle server.
func (p *Pool) hasIdle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.idleN > 0
}

// idleServers returns the idle servers, those first that were idle longest. mu is
// held.
func (p *Pool) idleServers() []*Server {
	all := slices.Concat(p.idle...)
	slices.SortFunc(all, func(a, b *Server) int { return cmp.Compare(a.idleSince, b.idleSince) })

	return all
}

// retire takes an idle server off the shelf and has its loop close it. mu is held.
func (p *Pool) retire(s *Server, why Reason) {
	p.unshelve(s, slices.Index(p.idle[s.loop.Index()], s))
	s.loop.Post(func() { p.Destroy(s, why) })
}
