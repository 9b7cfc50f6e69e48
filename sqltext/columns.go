package sqltext

import (
	"bytes"
	"math"
)

// A Comparison is what a value of a statement is compared with, as far as the words tell:
// by =, IN, = ANY or IS NOT DISTINCT FROM. Where they leave a doubt, as in a = $1 + 1,
// Table and Column are empty.
type Comparison struct {
	// Parameter is n if the value is the parameter $n, and 0 if it is a literal.
	Parameter int
	// Table is that of the column, with its schema if the statement names one. It is ""
	// if there is no column, if the column may be of more than one table, and if it is
	// of something else: a query in FROM or WITH, a function.
	Table string
	// Column is the column's name, as PostgreSQL keeps it; "" if there is none.
	Column string
}

// maxCompared is how many values are told of. More of them do not help to find out what a
// statement looks for, and a list may have a million.
const maxCompared = 16

// A stage is how far a comparison has been read.
type stage uint8

const (
	stageNone          stage = iota // nothing begins here
	stageBegins                     // an expression begins
	stageName                       // the left side is a name, which may go on
	stageLeft                       // the left side is a row of columns or a value
	stageIs                         // IS
	stageIsNot                      // IS NOT
	stageIsNotDistinct              // IS NOT DISTINCT
	stageIn                         // IN, or = ANY
	stageRight                      // an expression begins on the right side
	stageRightName                  // the right side is a name, which may go on
	stageRightValue                 // a value has been read there
)

// A column is one as it is written. No parts: there is none.
type column struct {
	parts []token // of its name, with the table's and the schema's in front
	scope int
}

// maxParts is how many parts the name of a column may have: database, schema, table, column.
const maxParts = 4

// A value is a literal or parameter of a statement.
type value struct {
	parameter int
	with      column
}

// A comparing is a comparison that is being read.
type comparing struct {
	stage   stage
	left    []column // what is on the left side: a column, or a row of them
	value   int      // the value that is there instead, from 1 on; 0: there is none
	right   column
	row     int  // the depth of the brackets of a row that is being read; 0: there is none
	list    int  // the same of what is on the right side
	place   int  // which of left the next value in a row is compared with
	many    bool // IN or ANY: the list is not a row, but holds values or rows
	between bool // the next AND belongs to BETWEEN
}

// value takes in that there is a literal, or the parameter of that number.
func (w *observer) value(parameter int) {
	if len(w.found.Compared)+len(w.values) == maxCompared {
		w.enough = true

		return
	}
	w.values = append(w.values, value{parameter: parameter})
}

// ordinal returns n of the parameter $n.
func ordinal(text []byte) int {
	n := 0
	for _, c := range text[1:] {
		if !isDigit(c) {
			break
		}
		n = min(10*n+int(c-'0'), math.MaxInt32)
	}

	return n
}

// compare takes in a token of a comparison, or of something else.
func (w *observer) compare(s *Scanner, f *frame, t *token) {
	c := &w.comparing
	switch {
	case w.enough:
	case len(w.values) > w.compared:
		w.compared = len(w.values)
		w.compareValue()
	case t.char == charCast, s.typing, f.flags&frameTyping != 0: // changes the type only
	case t.kind == tokSelf:
		w.compareSign(s, t)
	case t.kind == tokOp:
		w.compareOperator(s, t)
	case t.kind == tokName, t.kind == tokWord && t.flags&isReserved == 0 && t.kw != kwSet:
		w.compareName(s, t)
	case t.kind == tokWord:
		w.compareWord(s, t)
	default:
		c.stage = stageNone
	}
}

// compareValue takes in the value that has been read last.
func (w *observer) compareValue() {
	c := &w.comparing
	i := len(w.values) - 1
	switch {
	case c.stage == stageBegins:
		c.stage, c.left, c.value, c.row = stageLeft, nil, i+1, 0
	case c.stage == stageRight && c.place < len(c.left):
		w.values[i].with = c.left[c.place]
		c.stage = stageRightValue
	default:
		c.stage = stageNone
	}
}

