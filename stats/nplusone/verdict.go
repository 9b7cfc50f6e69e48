package nplusone

import "fmt"

// Kinds of findings.
const (
	KindNPlusOne  = "n+1"
	KindDuplicate = "duplicate"
	KindWriteLoop = "write-loop"
	KindRecursive = "recursive"
	KindChatty    = "chatty"
)

// A Confidence says how much evidence there is for a finding.
type Confidence uint8

// The confidences, in the order of their weight.
const (
	Suspected Confidence = iota
	Likely
	Proven
)

// String returns the name.
func (c Confidence) String() string {
	return [...]string{"suspected", "likely", "proven"}[c]
}

// MarshalText implements encoding.TextMarshaler.
func (c Confidence) MarshalText() ([]byte, error) {
	return []byte(c.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Confidence) UnmarshalText(text []byte) error {
	for _, one := range []Confidence{Suspected, Likely, Proven} {
		if one.String() == string(text) {
			*c = one

			return nil
		}
	}

	return fmt.Errorf("confidence %q is none of suspected, likely and proven", text)
}

// A verdict is what the counts of a slot mean.
type verdict struct {
	kind       string
	confidence Confidence
	parent     *parent // nil if it is not known
	count      uint32
	distinct   uint32
}

// verdict judges a slot. ok is false if there is nothing to say.
func (s *slot) verdict(e *episode) (v verdict, ok bool) {
	if s.n < e.home.group.rules.repeats(e.origin.Application) || 5*s.pipelined > 4*s.n {
		return verdict{}, false
	}
	if s.parent == nil {
		if p, i := s.elected(e); p != nil && s.votes[i] >= minRepeats {
			s.bind(p, i)
		}
	}
	v = verdict{count: s.n, distinct: s.differing()}
	switch {
	case s.proven(v.distinct):
		v.kind, v.confidence, v.parent = s.loop(), Proven, s.parent
	case s.recurs():
		v.kind, v.confidence = KindRecursive, s.recursive()
	case v.distinct >= minRepeats && 5*v.distinct >= 4*s.n:
		s.judgeLoop(e, &v)
	case s.st.Kind == Read && v.distinct <= 2 && s.same >= minRepeats:
		s.judgeDuplicate(e, &v)
	default:
		v.kind = KindChatty
	}

	return v, v.kind != KindChatty || s.n >= minChatty
}

// loop is the kind of a loop over the statement.
func (s *slot) loop() string {
	if s.st.Kind == Write {
		return KindWriteLoop
	}

	return KindNPlusOne
}

// proven reports whether the values come from the parent. More than the rows that were
// sketched cannot be found there.
func (s *slot) proven(distinct uint32) bool {
	p := s.parent
	if p == nil || s.hits < minRepeats || distinct < minRepeats {
		return false
	}
	if p.columns[s.column].small && 2*s.hits < p.sketched {
		return false
	}

	return uint64(s.n) <= p.run+p.run/4+2 && 5*s.hits >= 4*min(distinct, p.sketched)
}

// recursive is how sure it is that the statement goes on with what it has found.
func (s *slot) recursive() Confidence {
	if s.self >= minRepeats && 5*s.self >= 4*(s.n-1) {
		return Proven
	}

	return Likely
}

// judgeLoop judges a statement whose values all differ.
func (s *slot) judgeLoop(e *episode, v *verdict) {
	trusted := e.trusts(s)
	switch {
	case s.led(trusted):
		v.kind, v.confidence, v.parent = s.loop(), Likely, s.leader
	case s.st.has(paged):
		v.kind = KindRecursive
	case trusted && !s.st.has(listed):
		v.kind = s.loop()
	default:
		v.kind = KindChatty
	}
}

// trusts reports whether the bounds of what the slot counts are certain.
func (e *episode) trusts(s *slot) bool {
	return e.client == nil || s.oneTx
}

// led reports whether the parent is likely the list immediately before: it has about as
// many rows as the statement ran, and does not tell that the values come from elsewhere.
func (s *slot) led(trusted bool) bool {
	p := s.leader
	if p == nil || p.st == s.st || s.runs() > 1 && !trusted {
		return false
	}
	if p.telling() && s.values != [maxValues]value{} && s.parent != p || p.unknown() {
		return false
	}
	n, rows := uint64(s.n/s.runs()), p.run

	return n >= minRepeats && 2*rows >= n && rows <= 2*n
}

// judgeDuplicate judges a read that had the same values each time.
func (s *slot) judgeDuplicate(e *episode, v *verdict) {
	const tight = 5_000_000 // ns: who waits for something to happen waits longer
	switch {
	case e.trusts(s):
		v.kind, v.confidence = KindDuplicate, Proven
	case s.inARow == s.n && int64(s.gap) < tight*int64(s.n):
		v.kind = KindDuplicate
	default:
		v.kind = KindChatty
	}
}
