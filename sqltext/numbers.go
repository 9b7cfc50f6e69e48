package sqltext

// number reads a number. What directly follows it as a word would is taken for part of
// it: PostgreSQL refuses such a text from version 15 on, and a mistyped value must not
// be taken for a name, which would be shown.
func (l *lexer) number(t *token) {
	text, start := l.text, l.at
	end := start
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if c := byteClass[l.byteAt(end)]; c != byteWord && c != byteDot { // as most
		l.set(t, tokInteger, start, end)

		return
	}
	kind := tokInteger
	i := l.based(start)
	if i == start {
		i = l.digits(start)
		if point := l.fraction(i); point > i {
			i, kind = point, tokNumber
		}
		if exponent := l.exponent(i); exponent > i {
			i, kind = exponent, tokNumber
		}
	}
	l.set(t, kind, start, l.junk(i))
}

// byteAt returns the byte at i, or 0 behind the end.
func (l *lexer) byteAt(i int) byte {
	if i < len(l.text) {
		return l.text[i]
	}

	return 0
}

// based returns where an integer like 0xFF, 0o17 or 0b1 ends that begins at i, or i if
// there is none.
func (l *lexer) based(i int) int {
	if l.byteAt(i) != '0' {
		return i
	}
	var ok func(byte) bool
	switch l.byteAt(i+1) | 0x20 {
	case 'x':
		ok = isHex
	case 'o':
		ok = isOctal
	case 'b':
		ok = isBinary
	default:
		return i
	}
	end := i + 2
	for {
		switch {
		case ok(l.byteAt(end)):
			end++
		case l.byteAt(end) == '_' && ok(l.byteAt(end+1)):
			end += 2
		case end == i+2:
			return i
		default:
			return end
		}
	}
}

// isHex reports whether c is a hexadecimal digit.
func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// isOctal reports whether c is an octal digit.
func isOctal(c byte) bool { return c-'0' <= 7 }

// isBinary reports whether c is 0 or 1.
func isBinary(c byte) bool { return c-'0' <= 1 }

// digits returns where the digits end that begin at i, single underscores between them
// included.
func (l *lexer) digits(i int) int {
	for isDigit(l.byteAt(i)) || l.byteAt(i) == '_' && i > l.at && isDigit(l.byteAt(i-1)) && isDigit(l.byteAt(i+1)) {
		i++
	}

	return i
}

// fraction returns where the point at i and the digits behind it end, or i if there is
// none: the two points of 1..10 are not part of a number.
func (l *lexer) fraction(i int) int {
	if l.byteAt(i) != '.' || l.byteAt(i+1) == '.' {
		return i
	}

	return l.digits(i + 1)
}

// exponent returns where the exponent ends that begins at i, or i if there is none.
func (l *lexer) exponent(i int) int {
	if l.byteAt(i)|0x20 != 'e' {
		return i
	}
	end := i + 1
	if c := l.byteAt(end); c == '+' || c == '-' {
		end++
	}
	if !isDigit(l.byteAt(end)) {
		return i
	}

	return l.digits(end)
}

// junk returns where the word ends that begins at i, or i if there is none.
func (l *lexer) junk(i int) int {
	if i < len(l.text) && byteClass[l.text[i]] == byteWord {
		return l.wordEnd(i)
	}

	return i
}
