package nplusone

import (
	"encoding/binary"
)

// What a sketch holds at most.
const (
	maxColumns = 4
	maxRows    = 64
)

// A column is the summary of one column of a result.
type column struct {
	filter   bloom
	distinct uint8 // values that were not there yet
	values   uint8 // without NULLs
	small    bool  // some value is a small integer
}

// keys reports whether a loop may have gone over the column: its values differ from row
// to row; or, as foreign keys repeat, some of them, if they are not such as are everywhere.
func (c *column) keys() bool {
	if c.distinct < 2 {
		return false
	}

	return 10*int(c.distinct) >= 9*int(c.values) || !c.small && c.distinct >= minRepeats
}

// A sketch is what is kept of a result.
type sketch struct {
	columns [maxColumns]column
	last    [maxColumns]value // of the last row that was seen
	n       int8              // columns
	rows    uint8             // that are in it
}

// A Sketcher makes sketches of results as they go past, one after the other. It
// allocates when it meets a statement for the first time only. The zero value is ready
// to use; it belongs to one loop.
type Sketcher struct {
	sketch sketch
	layout [maxColumns]field
	width  int  // columns of the result up to the last that is looked at
	on     bool // rows are looked at
	held   bool // there is a sketch to fetch
	turn   uint32
}

// Start begins with a result; it is to be called for each result whose rows are shown. rowDescription is the body of its RowDescription, kept
// from when the statement was described if it is a prepared one. formats are the codes of
// the Bind message, see [Bind]; nil if the RowDescription tells, as it does for simple
// queries. Start reports whether rows are wanted.
func (s *Sketcher) Start(st *Statement, rowDescription, formats []byte) bool {
	s.turn++
	s.on, s.held = false, false
	if !st.worthy(s.turn) {
		return false
	}
	s.describe(st, rowDescription, formats)
	if s.sketch.n == 0 {
		return false
	}
	s.on, s.held = true, true
	st.disappoint()

	return true
}

// describe chooses the columns and empties the sketch.
func (s *Sketcher) describe(st *Statement, rowDescription, formats []byte) {
	n, width := readLayout(&s.layout, st, rowDescription, formats)
	s.width = width
	s.sketch.n, s.sketch.rows = int8(n), 0
	s.sketch.last = [maxColumns]value{}
	clear(s.sketch.columns[:n])
}

// Row takes in the body of a DataRow. It costs next to nothing if rows are not wanted,
// and from the 65th on.
func (s *Sketcher) Row(body []byte) {
	if !s.on {
		return
	}
	s.sketch.rows++
	s.on = s.sketch.rows < maxRows
	s.read(body, true)
}

// Wants reports whether rows are wanted, or more of them.
func (s *Sketcher) Wants() bool {
	return s.on
}

// Last takes in the last row of a result of more than 64, if the caller still has it
// when the result is complete. What goes through pages of a table is known by it.
func (s *Sketcher) Last(body []byte) {
	if s.held && s.sketch.rows == maxRows {
		s.read(body, false)
	}
}

// End ends the result. Rows that come now are not taken in; the sketch stays until the
// next Start.
func (s *Sketcher) End() {
	s.on = false
}

// take returns the sketch of the result that has ended, nil if there is none.
func (s *Sketcher) take() *sketch {
	if s == nil || !s.held {
		return nil
	}
	s.on, s.held = false, false

	return &s.sketch
}

// read goes through the values of a row up to the last that is looked at.
func (s *Sketcher) read(body []byte, fill bool) {
	if len(body) < 2 {
		return
	}
	columns := min(int(binary.BigEndian.Uint16(body)), s.width)
	rest := body[2:]
	for i, next := 0, 0; i < columns && len(rest) >= 4; i++ {
		n := int32(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if int64(n) > int64(len(rest)) || n < -1 {
			return
		}
		raw := rest[:max(n, 0)]
		rest = rest[len(raw):]
		if int(s.layout[next].index) != i {
			continue
		}
		if n >= 0 {
			s.value(next, raw, fill)
		}
		next++
	}
}

// value takes in the value of a column that is looked at.
func (s *Sketcher) value(i int, raw []byte, fill bool) {
	f := &s.layout[i]
	var v value
	var small bool
	switch {
	case f.oid == oidBpchar:
		v, small = ofText(trimBlanks(raw))
	case f.binary:
		v, small = ofBinary(raw, f.oid)
	default:
		v, small = ofText(raw)
	}
	s.sketch.last[i] = v
	if v == 0 || !fill {
		return
	}
	c := &s.sketch.columns[i]
	c.values++
	c.small = c.small || small
	if c.filter.add(v) {
		c.distinct++
	}
}
