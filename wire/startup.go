package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// The codes that stand in the place of the protocol version in the packets that are
// not a StartupMessage (src/include/libpq/pqcomm.h).
const (
	cancelRequestCode = 1234<<16 | 5678
	sslRequestCode    = 1234<<16 | 5679
	gssEncRequestCode = 1234<<16 | 5680
)

// Bounds of the first packet (src/include/libpq/pqcomm.h unless noted).
const (
	startupHeaderSize = 8
	maxStartupBody    = 10_000 // MAX_STARTUP_PACKET_LENGTH, without the length field
	maxNameLength     = 63     // of users and databases, in bytes: NAMEDATALEN - 1 (src/include/pg_config_manual.h)
	minCancelSecret   = 4      // in any version
	maxCancelSecret   = 256    // in version 3.2, as the protocol's documentation has it
)

// protocolOption is how the names of protocol options begin.
const protocolOption = "_pq_."

// ErrSilent is returned, wrapped, when a peer is to be disconnected without a word,
// as PostgreSQL does: what it sent is not the beginning of a PostgreSQL session, and
// an answer would at best confuse it.
var ErrSilent = errors.New("not a postgres client")

// A Parameter is a setting's name and value.
type Parameter struct {
	Name, Value string
}

// A StartupRequest is a client's StartupMessage.
type StartupRequest struct {
	Version  Version // that it asks for; its major part is 3
	User     string  // never empty; at most 63 bytes
	Database string  // the user's name if it named none; at most 63 bytes

	// Parameters are the rest, in the client's order, each name once with the last
	// value sent for it.
	Parameters []Parameter

	// Options are the names of the protocol options (_pq_.x) it asks for, none of
	// which we know.
	Options []string
}

// A CancelRequest asks to cancel what the session with this key is doing. It is
// never answered.
type CancelRequest struct {
	PID    uint32
	Secret []byte // 4 to 256 bytes
}

