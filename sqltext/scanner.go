package sqltext

import (
	"bytes"
	"math"
)

// Options say how a text is to be read. The zero value is right for a session with
// standard_conforming_strings on and a client_encoding that is [ASCIISafe].
type Options struct {
	// BackslashQuotes: standard_conforming_strings is off, and a backslash in '...'
	// takes the next character for itself.
	BackslashQuotes bool
	// Encoding is that of the client, which the text is in.
	Encoding Encoding
	// KeepOrdinals: parameters keep their numbers, as they do in PostgreSQL's query
	// identifiers, and $1 is not what a literal is.
	KeepOrdinals bool
	// MergeNumbered: names of tables lose the runs of two digits and more in them, so that
	// statements on the partitions of a table are one.
	MergeNumbered bool
}

// A Statement is what a text says of one of its statements. It holds no bytes of the
// text, so that it can be kept.
type Statement struct {
	// Fingerprint is the same for statements that differ in nothing but what the rules
	// leave out: literals, comments, the length of lists.
	Fingerprint ID
	// Typed is the same for those whose literals are of the same classes besides.
	Typed ID
	// Kind is what the statement does, by its first words.
	Kind Kind
	// Effects are what it may do to its session, or to others.
	Effects Effects
	// Values is a hash of the literals' bytes, in order; parameters are not in it.
	// Statements of one fingerprint with the same Values are repeats.
	Values uint64
	// Literals is how many literals and parameters there are, those of lists counted
	// one by one.
	Literals int
	// First is where the first literals are in the text that was read: those that
	// [Literals] tells of, in their order, so that parameters are not among them. What is
	// behind the last is zero, and all is for a statement of kind [Invalid].
	First [4]Span
	// Longest is how many elements the longest list has: an IN list, an array, the rows
	// of VALUES. 0: there is no list.
	Longest int
	// Start and End are the statement's place in the text, with the comments at its
	// edges and without the semicolon behind it.
	Start, End int

	comments edges
}

// A Span is a piece of a text, text[Start:End]. The zero value is none.
type Span struct {
	Start, End int32
}

// The edges are where a statement's first and last comments are, as offsets that are
// one too high; 0: there is none.
type edges struct {
	first, last, lastEnd int
}

// A Scanner reads the statements of a text one after another. It allocates nothing. The
// zero value reads an empty text; a Scanner may be used again after Init.
//
//	var s sqltext.Scanner
//	for s.Init(text, sqltext.Options{}); s.Next(); {
//		use(s.Statement())
//	}
type Scanner struct {
	lex  lexer
	next token // the one behind that which is looked at
	st   Statement
	prev past // the last one that counted; tokEnd: there was none

	h     uint64 // the hash so far, or that of the element of a list
	typed uint64 // the same of the classes of literals

	depth  int // of brackets
	frames [maxDepth + 1]frame
	lists  [maxLists]list
	nlists int

	object   keyword // the second word: what is created or altered
	before   keyword // the one before prev
	base     int     // the depth of the first word
	atomic   int     // how many END there are to come in a body of BEGIN ATOMIC
	set      setState
	config   configCall
	values   int   // how many of Statement.First are known
	minus    int32 // where the next number's minus is, which has been left out; 0: it has none
	nameNext bool  // what comes is a name of this session, or a channel
	hideNext bool  // what comes is a secret
	skipping bool  // all up to the end is part of the value that has been noted
	table    bool  // the last name is that of a table, or of its schema; not kept without MergeNumbered
	numbered bool  // the last name lost its digits
	drop     bool  // the next token is left out
	typing   bool  // the last token is part of the name of a type

	within int // how deep in others the text is: 1, that of a DO statement; 2, a string in that

	plain bool      // nothing is wanted but fingerprints, and names count as they are
	out   *printer  // nil: nobody wants the text
	watch *observer // nil: nobody wants the names
}

// maxLength is how much of a text is read. PostgreSQL takes messages of half that size.
const maxLength = math.MaxInt32

// Init makes s read text, up to its first zero byte if it has one, as a message on the
// wire has at its end. The text must not change as long as s is used.
func (s *Scanner) Init(text []byte, o Options) {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	s.lex.init(text[:min(len(text), maxLength)], o)
	s.lex.next(&s.next)
	s.plain = s.out == nil && s.watch == nil && !o.MergeNumbered
	s.st = Statement{}
}

// Statement returns the statement that Next has read.
func (s *Scanner) Statement() Statement {
	return s.st
}

// Next reads the next statement and reports whether there is one. Where nothing is
// between two semicolons there is none. A text with a quote or comment that does not
// end is one of kind [Invalid] from the beginning of that statement on.
func (s *Scanner) Next() bool {
	s.skipEmpty()
	if s.next.kind == tokEnd {
		return false
	}
	s.begin()
	for s.next.kind != tokEnd && !s.atEnd() {
		if s.next.kind == tokInvalid {
			s.invalid()

			return true
		}
		t := s.next
		s.lex.next(&s.next)
		s.step(&t)
		if s.isCalm() {
			s.pass()
		}
	}
	s.end()

	return true
}

