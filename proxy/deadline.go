package proxy

import (
	"time"

	"github.com/pgweir/pgweir/config"
)

// deadline is when the link must look at the clock again: at the end of
// query_timeout while the server works, else of idle_transaction_timeout or
// client_idle_timeout. 0: never.
func (k *link) deadline() time.Duration {
	limit, _ := k.patience()

	return after(k.since, limit)
}

// patience is how long the present state may last (0: for ever), and what follows.
func (k *link) patience() (limit time.Duration, then error) {
	g := &k.session.proxy.config.Pgweir
	switch {
	case k.timedOut:
		return g.CancelWaitTimeout, errQueryTimeout
	case !k.owed.idle():
		return g.QueryTimeout, nil
	case !k.owed.settled():
		return g.IdleTransactionTimeout, errTxIdle
	}

	return g.ClientIdleTimeout, errClientIdle // session mode
}

// due reports why the session must end now, if so. A query that runs for too long
// is cancelled; the session ends only if that does not help.
func (k *link) due() error {
	s := k.session
	switch {
	case s.stop != nil:
		return s.stop
	case s.draining && s.route.mode == config.PoolSession && k.owed.settled() && k.quiet():
		return errShutdown
	}
	limit, then := k.patience()
	if limit == 0 || k.loop.Now() < k.since+limit {
		return nil
	}
	if then == nil {
		k.mark()
		k.timedOut = true
		s.route.pool.Cancel(k.server)
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
