package sqltext

// A Class is what a literal is, for Statement.Typed.
type Class uint64

// The classes of literals.
const (
	Integer Class = iota + 1
	Numeric
	String
	Bits
	Null
	Boolean
	parameter
	identifier // the name of a savepoint, a cursor, a channel
)

// literal takes in what stands for a value, as one like any other.
func (s *Scanner) literal(t *token, c Class) {
	s.st.Values = absorb(s.st.Values, hashBytes(classValue, s.lex.text[t.start:t.end]))
	s.placeholder(classLiteral, c)
	if s.values < len(s.st.First) && c != identifier {
		s.st.First[s.values] = Span{t.start, t.end}
		s.values++
	}
	if s.out != nil {
		s.out.placeholder()
	}
	if s.watch != nil {
		s.watch.literal(s, t, c)
	}
}

// placeholder takes in that there is a value.
func (s *Scanner) placeholder(hash uint64, c Class) {
	s.st.Literals++
	s.h, s.typed = absorb(s.h, hash), absorb(s.typed, uint64(c))
	s.nameNext = s.st.Kind == Fetch || s.st.Kind == Move
	s.typing = false
	s.before, s.prev = s.prev.kw, past{kind: tokParam}
}

// parameter takes in $1.
func (s *Scanner) parameter(t *token) {
	if !s.opts().KeepOrdinals {
		s.placeholder(classLiteral, parameter)
		if s.out != nil {
			s.out.placeholder()
		}

		return
	}
	text := s.lex.text[t.start:t.end]
	s.placeholder(hashBytes(classLiteral, text), parameter)
	if s.out != nil {
		s.out.raw(string(text))
	}
}

// opts returns how the text is read.
func (s *Scanner) opts() *Options {
	return &s.lex.opts
}

// string takes in a string.
func (s *Scanner) string(t *token) {
	if s.st.Kind == Do && s.depth == 0 || s.within > 0 {
		s.look(t)
	}
	c := String
	if t.quote == quoteBits {
		c = Bits
	}
	s.literal(t, c)
}

// number takes in a number: a literal, or one that belongs to a type, or the place of a
// column in the output.
func (s *Scanner) number(f *frame, t *token) {
	text := s.lex.text[t.start:t.end]
	if t.kind == tokInteger && s.minus == 0 && (f.flags&frameTypmod != 0 || s.isColumn(f)) &&
		len(text) <= maxKept && isDigits(text) {
		t.hash = hashBytes(classKept, text)
		s.emit(t)
		if s.out != nil {
			s.out.raw(string(text))
		}

		return
	}
	c := Integer
	if t.kind == tokNumber {
		c = Numeric
	}
	if s.minus != 0 {
		t.start, s.minus = s.minus, 0
	}
	s.literal(t, c)
}

// maxKept is how many digits a number may have to be shown.
const maxKept = 9

// isDigits reports whether a number has no underscore and no letter in it.
func isDigits(text []byte) bool {
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
	}

	return true
}

// isColumn reports whether an integer is an item of ORDER BY or GROUP BY, and so the
// place of a column of the output.
func (s *Scanner) isColumn(f *frame) bool {
	switch {
	case f.clause == clauseItem:
		return f.flags&frameFresh != 0 && s.next.char == ')' && endsItem(s.peek())
	case f.clause != clauseOrder && f.clause != clauseGroup || f.flags&frameQuery == 0:
		return false
	case f.flags&frameFresh != 0 && s.next.char == ')' && s.frames[s.level()-1].clause == clauseGroup:
		return endsItem(s.peek()) // GROUP BY (1) is one, GROUP BY (1) + a is not
	case s.prev.kw == kwDistinct || s.prev.kw == kwAll: // GROUP BY DISTINCT
		return s.before == kwBy && endsItem(s.next)
	}

	return (s.prev.kw == kwBy || s.prev.char == ',' || f.flags&frameFresh != 0) && endsItem(s.next)
}

// endsItem reports whether an item of a list ends in front of a token.
func endsItem(t token) bool {
	switch t.kind {
	case tokOp:
		return false
	case tokSelf:
		return t.char == ',' || t.char == ')' || t.char == ';'
	case tokWord:
		return !goesOn(t.kw)
	}

	return true
}

// goesOn reports whether an expression goes on with a keyword.
func goesOn(kw keyword) bool {
	switch kw {
	case kwPlain, kwAnd, kwOr, kwIs, kwIn, kwNot, kwBetween, kwCollate:
		return true
	}

	return false
}
