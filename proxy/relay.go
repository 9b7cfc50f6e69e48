package proxy

import (
	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// relay carries messages both ways between client and server until the server has
// been released, with a nil error, or the session must end. It may wait.
func (k *link) relay() error {
	for {
		err := k.forwardUp()
		if err == nil {
			err = k.forwardDown()
		}
		if err != nil || k.server == nil {
			return err
		}
		k.passCancels()
		if k.cleared {
			k.cleared = false // what was in doubt can be judged now

			continue
		}
		if err := k.pause(); err != nil {
			return err
		}
	}
}

// quiet reports whether nothing is on its way in either direction, but for what
// the client has still to take: no part of a message for the server, and none from
// it.
func (k *link) quiet() bool {
	u, d := &k.up, &k.down

	return u.r == u.scan && u.left == 0 && d.scan == d.w && d.left == 0
}

// sessionOver reports the end of a session that has the server but has done what
// its pool mode does not allow, or has asked for nothing more.
func (k *link) sessionOver() error {
	if k.leaving && k.owed.copyIn {
		return errClientLeft // the server waits for data that will not come
	}
	if !k.owed.idle() || !k.quiet() {
		return nil
	}
	switch {
	case k.session.route.mode == config.PoolStatement && k.owed.tx != wire.TxIdle:
		return errStatement
	case k.leaving:
		return errClientLeft
	}

	return nil
}

// pause suspends until either side can go on: a side is read only if the other
// takes what it sends, and neither waits for the other alone. It may wait.
func (k *link) pause() error {
	if k.owed.idle() {
		k.up.settle()
		k.down.settle()
	}
	client, server := reactor.Events(0), reactor.Events(0)
	now, deadline := k.loop.Now(), k.deadline()
	if !k.leaving && !k.owed.full() && !k.up.full() {
		client, deadline = k.up.thirst(now, deadline)
	}
	if len(k.down.judged()) > 0 {
		client |= reactor.Writable
	}
	if !k.down.full() {
		server, deadline = k.down.thirst(now, deadline)
	}
	if len(k.up.judged()) > 0 {
		server |= reactor.Writable
	}
	k.client.Want(client)
	k.server.Conn.Want(server)
	k.up.relax(k.loop)
	k.down.relax(k.loop)
	k.task.Wait(deadline)

	return k.due()
}
