package sqltext

import "strings"

// An Encoding says which bytes of a text belong to the byte in front of them. It
// matters where the second byte of a character may be one of ASCII: a backslash in
// Shift JIS does not escape the quote behind it. PostgreSQL takes such encodings from
// clients only, and converts a text before it reads it; a proxy sees it before that.
type Encoding uint8

// The encodings. The zero value stands for all in which a byte of ASCII is that
// character: UTF8, LATIN1, EUC_JP and most others.
const (
	ASCIISafe  Encoding = iota
	ShiftJIS            // SJIS and SHIFT_JIS_2004
	DoubleByte          // BIG5, GBK and UHC
	Johab
	GB18030
)

// EncodingOf returns the encoding that client_encoding names, in the spelling that
// PostgreSQL reports.
func EncodingOf(clientEncoding string) Encoding {
	switch strings.ToUpper(clientEncoding) {
	case "SJIS", "SHIFT_JIS_2004":
		return ShiftJIS
	case "BIG5", "GBK", "UHC":
		return DoubleByte
	case "JOHAB":
		return Johab
	case "GB18030":
		return GB18030
	}

	return ASCIISafe
}

// width returns how many bytes the character at the beginning of b has. Bytes that end
// no character, such as space and quotes, are not taken for part of one that lacks its
// end: PostgreSQL refuses such a text. b is not empty.
func (e Encoding) width(b []byte) int {
	c := b[0]
	n := 2
	switch {
	case c < 0x80 || e == ASCIISafe || e == ShiftJIS && c >= 0xa1 && c <= 0xdf:
		return 1
	case e == Johab && c == 0x8f:
		n = 3
	case e == GB18030 && len(b) > 1 && isDigit(b[1]):
		n = 4
	}
	for i := 1; i < n; i++ {
		if i == len(b) || b[i] < '0' {
			return i
		}
	}

	return n
}
