package wire

import (
	"encoding/binary"
	"fmt"
)

// A Version is a protocol version as the protocol writes it: the major number in
// the upper 16 bits, the minor in the lower.
type Version uint32

// The versions that we speak. There is no 3.1: an old PgBouncer claimed it, and
// libpq refuses it since.
const (
	Version30 Version = 3 << 16
	Version32 Version = 3<<16 | 2 // PostgreSQL 18: cancel keys of up to 256 bytes
)

// Major returns the major number.
func (v Version) Major() int { return int(v >> 16) }

// Minor returns the minor number.
func (v Version) Minor() int { return int(v & 0xffff) }

// String returns the version as "3.0".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major(), v.Minor()) }

// spoken reports whether v is one of the versions that we speak.
func (v Version) spoken() bool { return v == Version30 || v == Version32 }

// Negotiation returns the version that the session will speak and, if that or the
// lack of a protocol option differs from what the client asked for, the
// NegotiateProtocolVersion frame that says so; else frame is nil. The frame goes out
// before anything else, and only once.
func (s *StartupRequest) Negotiation() (frame []byte, v Version) {
	v = Version30
	if s.Version >= Version32 {
		v = Version32
	}
	if v == s.Version && len(s.Options) == 0 {
		return nil, v
	}

	// The field is the whole version, not the "newest minor version" that the
	// documentation of the message speaks of (SendNegotiateProtocolVersion in
	// src/backend/tcop/backend_startup.c).
	frame, start := beginMessage(nil, negotiateProtocolVersion)
	frame = binary.BigEndian.AppendUint32(frame, uint32(v))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(s.Options)))
	for _, name := range s.Options {
		frame = appendCString(frame, name)
	}

	return endMessage(frame, start), v
}
