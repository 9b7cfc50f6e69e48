package sqltext

// step takes in a token. It decides what of it counts, and passes that on to the hash,
// and to the text if somebody wants that: there is one set of rules for both.
func (s *Scanner) step(t *token) {
	f := s.frame()
	if f.flags&frameValues != 0 && s.row(f, t) {
		return
	}
	if s.config.depth != 0 {
		s.configure(t)
	}
	if s.st.Kind == Empty && t.kind != tokWord && t.char != '(' {
		s.st.Kind = Other
	}
	switch {
	case s.skipping:
		s.value(t)

		return
	case s.hideNext:
		s.hideNext = false
		s.literal(t, String)

		return
	case s.set == setValue && s.setTo(t):
		return
	case t.kind == tokWord:
		s.word(f, t)
	case t.kind == tokName:
		s.name(f, t)
	case t.kind == tokSelf:
		s.sign(f, t)
	case t.kind == tokOp:
		s.operator(t)
	default:
		s.constant(f, t)
	}
	f.flags &^= frameFresh
	if s.watch != nil {
		s.watch.see(s, t)
	}
}

// constant takes in a literal, a parameter, or a byte that has no meaning.
func (s *Scanner) constant(f *frame, t *token) {
	switch t.kind {
	case tokString:
		s.string(t)
	case tokParam:
		s.parameter(t)
	case tokInteger, tokNumber:
		s.number(f, t)
	default:
		s.emit(t)
		if s.out != nil {
			s.out.other(t.char)
		}
	}
}

// emit takes a token into the hash as it is.
func (s *Scanner) emit(t *token) {
	s.nameNext = s.st.Kind == Fetch || s.st.Kind == Move
	s.h = absorb(s.h, t.hash)
	s.before, s.prev = s.prev.kw, t.past()
	s.typing = false
}

// word takes in a word without quotes.
func (s *Scanner) word(f *frame, t *token) {
	if s.drop {
		s.drop = false

		return
	}
	if t.kw != 0 && s.prev.char == '.' && t.flags&isFunction == 0 {
		t.kw, t.flags = 0, 0 // the part of a name behind a dot
	}
	typing := s.types(f, t)
	if s.st.Kind == Empty {
		s.first(t)
	} else if s.nameNext && s.isName(t) {
		s.literal(t, identifier)

		return
	}
	if t.kw > kwHarmless && s.keyword(f, t) {
		return
	}
	if s.set != setNone {
		s.setWord(t)
	}
	if s.opts().MergeNumbered {
		s.renumber(f, t)
	}
	named := s.nameNext
	s.emit(t)
	s.typing, s.nameNext = typing, named
	if s.out != nil {
		s.out.word(s, t)
	}
}

// types reports whether a word or name is part of the name of a type.
func (s *Scanner) types(f *frame, t *token) bool {
	switch {
	case s.prev.char == charCast, s.prev.kw == kwAs && f.flags&frameCast != 0:
		return true
	case s.typing:
		return s.prev.char == '.' || t.flags&inType != 0
	}

	return false
}

// name takes in a name in quotes.
func (s *Scanner) name(f *frame, t *token) {
	switch {
	case s.drop:
		s.drop = false

		return
	case s.nameNext:
		s.literal(t, identifier)

		return
	}
	if s.set == setScope {
		s.set = setName
	}
	typing := s.types(f, t)
	if t.kw != 0 {
		s.called(t)
	}
	if s.opts().MergeNumbered {
		s.renumber(f, t)
	}
	s.emit(t)
	s.typing = typing
	if s.out != nil {
		s.out.name(s, t)
	}
}

// operator takes in an operator. The sign of a negative literal is part of the literal.
func (s *Scanner) operator(t *token) {
	if t.char == '-' && s.isNegative() {
		s.minus = t.start // not 0: there is a token in front of it

		return
	}
	if s.set == setName && s.depth == 0 {
		s.set = setValue
	}
	s.emit(t)
	if s.out != nil {
		s.out.operator(s.lex.text[t.start:t.end])
	}
}

