package meter

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
)

// A Statement is a prepared statement: its text, and the types of its parameters and the
// description of its rows, which a client asks for once and then relies on. It may be
// used by all loops. The zero value is one of which nothing is known.
type Statement struct {
	Text    Text
	types   atomic.Pointer[types]
	columns atomic.Pointer[[]byte] // the body of a RowDescription
}

// types are those of the first parameters of a statement; 0 is one that is not known.
type types [maxColumns]uint32

// Prepare takes in a Parse, of which t is the text, and body what comes behind the name.
// It comes before anything else that is done with the statement.
func (s *Statement) Prepare(t Text, body []byte) {
	s.Text = t
	_, behind, _ := bytes.Cut(body, []byte{0})
	s.takes(behind)
}

// takes keeps the types of the parameters. body is their number, and they, as in a Parse
// and a ParameterDescription.
func (s *Statement) takes(body []byte) {
	if len(body) < 2 {
		return
	}
	var t types
	for i := range min(int(binary.BigEndian.Uint16(body)), len(body[2:])/4, len(t)) {
		t[i] = binary.BigEndian.Uint32(body[2+4*i:])
	}
	if known := s.types.Load(); t != (types{}) && (known == nil || *known != t) {
		s.types.Store(&t)
	}
}

// parameters are the types of its parameters, as far as they are known; s may be nil.
func (s *Statement) parameters() []uint32 {
	if s == nil {
		return nil
	}
	if t := s.types.Load(); t != nil {
		return t[:]
	}

	return nil
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
