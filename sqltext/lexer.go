package sqltext

import (
	"encoding/binary"
	"math/bits"
)

// A tokenKind is what a token is, before its place says what it means.
type tokenKind uint8

const (
	tokEnd     tokenKind = iota // the end of the text
	tokWord                     // a keyword, or a name without quotes
	tokName                     // a name in double quotes
	tokString                   // a string, a bit string
	tokInteger                  // a number without point and exponent
	tokNumber                   // another number
	tokParam                    // $1
	tokOp                       // an operator, of one byte or more
	tokSelf                     // , ( ) [ ] ; : :: := . ..
	tokOther                    // a byte that PostgreSQL's grammar has no use for
	tokInvalid                  // a quote or a comment without an end, a control character
)

// A token is a piece of the text.
type token struct {
	kind    tokenKind
	meaning         // of a word without quotes, or of a function's name
	quote   quoting // of a string or a quoted name
	// char is the byte of an operator or a sign of one byte, otherwise 0, and some
	// signs of two.
	char       byte
	start, end int32  // text[start:end]
	hash       uint64 // of a word, a name, an operator or a sign
}

// A past is what is remembered of a token. Its fields have another order than there, so
// that they are copied one by one: a processor waits where it reads at once what it has
// just written in pieces.
type past struct {
	kw    keyword
	kind  tokenKind
	flags uint8
	char  byte
}

// past returns what is remembered of the token.
func (t *token) past() past {
	return past{t.kw, t.kind, t.flags, t.char}
}

// Signs of two bytes, in token.char.
const (
	charCast   = 'C' // ::
	charAssign = 'A' // :=
	charRange  = 'R' // ..
)

// A lexer cuts a text into tokens where PostgreSQL's scan.l does.
type lexer struct {
	text []byte
	at   int // the first byte that has not been read
	opts Options
	// eight is the last place from which on a word may be read eight bytes at once; -1:
	// none.
	eight int

	// The run of operator bytes that was met last; see operator.
	runEnd, runSign, runTail int

	// The comments of the statement. Offsets are one too high; 0: there is none.
	firstComment int // the first begins
	lastComments int // the last ones begin that only space is between
	lastEnd      int // their last ends
	tokens       int // how many tokens there were before them
	count        int // how many tokens there have been
}

// init makes l read text.
func (l *lexer) init(text []byte, o Options) {
	*l = lexer{}
	l.text, l.opts, l.eight = text, o, -1
	if o.Encoding == ASCIISafe {
		l.eight = len(text) - 8
	}
}

// next reads a token. What most tokens are it finds by itself.
func (l *lexer) next(t *token) {
	l.count++
	i, class := l.skip()
	switch {
	case class == byteWord && i <= l.eight:
		if !l.shortWord(t, i) {
			l.word(t)
		}
	case class == byteDot && byteClass[l.byteAt(i+1)] == byteWord:
		l.sign(t, '.', 1)
	default:
		for !l.token(t, class) {
			_, class = l.skip() // behind a comment
		}
	}
}

// skip goes behind space, and returns where the lexer is then and what begins there.
func (l *lexer) skip() (int, uint8) {
	text, i := l.text, l.at
	for ; i < len(text); i++ {
		if class := byteClass[text[i]]; class != byteSpace {
			l.at = i

			return i, class
		}
	}
	l.at = i

	return i, byteEnd
}

// token reads the token that begins where the lexer is, with a byte of that class. It
// reports whether there is one: instead it may be a comment.
func (l *lexer) token(t *token, class uint8) bool {
	i := l.at
	c := l.byteAt(i)
	switch class {
	case byteEnd:
		l.set(t, tokEnd, i, i)
	case byteWord:
		l.word(t)
	case byteDigit:
		l.number(t)
	case byteOp:
		switch {
		case i+1 == len(l.text) || byteClass[l.text[i+1]] != byteOp: // one byte, as most
			l.set(t, tokOp, i, i+1)
			t.char, t.hash = c, classOp|uint64(c)<<8
		case l.comment():
			return false
		case l.at > i: // the comment has no end
			l.set(t, tokInvalid, i, l.at)
		default:
			l.operator(t)
		}
	case byteSelf:
		l.sign(t, c, 1)
	case byteColon, byteDot:
		l.dots(t, c)
	case byteQuote:
		l.quoted(t, i, l.plain())
	case byteDouble:
		l.name(t, i, i, quoteName)
	case byteDollar:
		l.dollar(t)
	case byteJunk:
		l.set(t, tokInvalid, i, i+1)
	default:
		l.set(t, tokOther, i, i+1)
		t.char, t.hash = c, classOp|uint64(c)<<8
	}

	return true
}

// set makes t the token text[start:end], and goes on behind it.
func (l *lexer) set(t *token, kind tokenKind, start, end int) {
	*t = token{kind: kind, start: int32(start), end: int32(end)}
	l.at = end
}

// sign makes t a sign of n bytes that char stands for.
func (l *lexer) sign(t *token, char byte, n int) {
	l.set(t, tokSelf, l.at, l.at+n)
	t.char, t.hash = char, classOp|uint64(char)<<8
}

