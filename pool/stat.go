package pool

import (
	"maps"
	"time"
)

// Counts are what a pool has done since it was made.
type Counts struct {
	Opened     uint64            // servers opened
	OpenFailed uint64            // attempts that failed
	Closed     map[Reason]uint64 // servers closed, by reason
	Cancels    uint64            // cancel requests sent to PostgreSQL
}

// A Stat is a snapshot of a pool.
type Stat struct {
	Key     Key
	Size    int           // how many servers there may be, without the reserve
	Open    int           // open or being opened
	Idle    int           // of those, waiting for a client
	Opening int           // of those, not logged in yet
	Waiting int           // clients that wait for a server
	MaxWait time.Duration // how long the first of them has waited
	Clients int           // sessions that use the pool
	LastErr error         // why the last attempt to open a server failed; nil if it did not
	Counts
}

// InUse is how many servers belong to a client, or are between two.
func (s *Stat) InUse() int {
	return s.Open - s.Idle - s.Opening
}

// Stat returns a snapshot. It may be called from any goroutine.
func (p *Pool) Stat() Stat {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stat{
		Key:     p.key,
		Size:    p.options.Size,
		Open:    p.total,
		Idle:    p.idleN,
		Opening: p.opening,
		Waiting: p.waiting.n,
		Clients: int(p.users.Load()),
		LastErr: p.lastErr,
		Counts:  p.counts,
	}
	s.Closed = maps.Clone(p.counts.Closed)
	if w := p.waiting.first; w != nil {
		s.MaxWait = p.clock().Now() - w.since
	}

	return s
}

// Gone reports whether the pool has been closed and another would be made in its
// place.
func (p *Pool) Gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.closed
}
