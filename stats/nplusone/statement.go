package nplusone

import (
	"strings"
	"sync/atomic"
)

// A Kind is what a statement does, as far as a loop is concerned.
type Kind uint8

// The kinds.
const (
	// Session is what changes what later statements mean: SET, DISCARD, DDL and all that
	// is none of the others.
	Session Kind = iota
	Read
	Write
	// Transaction is BEGIN, COMMIT, ROLLBACK, savepoints.
	Transaction
)

// A Description is what is the same for all executions of a statement.
type Description struct {
	Fingerprint uint64
	Text        string // normalised
	Tables      []string
	Kind        Kind
	// Columns are what the parameters are compared with, such as "orders.user_id" for
	// WHERE user_id = $1, by the number of the parameter from 0 on; "" or missing where
	// that is not known. At most 4 are looked at.
	Columns []string
}

// A Statement is a Description and what was learned of it. It is made by
// [Group.Statement], once for each fingerprint, and may be used by all loops.
type Statement struct {
	Description
	traits traits
	// useless is how many sketches of its results in a row were of no use; see worthy.
	useless atomic.Uint32
	// sampled says that not all of its results were sketched, as they were of no use; it
	// stays.
	sampled atomic.Bool
	// origins are the columns of its result that are sketched, if it ever was.
	origins atomic.Pointer[[maxColumns]origin]
}

// traits are what the text of a statement says to the rules.
type traits uint8

const (
	quiet  traits = 1 << iota // never part of a finding
	marker                    // the application took the connection out of a pool, or put it back
	paged                     // has an OFFSET
	listed                    // already asks for many at once
	rolls                     // ROLLBACK
)

// has reports whether the statement has a trait.
func (s *Statement) has(t traits) bool {
	return s.traits&t != 0
}

// traitsOf reads the text of a statement.
func traitsOf(d Description) traits {
	text := strings.ToLower(strings.TrimRight(d.Text, "; "))
	var t traits
	for word, trait := range map[string]traits{
		" offset ": paged, "any ($": listed, "any($": listed, " in ($": listed, " in (...": listed,
	} {
		if strings.Contains(text, word) {
			t |= trait
		}
	}
	if text == "rollback" {
		t |= rolls
	}
	if isMarker(text) {
		t |= marker
	}
	if isQuiet(text, d.Tables) {
		t |= quiet
	}

	return t
}

// isMarker reports whether pools of applications send the statement when they lend or
// take back a connection.
func isMarker(text string) bool {
	switch text {
	case "", "select 1", "select $1", "discard all", "reset all":
		return true
	}

	return strings.HasPrefix(text, "set application_name") || strings.HasPrefix(text, "set session application_name")
}

// isQuiet reports whether repeating the statement is what it is for: a queue is polled, a
// lock tried, a number drawn, the catalog read. Of names that are checked before they are
// taken see Ignored.
func isQuiet(text string, tables []string) bool {
	for _, part := range []string{
		"skip locked", "advisory", "nextval", "setval", "pg_catalog.", "information_schema.",
	} {
		if strings.Contains(text, part) {
			return true
		}
	}
	for _, table := range tables {
		if strings.HasPrefix(strings.TrimPrefix(table, "public."), "pg_") {
			return true
		}
	}

	return isMarker(text)
}

// Of a statement whose results were sketched uselessOnce times without any of them
// being asked for again, only one result of sampling is sketched.
const (
	uselessOnce = 64
	sampling    = 16
)

// worthy reports whether the next result should be sketched; turn counts results.
func (s *Statement) worthy(turn uint32) bool {
	return s.Kind == Read && !s.has(quiet) && (s.useless.Load() < uselessOnce || turn%sampling == 0)
}

// disappoint books that a sketch was made.
func (s *Statement) disappoint() {
	if n := s.useless.Load(); n < uselessOnce {
		s.useless.Store(n + 1)
		if n+1 == uselessOnce {
			s.sampled.Store(true)
		}
	}
}

// please books that one was of use.
func (s *Statement) please() {
	if s.useless.Load() != 0 {
		s.useless.Store(0)
	}
}
