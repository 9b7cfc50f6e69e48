package proxy

import (
	"errors"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/stats"
)

// checkOut gets a server for the client. It may wait, for query_wait_timeout in all if
// it is called again because the server was stale or unfit.
func (k *link) checkOut() error {
	s := k.session
	deadline := after(k.loop.Now()-k.waited, s.proxy.config.Pgweir.QueryWaitTimeout)
	if deadline != 0 && k.loop.Now() >= deadline { // the last server has taken its time to be of no use
		late := &pool.WaitTimeoutError{Waited: k.waited, Cause: errNoneFit}
		k.waited = 0

		return late
	}
	k.client.Want(reactor.Hangup)
	k.since = k.loop.Now() - k.waited
	k.parked = true
	server, waited, err := s.route.pool.Acquire(k.task, deadline, s)
	k.parked = false
	if err == nil && s.cancelled { // when the server was on its way already
		s.route.pool.Release(server)
		err = errCanceled
	}
	s.cancelled = false
	k.waited += waited
	if err != nil {
		k.waited = 0

		return err
	}
	k.server = server
	k.task.Join(serverPlace, server.Conn)
	k.owed.reset()
	k.state, k.manages = stateOf(server), s.manages()
	k.began = k.loop.Clock().Now()
	k.asked, k.heard = k.began, k.began
	if s.proxy.config.Pgweir.Paranoid {
		k.suspect()
	}

	err = k.check(deadline)
	if err == nil && len(k.canceling) == 0 { // else nothing may be in front of the client's next message
		err = k.applySettings()
	}
	if err != nil {
		return err
	}
	if len(k.canceling) > 0 { // nothing of the client's is on its way yet
		k.part()
		s.route.pool.Release(server)

		return errCanceled
	}

	return nil
}

// bookWait books how long the client has waited, once for each server that was of use
// to it: before the first byte is booked.
func (k *link) bookWait() {
	if k.booked.FromClient == 0 {
		k.session.tally(k.loop).Checkout(k.waited)
		k.waited = 0
	}
}

// errStale is returned when the server had gone before it got anything from this
// link: another will do.
var errStale = errors.New("server was gone at checkout")

// unsend takes back what was meant for a server that was gone, for another one.
func (k *link) unsend(why pool.Reason) {
	if len(k.original) > 0 {
		k.up.restore(k.loop, k.original)
	} else {
		k.up.unjudge()
	}
	k.down.cut()
	k.leaving = false
	server := k.server
	k.part()
	k.session.route.pool.Destroy(server, why)
}

// release gives the server back, clean.
func (k *link) release() {
	if n := k.flow.Pending(); n != 0 {
		k.session.proxy.log.DPanic("bug: statements are measured that were answered", zap.Int("statements", n))
	}
	server := k.server
	k.unlink()
	k.session.route.pool.Release(server)
}

// destroyServer closes the server.
func (k *link) destroyServer(why pool.Reason) {
	server := k.server
	k.heard = k.loop.Clock().Now()
	k.unlink()
	k.session.route.pool.Destroy(server, why)
}

// unlink books the transaction and lets go of the server.
func (k *link) unlink() {
	k.bookWait()
	k.booked.Took = k.heard - k.began
	k.session.tally(k.loop).Book(k.booked)
	k.part()
}

// part lets go of the server.
func (k *link) part() {
	k.task.Leave(serverPlace)
	k.undoAll()
	k.dropCancels()
	k.flow.Drop()
	if k.altered {
		k.session.proxy.catalog.Add(1) // perhaps
	}
	k.server, k.state = nil, nil
	k.original = k.original[:0]
	k.booked = stats.Transaction{}
	k.fatal, k.failed, k.upBroken, k.timedOut, k.cleared = false, false, false, false, false
	k.preparing = preparing{changes: k.changes}
	k.leftovers = leftovers{}
}