// compareName takes in a name, or a part of one.
func (w *observer) compareName(s *Scanner, t *token) {
	c := &w.comparing
	typed := t.kind == tokWord && s.next.kind == tokString // date '2026-01-01'
	switch c.stage {
	case stageBegins:
		if !typed {
			c.begin(column{[]token{*t}, w.scope}, s.depth)
		}
	case stageRight:
		if !typed {
			c.stage, c.right = stageRightName, column{[]token{*t}, w.scope}
		}
	case stageName:
		c.goOn(&c.left[len(c.left)-1], w.prev.char == '.', t)
	case stageRightName:
		c.goOn(&c.right, w.prev.char == '.', t)
	default:
		if t.kw == kwPlain {
			w.takeBack() // AT TIME ZONE
		}
		c.stage = stageNone
	}
}

// begin takes in the first part of a name on the left side.
func (c *comparing) begin(name column, depth int) {
	if c.row == 0 || c.row != depth {
		c.left, c.row = nil, 0
	}
	c.stage, c.value, c.left = stageName, 0, append(c.left, name)
}

// goOn takes in another part of a name, if there is a dot in front of it.
func (c *comparing) goOn(name *column, dot bool, t *token) {
	if !dot || len(name.parts) == maxParts {
		c.stage = stageNone

		return
	}
	name.parts = append(name.parts, *t)
}

// compareOperator takes in an operator. Behind a value it makes that a part of something
// else.
func (w *observer) compareOperator(s *Scanner, t *token) {
	c := &w.comparing
	switch {
	case t.char == '=' && (c.stage == stageName || c.stage == stageLeft):
		c.turn(stageRight, false)
	case t.char == '-' && (s.next.kind == tokInteger || s.next.kind == tokNumber) &&
		(c.stage == stageBegins || c.stage == stageRight): // its sign
	default:
		w.takeBack()
	}
}

// turn goes over to the right side.
func (c *comparing) turn(next stage, many bool) {
	c.stage, c.many = next, many
	c.row, c.list, c.place = 0, 0, 0
}

// takeBack takes in that the last value is not all of the right side.
func (w *observer) takeBack() {
	if w.comparing.stage == stageRightValue {
		w.values[len(w.values)-1].with = column{}
	}
	w.comparing.stage = stageNone
}

// compareWord takes in a keyword.
func (w *observer) compareWord(s *Scanner, t *token) {
	c := &w.comparing
	if bindsTighter(t.kw) && (c.stage == stageRightValue || c.stage == stageRightName) {
		w.takeBack()
	}
	w.complete()
	named := c.stage == stageName || c.stage == stageLeft
	switch {
	case t.kw == kwAnd && c.between:
		c.stage, c.between = stageNone, false
	case t.kw == kwIn && named && c.value == 0:
		c.turn(stageIn, true)
	case t.kw == kwIs && named:
		c.stage = stageIs
	case t.kw == kwNot && c.stage == stageIs:
		c.stage = stageIsNot
	case t.kw == kwDistinct && c.stage == stageIsNot:
		c.stage = stageIsNotDistinct
	case t.kw == kwFrom && c.stage == stageIsNotDistinct:
		c.turn(stageRight, false)
	case c.stage == stageRight && c.list == 0 && len(c.left) == 1 && s.isAny(t):
		c.stage, c.many = stageIn, true
	case t.kw == kwArray && c.stage == stageRight && c.many:
	case t.kw == kwNot && named, !beginsCondition(t.kw):
		c.between = c.between || t.kw == kwBetween
		c.stage = stageNone
	default:
		c.stage, c.row = stageBegins, 0
	}
}

// bindsTighter reports whether a keyword is an operator that comes before =, so that
// a = b LIKE c is a = (b LIKE c).
func bindsTighter(kw keyword) bool {
	return kw == kwPlain || kw == kwIn || kw == kwNot || kw == kwBetween
}

