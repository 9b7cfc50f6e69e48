package wire

import (
	"bytes"
	"encoding/binary"
)

// A decoder takes fields off the front of a message's body. Once a field is not
// there it is failed, and everything it returns from then on is zero.
type decoder struct {
	b      []byte // what is left
	failed bool
}

// fail empties the decoder.
func (d *decoder) fail() {
	d.b, d.failed = nil, true
}

// uint32 takes a number of four bytes.
func (d *decoder) uint32() uint32 {
	if len(d.b) < 4 {
		d.fail()

		return 0
	}
	n := binary.BigEndian.Uint32(d.b)
	d.b = d.b[4:]

	return n
}

// cstring takes a string that ends in a NUL.
func (d *decoder) cstring() string {
	s, rest, ok := bytes.Cut(d.b, []byte{0})
	if !ok {
		d.fail()

		return ""
	}
	d.b = rest

	return string(s)
}

// rest takes all that is left; it is valid as long as the body is.
func (d *decoder) rest() []byte {
	b := d.b
	d.b = nil

	return b
}

// done reports whether every field was there and nothing is left.
func (d *decoder) done() bool {
	return !d.failed && len(d.b) == 0
}