// dots reads what begins with c, a colon or a dot.
func (l *lexer) dots(t *token, c byte) {
	switch behind := l.byteAt(l.at + 1); {
	case behind == c && c == ':':
		l.sign(t, charCast, 2)
	case behind == c:
		l.sign(t, charRange, 2)
	case behind == '=' && c == ':':
		l.sign(t, charAssign, 2)
	case isDigit(behind) && c == '.':
		l.number(t)
	default:
		l.sign(t, c, 1)
	}
}

// shortWord reads a word of up to seven letters, digits, _ and $, as most are. It reports
// whether there is one at start, behind which eight bytes are left: it may also be
// longer, have other characters, or belong to a quote. It looks at all eight bytes at
// once, as where a word ends no processor can guess.
func (l *lexer) shortWord(t *token, start int) bool {
	x := binary.LittleEndian.Uint64(l.text[start : start+8])
	letters := lettersIn(x)
	end := highs &^ (letters | digitsIn(x)) & otherThan(x, '_') & otherThan(x, '$')
	if x&highs != 0 || end == 0 {
		return false
	}
	n := bits.TrailingZeros64(end) / 8
	if n == 1 && isPrefixed(byte(x>>8)) {
		return false
	}
	x |= letters & highs >> 2   // capitals become small
	x &= (end ^ (end - 1)) >> 8 // what is in front of the end
	hash := absorb(classWord|uint64(n), x)
	l.at = start + n
	*t = token{kind: tokWord, start: int32(start), end: int32(start + n), hash: hash}
	if n > 1 { // no keyword has one letter
		t.meaning = keywords.find(hash)
	}

	return true
}

// isPrefixed reports whether a letter in front of c may be part of a quote.
func isPrefixed(c byte) bool {
	return c == '\'' || c == '&'
}

// word reads a word, or a quote that a letter or two belong to.
func (l *lexer) word(t *token) {
	start := l.at
	if isPrefixed(l.byteAt(start+1)) && l.prefixed(t) {
		return
	}
	end := l.wordEnd(start)
	l.set(t, tokWord, start, end)
	switch {
	case l.opts.Encoding != ASCIISafe:
		var buf [maxName]byte
		t.hash = hashBytes(classWord, buf[:l.fold(&buf, start, end)])
	case end-start > maxName:
		t.hash = hashWord(l.text, start, cut(l.text, start, end))
	default:
		t.hash = hashWord(l.text, start, end)
	}
	t.meaning = keywords.find(t.hash)
}

// wordEnd returns where the word ends that begins or goes on at i.
func (l *lexer) wordEnd(i int) int {
	text := l.text
	if l.opts.Encoding != ASCIISafe {
		for i < len(text) && inWord[text[i]] {
			i += l.opts.Encoding.width(text[i:])
		}

		return i
	}
	for i < len(text) && inWord[text[i]] {
		i++
	}

	return i
}

// maxName is how many bytes of a name PostgreSQL keeps.
const maxName = 63

// cut returns where the name text[start:end] ends after at most maxName bytes of whole
// characters of UTF-8.
func cut(text []byte, start, end int) int {
	if end-start <= maxName {
		return end
	}
	end = start + maxName
	for i := range 4 {
		if text[end-i]&0xc0 != 0x80 {
			return end - i
		}
	}

	return end // it is not UTF-8
}

// fold copies the word text[start:end] to buf with the capitals of ASCII made small,
// cut to its size, and returns how many bytes that are.
func (l *lexer) fold(buf *[maxName]byte, start, end int) int {
	n := 0
	for start < end {
		w := l.opts.Encoding.width(l.text[start:end])
		if n+w > maxName {
			break
		}
		copy(buf[n:], l.text[start:start+w])
		if c := buf[n]; 'A' <= c && c <= 'Z' {
			buf[n] = c | 0x20
		}
		n += w
		start += w
	}

	return n
}

// comment skips a comment if there is one. One without an end is skipped too, but is
// none.
func (l *lexer) comment() bool {
	i := l.at
	end, ok := skipComment(l.text, i)
	if end == i {
		return false
	}
	l.at = end
	if !ok {
		return false
	}
	if l.firstComment == 0 {
		l.firstComment = i + 1
	}
	if l.lastComments == 0 || l.tokens != l.count {
		l.lastComments, l.tokens = i+1, l.count
	}
	l.lastEnd = end + 1

	return true
}

// skipComment returns where the comment at i ends, or i if there is none, and whether
// it has an end. The line feed behind two dashes is not part of it.
func skipComment(text []byte, i int) (int, bool) {
	switch {
	case !commentAt(text, i):
		return i, true
	case text[i] == '/':
		return skipBlock(text, i+2)
	}
	for i < len(text) && !isNewline(text[i]) {
		i++
	}

	return i, true
}

// commentAt reports whether a comment begins at i.
func commentAt(text []byte, i int) bool {
	return i+1 < len(text) &&
		(text[i] == '-' && text[i+1] == '-' || text[i] == '/' && text[i+1] == '*')
}

// skipBlock returns where the comment ends whose /* is in front of i. Such comments
// nest.
func skipBlock(text []byte, i int) (int, bool) {
	for depth := 1; i+1 < len(text); {
		switch {
		case text[i] == '*' && text[i+1] == '/':
			i += 2
			if depth--; depth == 0 {
				return i, true
			}
		case text[i] == '/' && text[i+1] == '*':
			i += 2
			depth++
		default:
			i++
		}
	}

	return len(text), false
}
