package meter

import (
	"bytes"
	"sync/atomic"
)

// A Statement is a prepared statement: its text, and the description of its rows, which
// a client asks for once and then relies on. It may be used by all loops. The zero value
// is one of which nothing is known.
type Statement struct {
	Text    Text
	columns atomic.Pointer[[]byte] // the body of a RowDescription
}

// maxDescription is how long a RowDescription may be to be kept, in bytes: that of about
// sixty columns.
const maxDescription = 2 << 10

// describe keeps the body of a RowDescription, unless it is known.
func (s *Statement) describe(body []byte) {
	known := s.columns.Load()
	if len(body) > maxDescription || known != nil && bytes.Equal(*known, body) {
		return
	}
	s.columns.Store(new(bytes.Clone(body)))
}
