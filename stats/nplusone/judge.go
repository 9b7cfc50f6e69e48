package nplusone

import (
	"fmt"
	"time"
)

// A loop is a verdict with the slots it is about: statements that ran as often as each
// other under the same parent are one loop.
type loop struct {
	verdict
	first *slot // the one that ran first, which the finding is about
	slots set
}

// judge reports what there is to say of slots that are over.
func (e *episode) judge(over set) {
	g := e.home.group
	if g.rules.ignoresEpisode(e) {
		return
	}
	var loops [maxSlots]loop
	n := 0
	over.each(func(i int) {
		s := e.slots[i]
		v, ok := s.verdict(e)
		if !ok {
			return
		}
		for j := range loops[:n] {
			if loops[j].takesIn(i, s, v) {
				return
			}
		}
		loops[n] = loop{verdict: v, first: s, slots: 1 << i}
		n++
	})
	for i := range loops[:n] {
		l := &loops[i]
		g.Findings.add(e.finding(l), func(f *Finding) { e.explain(l, f) })
	}
}

// takesIn adds slot i to the loop if it is one of the statements in it.
func (l *loop) takesIn(i int, s *slot, v verdict) bool {
	if v.parent == nil || v.parent != l.parent || v.kind != l.kind || v.count > l.count+1 || l.count > v.count+1 {
		return false
	}
	l.slots.add(i)
	if v.confidence > l.confidence || v.confidence == l.confidence && s.first < l.first.first {
		l.verdict, l.first = v, s
	}

	return true
}

// finding makes a finding of a loop.
func (e *episode) finding(l *loop) Finding {
	s := l.first
	f := Finding{
		Kind: l.kind, Confidence: l.confidence,
		Count: uint64(l.count), Distinct: uint64(l.distinct),
		Child: reference(s.st),
		first: s.first, last: s.used,
		Origin: *e.origin, Occurrences: 1,
	}
	if e.tags != nil {
		f.Route = e.tags.Where()
	}
	if l.parent != nil {
		f.Parent = new(reference(l.parent.st))
	}
	e.costs(l, &f)

	return f
}

// explain adds the texts to a finding.
func (e *episode) explain(l *loop, f *Finding) {
	framework := ""
	if e.tags != nil {
		framework = e.tags.Framework
	}
	f.Provenance = l.first.provenance(&l.verdict)
	f.Suggestion = suggest(l, framework)
}

// costs adds up what the statements of a loop cost. Asked for at once they would have
// taken one round trip, and the server at least the time of one.
func (e *episode) costs(l *loop, f *Finding) {
	var exec, gap, saved time.Duration
	l.slots.each(func(i int) {
		s := e.slots[i]
		exec, gap = exec+s.exec, gap+s.gap
		saved += s.gap + s.exec - s.exec/time.Duration(s.n)
		f.RoundTrips += uint64(s.n - s.pipelined)
		f.last = max(f.last, s.used)
	})
	f.ExecMS, f.GapMS, f.SavedMS = milliseconds(exec), milliseconds(gap), milliseconds(saved)
}

// milliseconds returns a duration in milliseconds.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

// provenance says where the values come from: which column, and how many of those that
// could be found there were.
func (s *slot) provenance(v *verdict) string {
	if v.confidence != Proven || s.parent == nil {
		return ""
	}
	of := min(max(v.distinct, s.hits), s.parent.sketched) // distinct is an estimate
	from := s.parent.st.column(int(s.column))

	return fmt.Sprintf("%s <- %s (%d/%d values)", s.st.parameter(int(s.param)), from, min(s.hits, of), of)
}

// parameter names what a parameter is compared with.
func (s *Statement) parameter(i int) string {
	if i < len(s.Columns) && s.Columns[i] != "" {
		return s.Columns[i]
	}
	if len(s.Tables) == 1 {
		return fmt.Sprintf("%s $%d", s.Tables[0], i+1)
	}

	return fmt.Sprintf("$%d", i+1)
}

// reference names a statement in a finding.
func reference(st *Statement) Reference {
	return Reference{Fingerprint: Fingerprint(st.Fingerprint), Text: st.Text, Tables: st.Tables}
}
