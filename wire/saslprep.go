package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// saslprep prepares a password for SCRAM as PostgreSQL does (pg_saslprep in
// src/common/saslprep.c, after RFC 4013): exotic spaces become plain ones, invisible
// characters go, and what looks alike is made alike (NFKC). A password that is not
// UTF-8, has a prohibited character or ends up empty is taken as it is.
//
// Two of the RFC's checks are left out, for characters that Unicode 3.2 did not know
// and for mixed directions. They would matter only to a password that both fails them
// and is changed by the preparation.
func saslprep(password string) string {
	if isASCII(password) || !utf8.ValidString(password) {
		return password
	}
	prepared := norm.NFKC.String(strings.Map(mapRune, password))
	if prepared == "" || strings.ContainsFunc(prepared, prohibited) {
		return password
	}

	return prepared
}

// isASCII reports whether s is ASCII, which the preparation leaves as it is.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// mapRune is the RFC's mapping step: -1 for a character that goes.
func mapRune(r rune) rune {
	switch {
	case unicode.Is(mappedToNothing, r):
		return -1
	case r == 0x200B, r >= utf8.RuneSelf && unicode.Is(unicode.Zs, r):
		return ' '
	default:
		return r
	}
}

// prohibited reports whether a character may not be in a prepared password.
func prohibited(r rune) bool {
	noncharacter := r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF

	return noncharacter || unicode.In(r, unicode.Cc, unicode.Co, prohibitedOutput)
}

// mappedToNothing is table B.1 of RFC 3454.
var mappedToNothing = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00AD, Hi: 0x00AD, Stride: 1},
		{Lo: 0x034F, Hi: 0x034F, Stride: 1},
		{Lo: 0x1806, Hi: 0x1806, Stride: 1},
		{Lo: 0x180B, Hi: 0x180D, Stride: 1},
		{Lo: 0x200C, Hi: 0x200D, Stride: 1},
		{Lo: 0x2060, Hi: 0x2060, Stride: 1},
		{Lo: 0xFE00, Hi: 0xFE0F, Stride: 1},
		{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1},
	},
}

// prohibitedOutput is what tables C.2.2 and C.6 to C.9 of RFC 3454 have beyond the
// categories of control and private characters.
var prohibitedOutput = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x0340, Hi: 0x0341, Stride: 1},
		{Lo: 0x06DD, Hi: 0x06DD, Stride: 1},
		{Lo: 0x070F, Hi: 0x070F, Stride: 1},
		{Lo: 0x180E, Hi: 0x180E, Stride: 1},
		{Lo: 0x200C, Hi: 0x200F, Stride: 1},
		{Lo: 0x2028, Hi: 0x202E, Stride: 1},
		{Lo: 0x2060, Hi: 0x2063, Stride: 1},
		{Lo: 0x206A, Hi: 0x206F, Stride: 1},
		{Lo: 0x2FF0, Hi: 0x2FFB, Stride: 1},
		{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1},
		{Lo: 0xFFF9, Hi: 0xFFFD, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1D173, Hi: 0x1D17A, Stride: 1},
		{Lo: 0xE0001, Hi: 0xE0001, Stride: 1},
		{Lo: 0xE0020, Hi: 0xE007F, Stride: 1},
	},
}
