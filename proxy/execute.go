package proxy

import (
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// executeTimeout bounds each statement of our own.
const executeTimeout = 5 * time.Second

// errExecute is returned when a statement of our own has not worked, for reasons
// that the server did not give.
var errExecute = wire.Fatalf(wire.CodeConnectionFailure, "server did not answer a statement of pgweir's own").
	WithHint("Connect again.")

// prepend puts a statement of our own in front of what the client has sent and
// nobody has judged yet, so that both leave in one write. The server owes nothing.
func (k *link) prepend(sql string) {
	k.mark()
	k.save()
	k.up.insert(wire.AppendQuery(nil, sql))
	k.owed.sent(wire.Query, 0, internal)
	k.state.unnamed = nil // a Query takes it away
}

// ask sends an empty query of our own, which changes nothing, for the sake of what its
// answer says about the queue. A Sync would not do: which of several an answer is to
// cannot be told.
func (k *link) ask() error {
	k.up.room(k.loop)
	k.prepend("")

	return k.writeServer()
}

// execute runs a statement of our own, before anything of the client's, on a
// server that owes nothing. The error is the server's if it gave one. It may wait.
func (k *link) execute(sql string) error {
	return k.executeWithin(sql, executeTimeout)
}

// executeWithin is execute with another time limit.
func (k *link) executeWithin(sql string, limit time.Duration) error {
	k.up.room(k.loop)
	k.prepend(sql)

	return k.await(limit)
}

// await waits until the server has answered a statement of our own. The error is the
// server's if it gave one. It may wait.
func (k *link) await(limit time.Duration) error {
	deadline := k.loop.Now() + limit
	for !k.owed.idle() {
		if err := k.writeServer(); err != nil {
			return err
		}
		if k.upBroken || k.loop.Now() >= deadline {
			return errExecute
		}
		k.client.Want(0)
		k.server.Conn.Want(reactor.Readable)
		k.task.Wait(deadline)
		if err := k.readServer(); err != nil {
			return err
		}
		if err := k.judgeDown(); err != nil {
			return err
		}
	}
	switch {
	case k.failed:
		k.failed = false

		return k.said
	case !k.owed.settled():
		return errExecute
	}

	return nil
}