// isAny reports whether a word is ANY or SOME.
func (s *Scanner) isAny(t *token) bool {
	word := s.lex.text[t.start:t.end]

	return bytes.EqualFold(word, []byte("any")) || bytes.EqualFold(word, []byte("some"))
}

// beginsCondition reports whether a condition or another expression may begin behind a
// keyword.
func beginsCondition(kw keyword) bool {
	switch kw {
	case kwWhere, kwAnd, kwOr, kwNot, kwOn, kwHaving, kwCase, kwWhen, kwThen, kwElse, kwSelect, kwReturning:
		return true
	}

	return false
}

// compareSign takes in a bracket, a comma, a dot.
func (w *observer) compareSign(s *Scanner, t *token) {
	c := &w.comparing
	switch t.char {
	case '.':
		if c.stage != stageName && c.stage != stageRightName {
			c.stage = stageNone
		}
	case '(':
		w.compareOpen(s)
	case ')', ']':
		w.compareClose(s)
	case ',':
		w.compareComma(s)
	case '[':
		if c.stage == stageRight && c.many && w.prev.kw == kwArray {
			c.list = s.depth
		} else {
			w.takeBack()
		}
	default:
		c.stage = stageNone
	}
}

// compareOpen takes in an opening bracket.
func (w *observer) compareOpen(s *Scanner) {
	c := &w.comparing
	switch {
	case c.stage == stageIn, c.stage == stageRight && c.list == 0 && c.value == 0:
		c.stage, c.list = stageRight, s.depth
	case c.stage == stageRight && c.many && len(c.left) > 1 && s.depth == c.list+1:
		c.place = 0
	case w.stores(s.depth - 1): // SET (a, b) = ...
		c.stage = stageNone
	case c.stage == stageBegins:
		c.left, c.row = nil, s.depth
	default:
		c.stage, c.row = stageBegins, 0
	}
}

// stores reports whether what comes at that depth is a column to which SET gives a value.
func (w *observer) stores(depth int) bool {
	return w.scope > 0 && w.scopes[w.scope-1].storing && w.scopes[w.scope-1].depth == depth &&
		(w.prev.kw == kwSet || w.prev.char == ',')
}

// compareComma takes in a comma.
func (w *observer) compareComma(s *Scanner) {
	c := &w.comparing
	switch {
	case c.stage == stageName && c.row == s.depth && len(c.left) < maxCompared:
		c.stage = stageBegins
	case c.stage == stageRightValue && c.list > 0:
		if len(c.left) > 1 && (!c.many || s.depth > c.list) {
			c.place++
		}
		c.stage = stageRight
	default:
		w.complete()
		c.stage, c.row = stageBegins, 0
		if w.scope > 0 && w.scopes[w.scope-1].storing && w.scopes[w.scope-1].depth == s.depth {
			c.stage = stageNone
		}
	}
}

// compareClose takes in a closing bracket.
func (w *observer) compareClose(s *Scanner) {
	c := &w.comparing
	inside := s.depth + 1
	switch {
	case c.stage == stageName && c.row == inside:
		c.stage, c.row = stageLeft, 0
	case c.stage == stageRightValue && c.many && inside == c.list+1: // of a row in a list
		c.place = 0
	case c.stage == stageRightValue && inside == c.list:
		c.list = 0
	default:
		w.complete()
		c.stage = stageNone
	}
}

// complete takes in the end of a comparison: $1 = a is complete only then.
func (w *observer) complete() {
	c := &w.comparing
	if c.stage == stageRightName && c.value > 0 {
		w.values[c.value-1].with = c.right
	}
}

// resolved appends what the values of the statement are compared with.
func (w *observer) resolved(s *Scanner) {
	w.complete()
	for _, v := range w.values {
		found := Comparison{Parameter: v.parameter}
		if n := len(v.with.parts); n > 0 {
			found.Column = s.spelling(&v.with.parts[n-1])
			found.Table = w.tableOf(s, v.with)
		}
		w.found.Compared = append(w.found.Compared, found)
	}
	w.values = nil
}
