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

// end ends the session: it tells the client why, brings its server into order, and
// closes the client's connection. The server does not wait for a client that does not
// take its farewell. It may wait.
func (k *link) end(why error) {
	k.ending = true
	deadline := k.loop.Now() + farewellTimeout
	intact := k.server != nil && k.quiet() && k.owed.owesOurs() && !errors.Is(why, errExecute)
	speaking := clientError(why) != nil && (k.up.left > 0 || k.up.scan < k.up.w)
	lingers := k.farewell(why) || speaking
	if !lingers {
		k.client.Close()
	}
	if k.server != nil {
		rest := k.down
		k.down = stream{}
		k.leaveServer(why, intact)
		k.down.reset(k.loop)
		k.down = rest
	}
	if lingers {
		k.flush(deadline)
		if speaking {
			k.linger(min(deadline, k.loop.Now()+lingerTimeout))
		}
		k.client.Close()
	}
}

// farewell tells the client why its session ends. It reports whether there is
// something on the way that the client should take and has not.
func (k *link) farewell(why error) (lingers bool) {
	e := clientError(why)
	d := &k.down
	if e != nil && d.left == 0 && d.r <= d.scan { // never in the middle of a message
		d.w = d.scan
		k.session.proxy.countError(e)
		k.say(e.Append(nil))
	}
	if e == nil && !errors.Is(why, errServerSpoke) {
		return false
	}

	return k.writeClient() == nil && len(d.judged()) > 0
}

// flush writes to the client what may leave, until the time deadline at most; a
// session that is to end at once waits for nobody. It may wait.
func (k *link) flush(deadline time.Duration) {
	for k.writeClient() == nil && len(k.down.judged()) > 0 && k.loop.Now() < deadline && k.session.stop == nil {
		k.client.Want(reactor.Writable)
		k.task.Wait(deadline)
	}
}

// linger reads on until the client closes, or until the time deadline: closing while it
// still sends a message would make the system throw away what it has yet to read. It
// may wait.
func (k *link) linger(deadline time.Duration) {
	k.client.CloseWrite()
	for k.loop.Now() < deadline && k.session.stop == nil {
		k.up.reset(k.loop)
		n, err := k.readClient()
		switch {
		case err != nil:
			return
		case n == 0:
			k.client.Want(reactor.Readable)
			k.task.Wait(deadline)
		}
	}
}

// leaveServer brings the server of a session that has ended back to a clean state, or
// closes it. intact says that it owed the client nothing and no part of a message was on
// its way; else a query may still run, which is cancelled: nobody wants its result. It may wait.
func (k *link) leaveServer(why error, intact bool) {
	var side *sideError
	lost := errors.As(why, &side) && side.side == "server"
	switch {
	case lost, errors.Is(why, errServerSpoke), errors.Is(why, errServerNonsense), k.upBroken:
		k.destroyServer(pool.ReasonLink)
	case !intact:
		k.session.route.pool.Cancel(k.server, nil)
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
	if !k.owed.idle() && k.await(executeTimeout) != nil || k.dirty {
		return false
	}
	if !k.owed.settled() && k.execute("ROLLBACK") != nil {
		return false
	}
	reset := k.session.proxy.config.Pgweir.ServerResetQuery
	switch {
	case k.session.loaded:
		return false
	case k.suspected || k.session.pinned != nil || k.cleanup != "":
		reset = resetAll
	case k.session.route.mode != config.PoolSession || reset == "":
		return true
	}
	if k.execute(reset) != nil {
		return false
	}
	k.state.settings = nil
	k.state.forget()

	return true
}
