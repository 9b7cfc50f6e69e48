package meter

import (
	"github.com/pgweir/pgweir/stats/nplusone"
)

// A portal is what a Bind has made: a statement with its values.
type portal struct {
	name      string
	statement *Statement // nil: not known
	values    nplusone.Parameters
	formats   formats // of the rows
	ordinal   uint32  // see [stats.Execution]
	sample    string  // of the values, if samples are kept
}

// maxPortals is how many portals with names are followed at a time.
const maxPortals = 64

// Bind tells of a Bind on the way to the server, of which body is what is there. s is
// its statement, nil if that is not known. ordinal says how often the server will have
// executed the prepared statement then; 0: it has none of it.
func (f *Flow) Bind(name []byte, s *Statement, body []byte, ordinal uint32) {
	if f.loop == nil {
		return
	}
	f.finish(name)
	bind, _ := nplusone.ReadBind(body, s.parameters()) // a part of it is better than nothing
	p := portal{statement: s, values: bind.Parameters, formats: formatsOf(bind.Formats), ordinal: ordinal}
	if s != nil && s.Text.hash != 0 {
		p.values.Others(s.Text.hash)
	}
	if f.Samples() {
		p.sample = string(appendBound(nil, body))
	}
	if len(name) == 0 {
		f.unnamed = p

		return
	}
	if f.portals == nil {
		f.portals = make(map[string]portal)
	}
	if p.name = string(name); len(f.portals) < maxPortals {
		f.portals[p.name] = p
	}
}

// Execute tells of an Execute on the way to the server.
func (f *Flow) Execute(name []byte, when Timing) {
	if f.loop == nil {
		return
	}
	a := f.ask(when)
	a.portal = f.unnamed
	if len(name) > 0 {
		a.portal = f.portals[string(name)]
	}
	if s := a.portal.statement; s != nil {
		a.text = s.Text
		a.text.values = a.portal.values
		a.sample = append(a.sample, a.portal.sample...)
	}
}

// ClosePortal tells of a Close on the way to the server.
func (f *Flow) ClosePortal(name []byte) {
	if f.loop == nil {
		return
	}
	f.finish(name)
	delete(f.portals, string(name))
}

// dropPortals forgets the portals with names, as the end of a transaction does.
func (f *Flow) dropPortals() {
	if len(f.paused) > 0 {
		f.bookPaused(func(*execution) bool { return true })
	}
	if len(f.portals) > 0 {
		clear(f.portals)
	}
}

// finish books the portal with that name if some of its rows were fetched, as no more
// will be.
func (f *Flow) finish(name []byte) {
	if len(f.paused) > 0 {
		f.bookPaused(func(e *execution) bool { return e.portal == string(name) })
	}
}

// bookPaused books those portals of which some rows were fetched, and no more will be.
func (f *Flow) bookPaused(over func(*execution) bool) {
	kept := f.paused[:0]
	for i := range f.paused {
		if e := &f.paused[i]; over(e) {
			f.book(e)
		} else {
			kept = append(kept, *e)
		}
	}
	f.paused = kept
}
