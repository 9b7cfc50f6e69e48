package wire

import (
	"encoding/binary"
	"strings"
)

// The type bytes of messages that occur only while a session starts.
const (
	authentication           = 'R'
	backendKeyData           = 'K'
	negotiateProtocolVersion = 'v'
	passwordMessage          = 'p' // and all SASL responses
)

// AppendAuthenticationOk appends the message that tells a client it is logged in.
func AppendAuthenticationOk(dst []byte) []byte {
	return append(dst, authentication, 0, 0, 0, 8, 0, 0, 0, 0)
}

// AppendParameterStatus appends the message that reports a setting's value.
func AppendParameterStatus(dst []byte, name, value string) []byte {
	dst, start := beginMessage(dst, ParameterStatus)
	dst = appendCString(dst, name)
	dst = appendCString(dst, value)

	return endMessage(dst, start)
}

// AppendBackendKeyData appends the message that gives a client its cancel key.
func AppendBackendKeyData(dst []byte, pid uint32, secret []byte) []byte {
	dst, start := beginMessage(dst, backendKeyData)
	dst = binary.BigEndian.AppendUint32(dst, pid)
	dst = append(dst, secret...)

	return endMessage(dst, start)
}

// AppendReadyForQuery appends the message that ends each answer; status is one of
// [TxIdle], [TxActive] and [TxFailed].
func AppendReadyForQuery(dst []byte, status byte) []byte {
	return append(dst, ReadyForQuery, 0, 0, 0, 5, status)
}

// beginMessage appends a message's type and a place for its length; start is what
// [endMessage] needs to fill it in.
func beginMessage(dst []byte, typ byte) (_ []byte, start int) {
	return append(dst, typ, 0, 0, 0, 0), len(dst) + 1
}

// endMessage fills in the length of the message whose length field is at start.
func endMessage(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))

	return dst
}

// appendCString appends s and a NUL. NULs in s, which the protocol has no way to
// express, are left out.
func appendCString(dst []byte, s string) []byte {
	for {
		before, after, found := strings.Cut(s, "\x00")
		dst = append(dst, before...)
		if !found {
			return append(dst, 0)
		}
		s = after
	}
}
