package nplusone

import (
	"hash/maphash"
	"sync"
	"time"
)

// Requests are shared by the loops: the more shards, the less often two of them meet.
const (
	shards      = 64
	maxRequests = 64 << 10        // of all shards
	requestRest = 5 * time.Second // after which a request is over, if nothing more comes
)

// requests are the episodes of tagged traffic.
type requests [shards]shard

// A shard is part of the requests. Its lock is taken for one statement; under it that of
// Findings may be.
type shard struct {
	mu sync.Mutex
	episodes
	byKey map[uint64]*episode
	_     [64]byte // away from the lock of the next
}

// init makes the shards of a group.
func (r *requests) init(g *Group, limit int) {
	for i := range r {
		s := &r[i]
		s.group, s.limit = g, limit/shards
		s.byKey = make(map[uint64]*episode)
		s.closed = func(e *episode) { delete(s.byKey, e.key) }
	}
}

// book books an execution for the request that its tags name. A trace may go through
// several applications: each has its own part.
func (r *requests) book(x *Execution) {
	key := maphash.String(seed, x.Tags.Request) ^ x.Client.Origin.hash
	s := &r[key>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.get(key, x).book(x)
}

// get returns the open episode of a key, or a new one. mu is held.
func (s *shard) get(key uint64, x *Execution) *episode {
	e := s.byKey[key]
	if e != nil && e.full(x.At) {
		e.cut = true
		s.end(e)
		e = nil
	}
	if e != nil {
		s.touch(e)

		return e
	}
	if len(s.byKey) >= maxRequests/shards {
		s.evict()
	}
	e = s.newEpisode(x)
	e.key, s.byKey[key] = key, e

	return e
}

// sweep ends the requests of which nothing was heard for a while.
func (r *requests) sweep(now, rest time.Duration) {
	for i := range r {
		s := &r[i]
		s.mu.Lock()
		s.rest(now, rest)
		s.mu.Unlock()
	}
}
