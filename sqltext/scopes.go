package sqltext

import "slices"

// A scope is a query or another statement on tables, with the tables whose columns may
// be named in it.
type scope struct {
	depth   int // of brackets
	outer   int // the scope around it, from 1 on; 0: there is none
	sources []source
	others  bool // columns may be of something else: a query, a function
	storing bool // the list behind SET is read
}

// A source is a table with the name that its columns have in front of them.
type source struct {
	name    string
	table   Table
	unclear bool // its columns have other names, too
}

// maxScopes is how many scopes of a statement are kept. In further ones no column is
// looked for.
const maxScopes = 64

// enter begins a scope.
func (w *observer) enter(depth int) {
	if len(w.scopes) == maxScopes {
		w.enough = true

		return
	}
	w.scopes = append(w.scopes, scope{depth: depth, outer: w.scope})
	w.scope = len(w.scopes)
}

// leave ends the scopes that the brackets around them have ended.
func (w *observer) leave(depth int) {
	for w.scope > 0 && w.scopes[w.scope-1].depth > depth {
		w.scope = w.scopes[w.scope-1].outer
	}
}

// other takes in that the query reads something that is not a table by its name.
func (w *observer) other() {
	if w.scope > 0 {
		w.scopes[w.scope-1].others = true
	}
}

// source takes in a table of the scope.
func (w *observer) source(t Table) {
	if w.scope == 0 || w.enough {
		return
	}
	sc := &w.scopes[w.scope-1]
	sc.sources = append(sc.sources, source{name: t.Name, table: t})
	w.aliased = true
}

// alias takes in the token behind a table, which may be its alias.
func (w *observer) alias(s *Scanner, t *token) {
	if t.kw == kwAs || t.char == '*' {
		return
	}
	w.aliased = false
	named := t.kind == tokName || t.kind == tokWord && t.flags&isReserved == 0
	if !named || t.kw == kwSet && w.prev.kw != kwAs {
		return
	}
	sources := w.scopes[w.scope-1].sources
	sources[len(sources)-1].name = s.spelling(t)
	sources[len(sources)-1].unclear = s.next.char == '('
}

// follow keeps up the scopes with a token that has been taken in otherwise.
func (w *observer) follow(s *Scanner, f *frame, t *token) {
	w.leave(s.depth)
	switch {
	case w.enough:
	case t.kw == kwSelect, w.entering && t.kw != kwWith:
		w.enter(s.depth)
	case w.scope == 0:
	case t.kind == tokWord && t.kw == kwSet && w.prev.char != '.':
		w.scopes[w.scope-1].storing = true
	case t.kw == kwWhere, t.kw == kwFrom && f.clause == clauseFrom, t.kw == kwReturning, t.kw == kwWhen:
		if w.scopes[w.scope-1].depth == s.depth {
			w.scopes[w.scope-1].storing = false
		}
	}
}

// tableOf returns the name of the table that a column is of, or "".
func (w *observer) tableOf(s *Scanner, c column) string {
	if c.scope == 0 {
		return ""
	}
	sc, n := &w.scopes[c.scope-1], len(c.parts)
	if n == 1 {
		if len(sc.sources) != 1 || sc.others {
			return ""
		}

		return w.named(sc.sources[0])
	}
	name, schema := s.spelling(&c.parts[n-2]), ""
	if n > 2 {
		schema = s.spelling(&c.parts[n-3])
	}
	for {
		i := slices.IndexFunc(sc.sources, func(src source) bool {
			return src.name == name && (schema == "" || src.table.Schema == schema && src.table.Name == name)
		})
		if i >= 0 {
			return w.named(sc.sources[i])
		}
		if sc.outer == 0 {
			return ""
		}
		sc = &w.scopes[sc.outer-1]
	}
}

// named returns the name of a source, or "" if it is not a table or has columns by other
// names.
func (w *observer) named(src source) string {
	if src.unclear || src.table.Schema == "" && slices.Contains(w.ctes, src.table.Name) {
		return ""
	}

	return src.table.String()
}
