package proxy

import (
	"errors"
	"time"
)

// deadline is when the link must look at the clock again. 0: never.
func (k *link) deadline() time.Duration {
	at, _ := k.limit()

	return at
}

// limit is until when the present state may last (0: for ever), and what follows; nil
// is a cancel.
func (k *link) limit() (at time.Duration, then error) {
	at, then = k.turnLimit()
	if k.stuck != 0 {
		takes := after(k.stuck, k.session.proxy.config.Pgweir.ClientWriteTimeout)
		if takes != 0 && (at == 0 || takes < at) {
			return takes, errClientSlow
		}
	}

	return at, then
}

// turnLimit is limit for whose turn it is, client or server.
func (k *link) turnLimit() (at time.Duration, then error) {
	g := &k.session.proxy.config.Pgweir
	switch {
	case k.owed.runsOurs():
		return after(k.since, executeTimeout), errExecute
	case k.timedOut:
		return after(k.since, g.CancelWaitTimeout), errQueryTimeout
	case k.owed.settled():
		return after(k.since, g.ClientIdleTimeout), errClientIdle // session mode
	case k.owed.idle():
		return after(k.since, g.IdleTransactionTimeout), errTxIdle
	}
	at = after(k.since, g.QueryTimeout)
	idle := after(max(k.since, k.up.last, k.down.last), g.IdleTransactionTimeout)
	if idle != 0 && (at == 0 || idle < at) && k.owed.stalled(k.up.left > 0) && len(k.up.judged()) == 0 {
		return idle, errTxIdle
	}

	return at, nil
}

// due reports why the session must end now, if so. A query that runs for too long
// is cancelled; the session ends only if that does not help.
func (k *link) due() error {
	s := k.session
	switch {
	case s.stop != nil:
		return s.stop
	case s.draining && k.keeps() && k.owed.settled() && k.quiet():
		return errShutdown
	}
	at, then := k.limit()
	if at == 0 || k.loop.Now() < at {
		return nil
	}
	switch {
	case then == nil:
		k.mark()
		k.timedOut = true
		s.route.pool.Cancel(k.server, nil)
	case errors.Is(then, errClientSlow):
		return k.lastChance()
	}

	return then
}

// lastChance is the end of a client that takes nothing, unless it has taken something
// after all: the system says that it takes more only once a third of what waits for it
// there is gone, which lasts if it reads slowly, but takes as much as there is room for.
func (k *link) lastChance() error {
	since := k.stuck
	if err := k.writeClient(); err != nil || k.stuck != since {
		return err
	}

	return errClientSlow
}

// after is the time d after t, or 0, no deadline, if d is 0.
func after(t, d time.Duration) time.Duration {
	if d == 0 {
		return 0
	}

	return t + d
}