// isNegative reports whether a minus is the sign of the number behind it. It is not if
// that is cast: -1::int is -(1::int).
func (s *Scanner) isNegative() bool {
	if s.next.kind != tokInteger && s.next.kind != tokNumber || !s.exprBegins() {
		return false
	}

	return s.peek().char != charCast
}

// peek returns the token behind the next one.
func (s *Scanner) peek() token {
	var t token
	ahead := s.lex
	ahead.next(&t)

	return t
}

// exprBegins reports whether what comes is the beginning of an expression.
func (s *Scanner) exprBegins() bool {
	return s.punctuated() || s.prev.flags&beforeExpr != 0
}

// punctuated reports whether the last token is an operator or a sign behind which an
// expression begins.
func (s *Scanner) punctuated() bool {
	switch s.prev.kind {
	case tokOp:
		return true
	case tokSelf:
		switch s.prev.char {
		case '(', '[', ',', ':', charAssign:
			return true
		}
	}

	return false
}

// sign takes in a bracket or another sign.
func (s *Scanner) sign(f *frame, t *token) {
	switch t.char {
	case '(', '[':
		s.open(f, t)

		return
	case ')', ']':
		s.close(t)

		return
	case ',':
		s.comma(f, t)

		return
	}
	typing := s.typing
	s.emit(t)
	s.typing = typing && t.char == '.'
	if t.char == '.' && s.set == setName {
		s.st.Effects |= OwnSetting
	}
	if s.out != nil {
		s.out.sign(t.char)
	}
}

// comma takes in a comma.
func (s *Scanner) comma(f *frame, t *token) {
	if f.flags&frameList == 0 {
		s.emit(t)
	} else {
		s.endElement()
		s.before, s.prev = s.prev.kw, t.past()
	}
	if s.out != nil {
		s.out.sign(',')
	}
}

// open takes in an opening bracket.
func (s *Scanner) open(f *frame, t *token) {
	inner := s.inner(f, t)
	if s.prev.kw == kwValues && t.char == '(' && s.depth < maxDepth && f.flags&frameValues == 0 && s.startList() {
		f.flags |= frameValues
	}
	if s.prev.kw == kwConfig && t.char == '(' && s.config.depth == 0 {
		s.config = configCall{depth: s.depth + 1}
	}
	s.emit(t)
	if s.out != nil {
		s.out.sign(t.char)
	}
	s.push(inner)
}

// inner returns the frame for what an opening bracket begins.
func (s *Scanner) inner(f *frame, t *token) frame {
	switch {
	case s.typing:
		return frame{flags: frameTypmod | frameTyping}
	case t.char == '[':
		if s.prev.kw == kwArray || f.flags&frameArray != 0 && (s.prev.char == '[' || s.prev.char == ',') {
			return frame{flags: frameList | frameArray}
		}

		return frame{}
	case s.prev.flags&hasTypmod != 0:
		return frame{flags: frameTypmod}
	}
	switch s.prev.kw {
	case kwIn:
		return frame{flags: frameList}
	case kwCast:
		return frame{flags: frameCast}
	case kwOn:
		if s.before == kwDistinct {
			return frame{clause: clauseGroup, flags: frameQuery}
		}
	case 0:
		if s.prev.char != ',' && s.prev.char != '(' {
			return frame{}
		}
	case kwBy, kwRollup, kwCube, kwSets:
	default:
		return frame{}
	}
	switch {
	case f.clause == clauseGroup: // brackets around items of GROUP BY
		return frame{clause: clauseGroup, flags: frameQuery}
	case f.clause == clauseOrder, f.clause == clauseItem && f.flags&frameFresh != 0:
		return frame{clause: clauseItem}
	}

	return frame{}
}

// close takes in a closing bracket.
func (s *Scanner) close(t *token) {
	typing := false
	if s.depth > 0 {
		s.pop()
		typing = s.typing
	}
	s.emit(t)
	s.typing = typing
	if s.out != nil {
		s.out.sign(t.char)
	}
}
