package sqltext

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxSummary is how many characters a summary has at most.
const MaxSummary = 255

// Summary returns in a few words what a text does to which tables, as OpenTelemetry's
// db.query.summary has it: operations in capitals, and behind each the names that it is
// about as they are written, quotes included, in the order of the text.
//
//	SELECT users orders
//	INSERT shipping_details SELECT orders
//	CREATE TABLE orders
//
// Names that WITH defines are left out, as are those of savepoints, cursors, channels and
// settings. Several statements follow one another; what would make more than [MaxSummary]
// characters is left out, and all behind it. No literal is in it. It is "" if there is no
// statement. A statement of which nothing else is known has its kind, an invalid one is
// "__invalid__".
//
// Texts of one fingerprint may have other summaries: if a name is spelled otherwise, or
// if there are queries in a list.
func Summary(text []byte, o Options) string {
	var sum summary
	s := Scanner{watch: &observer{sum: &sum}}
	for s.Init(text, o); !sum.full && s.Next(); {
		sum.end(s.st.Kind)
	}

	return string(sum.text)
}

// A summary is one that is being made.
type summary struct {
	text   []byte
	begun  int  // the length of text in front of the statement
	full   bool // no more is taken
	seek   bool // the word for what is created, altered or dropped may come
	naming bool // its name may come
}

// add adds an operation or a name.
func (m *summary) add(word string) {
	if m.full {
		return
	}
	if n := utf8.RuneCount(m.text) + len(" ") + utf8.RuneCountInString(word); n > MaxSummary {
		m.full = true

		return
	}
	if len(m.text) > 0 {
		m.text = append(m.text, ' ')
	}
	m.text = append(m.text, word...)
}

// end ends a statement.
func (m *summary) end(k Kind) {
	switch {
	case k == Empty:
	case k == Invalid:
		m.restart(invalidText)
	case k == PrepareTransaction:
		m.restart(strings.ToUpper(k.String()))
	case len(m.text) == m.begun:
		m.add(strings.ToUpper(k.String()))
	}
	m.begun, m.seek, m.naming = len(m.text), false, false
}

// restart puts a word in the place of all that there is of the statement.
func (m *summary) restart(word string) {
	if m.full && len(m.text) == m.begun {
		return
	}
	m.text, m.full = m.text[:m.begun], false
	m.add(word)
}

// see takes in a token that is no literal.
func (m *summary) see(w *observer, s *Scanner, t *token) {
	switch {
	case t.kw == kwSelect && t.kind == tokWord && s.st.Kind != Grant && s.st.Kind != Revoke, w.entering && t.kw != kwWith && t.kw != kwValues:
		m.add(strings.ToUpper(s.spelling(t)))
	case w.prev.kind == tokEnd:
		m.first(s, t)
	case m.seek && s.depth == 0:
		m.object(s, t)
	case m.naming:
		m.name(w, s, t)
	}
}

// first takes in the first word of a statement that is not about rows.
func (m *summary) first(s *Scanner, t *token) {
	switch k := s.st.Kind; k {
	case Select, with, Other, Empty:
	case Maintain:
		m.add(strings.ToUpper(s.spelling(t)))
	default:
		m.add(strings.ToUpper(k.String()))
		m.seek = slices.Contains([]Kind{Create, Alter, Drop, Refresh, Comment}, k)
		m.naming = k == Call
	}
}

// object takes in a word up to the one for what is created, altered or dropped.
func (m *summary) object(s *Scanner, t *token) {
	if t.kind != tokWord {
		m.seek = false

		return
	}
	word := s.spelling(t)
	if !slices.Contains(objects(), word) {
		return
	}
	m.add(strings.ToUpper(word))
	m.seek = false
	// The name of a table comes from elsewhere, and an index is less than its table.
	m.naming = t.kw != kwSystem &&
		(t.kw != kwTable || s.st.Kind == Comment) && (t.kw != kwIndex || s.st.Kind != Create)
}

// objects are the words for what is created, altered and dropped.
func objects() []string {
	return []string{
		"aggregate", "collation", "column", "constraint", "conversion", "database", "domain", "extension",
		"function", "group", "index", "language", "policy", "procedure", "publication", "role", "rule",
		"schema", "sequence", "server", "statistics", "subscription", "system", "table", "tablespace",
		"trigger", "type", "user", "view",
	}
}

// name takes in a name that no table has, or a word in front of it.
func (m *summary) name(w *observer, s *Scanner, t *token) {
	switch {
	case t.kind == tokWord && (t.kw != 0 || t.flags&isReserved != 0) && w.prev.char != '.':
		m.naming = passed(s, t)
	case t.kind == tokWord, t.kind == tokName:
		if w.prev.char != '.' {
			w.nameAt = t.start
		}
		if s.next.char != '.' {
			m.add(compact(&s.lex, w.nameAt, t.end))
			m.naming = false
		}
	case t.char != '.':
		m.naming = false
	}
}

// passed reports whether a keyword may stand in front of the name.
func passed(s *Scanner, t *token) bool {
	switch t.kw {
	case kwIf, kwNot, kwExists:
		return true
	}

	return s.spelling(t) == "concurrently"
}

// compact returns the name text[start:end] without space and comments between its parts.
func compact(l *lexer, start, end int32) string {
	inner := *l
	inner.text, inner.at = l.text[:end], int(start)
	var name []byte
	var t token
	for inner.next(&t); t.kind != tokEnd && t.kind != tokInvalid; inner.next(&t) {
		name = append(name, inner.text[t.start:t.end]...)
	}

	return string(name)
}
