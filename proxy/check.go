package proxy

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
)

// A server whose packets are dropped on the way, by a firewall that has forgotten the
// connection or because its machine is gone, looks like one that is well and has nothing
// to say. So one that was idle for long is asked whether it is still there before
// anything of a client's is sent on it: until then the client can have another.

// errUnfit is returned when a server has not stood the check. Nothing of the client's was
// sent: another will do.
var errUnfit = errors.New("server did not stand its check")

// errNoneFit is why a client has no server when query_wait_timeout has passed with that.
var errNoneFit = errors.New("servers did not stand their check")

// check asks the server whether it is still there, if it was idle for so long that it may
// not be. It is given up after executeTimeout, or at the time deadline (0: none), when the
// client waits no longer. The time that it takes counts as the client's wait for a server.
// It may wait.
func (k *link) check(deadline time.Duration) error {
	g := &k.session.proxy.config.Pgweir
	began := k.loop.Now()
	rest, fresh := began-k.server.IdleSince(), k.state.fresh
	k.state.fresh = false
	if g.ServerCheckQuery == "" || rest < g.ServerCheckDelay || fresh && rest < justOpened {
		return nil
	}
	limit := executeTimeout
	if deadline != 0 {
		limit = min(limit, deadline-began)
	}
	k.checking = true
	err := k.executeWithin(checkQuery(g), limit)
	k.checking = false
	k.waited += k.loop.Now() - began
	var side *sideError
	switch {
	case err == nil:
		return nil
	case k.down.left > 0 && !k.down.dropping: // the client has begun to hear of something, such as a notice
		return err
	case errors.Is(err, errStale), errors.As(err, &side): // it says itself that it is gone
		return errStale
	}
	k.failedCheck(err, began)

	return errUnfit
}

// justOpened is for how long a login is proof enough that a server is there: or, if servers
// are always asked, one that PostgreSQL always answers with an error would have pgweir open
// one after another.
const justOpened = time.Second

// checkQuery is the text that asks a server whether it is there.
func checkQuery(g *config.Pgweir) string {
	if g.ServerCheckQuery == config.EmptyQuery {
		return ""
	}

	return g.ServerCheckQuery
}

// failedCheck tells of a server that has not stood its check. If it was silent, so are
// most likely the others that have been idle for as long or longer: they are closed, or
// client after client would wait for each of them. began is when the check did.
func (k *link) failedCheck(err error, began time.Duration) {
	p, since := k.session.route.pool, k.server.IdleSince()
	others := 0
	if errors.Is(err, errExecute) {
		others = p.CloseIdle(since, pool.ReasonCheck)
	}
	k.session.proxy.log.Warn("server check failed", zap.Stringer("pool", p.Key()), zap.Uint32("server_pid", k.server.Welcome.PID),
		zap.Duration("idle", began-since), zap.Int("closed_as_well", others), zap.Error(err))
}
