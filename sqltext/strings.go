package sqltext

import "bytes"

// A quoting is how a string or a name is quoted.
type quoting uint8

const (
	quoteNone    quoting = iota
	quotePlain           // '...', in which only a quote is special
	quoteEscapes         // E'...', and '...' without standard_conforming_strings: a backslash is
	quoteUnicode         // U&'...' and U&"..."
	quoteBits            // B'...' and X'...', in which two quotes are an end and a beginning
	quoteDollar          // $$...$$
	quoteName            // "..."
)

// plain returns what a quote alone begins.
func (l *lexer) plain() quoting {
	if l.opts.BackslashQuotes {
		return quoteEscapes
	}

	return quotePlain
}

// prefixed reads a string or name that begins with letters, if there is one.
func (l *lexer) prefixed(t *token) bool {
	i := l.at
	switch behind := l.byteAt(i + 1); {
	case behind == '\'':
		switch l.text[i] {
		case 'e', 'E':
			l.quoted(t, i+1, quoteEscapes)
		case 'b', 'B', 'x', 'X':
			l.quoted(t, i+1, quoteBits)
		case 'n', 'N':
			l.quoted(t, i+1, l.plain())
		default:
			return false
		}
	case behind == '&' && l.text[i]|0x20 == 'u' && l.byteAt(i+2) == '\'':
		l.quoted(t, i+2, quoteUnicode)
		l.skipUescape()
	case behind == '&' && l.text[i]|0x20 == 'u' && l.byteAt(i+2) == '"':
		l.name(t, i, i+2, quoteUnicode)
	default:
		return false
	}

	return true
}

// quoted reads a string whose first quote is at open. The token begins where the lexer
// is.
func (l *lexer) quoted(t *token, open int, how quoting) {
	start := l.at
	end := open
	for {
		end = l.closing(end+1, how)
		if end < 0 {
			l.set(t, tokInvalid, start, len(l.text))

			return
		}
		next := continuation(l.text, end)
		if next < 0 {
			break
		}
		end = next // where the string goes on, with another quote
	}
	l.set(t, tokString, start, end)
	t.quote = how
}

// closing returns the end of the string that goes on at i, behind its closing quote, or
// -1 if it has none.
func (l *lexer) closing(i int, how quoting) int {
	if how == quoteEscapes {
		return l.closingEscaped(i)
	}
	for {
		n := bytes.IndexByte(l.text[i:], '\'')
		if n < 0 {
			return -1
		}
		i += n + 1
		if how == quoteBits || l.byteAt(i) != '\'' {
			return i
		}
		i++
	}
}

// closingEscaped is closing for a string in which a backslash takes the next character
// for itself.
func (l *lexer) closingEscaped(i int) int {
	text := l.text
	for i < len(text) {
		switch c := text[i]; {
		case c == '\\':
			i++
			if i < len(text) {
				i += l.opts.Encoding.width(text[i:])
			}
		case c == '\'':
			i++
			if l.byteAt(i) != '\'' {
				return i
			}
			i++
		case c >= 0x80:
			i += l.opts.Encoding.width(text[i:])
		default:
			i++
		}
	}

	return -1
}

// continuation returns where the string that has ended at i goes on, at its next quote,
// or -1 if it does not: there must be a new line in between, and nothing but space and
// comments of two dashes.
func continuation(text []byte, i int) int {
	newline := false
	for i < len(text) {
		switch c := text[i]; {
		case isNewline(c):
			newline = true
			i++
		case byteClass[c] == byteSpace:
			i++
		case c == '\'' && newline:
			return i
		case c == '-':
			end, _ := skipComment(text, i)
			if end == i {
				return -1
			}
			i = end
		default:
			return -1
		}
	}

	return -1
}

// dollar reads a parameter, a string in dollar quotes, or a dollar sign alone.
func (l *lexer) dollar(t *token) {
	start := l.at
	i := start + 1
	if isDigit(l.byteAt(i)) {
		for isDigit(l.byteAt(i)) {
			i++
		}
		l.set(t, tokParam, start, l.junk(i))

		return
	}
	for i < len(l.text) && inWord[l.text[i]] && l.text[i] != '$' {
		i += l.opts.Encoding.width(l.text[i:])
	}
	if l.byteAt(i) != '$' {
		l.set(t, tokOther, start, start+1)
		t.char, t.hash = '$', classOp|'$'<<8

		return
	}
	tag := l.text[start : i+1]
	n := bytes.Index(l.text[i+1:], tag)
	if n < 0 {
		l.set(t, tokInvalid, start, len(l.text))

		return
	}
	l.set(t, tokString, start, i+1+n+len(tag))
	t.quote = quoteDollar
}
