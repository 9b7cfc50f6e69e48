package proxy

import (
	"errors"
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/wire"
)

// The places of a task's connections.
const (
	clientPlace = iota
	serverPlace
)

// A link serves one client from the moment it says something until it is at rest
// again. While it has a server it relays between the two. It is used again and
// again; between two runs it holds nothing.
type link struct {
	session *session
	worker  *worker // of the loop
	task    *reactor.Task
	loop    *reactor.Loop
	client  *reactor.Conn
	server  *pool.Server // nil: none

	up   stream // from the client to the server
	down stream // to the client
	owed owed   // what the server still owes

	preparing // the client's prepared statements
	leftovers // what the client leaves in its PostgreSQL session

	flow *meter.Flow // measures what is said

	state    *serverState // of the server
	said     *wire.Error  // the server's last error
	original []byte       // what the client has sent, while a server that is gone must not lose it
	scratch  []byte       // for messages of our own

	canceling []func() // cancel requests that wait for the end of a statement of our own, each to be told of its end

	parked   bool // waiting for a server
	skipping bool // refused an extended-protocol message: discard until Sync
	leaving  bool // the client has said goodbye; only what it asked before is done
	cleared  bool // what the client's next message had to wait for may have come
	ending   bool // the session is over: the client has been told, and what it did last is undone
	fatal    bool // the server has announced its end
	failed   bool // a statement of our own did
	checking bool // the server is asked whether it is still there
	upBroken bool // the server takes no more, but may have something to say
	timedOut bool // query_timeout has struck: PostgreSQL was asked to cancel the statement

	booked stats.Transaction // of the transaction in progress
	waited time.Duration     // for a server, until that is booked
	began  time.Duration     // when it got its server
	stuck  time.Duration     // since when the client takes nothing of what is on its way to it; 0: it does
	asked  time.Duration     // when the client's last bytes came, or it got its server
	heard  time.Duration     // when the server's last bytes came
	since  time.Duration     // when the server began its statement, the client's turn came, or its wait for a server began
}

// run serves the client until it is at rest, with a nil error, or its session is
// over, with the reason. The client has been told by then. It may wait.
func (k *link) run(s *session, t *reactor.Task) (err error) {
	k.session, k.worker, k.task, k.loop, k.client = s, s.worker(), t, t.Loop(), s.conn
	defer func() {
		if v := recover(); v != nil {
			err = k.panicked(v)
		}
		s.tally(k.loop).Sent(k.booked.FromServer) // what went to the client after the last release
		k.flow.End()
		k.up.reset(k.loop)
		k.down.reset(k.loop)
		*k = link{
			owed: k.owed, preparing: k.preparing, original: k.original, scratch: k.scratch, canceling: k.canceling,
			flow: k.flow,
		}
	}()
	k.flow.Begin(k.worker.meter, &s.measured, s)
	t.Join(clientPlace, k.client)
	k.takeAhead()
	err = k.serve()
	if err != nil {
		k.end(err)
	}

	return err
}

// mark notes that the server begins a statement, or that the client's turn comes.
func (k *link) mark() {
	k.since = k.loop.Now()
}

// panicked ends the session and its server, and nothing else.
func (k *link) panicked(v any) error {
	k.session.proxy.panicked(v)
	if k.server != nil {
		k.destroyServer(pool.ReasonLink)
	}
	if !k.ending {
		k.end(errInternal)
	}

	return errInternal
}

// takeAhead puts what was read at login in front of what is still to be read.
func (k *link) takeAhead() {
	s := k.session
	if s.ahead == nil {
		return
	}
	k.up.arrived(copy(k.up.room(k.loop), s.ahead), k.loop.Now()) // a login buffer is smaller than ours
	s.ahead = nil
}

// serve alternates between the two states of a client: without a server, and with
// one. It may wait.
func (k *link) serve() error {
	for {
		needed, err := k.listen()
		if !needed || err != nil {
			return err
		}
		if err = k.checkOut(); err == nil {
			err = k.relay()
		}
		switch {
		case errors.Is(err, errStale):
			k.unsend(pool.ReasonServerEOF) // the next round gets another server
		case errors.Is(err, errUnfit):
			k.unsend(pool.ReasonCheck)
		case err != nil && k.server == nil:
			if err := k.refuse(err); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}
