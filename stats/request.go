package stats

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// RequestRules say how many statements a request should need. A request is what belongs
// to one request of the application, as far as a proxy can tell.
type RequestRules struct {
	Target   uint64        // fewer than that are well. 0: 20
	Warn     uint64        // more than that are warned of. 0: 50
	WarnTook time.Duration // so is what took longer. 0: 1 s
}

// withDefaults returns the rules with all set.
func (r RequestRules) withDefaults() RequestRules {
	r.Target = orDefault(r.Target, 20)
	r.Warn = orDefault(r.Warn, 50)
	r.WarnTook = orDefault(r.WarnTook, time.Second)

	return r
}

// A Request is what there is to know of one that has ended.
type Request struct {
	Database, User, Route string
	Statements            uint64
	Distinct              uint64        // different fingerprints among them
	Took                  time.Duration // from the first statement to the last answer
	// Certain: where it begins and ends is known, as it has an id or is one transaction.
	// Else it is what was between two pauses: on a connection without any these may be
	// many requests, and nobody is warned.
	Certain bool
}

// RequestFigures are what is kept of the requests of one pool. The zero value is empty.
type RequestFigures struct {
	Requests   uint64
	Statements uint64
	Distinct   uint64
	OverTarget uint64 // requests with as many statements as the target, or more
	TooMany    uint64 // requests with more statements than are warned of
	TooLong    uint64 // requests that took longer than is warned of
	Sizes      [len(sizeBounds) + 1]uint64
	Took       Latency
}

// sizeBounds are the bounds of the histogram of statements by request; what is more is
// in the last of its counts.
var sizeBounds = [...]uint64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}

// CumulativeSizes maps the bounds of the histogram of statements by request to how many
// requests had no more.
func (f *RequestFigures) CumulativeSizes() map[float64]uint64 {
	m := make(map[float64]uint64, len(sizeBounds))
	var n uint64
	for i, bound := range sizeBounds {
		n += f.Sizes[i]
		m[float64(bound)] = n
	}

	return m
}

// A RequestWarning is what a log line tells of a request.
type RequestWarning struct {
	Request
	Reason     RequestReason
	Suppressed uint64 // warnings that were not told of since the last one
}

// A RequestReason says why a request is warned of.
type RequestReason string

// The reasons.
const (
	TooManyStatements RequestReason = "statements"
	TooLong           RequestReason = "duration"
)

// warningsPerSecond is how many requests are warned of.
const warningsPerSecond = 1

// requests are the figures of requests by pool. There are far fewer requests than
// statements, and they end on any loop: one lock does for all.
type requests struct {
	rules RequestRules
	now   func() time.Time

	mu       sync.Mutex
	byPool   map[poolName]*RequestFigures
	rate     rate
	unwarned uint64
}

// BookRequest books the end of a request, and returns true if somebody is to be warned
// of it. Counts are of all; warnings are not told of more than once in a second. It may
// be called from any goroutine, a loop's too: its lock is held for a few instructions.
func (s *Statements) BookRequest(r *Request) (RequestWarning, bool) {
	q := &s.requests
	q.mu.Lock()
	defer q.mu.Unlock()
	reason := q.of(poolName{r.Database, r.User}).book(r, &q.rules)
	switch {
	case reason == "" || !r.Certain:
		return RequestWarning{}, false
	case !q.rate.allow(q.now()):
		q.unwarned++

		return RequestWarning{}, false
	}
	w := RequestWarning{Request: *r, Reason: reason, Suppressed: q.unwarned}
	q.unwarned = 0

	return w, true
}

// of returns the figures of a pool. mu is held.
func (q *requests) of(pool poolName) *RequestFigures {
	f := q.byPool[pool]
	if f == nil && len(q.byPool) >= maxPools {
		pool = poolName{OtherName, OtherName}
		f = q.byPool[pool]
	}
	if f == nil {
		f = new(RequestFigures)
		q.byPool[pool] = f
	}

	return f
}

// list returns a copy of all figures, by the names of the pools.
func (q *requests) list() []PoolRequests {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]PoolRequests, 0, len(q.byPool))
	for pool, f := range q.byPool {
		list = append(list, PoolRequests{pool.database, pool.user, *f})
	}
	slices.SortFunc(list, func(a, b PoolRequests) int {
		return cmp.Or(cmp.Compare(a.Database, b.Database), cmp.Compare(a.User, b.User))
	})

	return list
}

// reset forgets all figures.
func (q *requests) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.byPool)
}

// book counts a request, and returns why it is to be warned of, or "".
func (f *RequestFigures) book(r *Request, rules *RequestRules) (reason RequestReason) {
	f.Requests++
	f.Statements += r.Statements
	f.Distinct += r.Distinct
	f.Sizes[sizeBucket(r.Statements)]++
	f.Took.observe(max(r.Took, 0))
	if r.Statements >= rules.Target {
		f.OverTarget++
	}
	if r.Took > rules.WarnTook {
		f.TooLong++
		reason = TooLong
	}
	if r.Statements > rules.Warn {
		f.TooMany++
		reason = TooManyStatements
	}

	return reason
}

// sizeBucket is where a request with n statements is counted.
func sizeBucket(n uint64) int {
	i := 0
	for i < len(sizeBounds) && n > sizeBounds[i] {
		i++
	}

	return i
}
