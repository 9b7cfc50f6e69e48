package proxy

import (
	"time"

	"go.uber.org/zap"
)

// A pinning is that a client keeps its server outside transactions. It is not changed but
// replaced, as others may look at it.
type pinning struct {
	since   time.Duration
	reasons []PinReason // at least one
}

// A PinReason is something in a session that cannot go along with its client.
type PinReason struct {
	// Kind is what it is, "LISTEN" or "temporary object" for instance, as in the log
	// and the metrics.
	Kind string
	// Name is what that is called: a channel, a table, a lock's number. Of several of a
	// kind it is the one that PostgreSQL named first.
	Name string
}

// pin has the session keep its server from now on, for these reasons, or not any more if
// there is none.
func (s *session) pin(reasons []PinReason) {
	if len(reasons) == 0 {
		s.unpin()

		return
	}
	p := &pinning{since: s.loop.Now(), reasons: reasons}
	if s.pinned != nil {
		p.since = s.pinned.since
	} else {
		s.proxy.log.Info("server pinned to its client", zap.Uint64("client_id", s.id),
			zap.String("reason", reasons[0].Kind), zap.String("name", reasons[0].Name))
		s.proxy.counters.pinned(reasons[0].Kind)
	}
	s.pinned = p
}

// unpin has the session give its server back after each transaction.
func (s *session) unpin() {
	if s.pinned != nil {
		s.proxy.counters.Pinned.Add(-1)
		s.pinned = nil
	}
}

// pinned counts a client that begins to keep its server.
func (c *counters) pinned(why string) {
	c.Pinned.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pins == nil {
		c.pins = make(map[string]uint64)
	}
	c.pins[why]++
}
