package sqltext

import "bytes"

// Effects are what a statement may leave in its session, or do to others, as far as its
// words tell. What a function does that it calls they do not tell.
type Effects uint32

// The effects.
const (
	SetsSession    Effects = 1 << iota // SET that lasts longer than the transaction
	SetsLocal                          // SET LOCAL, SET TRANSACTION
	SetsUser                           // SET SESSION AUTHORIZATION
	Resets                             // RESET
	SetsConfig                         // set_config or UPDATE pg_settings, and it is not plain that the third argument is true
	OwnSetting                         // SET or set_config of a name with a dot: see Details
	UnnamedSetting                     // set_config of a name that is not a string
	Listens                            // LISTEN
	Unlistens                          // UNLISTEN
	Discards                           // DISCARD
	DiscardsAll                        // DISCARD ALL
	Deallocates                        // DEALLOCATE
	DeallocatesAll                     // DEALLOCATE ALL
	Prepares                           // PREPARE, but not PREPARE TRANSACTION
	Executes                           // EXECUTE
	Loads                              // LOAD
	Creates                            // CREATE
	CreatesTemp                        // CREATE TEMP, SELECT INTO TEMP, anything in pg_temp
	DropsOnCommit                      // ON COMMIT DROP
	SelectInto                         // SELECT INTO
	AdvisoryLock                       // a function for advisory locks that outlast the transaction
	HoldsCursor                        // DECLARE ... WITH HOLD
	RunsCode                           // DO, CALL
	Writes                             // INSERT, UPDATE, DELETE, MERGE, also in WITH and in EXPLAIN
	Unreadable                         // a quote or a comment has no end: anything
)

// effectsOf are the effects of a kind of statement.
var effectsOf = [256]Effects{
	Set: SetsSession, Reset: Resets, Listen: Listens, Unlisten: Unlistens, Discard: Discards,
	Deallocate: Deallocates, Prepare: Prepares, Execute: Executes, Load: Loads, Create: Creates,
	Do: RunsCode, Call: RunsCode, Invalid: Unreadable,
}

// Has reports whether e has one of the effects.
func (e Effects) Has(some Effects) bool {
	return e&some != 0
}

// Facts are what a text may do to its session, all its statements together.
type Facts struct {
	// Statements is how many there are.
	Statements int
	// Kind is that of the only statement; Other if there are several, Empty if there is
	// none.
	Kind Kind
	// Effects are those of all statements.
	Effects Effects
	// First is the first statement, or the only one.
	First Statement
}

// Only reports whether the text is one statement, and is of that kind.
func (f Facts) Only(k Kind) bool {
	return f.Statements == 1 && f.Kind == k
}

// Look reads a text and returns what it may do to its session. It allocates nothing.
func Look(text []byte, o Options) Facts {
	var s Scanner
	s.Init(text, o)

	return s.facts()
}

// facts sums up all statements.
func (s *Scanner) facts() Facts {
	var f Facts
	for s.Next() {
		if f.Statements++; f.Statements == 1 {
			f.First = s.st
		}
		f.Kind = s.st.Kind
		f.Effects |= s.st.Effects
	}
	if f.Statements > 1 {
		f.Kind = Other
	}

	return f
}

// A configCall is a call of set_config that is being read.
type configCall struct {
	depth  int // of its arguments; 0: there is none
	arg    int // which one, from 0
	tokens int // how many tokens of it have been read
	named  bool
	local  bool
}

// called takes in the name of a function, or of the schema of temporary tables.
func (s *Scanner) called(t *token) {
	switch t.kw {
	case kwAdvisory:
		s.st.Effects |= AdvisoryLock
	case kwPgTemp:
		s.st.Effects |= CreatesTemp
	case kwPgSettings:
		if s.st.Effects.Has(Writes) {
			s.st.Effects |= SetsConfig // a rule of this view calls it
		}
	case kwConfig:
		if s.config.depth != 0 {
			s.st.Effects |= SetsConfig | UnnamedSetting // a call in another's arguments
		}
	}
}

// configure takes in a token of the arguments of set_config.
func (s *Scanner) configure(t *token) {
	c := &s.config
	if t.kind == tokSelf && s.depth == c.depth {
		switch t.char {
		case ',':
			c.arg++
			c.tokens = 0

			return
		case ')':
			s.configured()

			return
		}
	}
	c.tokens++
	alone := c.tokens == 1
	switch c.arg {
	case 0:
		c.named = alone && t.kind == tokString && s.setting(t)
	case 2:
		c.local = alone && s.isTrue(t)
	default:
		c.local = c.local && c.arg < 2
	}
}

// configured takes in that a call of set_config has been read, or is not complete.
func (s *Scanner) configured() {
	if c := s.config; c.arg != 2 || !c.local {
		s.st.Effects |= SetsConfig
		if !c.named {
			s.st.Effects |= UnnamedSetting
		}
	}
	s.config = configCall{}
}

// isTrue reports whether a token is a value that is true.
func (s *Scanner) isTrue(t *token) bool {
	if t.kind != tokString {
		return t.kw == kwTrue
	}
	text, ok := plainString(s.lex.text, t)

	return ok && (string(text) == "t" || string(text) == "true")
}

// setting takes in the name that a call of set_config is given. It reports whether the
// name is plain.
func (s *Scanner) setting(t *token) bool {
	name, ok := plainString(s.lex.text, t)
	if ok && bytes.IndexByte(name, '.') >= 0 {
		s.st.Effects |= OwnSetting
	}
	if ok && s.watch != nil {
		s.watch.setting(string(name))
	}

	return ok
}

// plainString returns what a string says, if nothing is escaped in it.
func plainString(text []byte, t *token) ([]byte, bool) {
	b := text[t.start:t.end]
	if t.quote == quoteDollar {
		n := bytes.IndexByte(b[1:], '$') + 2

		return b[n : len(b)-n], true
	}
	open := bytes.IndexByte(b, '\'')
	b = b[open+1 : len(b)-1]
	ok := t.quote == quotePlain || t.quote == quoteEscapes && bytes.IndexByte(b, '\\') < 0

	return b, ok && bytes.IndexByte(b, '\'') < 0
}

// maxWithin is how deep strings are looked into: EXECUTE in a DO statement, and once more
// for good measure.
const maxWithin = 3

// look takes in the text of a DO statement, or a string in it: it may be executed, or be a
// part of what is.
func (s *Scanner) look(t *token) {
	if s.within == maxWithin {
		return
	}
	text, _ := plainString(s.lex.text, t)
	inner := Scanner{within: s.within + 1}
	if s.watch != nil {
		inner.watch = &observer{found: s.watch.found}
	}
	inner.Init(text, s.lex.opts)
	e := inner.facts().Effects
	if s.watch != nil {
		s.watch.found.Settings = inner.watch.found.Settings
	}
	unfinished := inner.st.Kind == Set && inner.set == setScope // 'SET ' || name
	if e.Has(Unreadable) && bytes.Contains(bytes.ToLower(text), []byte("set")) || unfinished {
		e |= SetsSession | UnnamedSetting
	}
	if s.within > 0 {
		e &= SetsSession | SetsConfig | OwnSetting | UnnamedSetting // it may be words for people
	}
	s.st.Effects |= e &^ Unreadable
}
