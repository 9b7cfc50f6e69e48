package sqltext

// What a byte can begin outside quotes and comments.
const (
	byteOther  = iota // nothing that PostgreSQL knows: { } \
	byteSpace         // space, tab, line feed, carriage return, form feed, vertical tab
	byteWord          // a letter, an underscore, or a byte of a character beyond ASCII
	byteDigit         // 0 to 9
	byteOp            // an operator or a comment
	byteSelf          // a token of one byte: , ( ) [ ] ;
	byteColon         // : :: :=
	byteDot           // . .. or a number
	byteQuote         // '
	byteDouble        // "
	byteDollar        // a parameter or a dollar quote
	byteJunk          // a control character
	byteEnd           // nothing: the end of the text
)

// byteClass says what each byte can begin. The sets are those of PostgreSQL's scan.l.
var byteClass = classes()

// inWord says which bytes go on with a word: those that begin one, digits and $.
var inWord = wordBytes()

// classes makes byteClass.
func classes() (table [256]uint8) {
	set := func(class uint8, bytes string) {
		for i := range len(bytes) {
			table[bytes[i]] = class
		}
	}
	for c := range 256 {
		switch {
		case c < ' ' || c == 0x7f:
			table[c] = byteJunk
		case c >= 0x80 || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_':
			table[c] = byteWord
		case '0' <= c && c <= '9':
			table[c] = byteDigit
		}
	}
	set(byteSpace, " \t\n\r\f\v")
	set(byteOp, "~!@#^&|`?+-*/%<>=")
	set(byteSelf, ",()[];")
	set(byteColon, ":")
	set(byteDot, ".")
	set(byteQuote, "'")
	set(byteDouble, `"`)
	set(byteDollar, "$")

	return table
}

// wordBytes makes inWord.
func wordBytes() (table [256]bool) {
	for c, class := range classes() {
		table[c] = class == byteWord || class == byteDigit || c == '$'
	}

	return table
}

// isDigit reports whether c is a decimal digit.
func isDigit(c byte) bool {
	return c-'0' <= 9
}

// isNewline reports whether c ends a line, and with it a comment of two dashes.
func isNewline(c byte) bool {
	return c == '\n' || c == '\r'
}
