package nplusone

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// A value is the hash of one value in a canonical form: the integer 7 is the same in
// text and in binary, in two bytes or in eight; so is a uuid. 0 stands for NULL, and for
// what is not looked at.
type value = uint64

// maxText is the longest text, in bytes, that is taken for a key.
const maxText = 64

// seed makes hashes of bytes unpredictable to who sends them. It is set once.
var seed = maphash.MakeSeed()

// Identifiers of the types that keys have.
const (
	oidInt8    = 20
	oidInt2    = 21
	oidInt4    = 23
	oidText    = 25
	oidBpchar  = 1042
	oidVarchar = 1043
	oidUUID    = 2950
)

// keyLike reports whether columns of the type may be keys.
func keyLike(oid uint32) bool {
	return isShort(oid) || oid == oidText || oid == oidVarchar || oid == oidBpchar
}

// isShort reports whether the type is one of those that keys mostly have.
func isShort(oid uint32) bool {
	return oid == oidInt8 || oid == oidInt4 || oid == oidInt2 || oid == oidUUID
}

// smallest is the number from which on integers are not small: below, each table has
// the same.
const smallest = 10_000

// integer returns the hash of an integer.
func integer(n int64) value {
	hi, lo := bits.Mul64(uint64(n)^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	h := (hi ^ lo) * 0xff51afd7ed558ccd

	return (h ^ h>>32) | 1
}

// ofUUID returns the hash of a uuid.
func ofUUID(b *[16]byte) value {
	return integer(int64(binary.BigEndian.Uint64(b[:8]))) ^
		bits.RotateLeft64(integer(int64(binary.BigEndian.Uint64(b[8:]))), 31) | 1
}

// bytesOf returns the hash of bytes that are no integer.
func bytesOf(b []byte) value {
	return maphash.Bytes(seed, b) | 1
}

// ofText returns the hash of a value in text format, and whether it is a small integer.
// What it looks like decides, not its type, which may be unknown: '7' compared to an
// integer is 7.
func ofText(b []byte) (v value, small bool) {
	if n, ok := parseInteger(b); ok {
		return integer(n), n < smallest && n > -smallest
	}
	if len(b) == 36 {
		var uuid [16]byte
		if parseUUID(&uuid, b) {
			return ofUUID(&uuid), false
		}
	}
	if len(b) > maxText || len(b) == 0 {
		return 0, false
	}

	return bytesOf(b), false
}

// ofBinary returns the hash of a value in binary format, and whether it is a small
// integer. oid is its type, 0 if unknown.
func ofBinary(b []byte, oid uint32) (v value, small bool) {
	switch oid {
	case oidInt2, oidInt4, oidInt8:
		return ofBinaryInteger(b)
	case oidText, oidVarchar, oidBpchar:
		return ofText(b)
	case oidUUID:
		if len(b) == 16 {
			return ofUUID((*[16]byte)(b)), false
		}
	case 0:
		return guess(b)
	}

	return 0, false
}

// ofBinaryInteger returns the hash of an integer in network order.
func ofBinaryInteger(b []byte) (v value, small bool) {
	var n int64
	switch len(b) {
	case 2:
		n = int64(int16(binary.BigEndian.Uint16(b)))
	case 4:
		n = int64(int32(binary.BigEndian.Uint32(b)))
	case 8:
		n = int64(binary.BigEndian.Uint64(b))
	default:
		return 0, false
	}

	return integer(n), n < smallest && n > -smallest
}

// guess returns the hash of a binary value of unknown type, if it can be only one thing:
// an integer begins with a byte of zeros or ones, which text and all but the smallest
// floating-point numbers do not; 16 bytes that are not text are a uuid. A wrong guess
// does no harm but a missed hit.
func guess(b []byte) (v value, small bool) {
	switch {
	case len(b) == 0:
		return 0, false
	case printable(b):
		return ofText(b)
	case len(b) == 16:
		return ofUUID((*[16]byte)(b)), false
	case b[0] == 0 || b[0] == 0xff:
		return ofBinaryInteger(b)
	}

	return 0, false
}

// printable reports whether all bytes may be of a text.
func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f || c == 0xff {
			return false
		}
	}

	return len(b) > 0
}

// parseInteger reads an integer as PostgreSQL writes it: without a sign in front of a
// positive one, and without zeros in front. Up to 18 digits, which do not overflow.
func parseInteger(b []byte) (int64, bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 18 || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	var n int64
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	if len(digits) < len(b) {
		n = -n
	}

	return n, true
}

// hexDigits says what a hexadecimal digit stands for; 255 is none.
var hexDigits = func() (digits [256]byte) {
	for i := range digits {
		digits[i] = 255
	}
	for i := range byte(16) {
		digits["0123456789abcdef"[i]], digits["0123456789ABCDEF"[i]] = i, i
	}

	return digits
}()

// uuidPairs is where the 16 bytes of a uuid are among its 36 characters.
var uuidPairs = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// parseUUID reads the 36 characters of a uuid as PostgreSQL writes it, in lower or
// upper case.
func parseUUID(dst *[16]byte, b []byte) bool {
	c := (*[36]byte)(b)
	if c[8] != '-' || c[13] != '-' || c[18] != '-' || c[23] != '-' {
		return false
	}
	var bad byte
	for i, at := range uuidPairs {
		high, low := hexDigits[c[at%36]], hexDigits[c[(at+1)%36]]
		bad |= high | low
		dst[i] = high<<4 | low
	}

	return bad < 16
}

// trimBlanks takes away the blanks that fill a value of type character(n).
func trimBlanks(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}

	return b
}
