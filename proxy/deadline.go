package proxy

import (
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
	if then == nil {
		k.mark()
		k.timedOut = true
		s.route.pool.Cancel(k.server, nil)
	}

	return then
}

// after is the time d after t, or 0, no deadline, if d is 0.
func after(t, d time.Duration) time.Duration {
	if d == 0 {
		return 0
	}

	return t + d
}
