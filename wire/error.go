package wire

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// The SQLSTATEs of errors that we originate or react to
// (src/backend/utils/errcodes.txt in PostgreSQL).
const (
	CodeConnectionFailure    = "08006" // the server went away
	CodeResolutionUnknown    = "08007" // so it did, and what it did before is not known
	CodeProtocolViolation    = "08P01"
	CodeFeatureNotSupported  = "0A000"
	CodeIdleInTransaction    = "25P03" // idle_in_transaction_session_timeout
	CodeInvalidAuthorization = "28000"
	CodeInvalidPassword      = "28P01"
	CodeInvalidCatalogName   = "3D000" // no such database
	CodeSyntaxError          = "42601"
	CodeTooManyConnections   = "53300"
	CodeProgramLimit         = "54000"
	CodeQueryCanceled        = "57014"
	CodeAdminShutdown        = "57P01"
	CodeCannotConnectNow     = "57P03" // libpq then tries its next host
	CodeIdleSessionTimeout   = "57P05"
	CodeSystemError          = "58000"
	CodeInternalError        = "XX000"
)

// The severities that we give to errors of our own.
const (
	severityError = "ERROR"
	severityFatal = "FATAL"
	severityPanic = "PANIC"
)

// routine is the R field of nearly every error of ours: it shows a user, with psql's
// \errverbose for example, that not PostgreSQL spoke but the pooler.
const routine = "pgweir"

// ErrProtocol is returned, wrapped, when a server sends what the protocol does not
// allow. A client that does so is told with an [*Error] instead.
var ErrProtocol = errors.New("protocol violation")

// protocolErrorf describes a server's violation of the protocol; it wraps
// [ErrProtocol].
func protocolErrorf(format string, args ...any) error {
	return fmt.Errorf("server %s: %w", fmt.Sprintf(format, args...), ErrProtocol)
}

// An Error is an ErrorResponse or NoticeResponse: one of ours for a client, or one
// that a server sent us. It has the fields that programs look at; whoever forwards
// a server's error forwards its bytes, and so loses nothing.
type Error struct {
	Severity string // not localised (field V): ERROR, FATAL, PANIC; of a notice WARNING, NOTICE, ...
	Code     string // the SQLSTATE; empty when the server sent none
	Message  string
	Detail   string // empty: none
	Hint     string // empty: none
	Routine  string // of PostgreSQL's source, in an error sent in its place; empty: "pgweir". Not decoded.
}

// Errorf makes an error after which the session goes on. Control characters that
// the arguments carry into the message are removed.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Severity: severityError, Code: code, Message: clean(fmt.Sprintf(format, args...))}
}

// Fatalf makes an error that ends the session, as [Errorf] does otherwise.
func Fatalf(code, format string, args ...any) *Error {
	return &Error{Severity: severityFatal, Code: code, Message: clean(fmt.Sprintf(format, args...))}
}

// WithDetail returns a copy of e with the given detail.
func (e *Error) WithDetail(detail string) *Error {
	c := *e
	c.Detail = clean(detail)

	return &c
}

// WithHint returns a copy of e with the given hint.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.Hint = clean(hint)

	return &c
}

// Error returns severity, message and SQLSTATE in one line, as psql shows them.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%s: %s", e.Severity, e.Message)
	}

	return fmt.Sprintf("%s: %s (SQLSTATE %s)", e.Severity, e.Message, e.Code)
}

// Fatal reports whether the error ended the session of whoever sent it.
func (e *Error) Fatal() bool {
	return e.Severity == severityFatal || e.Severity == severityPanic
}

// Append appends e as an ErrorResponse frame.
func (e *Error) Append(dst []byte) []byte {
	dst, start := beginMessage(dst, ErrorResponse)
	dst = appendField(dst, 'S', e.Severity)
	dst = appendField(dst, 'V', e.Severity)
	dst = appendField(dst, 'C', e.Code)
	dst = appendField(dst, 'M', e.Message)
	if e.Detail != "" {
		dst = appendField(dst, 'D', e.Detail)
	}
	if e.Hint != "" {
		dst = appendField(dst, 'H', e.Hint)
	}
	dst = appendField(dst, 'R', cmp.Or(e.Routine, routine))

	return endMessage(append(dst, 0), start)
}

// appendField appends one field of an ErrorResponse.
func appendField(dst []byte, field byte, value string) []byte {
	return appendCString(append(dst, field), value)
}

// ParseError decodes the body of an ErrorResponse or NoticeResponse. Any field may
// be missing (PgBouncer crashed on an error without a SQLSTATE, CVE-2026-6666), and
// so may the terminator after the last; the only failure is a field that does not
// end, which wraps [ErrProtocol].
func ParseError(body []byte) (*Error, error) {
	e := new(Error)
	localised := ""
	for len(body) > 0 && body[0] != 0 {
		field := body[0]
		value, rest, ok := bytes.Cut(body[1:], []byte{0})
		if !ok {
			return nil, protocolErrorf("sent an error with an unterminated field %q", field)
		}
		switch field {
		case 'S':
			localised = string(value)
		case 'V':
			e.Severity = string(value)
		case 'C':
			e.Code = string(value)
		case 'M':
			e.Message = string(value)
		case 'D':
			e.Detail = string(value)
		case 'H':
			e.Hint = string(value)
		}
		body = rest
	}
	if e.Severity == "" { // servers before 9.6
		e.Severity = localised
	}

	return e, nil
}

// clean makes text that a peer may have chosen fit for messages and logs: without
// control characters, and valid UTF-8.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}

		return r // utf8.RuneError for an invalid byte, and so U+FFFD in the result
	}, s)
}
