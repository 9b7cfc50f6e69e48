package pool

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/puddle/v2"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// A Server is one connection to PostgreSQL, logged in.
type Server struct {
	// Conn is the connection, for whoever has acquired the server.
	Conn *reactor.Conn
	// Welcome is what PostgreSQL said at login. It must not be changed.
	Welcome *wire.Welcome
	// Session is what those who acquire the server know of its PostgreSQL session,
	// one after another. The pool does not look at it. Nil at first.
	Session any

	pool     *Pool
	resource *puddle.Resource[*Server]
	expires  time.Duration // end of its lifetime

	// Guarded by the pool's mutex; while the server is acquired, idleSince stays.
	loop      *reactor.Loop // with which Conn is registered; nil on the way to one
	state     state
	idleSince time.Duration
	cancels   int  // cancel requests on their way to PostgreSQL
	doomed    bool // one of them was not confirmed: it may still hit
}

// IdleSince is when the server came free before its present use: when it was opened, or
// released, or last said something. It is for whoever has acquired the server.
func (s *Server) IdleSince() time.Duration {
	return s.idleSince
}

// state says who a server belongs to.
type state uint8

// The states of a server.
const (
	acquired  state = iota // to a task, or it is on its way to one
	idle                   // to its pool
	canceling              // released, but a cancel may still hit it
	gone                   // closed
)

// Ready implements [reactor.Handler]: an idle server has spoken, or is gone.
func (s *Server) Ready(*reactor.Conn) {
	if !s.pool.takeForCheck(s) {
		return // on its way to a task, which will hear of it
	}
	if err := s.readUnasked(); err != nil {
		s.pool.Destroy(s, closeReason(err))

		return
	}
	s.pool.Release(s)
}

// readUnasked reads what an idle server has sent. Only what concerns nobody in
// particular may come: anything else is an error, after which the server is of no
// use. So is more than a large buffer holds, far more than PostgreSQL has to say then.
func (s *Server) readUnasked() error {
	loop := s.Conn.Loop()
	buf := loop.Borrow(reactor.LargeBuffer)
	defer loop.Return(buf)
	n, err := s.Conn.Read(buf)
	if errors.Is(err, reactor.ErrWouldBlock) {
		return nil
	}
	if err != nil {
		return err
	}
	for b := buf[:n]; len(b) > 0; {
		h, ok := wire.PeekHeader(b)
		if !ok || h.CheckServer() != nil || h.Size > len(b) {
			return errors.New("idle server sent a broken message")
		}
		if err := unasked(h.Type, b[wire.HeaderSize:h.Size]); err != nil {
			return err
		}
		b = b[h.Size:]
	}

	return nil
}

// unasked judges one message of an idle server.
func unasked(typ byte, body []byte) error {
	switch typ {
	case wire.NoticeResponse, wire.NotificationResponse, wire.ParameterStatus:
		return nil
	case wire.ErrorResponse:
		pg, err := wire.ParseError(body)
		if err != nil {
			return err
		}

		return pg
	}

	return fmt.Errorf("idle server sent an unexpected %q message", typ)
}

// closeReason names, for the metrics, why an idle server is closed that ended or
// misbehaved by itself.
func closeReason(err error) Reason {
	if errors.Is(err, io.EOF) {
		return ReasonServerEOF
	}

	return ReasonServerError
}

// close says goodbye and closes the connection. It runs on the server's loop, or
// on none if it has none yet.
func (s *Server) close() {
	terminate := [...]byte{wire.Terminate, 0, 0, 0, 4}
	_, _ = s.Conn.Write(terminate[:]) // a courtesy
	s.Conn.Close()
}

// A Reason says why a server was closed; it is a label in the metrics.
type Reason string

// The reasons for closing a server.
const (
	ReasonLifetime    Reason = "server_lifetime"
	ReasonIdle        Reason = "server_idle_timeout"
	ReasonEvicted     Reason = "evicted"        // for another pool, under a common limit
	ReasonShutdown    Reason = "shutdown"       // pgweir ends
	ReasonServerEOF   Reason = "server_eof"     // closed by PostgreSQL while idle
	ReasonServerError Reason = "server_error"   // an error or nonsense while idle
	ReasonLink        Reason = "link_broken"    // the connection broke during a transaction
	ReasonAbandoned   Reason = "client_gone"    // its client left it in a state not worth mending
	ReasonDirty       Reason = "reset_failed"   // it could not be brought back to a clean state
	ReasonCancel      Reason = "cancel_timeout" // a cancel request was not confirmed in time
	ReasonCheck       Reason = "server_check"   // it did not answer the check before its next use as it should
)
