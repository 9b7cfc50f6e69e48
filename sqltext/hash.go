package sqltext

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Version is the version of the rules and of the hash. It is part of every
// fingerprint, so that those of two versions do not meet.
const Version = 2

// An ID is a fingerprint: 64 bits of a hash over the canonical tokens of a statement.
// It is the same on all machines and in all runs as long as [Version] is. It resists
// accidents, not attacks: whoever wants two statements with one fingerprint can find
// them.
type ID uint64

// String returns the 16 hexadecimal digits.
func (id ID) String() string {
	return fmt.Sprintf("%016x", uint64(id))
}

// MarshalText implements [encoding.TextMarshaler].
func (id ID) MarshalText() ([]byte, error) {
	return []byte(id.String()), nil
}

// What is hashed. A token is absorbed as one number of 64 bits: a class with the
// number of bytes, and then the bytes, eight at a time, the first one lowest, the last
// eight filled up with zeros. The classes keep the text of one kind of token from
// passing for another's.
const (
	classWord    = 1 << 56 // a word, in lower case, and a quoted name that could be one
	classQuoted  = 2 << 56 // another quoted name, without its quotes
	classOp      = 3 << 56 // an operator, a bracket, a comma
	classKept    = 4 << 56 // a number that is not a literal
	classLiteral = 5 << 56 // a literal or a parameter; without bytes
	classElement = 6 << 56 // where an element of a list begins
	classValue   = 7 << 56 // the bytes of a literal, for Statement.Values
	classTyped   = 8 << 56 // where the classes of literals begin
)

// golden is 2^64 divided by the golden ratio: odd, and its bits are spread well.
const golden = 0x9e3779b97f4a7c15

// absorb takes x into the hash h. For a given h no two x give the same.
func absorb(h, x uint64) uint64 {
	h = (h ^ x) * golden

	return h ^ h>>32
}

// finish spreads what the last tokens have changed over all bits; it is the last step
// of MurmurHash3.
func finish(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53

	return h ^ h>>33
}

// hashBytes returns the number for a token of that class with those bytes.
func hashBytes(class uint64, b []byte) uint64 {
	h := class | uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h = absorb(h, binary.LittleEndian.Uint64(b))
	}
	if len(b) > 0 {
		h = absorb(h, tail(b))
	}

	return h
}

// hashWord is hashBytes for the word text[start:end], in lower case.
func hashWord(text []byte, start, end int) uint64 {
	n := end - start
	h := classWord | uint64(n)
	for ; n > 0; n -= 8 {
		var x uint64
		if start+8 <= len(text) {
			x = binary.LittleEndian.Uint64(text[start:])
			if n < 8 {
				x &= 1<<(8*n) - 1
			}
		} else {
			x = tail(text[start:end])
		}
		h = absorb(h, lower(x))
		start += 8
	}

	return h
}

// Eight bytes at once. The functions say of each byte whether it is something, by its
// highest bit; the other bits mean nothing. All bytes must be of ASCII.
const (
	ones  = 0x0101010101010101 // a 1 in each byte
	highs = 0x80 * ones        // the highest bit of each byte
)

// lettersIn says which of the bytes are letters.
func lettersIn(x uint64) uint64 {
	small := x | 0x20*ones

	return (small + (0x80-'a')*ones) ^ (small + (0x7f-'z')*ones)
}

// digitsIn says which of the bytes are digits.
func digitsIn(x uint64) uint64 {
	return (x + (0x80-'0')*ones) ^ (x + (0x7f-'9')*ones)
}

// otherThan says which of the bytes are not c.
func otherThan(x uint64, c byte) uint64 {
	return (x ^ uint64(c)*ones) + 0x7f*ones
}

// tail returns less than eight bytes as a number. Where there are four or more, it takes
// four from either end, which may overlap.
func tail(b []byte) uint64 {
	n := len(b)
	switch {
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*(n-4))
	case n > 0:
		return uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)) | uint64(b[n-1])<<(8*(n-1))
	}

	return 0
}

// lower returns eight bytes with the capitals of ASCII made small.
func lower(x uint64) uint64 {
	seven := x & (0x7f * ones)
	fromA := seven + (0x80-'A')*ones
	beyondZ := seven + (0x7f-'Z')*ones
	capital := (fromA &^ beyondZ) &^ x & (0x80 * ones)

	return x | capital>>2
}

// signature returns about a quarter of the bits of a hash, so that several can be
// joined with | and still be told apart.
func signature(h uint64) uint64 {
	h = finish(h)

	return h & bits.RotateLeft64(h, 21)
}
