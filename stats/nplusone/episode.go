package nplusone

import (
	"math/bits"
	"time"
)

// Limits of an episode.
const (
	maxSlots      = 16
	maxStatements = 10_000
	maxAge        = 30 * time.Second
)

// An episode is the statements of what we believe to be one request.
type episode struct {
	older, newer *episode // in the order of use
	home         *episodes

	key    uint64  // of a tagged one; 0 of a client's own
	client *Client // whose own it is; nil for a tagged one

	origin *Origin
	tags   *Tags // the first that came

	began, used time.Duration
	until       time.Duration // the end of the time that is accounted for
	statements  uint32
	different   uint32 // of those, how many had no slot yet
	changes     uint32 // writes and settings
	tx          uint64 // of its client, at first
	oneTx       bool   // all of them in one transaction
	cut         bool   // it has gone on for too long, or there was no room for it
	previous    *Statement
	before      *parent // the list that stood immediately before

	fingerprints [maxSlots]uint64
	slots        [maxSlots]*slot
	parents      [maxParents]*parent
}

// A set is some of the slots of an episode.
type set uint32

// add puts slot i in.
func (s *set) add(i int) {
	*s |= 1 << i
}

// each calls f for the slots in the set.
func (s set) each(f func(i int)) {
	for ; s != 0; s &= s - 1 {
		f(bits.TrailingZeros32(uint32(s)))
	}
}

// full reports whether the episode has gone on for so long that it is none.
func (e *episode) full(now time.Duration) bool {
	return e.statements >= maxStatements || now-e.began > maxAge
}

// book takes in an execution.
func (e *episode) book(x *Execution) {
	gap := e.uncounted(x)
	if e.statements == 0 {
		e.tx, e.oneTx = x.Client.tx, true
	}
	e.oneTx = e.oneTx && x.InTransaction && e.tx == x.Client.tx
	e.statements++
	e.used = x.At
	if e.tags == nil {
		e.tags = x.Tags
	}
	if x.Statement.Kind == Session {
		e.changes++
		e.previous = x.Statement

		return
	}
	s := e.slot(x.Statement)
	s.trace(e, x)
	s.add(e, x, gap)
	e.capture(s, x)
	e.previous = x.Statement
	if x.Statement.Kind == Write {
		e.changes++
	}
}

// uncounted is how much of the gap before an execution no other statement of the episode
// has filled, as those of other connections do. What was before the first is not part of
// the episode.
func (e *episode) uncounted(x *Execution) time.Duration {
	gap := x.Gap
	if e.statements == 0 {
		gap = 0
	} else if covered := e.until - (x.At - x.Exec - gap); covered > 0 {
		gap = max(gap-covered, 0)
	}
	e.until = max(e.until, x.At)

	return gap
}

// slot returns the slot of a statement. A new one takes the place of the one that was
// not used for longest.
func (e *episode) slot(st *Statement) *slot {
	for i, f := range e.fingerprints {
		if f == st.Fingerprint && e.slots[i] != nil {
			return e.slots[i]
		}
	}
	i := 0
	for j, s := range e.slots {
		if s == nil {
			i = j

			break
		}
		if s.used < e.slots[i].used {
			i = j
		}
	}
	if e.slots[i] == nil {
		e.slots[i] = e.home.newSlot()
	} else {
		e.conclude(1 << i)
	}
	e.different++
	e.fingerprints[i] = st.Fingerprint
	*e.slots[i] = slot{st: st}

	return e.slots[i]
}

// conclude judges slots and restarts them.
func (e *episode) conclude(over set) {
	if over == 0 {
		return
	}
	e.judge(over)
	over.each(func(i int) { e.slots[i].restart() })
}

// all returns the slots in use.
func (e *episode) all() (all set) {
	for i, s := range e.slots {
		if s != nil {
			all.add(i)
		}
	}

	return all
}
