package wire

import (
	"encoding/binary"
	"fmt"
)

// The type bytes of the messages that a client sends after it has logged in.
const (
	Bind         = 'B'
	Close        = 'C'
	CopyFail     = 'f'
	Describe     = 'D'
	Execute      = 'E'
	Flush        = 'H'
	FunctionCall = 'F'
	Parse        = 'P'
	Query        = 'Q'
	Sync         = 'S'
	Terminate    = 'X'
)

// The type bytes of the messages that both sides send.
const (
	CopyData = 'd'
	CopyDone = 'c'
)

// The type bytes of the messages that a server sends after login.
const (
	BindComplete         = '2'
	CloseComplete        = '3'
	CommandComplete      = 'C'
	CopyBothResponse     = 'W'
	CopyInResponse       = 'G'
	CopyOutResponse      = 'H'
	DataRow              = 'D'
	EmptyQueryResponse   = 'I'
	ErrorResponse        = 'E'
	FunctionCallResponse = 'V'
	NoData               = 'n'
	NoticeResponse       = 'N'
	NotificationResponse = 'A'
	ParameterDescription = 't'
	ParameterStatus      = 'S'
	ParseComplete        = '1'
	PortalSuspended      = 's'
	ReadyForQuery        = 'Z'
	RowDescription       = 'T'
)

// The transaction status in a ReadyForQuery.
const (
	TxIdle   = 'I' // not in a transaction
	TxActive = 'T' // in a transaction
	TxFailed = 'E' // in a failed transaction, until it is rolled back
)

// HeaderSize is the size of a frame's header: the type byte and the length.
const HeaderSize = 5

// The largest length fields PostgreSQL takes from a client
// (src/include/libpq/libpq.h: PQ_SMALL_MESSAGE_LIMIT, and PQ_LARGE_MESSAGE_LIMIT,
// which is MaxAllocSize - 1).
const (
	smallLimit = 10_000
	largeLimit = 1<<30 - 2
)

// A Header is the first five bytes of a frame.
type Header struct {
	Type byte
	Size int // of the whole frame, header included
}

// PeekHeader reads the header that b begins with. ok is false when b is too short
// for one. The header is not checked; see [Header.CheckClient] and
// [Header.CheckServer].
func PeekHeader(b []byte) (h Header, ok bool) {
	if len(b) < HeaderSize {
		return Header{}, false
	}
	// The length counts itself, not the type byte. As a signed number it is
	// negative for the hostile half of its values.
	length := int(int32(binary.BigEndian.Uint32(b[1:])))

	return Header{Type: b[0], Size: length + 1}, true
}

// CheckClient checks the header of a frame that a client sent, as PostgreSQL does
// (SocketBackend in src/backend/tcop/postgres.c): its type must exist and its
// length be possible. The error is a FATAL [*Error] for the client, after which
// nothing it sends can be understood.
func (h Header) CheckClient() error {
	var limit int
	switch h.Type {
	case Parse, Bind, Query, FunctionCall, CopyData:
		limit = largeLimit
	case Close, Describe, Execute, Flush, Sync, CopyDone, CopyFail, Terminate:
		limit = smallLimit
	default:
		return Fatalf(CodeProtocolViolation, "invalid frontend message type %d", h.Type)
	}
	if h.Size < HeaderSize || h.Size-1 > limit {
		return Fatalf(CodeProtocolViolation, "invalid message length")
	}

	return nil
}

// CheckServer checks the header of a frame that a server sent. Types that we do
// not know pass: they are for the client to judge.
func (h Header) CheckServer() error {
	if h.Size < HeaderSize {
		return fmt.Errorf("server sent a %q message of length %d", h.Type, h.Size-1)
	}

	return nil
}

// AppendQuery appends a Query message.
func AppendQuery(dst []byte, sql string) []byte {
	dst, start := beginMessage(dst, Query)

	return endMessage(appendCString(dst, sql), start)
}
