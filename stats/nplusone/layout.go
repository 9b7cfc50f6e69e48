package nplusone

import "strings"

// A field is a column of a result that is looked at.
type field struct {
	index  int16
	oid    uint32
	binary bool
}

// An origin is where a column of a result comes from.
type origin struct {
	table uint32 // its OID; 0 if the column is of no table
	attr  uint16 // the number in the table
	name  string // of the column in the result
}

// readLayout chooses the columns of a result that are looked at: the first four whose
// type is that of a key, integers and uuids before texts. It returns how many there are,
// in the order in which they are in the row, and the number of columns up to the last.
func readLayout(dst *[maxColumns]field, st *Statement, body, formats []byte) (n, width int) {
	short := 0
	r := reader{rest: body}
	for range r.uint16() {
		r.skipString()
		_ = r.take(6)
		if oid := r.uint32(); isShort(oid) {
			short++
		}
		_ = r.take(8)
		if r.bad {
			return 0, 0
		}
	}
	texts := maxColumns - min(short, maxColumns)
	origins := st.origins.Load()
	var fresh [maxColumns]origin
	changed := origins == nil
	r = reader{rest: body}
	for i := range r.uint16() {
		name := r.string()
		table, attr := r.uint32(), r.uint16()
		oid := r.uint32()
		_ = r.take(6)
		isBinary := r.uint16() == 1
		if len(formats) > 0 {
			isBinary = formatOf(formats, i)
		}
		if n == maxColumns || !keyLike(oid) || !isShort(oid) && texts == 0 {
			continue
		}
		if !isShort(oid) {
			texts--
		}
		dst[n] = field{index: int16(i), oid: oid, binary: isBinary}
		if changed = changed || origins[n].differs(name, table, uint16(attr)); changed {
			fresh[n] = origin{table: table, attr: uint16(attr), name: string(name)}
		}
		n, width = n+1, i+1
	}
	if changed {
		remember(st, origins, fresh, n)
	}

	return n, width
}

// differs reports whether a column is another than the one that is known, as it is after
// ALTER TABLE.
func (o *origin) differs(name []byte, table uint32, attr uint16) bool {
	return o.table != table || o.attr != attr || o.name != string(name)
}

// remember keeps the origins of n columns: those in fresh, and known in front of them.
func remember(st *Statement, known *[maxColumns]origin, fresh [maxColumns]origin, n int) {
	for i := range n {
		if fresh[i] == (origin{}) && known != nil {
			fresh[i] = known[i]
		}
	}
	st.origins.Store(&fresh)
}

// column names a column of the result, as table.column if the statement has one table
// only and the column is one of a table, and else as far as it is known.
func (s *Statement) column(i int) string {
	origins := s.origins.Load()
	if origins == nil {
		return ""
	}
	o := origins[i]
	if o.table != 0 && len(s.Tables) == 1 && s.mentions(o.name) {
		return s.Tables[0] + "." + o.name
	}

	return o.name
}

// mentions reports whether a name in the result is one of the table, rather than an
// alias: normalised texts have no aliases of columns. Of SELECT * all are.
func (s *Statement) mentions(name string) bool {
	if strings.Contains(s.Text, " *") || strings.Contains(s.Text, ".*") {
		return true
	}
	inWord := func(c byte) bool {
		return c == '_' || c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
	}
	for rest := s.Text; name != ""; {
		before, behind, ok := strings.Cut(rest, name)
		if !ok {
			break
		}
		if (before == "" || !inWord(before[len(before)-1])) && (behind == "" || !inWord(behind[0])) {
			return true
		}
		rest = behind
	}

	return false
}
