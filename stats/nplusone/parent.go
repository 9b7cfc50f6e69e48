package nplusone

import (
	"slices"
	"time"
)

// maxParents is how many results an episode keeps.
const maxParents = 4

// A parent is a statement whose result had two or more rows, and what is kept of that.
type parent struct {
	sketch
	st       *Statement
	run      uint64 // rows of this round
	sketched uint32 // of those, how many are in the sketch
	runs     uint32 // in the episode
	used     time.Duration
}

// begin takes in a result that begins a round. sk is nil if it was not sketched.
func (p *parent) begin(sk *sketch, rows uint64) {
	p.n, p.run, p.sketched = 0, rows, 0
	if sk != nil {
		p.sketch = *sk
		p.sketched = uint32(sk.rows)
	}
}

// again takes in a result within a round, as in the inner of two loops. merge keeps the
// values of the result before, too, up to as many as the filters can tell apart.
func (p *parent) again(sk *sketch, rows uint64, merge bool) {
	p.run += rows
	if sk == nil || sk.rows == 0 {
		return
	}
	p.sketched += uint32(sk.rows)
	if !merge || p.n != sk.n || p.most()+sk.most() > maxRows {
		p.sketch = *sk

		return
	}
	for c := range int(sk.n) {
		of := &p.columns[c]
		of.filter.merge(&sk.columns[c].filter)
		of.distinct += sk.columns[c].distinct
		of.values += sk.columns[c].values
		of.small = of.small || sk.columns[c].small
	}
}

// most is the number of values in the filter that has most.
func (s *sketch) most() (n int) {
	for c := range int(s.n) {
		n = max(n, int(s.columns[c].values))
	}

	return n
}

// find returns the first column that a loop may have gone over and that has a value, nil
// if there is none.
func (s *sketch) find(v value) *column {
	for c := range int(s.n) {
		if of := &s.columns[c]; of.keys() && of.filter.has(v) {
			return of
		}
	}

	return nil
}

// telling reports whether the values of a loop over the result would have been found in
// it.
func (p *parent) telling() bool {
	for c := range int(p.n) {
		if p.columns[c].keys() {
			return true
		}
	}

	return false
}

// unknown reports whether the values of a loop over the result may be in it or not, as it
// was, or may have been, left out by sampling. That results are all looked at again does
// not tell of this one.
func (p *parent) unknown() bool {
	return p.st.useless.Load() >= uselessOnce || p.sketched == 0 && p.st.sampled.Load()
}

// capture takes in the result of an execution.
func (e *episode) capture(s *slot, x *Execution) {
	sk := x.Sketcher.take()
	if e.home.group.without.provenance {
		sk = nil
	}
	s.own = [maxColumns]value{}
	if sk != nil {
		s.own = sk.last
	}
	p := e.parentOf(s.st)
	list := x.Rows >= 2 && s.st.Kind == Read
	if !list && s.n > 1 {
		e.before = nil
	}
	switch {
	case p == nil && !list:
		return
	case p == nil:
		p = e.newParent(s.st)
		p.begin(sk, x.Rows)
	case s.recurs() || s.nested(e):
		p.again(sk, x.Rows, s.recurs())
	default:
		if !e.home.group.without.rounds {
			e.conclude(e.childrenOf(p) | e.perhapsOf(p))
		}
		p.begin(sk, x.Rows)
	}
	p.runs++
	p.used = x.At
	if list {
		e.before = p
	}
}

// parentOf returns the parent that is a result of a statement, or nil.
func (e *episode) parentOf(st *Statement) *parent {
	for _, p := range e.parents {
		if p != nil && p.st == st {
			return p
		}
	}

	return nil
}

// nested reports whether a statement is itself the child of a parent, so that its
// running again is part of a round and begins none.
func (s *slot) nested(e *episode) bool {
	if s.parent != nil {
		return true
	}
	p, i := s.elected(e)

	return p != nil && 2*uint32(s.votes[i]) > s.n
}

// newParent makes room for one more parent. A list begins something new: on a
// connection whose requests we cannot tell apart, what has no parent until then belongs
// to what was before.
func (e *episode) newParent(st *Statement) *parent {
	i := 0
	for j, p := range e.parents {
		if p == nil {
			i = j

			break
		}
		if p.used < e.parents[i].used {
			i = j
		}
	}
	e.forget(i)
	e.opened(st)
	p := e.home.newParent()
	p.st = st
	e.parents[i] = p

	return p
}

// opened begins rounds, or votes, of the statements that have no parent.
func (e *episode) opened(st *Statement) {
	var over set
	for i, s := range e.slots {
		switch {
		case s == nil || s.st == st || s.nested(e):
		case e.client != nil && s.leader == nil:
			over.add(i)
		default:
			s.opened, s.votes = s.n, [maxParents * maxColumns]uint8{}
		}
	}
	e.conclude(over)
}

// childrenOf returns the slots whose round ends when a parent runs again: those whose
// values come from it, and those that it has only led, if it was a loop each time.
func (e *episode) childrenOf(p *parent) (children set) {
	for i, s := range e.slots {
		if s == nil {
			continue
		}
		of := s.parent
		if of == nil {
			of, _ = s.elected(e)
		}
		if of == p || of == nil && s.leader == p && s.n >= minRepeats*s.runs() {
			children.add(i)
		}
	}

	return children
}

// perhapsOf returns the slots that may turn out to be of a parent, as no other has more
// votes. If it runs again they may not go on: a request that has two lists with the same
// ids, and asks for one row, would be a loop after some repeats.
func (e *episode) perhapsOf(p *parent) (children set) {
	i := slices.Index(e.parents[:], p)
	for j, s := range e.slots {
		if s == nil || s.parent != nil {
			continue
		}
		most := slices.Max(s.votes[:])
		if most > 0 && slices.Contains(s.votes[i*maxColumns:(i+1)*maxColumns], most) {
			children.add(j)
		}
	}

	return children
}

// runs is how often the leader ran in the slot's round.
func (s *slot) runs() uint32 {
	return max(s.leader.runs-s.since+1, 1)
}

// forget drops a parent, after the rounds that hang on it were judged.
func (e *episode) forget(i int) {
	p := e.parents[i]
	if p == nil {
		return
	}
	e.conclude(e.childrenOf(p))
	for _, s := range e.slots {
		if s == nil {
			continue
		}
		clear(s.votes[i*maxColumns : (i+1)*maxColumns])
		if s.leader == p {
			s.leader = nil
		}
	}
	if e.before == p {
		e.before = nil
	}
	e.parents[i] = nil
	e.home.freeParent(p)
}
