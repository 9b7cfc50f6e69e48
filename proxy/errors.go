package proxy

import (
	"errors"
	"fmt"

	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// How a session ends without anybody being at fault. None is told to the client.
var (
	// errClientLeft: the client said goodbye.
	errClientLeft = errors.New("client left")
	// errClientGone: the connection ended without a goodbye.
	errClientGone = errors.New("client closed the connection")
	// errServerSpoke: the server has told the client itself that it ends.
	errServerSpoke = errors.New("server ended the session")
)

// A sideError is an error of a connection, and which it was.
type sideError struct {
	side string // client or server
	op   string // read or write
	err  error

	unknown bool // of a server: what the client had asked for may have been committed
}

// Error implements error.
func (e *sideError) Error() string {
	return fmt.Sprintf("%s %s: %v", e.op, e.side, e.err)
}

// Unwrap returns the cause.
func (e *sideError) Unwrap() error {
	return e.err
}

// What ends a session, as the client is told.
var (
	errShutdown = wire.Fatalf(wire.CodeAdminShutdown, "pgweir is shutting down").
			WithHint("Connect again.")
	errServerLost = wire.Fatalf(wire.CodeConnectionFailure, "server closed the connection unexpectedly").
			WithHint("PostgreSQL may have restarted, or the backend was terminated. Connect again and repeat the transaction.")
	errServerUnknown = wire.Fatalf(wire.CodeResolutionUnknown, "server closed the connection unexpectedly").
				WithDetail("Whether it has committed what it was asked for last is not known.").
				WithHint("PostgreSQL may have restarted, or the backend was terminated. Connect again and find out before repeating anything.")
	errServerNonsense = wire.Fatalf(wire.CodeConnectionFailure, "server sent what was not asked for").
				WithHint("The connection was closed so that no answer reaches the wrong client. Please report this.")
	errClientIdle = wire.Fatalf(wire.CodeIdleSessionTimeout, "closing an idle connection (client_idle_timeout)")
	errTxIdle     = wire.Fatalf(wire.CodeIdleInTransaction, "closing a connection that is idle in a transaction (idle_transaction_timeout)")
	errClientSlow = wire.Fatalf(wire.CodeQueryCanceled, "closing a connection that takes no answers (client_write_timeout)")
	errStatement  = wire.Fatalf(wire.CodeFeatureNotSupported, "transaction blocks are not allowed in statement pooling mode").
			WithHint("Use pool_mode = \"transaction\" for this database or user.")
	errCanceled     = wire.Errorf(wire.CodeQueryCanceled, "canceling statement due to user request")
	errQueryTimeout = wire.Fatalf(wire.CodeQueryCanceled, "canceling statement due to query_timeout").
			WithHint("PostgreSQL did not confirm the cancellation within cancel_wait_timeout.")
	errInternal = wire.Fatalf(wire.CodeInternalError, "internal error in pgweir").
			WithHint("The connection was closed; pgweir's log has the details.")
)

// clientError turns what ended a session, or refused a login, into what the client
// is told; nil if there is nobody to tell.
func clientError(err error) *wire.Error {
	var own *wire.Error
	var open *pool.OpenError
	var wait *pool.WaitTimeoutError
	var side *sideError
	switch {
	case errors.Is(err, errClientLeft), errors.Is(err, errClientGone), errors.Is(err, errServerSpoke):
		return nil
	case errors.As(err, &wait):
		return wire.Errorf(wire.CodeTooManyConnections, "%s", waitMessage(wait)).
			WithHint("All servers of the pool are in use (query_wait_timeout). Look for long transactions, or raise pool_size.")
	case errors.As(err, &open):
		return openError(open)
	case errors.Is(err, pool.ErrClosed):
		return errShutdown
	case errors.As(err, &own):
		return own
	case errors.As(err, &side):
		switch {
		case side.side == "client":
			return nil
		case side.unknown:
			return errServerUnknown
		}

		return errServerLost
	}

	return errInternal
}

// waitMessage says why the wait for a server was in vain.
func waitMessage(e *pool.WaitTimeoutError) string {
	if e.Cause != nil {
		return fmt.Sprintf("no server connection after %.1fs: %v", e.Waited.Seconds(), e.Cause)
	}

	return e.Error()
}

// openError says why there is no server to be had. What PostgreSQL says is passed
// on; the network's words are for the log, the client learns that it may try again.
func openError(e *pool.OpenError) *wire.Error {
	var pg *wire.Error
	if errors.As(e.Err, &pg) && pg.Code != "" {
		fatal := wire.Fatalf(pg.Code, "%s", pg.Message)
		fatal.Detail, fatal.Hint = pg.Detail, pg.Hint

		return fatal
	}

	return wire.Fatalf(wire.CodeCannotConnectNow, "cannot connect to PostgreSQL for this database").
		WithDetail(e.Error()).
		WithHint("Is PostgreSQL running, and are host and port in pgweir's configuration right?")
}
