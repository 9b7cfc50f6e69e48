package stats

import (
	"time"
)

// SlowRules say which statements are slow. The time that counts is PostgreSQL's: a full
// pool makes no statement slow. Each rule holds by itself.
type SlowRules struct {
	// After is the time from which on a statement is slow, where its pool has none of its
	// own. 0: 500 ms. Negative: no limit.
	After time.Duration
	// OutlierFactor tells of a statement that takes more than so many times what 99 % of
	// its executions have taken so far. 0: 4. Negative: none are told of.
	OutlierFactor float64
	// PerSecond is how many are told of, besides one for each statement and second. 0: 10.
	PerSecond int
	// Keep is how many are kept. 0: 200.
	Keep int
}

// An outlier has taken at least so long: four times a hundred microseconds is noise. And
// a statement has a history after so many executions.
const (
	outlierTook  = 20 * time.Millisecond
	outlierCalls = 100
)

// withDefaults returns the rules with all set.
func (r SlowRules) withDefaults() SlowRules {
	r.After = orDefault(r.After, 500*time.Millisecond)
	r.OutlierFactor = orDefault(r.OutlierFactor, 4)
	r.PerSecond = orDefault(r.PerSecond, 10)
	r.Keep = orDefault(r.Keep, 200)

	return r
}

// orDefault returns v, or the default if v is not set.
func orDefault[T comparable](v, otherwise T) T {
	if v == *new(T) {
		return otherwise
	}

	return v
}

// A Slow is a statement that was slow: what a log line tells.
type Slow struct {
	At          time.Time
	Database    string
	User        string
	Fingerprint Fingerprint
	Text        Text
	Parameters  string // a sample of its values, as in SQL; "": they are not kept
	Reason      SlowReason
	Limit       time.Duration // what it has reached
	Server      time.Duration // what PostgreSQL took
	Wait        time.Duration // for a server, before
	Gap         time.Duration // the application's, before; negative: none
	Rows        uint64
	Route       string // "": not known
	SQLState    string // "": it succeeded
	Suppressed  uint64 // slow ones that this loop has not told of since the last one told of
}

// A SlowReason is the rule that makes a statement slow.
type SlowReason string

// The rules.
const (
	SlowThreshold SlowReason = "threshold" // it took as long as is slow in its pool
	SlowOutlier   SlowReason = "outlier"   // it took far longer than it does
)

// slowness finds the rule that makes an execution slow; "" if it is not.
func (s *Shard) slowness(x *Execution, k Key) (SlowReason, time.Duration) {
	limit := time.Duration(s.names.slowAfter[k.Pool].Load())
	if limit == 0 {
		limit = s.rules.After
	}
	if limit > 0 && x.Server >= limit {
		return SlowThreshold, limit
	}
	if x.Server < outlierTook || s.rules.OutlierFactor < 0 {
		return "", 0
	}
	usual, ok := s.usual[k]
	if limit = time.Duration(s.rules.OutlierFactor * float64(usual)); ok && x.Server > limit {
		return SlowOutlier, limit
	}

	return "", 0
}

// tell keeps a slow statement to be told of, unless too many are. slot is nil if the
// statement is not tracked. The result is valid until the next call.
func (s *Shard) tell(x *Execution, k Key, sl *slot, reason SlowReason, limit time.Duration) *Slow {
	now := s.now()
	if sl != nil && now.UnixNano()-sl.lastSlow < int64(time.Second) || !s.slowRate.allow(now) {
		s.suppressed++

		return nil
	}
	pool := s.names.poolName(k.Pool)
	slow := Slow{
		At: now, Database: pool.database, User: pool.user, Fingerprint: k.Fingerprint, Reason: reason, Limit: limit,
		Server: x.Server, Wait: x.Wait, Gap: x.Gap, Rows: x.Rows, Route: s.names.routeName(x.Route),
		SQLState: x.SQLState, Suppressed: s.suppressed,
	}
	if sl != nil {
		sl.lastSlow, slow.Text = now.UnixNano(), sl.text
	}
	s.suppressed = 0
	s.delta.slow = push(s.delta.slow, slow, s.rules.Keep)

	return &s.delta.slow[len(s.delta.slow)-1]
}

// push appends to what keeps the last n.
func push[T any](kept []T, v T, n int) []T {
	if len(kept) >= n {
		kept = kept[:copy(kept, kept[len(kept)-n+1:])]
	}

	return append(kept, v)
}

// A rate lets so many things happen in a second, and as many at once.
type rate struct {
	perSecond, tokens float64
	at                time.Time
}

// allow reports whether one more may happen.
func (r *rate) allow(now time.Time) bool {
	if r.at.IsZero() {
		r.tokens = r.perSecond
	} else {
		r.tokens = min(r.tokens+r.perSecond*now.Sub(r.at).Seconds(), r.perSecond)
	}
	r.at = now
	if r.tokens < 1 {
		return false
	}
	r.tokens--

	return true
}
