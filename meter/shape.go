package meter

import (
	"sync"

	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// A shape is what all statements with the same fingerprint have in common. It is made
// when the first of them comes, which costs some microseconds, and does not change.
type shape struct {
	fingerprint stats.Fingerprint
	text        stats.Text
	reads       bool                // it is one whole SELECT
	statement   *nplusone.Statement // nil if no loops are looked for
}

// keepShapes is how many shapes are kept at least. With the longest texts they take
// 32 MB, and with usual ones 2 MB.
const keepShapes = 4096

// shapes are those that the loops share: a request may come on several of them.
type shapes struct {
	mu     sync.Mutex
	recent recent[sqltext.ID, *shape]
}

// get returns the shape of a statement of a text. mu is not held while it is made: what
// two loops make at the same time is the same, and the first one is kept.
func (s *shapes) get(id sqltext.ID, build func() *shape) *shape {
	s.mu.Lock()
	known, ok := s.recent.get(id)
	s.mu.Unlock()
	if ok {
		return known
	}
	made := build()
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok = s.recent.get(id); ok {
		return known
	}
	s.recent.put(id, made)

	return made
}

// shape returns the shape of a statement of a text.
func (l *Loop) shape(text []byte, st *sqltext.Statement, o sqltext.Options) *shape {
	if s, ok := l.shapes.get(st.Fingerprint); ok {
		return s
	}
	s := l.meter.shapes.get(st.Fingerprint, func() *shape { return l.meter.newShape(text, st, o) })
	l.shapes.put(st.Fingerprint, s)

	return s
}

// newShape makes a shape out of the first text that has it.
func (m *Meter) newShape(text []byte, st *sqltext.Statement, o sqltext.Options) *shape {
	text = text[st.Start:st.End]
	found := sqltext.DetailsOf(text, o)
	d := nplusone.Description{
		Fingerprint: uint64(st.Fingerprint), Text: sqltext.Normalise(text, o), Kind: kindOf(st),
		Columns: columnsOf(found.Compared),
	}
	for _, t := range found.Tables {
		d.Tables = append(d.Tables, t.String())
	}
	s := &shape{
		fingerprint: fingerprintOf(st),
		text:        stats.Text{Summary: sqltext.Summary(text, o), Normalised: d.Text},
		reads:       d.Kind == nplusone.Read && len(d.Text) <= stats.MaxText,
	}
	if m.group != nil {
		s.statement = m.group.Statement(d)
	}

	return s
}

// maxColumns is how many values of a statement the search for loops looks at.
const maxColumns = 4

// columnsOf names what the first values of a statement are compared with. Parameters
// have numbers; where there are none literals count from 0 on.
func columnsOf(compared []sqltext.Comparison) []string {
	columns := make([]string, maxColumns)
	for i, c := range compared {
		if c.Parameter > 0 {
			i = c.Parameter - 1
		}
		if i < maxColumns && c.Table != "" && c.Column != "" {
			columns[i] = c.Table + "." + c.Column
		}
	}

	return columns
}

// fingerprintOf is the fingerprint that figures are kept by.
func fingerprintOf(st *sqltext.Statement) stats.Fingerprint {
	switch {
	case st.Kind == sqltext.Invalid:
		return stats.Invalid
	case st.Kind.Transactional():
		return stats.Utility
	}

	return stats.Fingerprint(st.Fingerprint)
}

// kindOf is what a statement is to the search for loops. Cursors have their own ways to
// go over rows, and what only looks at the session changes nothing: both are no more to
// it than BEGIN and COMMIT.
func kindOf(st *sqltext.Statement) nplusone.Kind {
	switch st.Kind {
	case sqltext.Select:
		if st.Effects.Has(sqltext.Writes) {
			return nplusone.Write
		}

		return nplusone.Read
	case sqltext.Insert, sqltext.Update, sqltext.Delete, sqltext.Merge:
		return nplusone.Write
	case sqltext.Declare, sqltext.Fetch, sqltext.Move, sqltext.Close, sqltext.Show, sqltext.Explain,
		sqltext.Listen, sqltext.Unlisten, sqltext.Notify:
		return nplusone.Transaction
	}
	if st.Kind.Transactional() {
		return nplusone.Transaction
	}

	return nplusone.Session
}
