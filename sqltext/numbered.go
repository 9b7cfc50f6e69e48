package sqltext

import "unicode/utf8"

// Tables are often numbered: partitions by month, copies by tenant, work tables by job.
// With Options.MergeNumbered such names lose the runs of two digits and more in them, and
// orders_2024_01 is what orders_2024_02 is. One digit stays: t_1 and t_2 are more often
// two things. What is in front of a dot may be a table, too.

// renumber notes whether a name loses its digits, and gives it the hash of what is left.
func (s *Scanner) renumber(f *frame, t *token) {
	if s.prev.char != '.' {
		s.table = s.tableComes(f)
	}
	qualifies := s.next.char == '.' // in the name of a table it is the schema, which stays
	calls := s.next.char == '(' && f.clause == clauseFrom
	s.numbered = t.kw == 0 && s.table != qualifies && !calls && s.set == setNone &&
		hasNumber(s.lex.text[t.start:t.end])
	if s.numbered {
		var buf [maxName + utf8.UTFMax]byte
		s.lex.nameHash(t, s.withoutNumbers(&buf, t))
	}
}

// tableComes reports whether a name here is that of a table, or of its schema.
func (s *Scanner) tableComes(f *frame) bool {
	switch s.prev.kw {
	case kwInto, kwJoin, kwUpdate, kwTable, kwOnly, kwExists, kwCopy, kwTruncate, kwLock:
		return true
	case kwFrom, kwUsing:
		return f.clause == clauseFrom
	case kwOn:
		return s.st.Kind == Create
	case 0:
		return s.prev.char == ',' && (f.clause == clauseFrom || s.st.Kind == Truncate || s.st.Kind == Drop || s.st.Kind == Lock)
	}

	return false
}

// withoutNumbers returns a name without runs of two digits and more, in buf.
func (s *Scanner) withoutNumbers(buf *[maxName + utf8.UTFMax]byte, t *token) []byte {
	name := s.spelled(buf, t)
	left := name[:0]
	for len(name) > 0 {
		n := digitsAt(name)
		if n < 2 {
			n = s.lex.opts.Encoding.width(name)
			left = append(left, name[:n]...)
		}
		name = name[n:]
	}

	return left
}

// hasNumber reports whether two digits may be in a row.
func hasNumber(b []byte) bool {
	for len(b) > 1 {
		if digitsAt(b) > 1 {
			return true
		}
		b = b[1:]
	}

	return false
}

// digitsAt returns how many digits b begins with.
func digitsAt(b []byte) int {
	n := 0
	for n < len(b) && isDigit(b[n]) {
		n++
	}

	return n
}
