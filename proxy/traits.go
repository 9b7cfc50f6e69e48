package proxy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/wire"
)

// Traits are what a statement's text says of what it may do to its PostgreSQL session.
// In doubt it may leave something, and PostgreSQL is asked. The zero value is that of
// nearly all statements.
type traits struct {
	effects sqltext.Effects
	// local: it is a SET that ends with the transaction, and nothing else.
	local bool
	// alone: it is one statement.
	alone bool
	// names are those that it gives to settings of the application's own, such as
	// app.tenant, in lower case. PostgreSQL does not list them.
	names []string
	// target is the prepared statement that it names, if it executes or deallocates one.
	target string
}

// maxNames is how many names of settings of its own a client may use before its server
// stays with it.
const maxNames = 100

const (
	// leaving are the effects that a CommandComplete does not tell of.
	leaving = sqltext.SetsConfig | sqltext.AdvisoryLock | sqltext.Creates | sqltext.CreatesTemp | sqltext.SelectInto
	// naming are those for which the names in the text are wanted.
	naming = sqltext.OwnSetting | sqltext.Executes | sqltext.Deallocates
	// discarding are those that may take prepared statements away.
	discarding = sqltext.Discards | sqltext.Deallocates
)

// known is what is known of a text.
type known struct {
	traits
	measured meter.Text
}

// read returns what is known of a text, which may end with a zero byte and is not kept.
// It allocates for names only.
func (w *worker) read(text []byte, o sqltext.Options) known {
	return w.texts.Get(bytes.TrimSuffix(text, []byte{0}), o)
}

// look finds out about a text.
func (w *worker) look(text []byte, o sqltext.Options) known {
	facts := sqltext.Look(text, o)

	return known{traits: traitsOf(text, o, &facts), measured: w.meter.Read(text, o, &facts)}
}

// traitsOf returns the traits of a text of which the facts are known. It allocates for
// names only.
func traitsOf(text []byte, o sqltext.Options, facts *sqltext.Facts) traits {
	t := traits{effects: facts.Effects, alone: facts.Statements == 1}
	t.local = facts.Only(sqltext.Set) && facts.Effects.Has(sqltext.SetsLocal)
	if !facts.Effects.Has(naming) {
		return t
	}
	found := sqltext.DetailsOf(text, o)
	if t.alone {
		t.target = found.Target
	}
	for _, name := range found.Settings {
		if strings.Contains(name, ".") && len(t.names) < maxNames {
			t.names = append(t.names, name)
		}
	}

	return t
}

// suspect reports whether the statement may leave something that its CommandComplete
// does not tell of.
func (t *traits) suspect() bool {
	return t.effects.Has(leaving)
}

// read returns what is known of a text of the client's.
func (k *link) read(text []byte) known {
	return k.worker.read(text, k.session.reading)
}

// readAs finds out how the client's texts are to be read. w is what its servers are like.
func (s *session) readAs(w *wire.Welcome) {
	s.reading = sqltext.Options{
		BackslashQuotes: s.setting(w, "standard_conforming_strings") == "off",
		Encoding:        sqltext.EncodingOf(s.setting(w, "client_encoding")),
	}
	s.worker().meter.Rename(&s.measured, s.application())
}

// setting is the value of a setting that PostgreSQL reports.
func (s *session) setting(w *wire.Welcome, name string) string {
	if value, ok := s.settings.Get(name); ok {
		return value
	}

	return initial(w, name)
}

// textOf returns the text of a Query or a Parse, as much of it as is there, and where in
// the frame's body it begins.
func textOf(typ byte, body []byte) (text []byte, at int) {
	if typ == wire.Parse {
		at = bytes.IndexByte(body, 0) + 1
	}
	text, _, _ = bytes.Cut(body[at:], []byte{0})

	return text, at
}

// heedFrame takes in what a client's frame may leave in its session. body is what is
// there of it.
func (k *link) heedFrame(h wire.Header, body []byte) {
	switch {
	case h.Type == wire.Query:
		if len(body) < h.Size-wire.HeaderSize {
			k.suspect()
		}
		k.heed(&k.query.traits)
		if k.query.local {
			k.locals++
		}
	case h.Type == wire.Parse && !k.manages:
		text, _ := textOf(wire.Parse, body)
		t := k.read(text)
		k.heed(&t.traits)
		if len(body) < h.Size-wire.HeaderSize {
			k.suspect()
		}
	case h.Type == wire.Execute && k.boundLocal && len(body) > 0 && body[0] == 0:
		k.locals++
		k.boundLocal = false
	}
}

// heed takes in what a statement that the client runs may leave in its session.
func (k *link) heed(t *traits) {
	if t.suspect() {
		k.suspect()
	}
	s := k.session
	for _, name := range t.names {
		switch {
		case slices.Contains(s.names, name):
		case len(s.names) >= maxNames:
			s.unnamed = true
		default:
			s.names = append(slices.Clip(s.names), name)
		}
	}
	s.unnamed = s.unnamed || t.effects.Has(sqltext.UnnamedSetting)
}
