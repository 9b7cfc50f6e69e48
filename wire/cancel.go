package wire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Sizes of the secrets that we give to clients: of version 3.0 a client takes four
// bytes and no other number, for 3.2 we do as PostgreSQL does
// (MAX_CANCEL_KEY_LENGTH in src/include/storage/procsignal.h).
const (
	secretSize30 = 4
	secretSize32 = 32
)

// The bits of the pid of a cancel key, from the highest:
//
//	1   zero: some drivers take the pid for a signed number
//	8   the instance that gave the key out, of several behind one address
//	23  random, and not all zero
//
// Version 3.0 has no other place for the instance but the secret, which is short enough.
// All instances are number 0 as long as they do not pass requests on to each other; that
// the bits are there already keeps the keys of before and after apart.
const (
	pidInstanceShift = 23
	pidRandomMask    = 1<<pidInstanceShift - 1
)

// NewCancelKey draws a cancel key for a client that speaks version v. rand is
// [crypto/rand.Reader] but in tests, and the only error is its own.
func NewCancelKey(v Version, rand io.Reader) (pid uint32, secret []byte, err error) {
	size := secretSize30
	if v >= Version32 {
		size = secretSize32
	}
	key := make([]byte, 4+size)
	for pid == 0 {
		if _, err := io.ReadFull(rand, key); err != nil {
			return 0, nil, fmt.Errorf("draw a cancel key: %w", err)
		}
		pid = binary.BigEndian.Uint32(key) & pidRandomMask
	}

	return pid, key[4:], nil
}

// AppendCancelRequest appends the packet that, as the first and only one on a
// connection, asks a server to cancel what the session with this key is doing.
func AppendCancelRequest(dst []byte, pid uint32, secret []byte) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, cancelRequestCode)
	dst = binary.BigEndian.AppendUint32(dst, pid)
	dst = append(dst, secret...)

	return endMessage(dst, start)
}