// ReadStartup reads what a client opens its connection with: a StartupMessage or a
// CancelRequest, of which it returns the one and leaves the other nil. Requests for
// encryption that come before are answered with a refusal.
//
// It reads no byte more than that from rw, which may be a [LoginConn].
//
// The error is an [*Error] if the client is to be told; an [*HTTPError] if it
// speaks HTTP; [ErrSilent] if the connection is to be closed without a word; io.EOF
// if the client closed it in between packets, as health checks do, and as a client
// does that insists on encryption; else whatever rw returned.
func ReadStartup(rw io.ReadWriter) (*StartupRequest, *CancelRequest, error) {
	enc := encryption{rw: rw}
	for {
		body, err := readStartupPacket(enc.rw)
		if err != nil {
			return nil, nil, err
		}
		code := binary.BigEndian.Uint32(body)
		switch {
		case code == sslRequestCode && !enc.sslAsked:
			err = enc.answerSSL()
		case code == gssEncRequestCode && !enc.gssAsked:
			err = enc.answerGSS()
		case code == cancelRequestCode:
			c, err := parseCancel(body)

			return nil, c, err
		default: // an encryption request that is repeated is an unknown version to PostgreSQL
			s, err := ParseStartup(body)

			return s, nil, err
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

// readStartupPacket reads one packet of the kind that has no type byte and returns
// it without its length field: at least the four bytes of a version or code.
func readStartupPacket(r io.Reader) ([]byte, error) {
	var header [startupHeaderSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	length := int(int32(binary.BigEndian.Uint32(header[:])))
	if length < startupHeaderSize || length-4 > maxStartupBody {
		return nil, notStartup(header, length)
	}
	body := make([]byte, length-4)
	copy(body, header[4:])
	if _, err := io.ReadFull(r, body[4:]); err != nil {
		return nil, unexpectedEOF(err)
	}

	return body, nil
}

// unexpectedEOF is for the end of a stream inside a packet, when ReadFull saw it at
// the beginning of what was left.
func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}

	return err
}

// notStartup says what a client is whose first bytes cannot be a packet's.
func notStartup(header [startupHeaderSize]byte, length int) error {
	const tlsHandshake = 0x16 // the first byte of a TLS ClientHello
	if header[0] == tlsHandshake {
		// TLS without SSLRequest (sslnegotiation=direct) will be accepted here, if
		// the handshake negotiates the ALPN protocol "postgresql".
		return fmt.Errorf("TLS handshake without a request: %w", ErrSilent)
	}
	if isHTTP(header[:]) {
		return new(HTTPError)
	}

	return fmt.Errorf("first packet of length %d: %w", length, ErrSilent)
}

// encryption is what a client has asked for before its startup, and the connection
// as it is by then.
type encryption struct {
	rw                 io.ReadWriter
	sslAsked, gssAsked bool
}

// answerSSL answers an SSLRequest. This is where TLS will be accepted: 'S', the
// handshake, and rw replaced by what is inside it.
func (e *encryption) answerSSL() error {
	e.sslAsked = true

	return e.refuse("SSL request")
}

// answerGSS answers a GSSENCRequest. libpq sends it first, and SSLRequest after.
func (e *encryption) answerGSS() error {
	e.gssAsked = true

	return e.refuse("GSSAPI encryption request")
}

// refuse answers a request for encryption with 'N'. Bytes that the client sent
// behind its request, before it can know the answer, may be an attacker's
// (CVE-2021-23214): PostgreSQL and we refuse them whatever the answer is.
func (e *encryption) refuse(request string) error {
	b, buffers := e.rw.(interface{ Buffered() []byte })
	if buffers && len(b.Buffered()) > 0 {
		return Fatalf(CodeProtocolViolation, "received unencrypted data after %s", request)
	}
	_, err := e.rw.Write([]byte{'N'})

	return err
}

// parseCancel decodes a CancelRequest, code included.
func parseCancel(body []byte) (*CancelRequest, error) {
	d := decoder{b: body[4:]}
	c := &CancelRequest{PID: d.uint32(), Secret: d.rest()}
	if n := len(c.Secret); n < minCancelSecret || n > maxCancelSecret {
		return nil, fmt.Errorf("cancel request with a secret of %d bytes: %w", n, ErrSilent)
	}

	return c, nil
}

// ParseStartup decodes a StartupMessage without its length field. The error is an
// [*Error] for the client, in PostgreSQL's own words (ProcessStartupPacket in
// src/backend/tcop/backend_startup.c).
func ParseStartup(body []byte) (*StartupRequest, error) {
	d := decoder{b: body}
	s := &StartupRequest{Version: Version(d.uint32())}
	if s.Version.Major() != 3 {
		return nil, Fatalf(CodeFeatureNotSupported,
			"unsupported frontend protocol %s: server supports %s to %s", s.Version, Version30, Version32)
	}

	seen := make(map[string]int) // where in Parameters a name is
	for name := d.cstring(); name != ""; name = d.cstring() {
		s.set(name, d.cstring(), seen)
	}

	if !d.done() {
		return nil, Fatalf(CodeProtocolViolation,
			"invalid startup packet layout: expected terminator as last byte")
	}
	if s.User == "" {
		return nil, Fatalf(CodeInvalidAuthorization, "no PostgreSQL user name specified in startup packet")
	}
	if s.Database == "" {
		s.Database = s.User
	}

	return s, nil
}

// set takes one pair of the message in.
func (s *StartupRequest) set(name, value string, seen map[string]int) {
	switch {
	case name == "user":
		s.User = truncateName(value)
	case name == "database":
		s.Database = truncateName(value)
	case strings.HasPrefix(name, protocolOption):
		if _, ok := seen[name]; !ok {
			seen[name] = -1
			s.Options = append(s.Options, name)
		}
	default:
		if i, ok := seen[name]; ok {
			s.Parameters[i].Value = value

			return
		}
		seen[name] = len(s.Parameters)
		s.Parameters = append(s.Parameters, Parameter{name, value})
	}
}

// truncateName cuts a user's or database's name to PostgreSQL's length, at the
// beginning of a UTF-8 character if it is one.
func truncateName(name string) string {
	if len(name) <= maxNameLength {
		return name
	}
	for cut := maxNameLength; cut > maxNameLength-utf8.UTFMax; cut-- {
		if utf8.RuneStart(name[cut]) {
			return name[:cut]
		}
	}

	return name[:maxNameLength]
}

// Parameter returns the value of the parameter with this name, as the client wrote
// it. User and database are not among the parameters.
func (s *StartupRequest) Parameter(name string) (value string, ok bool) {
	i := slices.IndexFunc(s.Parameters, func(p Parameter) bool { return p.Name == name })
	if i < 0 {
		return "", false
	}

	return s.Parameters[i].Value, true
}
