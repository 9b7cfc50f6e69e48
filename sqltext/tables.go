package sqltext

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Table is the name of a table, a view, or another thing that is read like one, as a
// statement names it.
type Table struct {
	// Schema is "" if the statement does not name one.
	Schema, Name string
	// Written: the statement inserts into it, updates it, deletes from it, or changes
	// or locks it as a whole.
	Written bool
}

// String returns the name with that of its schema.
func (t Table) String() string {
	if t.Schema == "" {
		return t.Name
	}

	return t.Schema + "." + t.Name
}

// Details are the names in a statement, in the order of their first appearance. Names
// are as PostgreSQL keeps them: without quotes, in lower case if they had none.
type Details struct {
	// Tables are those that the statement names in FROM, JOIN, INTO, UPDATE, USING,
	// TABLE, COPY, TRUNCATE, LOCK, and CREATE INDEX ... ON, without those that it defines
	// in WITH. There may be more of them: behind views, functions, triggers and rules, in
	// the text of functions. And a name may not be a table's: which schema it is in
	// depends on search_path.
	Tables []Table
	// Settings are the names, in lower case, that SET and set_config are given, also in
	// the text of a DO statement. Only if Effects has UnnamedSetting there are others.
	Settings []string
	// Target is the name of the savepoint, cursor, prepared statement or channel; "" if
	// there is none.
	Target string
	// Compared is what the values are compared with: an entry for each literal that
	// [Literals] tells of and each parameter, in their order. Only the first 16 values
	// of a text have one.
	Compared []Comparison
}

// DetailsOf returns the names in all statements of a text together. It allocates.
func DetailsOf(text []byte, o Options) Details {
	var w observer
	s := Scanner{watch: &w}
	for s.Init(text, o); s.Next(); {
		w.finish(&s)
	}

	return w.found
}

// Want is what an observer waits for.
type want uint8

const (
	wantNothing want = iota
	wantRead         // the name of a table that is read
	wantWritten      // of one that is written
)

// An observer collects the names in a statement. It sees tokens after the rules have.
type observer struct {
	found  Details
	each   func(Literal) // nil: nobody wants the literals
	tables []Table       // of this statement
	parts  []string      // of the name that is being read
	ctes   []string      // the names that WITH defines
	prev   token
	began  keyword // the token begins a query
	want   want
	list   bool // commas go on with other tables
	index  bool // CREATE INDEX

	scopes    []scope
	scope     int // that which is read, from 1 on; 0: there is none
	values    []value
	compared  int // how many of values have been met by comparing
	comparing comparing
	entering  bool // the token begins a scope
	aliased   bool // the alias of a table may come
	enough    bool // no more values are told of

	sum    *summary // nil: nobody wants one
	nameAt int32    // where the name begins that is being read
}

// begin starts another statement.
func (w *observer) begin() {
	*w = observer{found: w.found, each: w.each, sum: w.sum, enough: len(w.found.Compared) == maxCompared}
}

// finish takes over the tables and the values of a statement.
func (w *observer) finish(s *Scanner) {
	w.resolved(s)
	for _, t := range w.tables {
		if t.Schema == "" && slices.Contains(w.ctes, t.Name) {
			continue
		}
		i := slices.IndexFunc(w.found.Tables, func(u Table) bool { return u.Schema == t.Schema && u.Name == t.Name })
		if i < 0 {
			w.found.Tables = append(w.found.Tables, t)
		} else {
			w.found.Tables[i].Written = w.found.Tables[i].Written || t.Written
		}
	}
	w.tables = nil
}

// query takes in that a query or another statement on tables begins with a keyword.
func (w *observer) query(kw keyword) {
	if w.want == wantRead {
		w.other() // a query in FROM
	}
	w.began, w.entering = kw, true
}

// start takes in the keyword that it has begun with.
func (w *observer) start() {
	switch w.began {
	case kwUpdate:
		w.want = wantWritten
	case kwTable:
		w.want = wantRead
	default:
		w.want = wantNothing
	}
	w.began = 0
}

// setting takes in the name of a setting.
func (w *observer) setting(name string) {
	name = strings.ToLower(name)
	if !slices.Contains(w.found.Settings, name) {
		w.found.Settings = append(w.found.Settings, name)
	}
}

// see takes in a token.
func (w *observer) see(s *Scanner, t *token) {
	f := s.frame()
	if t.kind == tokParam {
		w.value(ordinal(s.lex.text[t.start:t.end]))
	}
	if w.aliased {
		w.alias(s, t)
	}
	w.follow(s, f, t)
	if w.sum != nil {
		w.sum.see(w, s, t)
	}
	switch {
	case s.st.Kind == Set || s.within > 0 || s.set != setNone:
		w.set(s, t)
	case w.began != 0:
		w.start()
	case t.kind == tokSelf:
		w.sign(s, f, t)
	case t.kind == tokName, t.kind == tokWord && t.flags&isReserved == 0 && !w.passes(t.kw):
		w.name(s, f, t)
	case t.kind == tokWord:
		w.word(s, f, t)
	default:
		w.want = wantNothing
	}
	w.compare(s, f, t)
	w.prev, w.entering = *t, false
}

// passes reports whether a keyword, which may be a name, is none where it stands.
func (w *observer) passes(kw keyword) bool {
	switch kw {
	case kwIf, kwExists, kwIndex, kwUnlogged, kwTemp, kwRecursive:
		return true
	case kwTruncate, kwLock, kwUpdate, kwDelete, kwInsert, kwMerge, kwCopy, kwAlter, kwDrop:
		return w.want == wantNothing
	}

	return false
}

