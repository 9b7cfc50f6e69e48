package nplusone

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// maxValues is how many single values of an execution are looked at.
const maxValues = 4

// Parameters are the values of one execution. The zero value is that of a statement
// without any.
type Parameters struct {
	hash   uint64
	values [maxValues]value
	n      int // all, also those that are not in values
}

// add takes in one more value: its bytes as they came, and its canonical hash, 0 if it
// has none.
func (p *Parameters) add(raw []byte, v value) {
	h := v
	if h == 0 && raw != nil {
		h = bytesOf(raw)
	}
	p.hash = (p.hash ^ h ^ uint64(p.n)<<56) * 0x9e3779b97f4a7c15
	p.hash ^= p.hash >> 29
	if p.n < maxValues {
		p.values[p.n] = v
	}
	p.n++
}

// Literal takes in the next literal of a simple query, as it is written there. One that
// is in quotes counts as what is in them, if nothing in it is escaped.
func (p *Parameters) Literal(text []byte) {
	b := text
	if len(b) >= 2 && b[0] == '\'' && b[len(b)-1] == '\'' {
		b = b[1 : len(b)-1]
		if bytes.IndexByte(b, '\'') >= 0 {
			p.add(text, 0)

			return
		}
	}
	v, _ := ofText(b)
	p.add(text, v)
}

// Others takes in values that are not looked at one by one, by a hash of all of them.
func (p *Parameters) Others(hash uint64) {
	p.hash = (p.hash ^ hash) * 0x9e3779b97f4a7c15
	p.hash ^= p.hash >> 29
}

// A Bind is what a Bind message says.
type Bind struct {
	Parameters Parameters
	// Formats are the codes for the formats of the result as they are in the message, two
	// bytes each; empty for text. They are part of the message.
	Formats []byte
}

// ReadBind reads the body of a Bind message: what is behind its length. types are the
// types of the parameters, 0 or missing where they are unknown. It reports false for a
// body that is not well formed, whose parameters are then those in front of the error.
func ReadBind(body []byte, types []uint32) (Bind, bool) {
	var b Bind
	r, formats, n := openBind(body)
	for i := 0; i < n && !r.bad; i++ {
		raw := r.value()
		if r.bad {
			break
		}
		b.Parameters.add(raw, parameter(raw, formatOf(formats, i), typeOf(types, i)))
	}
	b.Formats = r.take(2 * r.uint16())

	return b, !r.bad
}

// openBind reads the body of a Bind message up to its values: their formats, and how many
// there are.
func openBind(body []byte) (r reader, formats []byte, n int) {
	r = reader{rest: body}
	r.skipString() // the portal
	r.skipString() // the statement
	formats = r.take(2 * r.uint16())

	return r, formats, r.uint16()
}

// BoundValues are the values in the body of a Bind message, each with whether it is in
// binary, for who wants to show them; NULL is nil. They are part of the message. Of a
// body that is not well formed they are those in front of the error.
func BoundValues(body []byte) iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		r, formats, n := openBind(body)
		for i := 0; i < n && !r.bad; i++ {
			if raw := r.value(); r.bad || !yield(raw, formatOf(formats, i)) {
				return
			}
		}
	}
}

// parameter returns the hash of a parameter; 0 for NULL.
func parameter(raw []byte, isBinary bool, oid uint32) value {
	if raw == nil {
		return 0
	}
	if oid == oidBpchar {
		raw = trimBlanks(raw)
	}
	var v value
	if isBinary {
		v, _ = ofBinary(raw, oid)
	} else {
		v, _ = ofText(raw)
	}

	return v
}

// formatOf reports whether value i is binary: no code means text for all, one is that of
// all.
func formatOf(codes []byte, i int) bool {
	switch len(codes) {
	case 0:
		return false
	case 2:
		i = 0
	}

	return len(codes) >= 2*i+2 && codes[2*i+1] == 1
}

// typeOf returns the type of parameter i, or 0.
func typeOf(types []uint32, i int) uint32 {
	if i < len(types) {
		return types[i]
	}

	return 0
}

// A reader cuts the body of a message. Behind its end all is empty, and bad is set.
type reader struct {
	rest []byte
	bad  bool
}

// take returns the next n bytes, which are part of the message.
func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.rest, r.bad = nil, true

		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]

	return b
}

// uint16 returns the next two bytes as a number.
func (r *reader) uint16() int {
	b := r.take(2)
	if r.bad {
		return 0
	}

	return int(binary.BigEndian.Uint16(b))
}

// uint32 returns the next four bytes as a number.
func (r *reader) uint32() uint32 {
	b := r.take(4)
	if r.bad {
		return 0
	}

	return binary.BigEndian.Uint32(b)
}

// value returns the next value behind its length; nil is NULL. An empty one is not nil.
func (r *reader) value() []byte {
	n := int32(r.uint32())
	if n < 0 {
		r.bad = r.bad || n != -1

		return nil
	}

	return r.take(int(n))
}

// skipString goes behind the next string and the zero that ends it.
func (r *reader) skipString() {
	r.string()
}

// string returns the next string without the zero that ends it.
func (r *reader) string() []byte {
	i := bytes.IndexByte(r.rest, 0)
	if i < 0 {
		r.rest, r.bad = nil, true

		return nil
	}
	s := r.rest[:i]
	r.rest = r.rest[i+1:]

	return s
}
