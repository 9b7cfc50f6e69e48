package meter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"github.com/pgweir/pgweir/sqltext"
)

// Samples of values are kept only where the operator has allowed it: they are for the log
// lines of slow statements. A sample is made when a statement is asked, as its values are
// gone when it is known to be slow; so they cost something for each.

const (
	maxSampled = 16 // values of a statement
	maxValue   = 64 // bytes of a value
)

// Samples reports whether samples of values are kept.
func (f *Flow) Samples() bool {
	return f.loop != nil && f.loop.meter.options.SlowParameters
}

// SampleText takes the literals of a text as the sample of the Query that is told of
// next.
func (f *Flow) SampleText(text []byte, o sqltext.Options) {
	f.sample = f.sample[:0]
	n := 0
	sqltext.Literals(text, o, func(l sqltext.Literal) {
		if n++; n <= maxSampled {
			f.sample = appendValue(f.sample, n, l.Text)
		}
	})
}

// appendBound appends the values of a Bind message, of which body is what is there.
func appendBound(dst, body []byte) []byte {
	_, body, _ = bytes.Cut(body, []byte{0}) // the portal
	_, body, _ = bytes.Cut(body, []byte{0}) // the statement
	formats, body, ok := counted(body, 2)
	if !ok || len(body) < 2 {
		return dst
	}
	values := int(binary.BigEndian.Uint16(body))
	body = body[2:]
	for i := range min(values, maxSampled) {
		if len(body) < 4 {
			break
		}
		size := int(int32(binary.BigEndian.Uint32(body)))
		body = body[4:]
		if size < 0 {
			dst = appendValue(dst, i+1, []byte("NULL"))

			continue
		}
		value := body[:min(size, len(body))]
		body = body[len(value):]
		dst = appendBoundValue(dst, i+1, value, isBinary(formats, i))
	}

	return dst
}

// appendBoundValue appends the n-th value.
func appendBoundValue(dst []byte, n int, value []byte, binary bool) []byte {
	value = value[:min(len(value), maxValue)]
	if binary {
		return appendValue(dst, n, append([]byte("x'"), hex.EncodeToString(value)+"'"...))
	}

	return appendValue(dst, n, append(append([]byte("'"), value...), '\''))
}

// appendValue appends the n-th value, as it is written in SQL.
func appendValue(dst []byte, n int, value []byte) []byte {
	if n > 1 {
		dst = append(dst, ", "...)
	}

	return append(dst, value[:min(len(value), 2*maxValue+3)]...)
}

// counted returns the items, of so many bytes each, that a number in front of them
// counts, and what is behind them.
func counted(b []byte, size int) (items, behind []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := size * int(binary.BigEndian.Uint16(b))
	if b = b[2:]; len(b) < n {
		return nil, nil, false
	}

	return b[:n], b[n:], true
}

// isBinary reports whether value i is in binary: no code means text for all, one is that
// of all.
func isBinary(codes []byte, i int) bool {
	if len(codes) == 2 {
		i = 0
	}

	return len(codes) >= 2*i+2 && codes[2*i+1] == 1
}