// word takes in a keyword.
func (w *observer) word(s *Scanner, f *frame, t *token) {
	switch t.kw {
	case kwFrom:
		w.from(s, f)
	case kwJoin:
		w.want = wantRead
	case kwUsing:
		w.want = wantNothing
		if f.clause == clauseFrom && (s.st.Kind == Merge || s.st.Kind == Delete) {
			w.want = wantRead
		}
	case kwInto:
		w.want = wantWritten
	case kwTable:
		switch s.st.Kind {
		case Create, Alter, Drop, Truncate, Lock:
			w.want, w.list = wantWritten, s.st.Kind >= Drop || s.st.Kind == Lock
		}
	case kwTruncate, kwLock, kwCopy:
		if w.prev.kind == tokEnd {
			w.want, w.list = wantWritten, t.kw != kwCopy
		}
	case kwIndex:
		w.index = s.st.Kind == Create
	case kwOn:
		w.want = wantNothing
		if w.index {
			w.want, w.index = wantWritten, false
		}
	case kwOnly, kwLateral, kwIf, kwNot, kwExists, kwTemp, kwUnlogged:
	default:
		if w.want == wantRead {
			w.other()
		}
		w.want = wantNothing
	}
}

// from takes in FROM, if it is that of a statement on tables.
func (w *observer) from(s *Scanner, f *frame) {
	switch {
	case s.st.Kind == Copy && s.depth == 0:
		w.want = wantNothing // a file comes
	case s.st.Kind == Grant || s.st.Kind == Revoke || f.clause != clauseFrom || w.prev.kw == kwDistinct:
	case w.prev.kw == kwDelete:
		w.want = wantWritten
	default:
		w.want = wantRead
	}
}

// sign takes in a bracket, a comma, a dot.
func (w *observer) sign(s *Scanner, f *frame, t *token) {
	switch {
	case t.char == '.' || t.char == '(' && w.want == wantRead:
	case t.char == ',' && f.clause == clauseFrom:
		w.want = wantRead
	case t.char == ',' && w.list && s.depth == 0:
		w.want = wantWritten
	default:
		w.want = wantNothing
	}
}

// name takes in what may be a name, or a part of one.
func (w *observer) name(s *Scanner, f *frame, t *token) {
	if f.clause == clauseWith && (w.prev.kw == kwWith || w.prev.kw == kwRecursive || w.prev.char == ',') {
		w.ctes = append(w.ctes, s.spelling(t))
	}
	if w.want == wantNothing {
		return
	}
	w.parts = append(w.parts, s.spelling(t))
	if len(w.parts) == 1 {
		w.nameAt = t.start
	}
	switch s.next.char {
	case '.':
		return
	case '(':
		if w.want == wantRead { // a function
			w.want, w.parts = wantNothing, nil
			w.other()

			return
		}
	}
	table := Table{Name: w.parts[len(w.parts)-1], Written: w.want == wantWritten}
	if len(w.parts) > 1 {
		table.Schema = w.parts[len(w.parts)-2]
	}
	if s.st.Kind == Copy && s.depth == 0 {
		table.Written = s.copies()
	}
	w.tables = append(w.tables, table)
	w.source(table)
	if w.sum != nil && (table.Schema != "" || !slices.Contains(w.ctes, table.Name)) {
		w.sum.add(compact(&s.lex, w.nameAt, t.end))
	}
	w.want, w.parts = wantNothing, nil
}

// copies reports whether COPY goes into the table whose name has just been read.
func (s *Scanner) copies() bool {
	ahead, t := s.lex, s.next
	for depth := 0; t.kind != tokEnd && t.kind != tokInvalid; ahead.next(&t) {
		switch {
		case t.char == '(':
			depth++
		case t.char == ')':
			depth--
		case t.kind == tokWord && depth == 0:
			return t.kw == kwFrom
		}
	}

	return false
}

// set takes in a token of SET.
func (w *observer) set(s *Scanner, t *token) {
	switch {
	case s.set == setName && t.kw != kwSet && (t.kind == tokWord || t.kind == tokName):
		w.parts = append(w.parts, s.spelling(t))
	case s.set != setName && len(w.parts) > 0:
		if s.set == setValue {
			w.setting(strings.Join(w.parts, "."))
		}
		w.parts = nil
	}
}

// spelling returns a name as PostgreSQL keeps it.
func (s *Scanner) spelling(t *token) string {
	var buf [maxName + utf8.UTFMax]byte

	return string(s.spelled(&buf, t))
}

// spelled is spelling, in buf.
func (s *Scanner) spelled(buf *[maxName + utf8.UTFMax]byte, t *token) []byte {
	if t.kind == tokName {
		return s.lex.unquoteName(buf, t)
	}

	return buf[:s.lex.fold((*[maxName]byte)(buf[:]), int(t.start), int(t.end))]
}

// literal takes in a literal.
func (w *observer) literal(s *Scanner, t *token, c Class) {
	switch {
	case c == identifier && w.found.Target == "":
		w.found.Target = s.spelling(t)
	case c == identifier:
	case w.each == nil:
		w.value(0)
	default:
		w.each(Literal{Text: s.lex.text[t.start:t.end], Class: c, InList: s.nlists > 0})
	}
	w.want = wantNothing
}

// A Literal is one that a statement has.
type Literal struct {
	// Text is how it is written, with its quotes, and with its sign if that is negative
	// and part of it: -1, but not -1::int. It is part of the text that was read.
	Text []byte
	// Class is what kind of literal it is.
	Class Class
	// InList: it is part of an element of a list: IN, an array, a row of VALUES.
	InList bool
}

// Literals calls each for all literals of a text, in order. Parameters are none.
func Literals(text []byte, o Options, each func(Literal)) {
	w := observer{each: each}
	s := Scanner{watch: &w}
	for s.Init(text, o); s.Next(); {
		w.finish(&s)
	}
}
