package sqltext

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// MaxText is how many bytes of a normalised text are made; then comes " ...".
const MaxText = 4096

// Normalise returns the first statement of text as the rules leave it: parameters for
// literals, one element for a list, one space or none between tokens, words in lower
// case but for the keywords that stand out. No literal is in it, whatever statement it is. The result has
// the same fingerprint, if it is not longer than [MaxText]; it is "" if there is no
// statement, and "__invalid__" if a quote or a comment does not end.
func Normalise(text []byte, o Options) string {
	var p printer
	s := Scanner{out: &p}
	s.Init(text, o)
	s.Next()

	return p.String()
}

// A printer makes the text of a statement.
type printer struct {
	buf   []byte
	last  glue
	count int  // of placeholders
	full  bool // no more is taken
	marks [maxLists + 1]mark
}

// A mark is a place in the text to which it may go back.
type mark struct {
	length, count int
	last          glue
	full          bool
}

// Glue is how a token sticks to its neighbours.
type glue uint8

const (
	glueStart  glue = iota // there is none
	glueOpen               // an opening bracket: nothing comes between it and what follows
	glueDot                // a dot or ::, behind which a name follows directly
	glueName               // a name: a dot, :: and brackets follow directly
	glueClose              // a closing bracket, a placeholder: so do a dot and ::
	glueNumber             // a number: a closing bracket follows directly
	glueSpace              // a space follows, or a closing parenthesis
)

// String returns the text.
func (p *printer) String() string {
	if p.full {
		return string(p.buf) + " ..."
	}

	return string(p.buf)
}

// begin starts another statement.
func (p *printer) begin() {
	*p = printer{buf: p.buf[:0]}
}

// mark notes the place where an element of the n-th list begins, with its comma.
func (p *printer) mark(n int) {
	p.marks[n] = mark{len(p.buf), p.count, p.last, p.full}
}

// rewind goes back there.
func (p *printer) rewind(n int) {
	m := p.marks[n]
	p.buf, p.count, p.last, p.full = p.buf[:m.length], m.count, m.last, m.full
}

// put writes a token, with a space in front of it unless it is tight.
func (p *printer) put(b []byte, tight bool, next glue) {
	if p.full || len(p.buf)+1+len(b) > MaxText {
		p.full = true

		return
	}
	if !tight && p.last != glueStart && p.last != glueOpen {
		p.buf = append(p.buf, ' ')
	}
	p.buf = append(p.buf, b...)
	p.last = next
}

// word writes a word without quotes.
func (p *printer) word(s *Scanner, t *token) {
	if s.numbered {
		p.name(s, t)

		return
	}
	var buf [maxName]byte
	var b []byte
	next := glueName
	if s.lex.opts.Encoding != ASCIISafe {
		b = buf[:s.lex.fold(&buf, int(t.start), int(t.end))]
		next = glueSpace // a character that lacks its end would take the next byte for it
	} else {
		b = buf[:copy(buf[:], s.lex.text[t.start:cut(s.lex.text, int(t.start), int(t.end))])]
		for i, c := range b {
			if 'A' <= c && c <= 'Z' {
				b[i] = c | 0x20
			}
		}
	}
	first := p.last == glueStart && kindOf[t.kw] != Empty
	if first || t.flags&isShouted != 0 || t.kw > kwOther && t.flags&isFunction == 0 && s.st.Kind.utility() {
		b = bytes.ToUpper(b)
		if t.kw != kwCast && t.kw != kwArray {
			next = glueSpace
		}
	}
	p.put(b, p.last == glueDot, next)
}

// name writes a name, in quotes if it needs them.
func (p *printer) name(s *Scanner, t *token) {
	var buf [maxName + utf8.UTFMax]byte
	var name []byte
	if s.numbered {
		name = s.withoutNumbers(&buf, t)
	} else {
		name = s.lex.unquoteName(&buf, t)
	}
	tight := p.last == glueDot
	if isPlain(name) {
		if keywords.find(hashBytes(classWord, name)).kw == 0 {
			next := glueName
			if s.lex.opts.Encoding != ASCIISafe {
				next = glueSpace // as behind a word
			}
			p.put(name, tight, next)

			return
		}
	}
	quoted := append([]byte{'"'}, bytes.ReplaceAll(name, []byte{'"'}, []byte(`""`))...)
	p.put(append(quoted, '"'), tight, glueName)
}

// operator writes an operator.
func (p *printer) operator(b []byte) {
	if string(b) == "!=" {
		b = []byte("<>")
	}
	p.put(b, string(b) == "*" && p.last == glueDot, glueSpace)
}

// sign writes a bracket or another sign.
func (p *printer) sign(c byte) {
	named := p.last == glueName
	joins := named || p.last == glueClose
	switch c {
	case '(', '[':
		p.put([]byte{c}, named || c == '[' && joins, glueOpen)
	case ')':
		p.put([]byte{c}, true, glueClose)
	case ']':
		p.put([]byte{c}, p.last != glueSpace, glueClose)
	case ',':
		p.put([]byte{c}, true, glueSpace)
	case '.':
		p.put([]byte{c}, joins, glueDot)
	case charCast:
		p.put([]byte("::"), joins, glueDot)
	case charAssign:
		p.put([]byte(":="), false, glueSpace)
	case charRange:
		p.put([]byte(".."), false, glueSpace)
	default:
		p.put([]byte{c}, false, glueSpace)
	}
}

// other writes a byte that has no meaning.
func (p *printer) other(c byte) {
	p.put([]byte{c}, false, glueSpace)
}

// raw writes a number that is kept.
func (p *printer) raw(text string) {
	p.put([]byte(text), false, glueNumber)
}

// placeholder writes the next parameter.
func (p *printer) placeholder() {
	p.count++
	p.put(strconv.AppendInt([]byte{'$'}, int64(p.count), 10), false, glueClose)
}
