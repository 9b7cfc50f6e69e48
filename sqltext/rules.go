package sqltext

// keyword takes in what a keyword means where it stands. It reports whether it is left
// out, or stands for something else that has been taken in.
func (s *Scanner) keyword(f *frame, t *token) bool {
	if t.flags&isFunction != 0 {
		s.called(t)

		return false
	}
	switch t.kw {
	case kwTrue, kwFalse:
		return s.boolean(t)
	case kwNull:
		return s.null(t)
	case kwAs:
		s.drop = f.clause == clauseOutput && (s.next.kind == tokWord || s.next.kind == tokName)

		return s.drop
	case kwAsc:
		return s.prev.kw != kwAs
	case kwInner:
		return s.next.kw == kwJoin
	case kwOuter:
		return s.next.kw == kwJoin && (s.prev.kw == kwLeft || s.prev.kw == kwRight || s.prev.kw == kwFull)
	}
	s.clause(f, t)
	s.utility(f, t)

	return false
}

// boolean takes in TRUE or FALSE, which is a literal but in IS TRUE and as a name.
func (s *Scanner) boolean(t *token) bool {
	if s.prev.kw == kwIs || s.prev.kw == kwNot && s.before == kwIs || s.prev.kw == kwAs {
		return false
	}
	s.literal(t, Boolean)

	return true
}

// null takes in NULL, which is a literal where a value is expected, but not in IS NULL,
// NOT NULL, SET NULL, DEFAULT NULL.
func (s *Scanner) null(t *token) bool {
	if !s.punctuated() && s.prev.flags&beforeNull == 0 || s.prev.kw == kwNot {
		return false
	}
	s.literal(t, Null)

	return true
}

// clause takes in which part of the statement begins with a keyword.
func (s *Scanner) clause(f *frame, t *token) {
	switch t.kw {
	case kwSelect, kwValues, kwTable, kwWith, kwInsert, kwUpdate, kwDelete, kwMerge:
		s.query(f, t)
	case kwReturning:
		if f.flags&frameQuery != 0 {
			f.clause = clauseOutput
		}
	case kwFrom:
		if s.prev.kw != kwDistinct && f.flags&frameQuery != 0 {
			f.clause = clauseFrom
		}
	case kwUsing:
		if f.clause == clauseOther && (s.st.Kind == Merge || s.st.Kind == Delete) {
			f.clause = clauseFrom
		}
	case kwInto:
		if f.clause == clauseOutput {
			s.st.Effects |= SelectInto
		}
		f.clause = clauseOther
	case kwOrder, kwGroup:
		f.clause = clauseOther
	case kwBy:
		s.by(f)
	case kwUnion, kwIntersect, kwExcept:
		f.clause = clauseNone
		f.flags |= frameQuery
	case kwWhere, kwHaving, kwWindow, kwLimit, kwOffset, kwFetch, kwFor:
		f.clause = clauseOther
	case kwBegin, kwAtomic, kwCase, kwEnd:
		s.block(t)
	}
}

// by takes in the second word of ORDER BY and GROUP BY. Those of a query have numbers
// that stand for columns of its output.
func (s *Scanner) by(f *frame) {
	switch {
	case f.flags&frameQuery == 0:
	case s.prev.kw == kwOrder:
		f.clause = clauseOrder
	case s.prev.kw == kwGroup:
		f.clause = clauseGroup
	}
}

// block counts what ends with END in a body of BEGIN ATOMIC, in which semicolons end
// nothing.
func (s *Scanner) block(t *token) {
	switch {
	case t.kw == kwAtomic && s.prev.kw == kwBegin && s.st.Kind == Create:
		s.atomic = 1
	case s.atomic == 0:
	case t.kw == kwCase:
		s.atomic++
	case t.kw == kwEnd:
		s.atomic--
	}
}

// query takes in a keyword that a query or another statement on tables may begin with.
func (s *Scanner) query(f *frame, t *token) {
	if !s.begins(f) || !s.isStatement(t.kw) {
		if t.kw == kwSelect && s.st.Kind != Grant && s.st.Kind != Revoke {
			f.clause, f.flags = clauseOutput, f.flags|frameQuery
		}

		return
	}
	if f.flags&(frameList|frameFresh) == frameList|frameFresh && isQuery(t.kw) {
		s.cancelList(f)
	}
	if s.st.Kind == with && s.depth == s.base && t.kw != kwWith {
		s.st.Kind = kindOf[t.kw]
	}
	f.flags |= frameQuery
	f.clause = clauseOther
	switch t.kw {
	case kwSelect:
		f.clause = clauseOutput
	case kwWith:
		f.clause = clauseWith
	case kwInsert, kwUpdate, kwDelete, kwMerge:
		s.st.Effects |= Writes
	}
	if s.watch != nil {
		s.watch.query(t.kw)
	}
}

// isStatement reports whether a keyword that is allowed as the name of a column begins a
// statement, by what is behind it.
func (s *Scanner) isStatement(kw keyword) bool {
	switch kw {
	case kwInsert, kwMerge:
		return s.next.kw == kwInto
	case kwDelete:
		return s.next.kw == kwFrom
	case kwUpdate:
		return s.next.kind == tokWord || s.next.kind == tokName
	}

	return true
}

// isQuery reports whether a query begins with a keyword, which makes brackets behind IN
// no list.
func isQuery(kw keyword) bool {
	return kw == kwSelect || kw == kwWith || kw == kwValues || kw == kwTable
}
