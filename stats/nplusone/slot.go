package nplusone

import (
	"slices"
	"time"
)

// voting is for how many executions it is open which parent a statement has.
const voting = 8

// ring is with how many executions before an execution is compared.
const ring = 4

// A slot is what is known of one statement in an episode, since its round began.
type slot struct {
	st        *Statement
	n         uint32 // executions
	pipelined uint32
	same      uint32 // with values that one of the four before had, and nothing changed
	inARow    uint32 // the last ones, with the same values and nothing else between
	self      uint32 // with a value out of its own last result
	rows      uint64 // of all results
	values    [maxValues]value
	own       [maxColumns]value // the last row of the last result
	hashes    [ring]uint64      // of all values: of the last executions that differ
	recent    uint8             // of those, how many since the episode has changed anything
	collided  uint8             // of the first executions, values that distinct takes for others
	small     bool              // self was a small integer
	distinct  distinct
	exec, gap time.Duration
	first     time.Duration
	used      time.Duration
	changes   uint32 // of the episode when it ran last
	tx        uint64 // of its client
	oneTx     bool   // all of them in one transaction

	votes  [maxParents * maxColumns]uint8 // hits by column
	params [maxParents * maxColumns]uint8 // the parameter that hit last
	opened uint32                         // at which n the vote began

	parent *parent // that was voted for
	column uint8
	param  uint8
	hits   uint32

	leader *parent // stood immediately before
	since  uint32  // runs of the leader then
}

// restart begins a new round.
func (s *slot) restart() {
	*s = slot{st: s.st, used: s.used, own: s.own}
}

// add counts an execution. gap is as much of the application's time as is not counted
// elsewhere.
func (s *slot) add(e *episode, x *Execution, gap time.Duration) {
	if s.n == 0 {
		s.begin(e, x)
	}
	s.repeat(e, x.Parameters.hash|1)
	s.rows += x.Rows
	s.values = x.Parameters.values
	s.exec += x.Exec
	s.gap += gap
	s.used = x.At
	s.oneTx = s.oneTx && x.InTransaction && s.tx == x.Client.tx
	if x.Pipelined {
		s.pipelined++
	}
	s.n++
}

// begin notes how the round begins.
func (s *slot) begin(e *episode, x *Execution) {
	s.first, s.changes, s.tx, s.oneTx = x.At, e.changes, x.Client.tx, x.InTransaction
	if s.leader = e.before; s.leader != nil {
		s.since = s.leader.runs
	}
}

// repeat compares with the executions before. What an episode has changed makes it
// reasonable to ask again. hash is not 0.
func (s *slot) repeat(e *episode, hash uint64) {
	if s.changes != e.changes {
		s.changes, s.recent, s.inARow = e.changes, 0, 0
	}
	if s.hashes[0] != hash || e.previous != s.st {
		s.inARow = 0
	}
	s.inARow++
	at := slices.Index(s.hashes[:], hash)
	if at >= 0 && at < int(s.recent) {
		s.same++
	}
	if s.distinct.add(hash, s.n) && at < 0 && s.n <= ring {
		s.collided++
	}
	if at != 0 {
		copy(s.hashes[1:], s.hashes[:ring-1])
		s.hashes[0] = hash
	}
	if at != 0 || s.recent == 0 {
		s.recent = min(s.recent+1, ring)
	}
}

// differing is how many of the executions had values of their own.
func (s *slot) differing() uint32 {
	return min(s.distinct.estimate(s.n)+uint32(s.collided), s.n)
}

// trace looks for the values of an execution in results. It runs before add.
func (s *slot) trace(e *episode, x *Execution) {
	v := &x.Parameters.values
	if s.n > 0 && s.fromItself(e, v) {
		s.self++
		s.st.please()
	}
	if s.n > s.opened && s.n < s.opened+voting && s.parent == nil {
		s.vote(e, v)
	} else if s.n == s.opened+voting && s.parent == nil {
		s.elect(e)
	}
	if p := s.parent; p != nil && p.columns[s.column].filter.has(v[s.param]) {
		s.hits++
		p.used = x.At
	}
}

// fromItself reports whether a value comes out of the result before: the next page, a
// child in a tree.
func (s *slot) fromItself(e *episode, v *[maxValues]value) bool {
	p := e.parentOf(s.st)
	for i := range v {
		switch {
		case v[i] == 0 || v[i] == s.values[i]:
		case slices.Contains(s.own[:], v[i]):
			return true
		case p != nil:
			if c := p.find(v[i]); c != nil {
				s.small = s.small || c.small

				return true
			}
		}
	}

	return false
}

// recurs reports whether the statement mostly goes on with what it has found. Small
// integers prove that only if most of what it has found was asked for.
func (s *slot) recurs() bool {
	if s.small && s.rows > 2*uint64(s.n) {
		return false
	}

	return s.self > 0 && 2*s.self+1 >= s.n
}

// vote gives a vote to each column that has one of the values that change. The first
// execution votes with the second, as nobody could know before what changes.
func (s *slot) vote(e *episode, v *[maxValues]value) {
	for i, p := range e.parents {
		if p == nil || p.st == s.st {
			continue
		}
		for c := range int(p.n) {
			if p.columns[c].keys() {
				s.voteFor(i*maxColumns+c, &p.columns[c].filter, v)
			}
		}
	}
}

// voteFor votes for one column.
func (s *slot) voteFor(i int, filter *bloom, v *[maxValues]value) {
	for param := range v {
		if v[param] == s.values[param] || !filter.has(v[param]) {
			continue
		}
		s.votes[i]++
		s.params[i] = uint8(param)
		if s.n == s.opened+1 && filter.has(s.values[param]) {
			s.votes[i]++
		}

		return
	}
}

// elected is the parent with the most votes, of which it has as many; nil without one.
// Among equals it is the one that ran last.
func (s *slot) elected(e *episode) (p *parent, column int) {
	var most uint8
	for i, n := range s.votes {
		of := e.parents[i/maxColumns]
		if n > most || n > 0 && n == most && of.used > p.used {
			most, p, column = n, of, i
		}
	}

	return p, column
}

// elect ends the vote. Whoever has less than half of the votes is not the parent.
func (s *slot) elect(e *episode) {
	p, i := s.elected(e)
	if p == nil || s.votes[i] < voting/2 {
		return
	}
	s.bind(p, i)
}

// bind makes a column that was voted for the one that the values come from.
func (s *slot) bind(p *parent, i int) {
	s.parent, s.column, s.param, s.hits = p, uint8(i%maxColumns), s.params[i], uint32(s.votes[i])
	p.st.please()
}
