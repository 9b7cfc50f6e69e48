package meter

import (
	"encoding/hex"

	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats/nplusone"
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
	n := 0
	for value, binary := range nplusone.BoundValues(body) {
		if n++; n > maxSampled {
			break
		}
		dst = appendBoundValue(dst, n, value, binary)
	}

	return dst
}

// appendBoundValue appends the n-th value.
func appendBoundValue(dst []byte, n int, value []byte, binary bool) []byte {
	if value == nil {
		return appendValue(dst, n, []byte("NULL"))
	}
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
