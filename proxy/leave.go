package proxy

import (
	"errors"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
)

// farewellTimeout bounds how long a client that must go is given to take what is
// still on its way to it.
const farewellTimeout = 5 * time.Second

// farewell tells the client why its session ends and closes its connection. It may
// wait.
func (k *link) farewell(why error) {
	e := clientError(why)
	d := &k.down
	if e != nil && d.left == 0 && d.r <= d.scan { // never in the middle of a message
		d.w = d.scan
		k.session.proxy.countError(e)
		k.say(e.Append(nil))
	}
	if e != nil || errors.Is(why, errServerSpoke) {
		k.flush(k.loop.Now() + farewellTimeout)
	}
	k.client.Close()
}

// flush writes to the client what may leave, until the time deadline at most; a
// session that is to end at once waits for nobody. It may wait.
func (k *link) flush(deadline time.Duration) {
	for k.writeClient() == nil && len(k.down.judged()) > 0 && k.loop.Now() < deadline && k.session.stop == nil {
		k.client.Want(reactor.Writable)
		if k.server != nil {
			k.server.Conn.Want(0)
		}
		k.task.Wait(deadline)
	}
}

// leaveServer finds out in which state a session that has ended leaves its server,
// and brings it back to a clean one, or closes it. A query that is still running
// is cancelled: nobody wants its result. It may wait.
func (k *link) leaveServer(why error) {
	var side *sideError
	lost := errors.As(why, &side) && side.side == "server"
	switch {
	case lost, errors.Is(why, errServerSpoke), errors.Is(why, errServerNonsense), k.upBroken:
		k.destroyServer(pool.ReasonLink)
	case !k.owed.idle() || !k.quiet():
		k.session.route.pool.Cancel(k.server)
		k.destroyServer(pool.ReasonAbandoned)
	case k.clean():
		k.release()
	default:
		k.destroyServer(pool.ReasonDirty)
	}
}

// clean rolls back an open transaction and, after a session of its own, resets the
// server. It reports whether the server is as good as new. It may wait.
func (k *link) clean() bool {
	k.up.reset(k.loop)
	k.down.reset(k.loop)
	k.cleaning = true
	if !k.owed.settled() && k.execute("ROLLBACK") != nil {
		return false
	}
	reset := k.session.proxy.config.Pgweir.ServerResetQuery
	if k.session.route.mode != config.PoolSession || reset == "" {
		return true
	}
	if k.execute(reset) != nil {
		return false
	}
	k.server.Settings = nil

	return true
}