// skipEmpty goes behind semicolons, to the next statement's first token.
func (s *Scanner) skipEmpty() {
	s.st.Start = s.st.End
	for s.next.char == ';' && s.next.kind == tokSelf {
		s.st.Start = int(s.next.end)
		s.lex.forget()
		s.lex.next(&s.next)
	}
}

// atEnd reports whether the next token is the semicolon at the statement's end.
func (s *Scanner) atEnd() bool {
	return s.next.char == ';' && s.next.kind == tokSelf && s.depth == 0 && s.atomic == 0
}

// begin gets ready for a statement.
func (s *Scanner) begin() {
	s.st = Statement{Start: s.st.Start}
	s.reset()
	if s.out != nil {
		s.out.begin()
	}
	if s.watch != nil {
		s.watch.begin()
	}
}

// reset forgets the last statement.
func (s *Scanner) reset() {
	s.h, s.typed = absorb(0, Version), classTyped
	s.prev = past{}
	s.depth, s.nlists, s.base, s.atomic = 0, 0, 0, 0
	s.frames[0] = frame{flags: frameQuery}
	s.object, s.before, s.values, s.minus = 0, 0, 0, 0
	s.set, s.config = setNone, configCall{}
	s.nameNext, s.hideNext, s.skipping = false, false, false
	s.drop, s.typing = false, false
}

// pass takes in the tokens that come which mean nothing but themselves. Most of a
// statement are such tokens.
func (s *Scanner) pass() {
	for s.isPlain(&s.next) {
		s.h = absorb(s.h, s.next.hash)
		s.before, s.prev = s.prev.kw, s.next.past()
		s.lex.next(&s.next)
	}
}

// isPlain reports whether a token means nothing but itself, where isCalm holds.
func (s *Scanner) isPlain(t *token) bool {
	switch t.kind {
	case tokWord:
		return t.kw == 0 || t.kw <= kwHarmless && s.prev.char != '.'
	case tokName:
		return t.kw == 0
	case tokOp:
		return t.char != '-'
	case tokSelf:
		return t.char == '.' || t.char == ',' && s.frame().flags&frameList == 0
	}

	return false
}

// isCalm reports whether names, operators, dots and commas may be hashed without a look
// at the rules. That is so in most places.
func (s *Scanner) isCalm() bool {
	return s.plain && s.config.depth == 0 && s.set == setNone &&
		!s.skipping && !s.hideNext && !s.nameNext && !s.drop && !s.typing &&
		s.frame().flags&(frameValues|frameFresh) == 0 &&
		s.prev.char != charCast && s.prev.kw != kwAs && s.st.Kind != Empty
}

// end sums up what has been read.
func (s *Scanner) end() {
	for s.frames[s.level()].flags&frameValues != 0 || s.nlists > 0 {
		s.unwind()
	}
	if s.config.depth != 0 { // a part of a text
		s.st.Effects |= SetsConfig | UnnamedSetting
	}
	s.edges()
	s.st.Fingerprint = ID(finish(s.h))
	s.st.Typed = ID(finish(absorb(s.h, s.typed)))
}

// edges notes where the statement ends and where its comments are. A comment behind the
// last semicolon belongs to the last statement.
func (s *Scanner) edges() {
	s.st.End = int(s.next.start)
	if s.next.kind != tokEnd {
		ahead := s.lex
		for ahead.space(); ahead.byteAt(ahead.at) == ';'; ahead.space() {
			ahead.at++
		}
		if ahead.at == len(ahead.text) {
			s.lex, s.next = ahead, token{}
		}
	}
	s.st.comments = edges{s.lex.firstComment, s.lex.lastComments, s.lex.lastEnd}
	s.lex.forget()
}

// forget forgets the comments.
func (l *lexer) forget() {
	l.firstComment, l.lastComments, l.lastEnd = 0, 0, 0
}

// invalid makes the rest of the text an invalid statement.
func (s *Scanner) invalid() {
	s.st = Statement{Start: s.st.Start, End: len(s.lex.text), Kind: Invalid, Effects: Unreadable}
	s.st.Fingerprint = ID(finish(absorb(absorb(0, Version), hashBytes(classWord, []byte(invalidText)))))
	s.st.Typed = s.st.Fingerprint
	s.next = token{}
	s.lex.at = len(s.lex.text)
	if s.out != nil {
		s.out.begin()
		s.out.raw(invalidText)
	}
}

// invalidText is shown for a text that cannot be read.
const invalidText = "__invalid__"
