package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/pgweir/pgweir/wire"
)

// ErrClosed is returned by Acquire and Welcome when the pool is shutting down.
var ErrClosed = errors.New("pool is closed")

// A WaitTimeoutError is returned by Acquire when no server came free in time.
type WaitTimeoutError struct {
	Waited time.Duration
	Cause  error // why no server could be opened meanwhile; nil if the pool was just busy
}

// Error implements error.
func (e *WaitTimeoutError) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("no server for %.1fs: %v", e.Waited.Seconds(), e.Cause)
	}

	return fmt.Sprintf("pool exhausted, waited %.1fs", e.Waited.Seconds())
}

// Unwrap returns the cause.
func (e *WaitTimeoutError) Unwrap() error {
	return e.Cause
}

// An OpenError is returned when a connection to PostgreSQL could not be opened.
type OpenError struct {
	Address string
	Err     error
}

// Error implements error.
func (e *OpenError) Error() string {
	return fmt.Sprintf("connect to %s: %v", e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error {
	return e.Err
}

// hopeless reports whether trying again will not help: the server has answered,
// and it does not let this user into this database. A client is better told at
// once than after query_wait_timeout.
func hopeless(err error) bool {
	var pg *wire.Error
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case wire.CodeInvalidPassword, wire.CodeInvalidAuthorization, wire.CodeInvalidCatalogName:
		return true
	}

	return false
}
