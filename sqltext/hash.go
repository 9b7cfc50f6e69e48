package sqltext

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Version is the version of the rules and of the hash. It is part of every
// fingerprint, so that those of two versions do not meet.
const Version = 1

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

// shortWord returns how many of the eight bytes at the beginning of a word belong to it,
// and the hash of the word if they are not all. It reads all eight at once: words are
// short, and where one ends no processor can guess.
func shortWord(x uint64) (int, uint64) {
	high := x & (0x80 * ones)
	v := x &^ high
	folded := v | 0x20*ones
	letter := (folded + (0x80-'a')*ones) &^ (folded + (0x7f-'z')*ones)
	digit := (v + (0x80-'0')*ones) &^ (v + (0x7f-'9')*ones)
	other := ((v ^ '_'*ones) + 0x7f*ones) & ((v ^ '$'*ones) + 0x7f*ones) // a high bit of 0: one of them
	end := ^(high | letter | digit | ^other) & (0x80 * ones)
	if end == 0 {
		return 8, 0
	}
	n := bits.TrailingZeros64(end) / 8
	capital := letter &^ high &^ (x << 2) & (0x80 * ones)

	return n, absorb(classWord|uint64(n), (x|capital>>2)&(1<<(8*uint(n))-1))
}

// ones has a 1 in each byte.
const ones = 0x0101010101010101

// tail returns up to eight bytes as a number.
func tail(b []byte) uint64 {
	var x uint64
	for i := range min(len(b), 8) {
		x |= uint64(b[i]) << (8 * i)
	}

	return x
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
