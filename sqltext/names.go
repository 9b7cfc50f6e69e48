package sqltext

import (
	"bytes"
	"unicode/utf8"
)

// name reads a name in double quotes, the first of which is at open.
func (l *lexer) name(t *token, start, open int, how quoting) {
	i := open + 1
	doubled := false
	for {
		n := bytes.IndexByte(l.text[i:], '"')
		if n < 0 {
			l.set(t, tokInvalid, start, len(l.text))

			return
		}
		i += n + 1
		if l.byteAt(i) != '"' {
			break
		}
		doubled = true
		i++
	}
	l.set(t, tokName, start, i)
	t.quote = how
	inner := l.text[open+1 : i-1]
	escape := byte('\\')
	if how == quoteUnicode {
		escape = l.skipUescape()
	}
	if how != quoteUnicode && !doubled {
		l.nameHash(t, inner[:cut(inner, 0, len(inner))])

		return
	}
	var buf [maxName + utf8.UTFMax]byte
	l.nameHash(t, unquote(&buf, inner, how, escape))
}

// nameHash sets the hash of a quoted name. It is that of a word if the name could be
// written as one.
func (l *lexer) nameHash(t *token, name []byte) {
	if !isPlain(name) {
		t.hash = hashBytes(classQuoted, name)

		return
	}
	t.hash = hashBytes(classWord, name)
	switch m := keywords.find(t.hash); {
	case m.flags&isReserved != 0:
		t.hash = hashBytes(classQuoted, name)
	case m.flags&isFunction != 0:
		t.kw = m.kw
	}
}

// isPlain reports whether a name is spelled as an unquoted one would be kept.
func isPlain(name []byte) bool {
	for i, c := range name {
		if (c < 'a' || c > 'z') && c != '_' && (i == 0 || !isDigit(c) && c != '$') {
			return false
		}
	}

	return len(name) > 0
}

// unquote returns the name that is written as inner between quotes, cut to what
// PostgreSQL keeps, in buf.
func unquote(buf *[maxName + utf8.UTFMax]byte, inner []byte, how quoting, escape byte) []byte {
	b := buf[:0]
	for i := 0; i < len(inner) && len(b) <= maxName; {
		c := inner[i]
		switch {
		case c == '"': // doubled
			i += 2
		case how == quoteUnicode && c == escape:
			r, n := unescape(inner[i:], escape)
			i += n
			b = utf8.AppendRune(b, r)

			continue
		default:
			i++
		}
		b = append(b, c)
	}

	return b[:cut(b, 0, len(b))]
}

// unescape returns the character that b begins with, which is escaped, and how many
// bytes stand for it.
func unescape(b []byte, escape byte) (rune, int) {
	if len(b) > 1 && b[1] == escape {
		return rune(escape), 2
	}
	begin, end := 1, 5
	if len(b) > 1 && b[1] == '+' {
		begin, end = 2, 8
	}
	if len(b) < end {
		return rune(escape), 1
	}
	r := rune(0)
	for _, c := range b[begin:end] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case isHex(c):
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return rune(escape), 1
		}
	}
	if r == 0 {
		return rune(escape), 1 // PostgreSQL refuses it
	}

	return r, end
}

// unquoteName returns the name that the token t is, in buf or in the text.
func (l *lexer) unquoteName(buf *[maxName + utf8.UTFMax]byte, t *token) []byte {
	open := int(t.start)
	escape := byte('\\')
	if t.quote == quoteUnicode {
		open += len("U&")
		ahead := *l
		ahead.at = int(t.end)
		escape = ahead.skipUescape()
	}

	return unquote(buf, l.text[open+1:t.end-1], t.quote, escape)
}

// skipUescape goes behind the words UESCAPE 'x', which may follow a string or name of
// U&, and returns x, or a backslash.
func (l *lexer) skipUescape() byte {
	const word = "uescape"
	ahead := *l
	ahead.space()
	i := ahead.at + len(word)
	if i >= len(l.text) || inWord[l.text[i]] || !bytes.EqualFold(l.text[ahead.at:i], []byte(word)) {
		return '\\'
	}
	ahead.at = i
	ahead.space()
	i = ahead.at
	if l.byteAt(i) != '\'' || l.byteAt(i+2) != '\'' {
		return '\\'
	}
	ahead.at = i + 3
	*l = ahead

	return l.text[i+1]
}

// space goes behind space and comments.
func (l *lexer) space() {
	for l.at < len(l.text) {
		if byteClass[l.text[l.at]] == byteSpace {
			l.at++
		} else if !commentAt(l.text, l.at) || !l.comment() {
			return
		}
	}
}
