package sqltext

// What is in brackets has clauses and lists of its own: a frame for each pair, as deep
// as anybody writes by hand. What is deeper is hashed without the rules that need one.
const (
	maxDepth = 48
	maxLists = 6
)

// A clause is what a part of a statement is.
type clause uint8

const (
	clauseNone   clause = iota
	clauseWith          // WITH, up to the statement proper
	clauseOutput        // the list of SELECT and RETURNING
	clauseFrom          // FROM, and what else lists tables
	clauseOrder         // ORDER BY
	clauseItem          // brackets around an item of ORDER BY
	clauseGroup         // GROUP BY, DISTINCT ON
	clauseOther         // any other
)

// What a frame is.
const (
	// frameQuery: there is a query in it, or it is the statement itself.
	frameQuery = 1 << iota
	// frameCast: CAST( ... AS type).
	frameCast
	// frameTypmod: the numbers in it belong to a type.
	frameTypmod
	// frameList: it is a list of elements, the last in Scanner.lists that is not of
	// frameValues.
	frameList
	// frameArray: that list is an array.
	frameArray
	// frameValues: a list of rows goes on in it, the last in Scanner.lists.
	frameValues
	// frameFresh: no token has come yet.
	frameFresh
	// frameTyping: the type that it belongs to may go on behind it.
	frameTyping
)

// A frame is what is known of a pair of brackets, and of the statement as a whole.
type frame struct {
	clause clause
	flags  uint8
}

// A list is one whose elements are hashed one by one. An element that is the same as
// the one before it is left out. So IN (1, 2, 3) is IN (1), and rows of VALUES with the
// same functions in the same places are one row.
type list struct {
	outer uint64 // the hash up to the list
	last  uint64 // the hash of the element before
	typed uint64 // the hash of classes up to the list
	mask  uint64 // the signatures of the elements' classes
	count int
	comma bool // of VALUES: a comma has come, and another row may
}

// level returns the index of the frame.
func (s *Scanner) level() int {
	return min(s.depth, maxDepth)
}

// frame returns the frame.
func (s *Scanner) frame() *frame {
	return &s.frames[min(s.depth, maxDepth)]
}

// push enters brackets.
func (s *Scanner) push(f frame) {
	s.depth++
	if s.depth >= maxDepth {
		f = frame{}
	}
	f.flags |= frameFresh
	*s.frame() = f
	if f.flags&frameList != 0 && !s.startList() {
		s.frame().flags &^= frameList
	}
}

// pop leaves brackets.
func (s *Scanner) pop() {
	f := s.frame()
	if f.flags&frameValues != 0 {
		s.endValues(f)
	}
	if f.flags&frameList != 0 {
		s.endList()
	}
	s.typing = f.flags&frameTyping != 0
	s.depth--
	if s.depth >= maxDepth {
		*s.frame() = frame{}
	}
}

// unwind ends what is open at the end of the statement.
func (s *Scanner) unwind() {
	if s.depth > 0 {
		s.pop()
	} else {
		s.endValues(s.frame())
	}
}

// startList begins a list with its first element, unless there are too many.
func (s *Scanner) startList() bool {
	if s.nlists == maxLists {
		return false
	}
	s.lists[s.nlists] = list{outer: s.h, typed: s.typed}
	s.nlists++
	s.h, s.typed = classElement, classTyped
	if s.out != nil {
		s.out.mark(s.nlists)
	}

	return true
}

// endElement ends an element of the innermost list.
func (s *Scanner) endElement() {
	l := &s.lists[s.nlists-1]
	l.count++
	l.mask |= signature(s.typed)
	switch {
	case l.count == 1 || s.h != l.last:
		l.outer, l.last = absorb(l.outer, s.h), s.h
	case s.out != nil:
		s.out.rewind(s.nlists)
	}
	s.h, s.typed = classElement, classTyped
	if s.out != nil {
		s.out.mark(s.nlists)
	}
}

// endList ends the innermost list with its last element.
func (s *Scanner) endList() {
	s.endElement()
	l := &s.lists[s.nlists-1]
	s.nlists--
	s.h, s.typed = l.outer, absorb(l.typed, l.mask)
	s.st.Longest = max(s.st.Longest, l.count)
}

// cancelList makes the list that has just begun an ordinary pair of brackets.
func (s *Scanner) cancelList(f *frame) {
	s.nlists--
	l := &s.lists[s.nlists]
	s.h, s.typed = l.outer, l.typed
	f.flags &^= frameList | frameArray
}

// endValues ends a list of rows of VALUES. A comma behind its last row belongs to what
// follows.
func (s *Scanner) endValues(f *frame) {
	f.flags &^= frameValues
	l := &s.lists[s.nlists-1]
	if !l.comma {
		s.endList()

		return
	}
	s.nlists--
	s.h, s.typed = absorb(l.outer, commaHash), absorb(l.typed, l.mask)
	s.st.Longest = max(s.st.Longest, l.count)
}

// commaHash is the hash of a comma.
const commaHash = classOp | ','<<8

// row sees to a token in a frame with a list of rows, in front of it: the list goes on
// with a comma, and behind it with a bracket, or has ended. It reports whether the
// token is done with.
func (s *Scanner) row(f *frame, t *token) bool {
	l := &s.lists[s.nlists-1]
	switch {
	case t.kind == tokSelf && t.char == ',' && !l.comma:
		s.endElement()
		l.comma = true
		if s.out != nil {
			s.out.sign(',')
		}
		s.prev = t.past()

		return true
	case t.kind == tokSelf && t.char == '(' && l.comma:
		l.comma = false
	default:
		s.endValues(f)
	}

	return false
}
