package proxy

import (
	"errors"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// checkOut gets a server for the client. It may wait.
func (k *link) checkOut() error {
	s := k.session
	deadline := after(k.loop.Now(), s.proxy.config.Pgweir.QueryWaitTimeout)
	k.client.Want(reactor.Hangup)
	k.parked = true
	server, waited, err := s.route.pool.Acquire(k.task, deadline, s)
	k.parked = false
	s.cancelled = false
	if err != nil {
		return err
	}
	k.server = server
	k.task.Join(serverPlace, server.Conn)
	k.owed.reset()
	k.injected = 0
	k.began = k.loop.Clock().Now()
	s.tally(k.loop).Checkout(waited)

	return k.applySettings()
}

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
		if err := k.pause(); err != nil {
			return err
		}
	}
}

// forwardUp moves what the client sends to the server.
func (k *link) forwardUp() error {
	if !k.leaving && !k.owed.full() {
		if _, err := k.readClient(); err != nil {
			return err
		}
	}
	if err := k.judgeUp(); err != nil {
		return err
	}

	return k.writeServer()
}

// judgeUp looks at the client's frames and enters in the queue what the server
// will owe for them. All go to the server, but for the goodbye.
func (k *link) judgeUp() error {
	u := &k.up
	for u.scan < u.w && !k.leaving && !k.owed.full() {
		b := u.unjudged()
		h, ok := wire.PeekHeader(b)
		if !ok {
			return nil
		}
		if err := h.CheckClient(); err != nil {
			return err
		}
		what := byte(0)
		switch h.Type {
		case wire.Terminate:
			k.leave()

			return nil
		case wire.Describe:
			switch {
			case h.Size == wire.HeaderSize: // PostgreSQL will complain
			case len(b) == wire.HeaderSize:
				return nil
			default:
				what = b[wire.HeaderSize]
			}
		case wire.Query, wire.Execute, wire.FunctionCall:
			k.booked.Queries++
		}
		if k.owed.idle() {
			k.mark()
		}
		k.owed.sent(h.Type, what, 0)
		u.take(h.Size, false)
	}

	return nil
}

// leave notes that the client has said goodbye: what it asked for before is done. A
// server holds back its answers in an open extended series, so it is asked for them.
func (k *link) leave() {
	k.leaving = true
	if k.owed.open {
		k.up.insert([]byte{wire.Flush, 0, 0, 0, 4})
	}
}

// errStale is returned when the server had gone before it got anything from this
// link: another will do.
var errStale = errors.New("server was gone at checkout")

// writeServer writes to the server what may leave, as far as it takes it. A server
// that takes no more may still have something to say, so that is not the end.
func (k *link) writeServer() error {
	b := k.up.judged()
	if len(b) == 0 {
		return nil
	}
	if k.upBroken {
		k.up.sent(len(b))

		return nil
	}
	n, err := k.server.Conn.Write(b)
	if err != nil && !errors.Is(err, reactor.ErrWouldBlock) {
		if k.booked.FromClient == 0 {
			return errStale
		}
		k.upBroken = true
		n = len(b)
	}
	k.up.sent(n)
	k.booked.FromClient += uint64(n)

	return nil
}

// unsend takes back what was meant for a server that was gone, for another one.
func (k *link) unsend() {
	k.up.sent(k.injected) // the other one may need something else
	k.up.unjudge()
	k.leaving = false
	server := k.server
	k.part()
	k.session.route.pool.Destroy(server, pool.ReasonServerEOF)
}

// forwardDown moves what the server answers to the client. Once all is answered
// and the transaction over, the server is released, before the client gets the
// last of it: somebody may be waiting.
func (k *link) forwardDown() error {
	lost := k.readServer()
	if err := k.judgeDown(); err != nil {
		return err
	}
	if k.failed {
		return settingsRefused(k.said)
	}
	if k.free() && k.quiet() {
		k.letGo()
	}
	if err := k.writeClient(); err != nil {
		return err
	}
	switch {
	case k.fatal:
		return errServerSpoke
	case lost != nil:
		return lost
	case k.server == nil:
		return nil
	}

	return k.overstepped()
}

// free reports whether the client needs its server no more.
func (k *link) free() bool {
	return k.owed.settled() && k.session.route.mode != config.PoolSession
}

// letGo gives the server back, or closes it if its last word has come right behind
// its last answer.
func (k *link) letGo() {
	if k.fatal {
		k.destroyServer(pool.ReasonServerError)
	} else {
		k.release()
	}
}

// readServer reads what the server has sent, if the loop says that there is
// something and the client takes it.
func (k *link) readServer() error {
	if !k.server.Conn.Ready(reactor.Readable) {
		return nil
	}
	room := k.down.room(k.loop)
	if len(room) == 0 {
		return nil
	}
	n, err := k.server.Conn.Read(room)
	switch {
	case err == nil:
		k.down.arrived(n)

		return nil
	case errors.Is(err, reactor.ErrWouldBlock):
		return nil
	}

	return &sideError{side: "server", op: "read", err: err}
}

// judgeDown looks at the server's frames and strikes off what they answer.
func (k *link) judgeDown() error {
	d := &k.down
	for d.scan < d.w {
		b := d.unjudged()
		h, ok := wire.PeekHeader(b)
		if !ok {
			return nil
		}
		if h.Type == wire.DataRow && h.Size >= wire.HeaderSize && k.owed.rowsForClient() {
			d.take(h.Size, false) // nearly all there is, and nothing to do for it

			continue
		}
		if err := h.CheckServer(); err != nil {
			return errServerNonsense
		}
		if mustSee(h.Type) && len(b) < h.Size && k.canHold(h.Size) {
			return nil
		}
		ours, err := k.received(h, b[wire.HeaderSize:min(h.Size, len(b))])
		if err != nil {
			return err
		}
		d.take(h.Size, ours)
	}

	return nil
}

// mustSee reports whether a server's frame is looked into, so that it must be
// there whole first.
func mustSee(typ byte) bool {
	return typ == wire.ReadyForQuery || typ == wire.ErrorResponse || typ == wire.ParameterStatus
}

// canHold reports whether a frame of that size finds room in the buffer, which is
// made larger if that helps.
func (k *link) canHold(size int) bool {
	if size > reactor.LargeBuffer {
		return false
	}
	if size > len(k.down.buf) {
		k.down.widen(k.loop)
	}

	return true
}

// received strikes a server's frame off the queue.
func (k *link) received(h wire.Header, body []byte) (ours bool, err error) {
	free := k.free() // what comes now is the pool's affair
	if free && comesUnasked(h.Type) {
		return true, nil
	}
	status := byte(0)
	switch h.Type {
	case wire.ReadyForQuery:
		if len(body) != 1 {
			return false, errServerNonsense
		}
		status = body[0]
	case wire.ErrorResponse:
		if e, err := wire.ParseError(body); err == nil {
			k.said, k.fatal = e, e.Fatal()
		}
		if free && k.fatal {
			return true, nil
		}
	case wire.ParameterStatus:
		k.follow(body)
	}
	ours, err = k.owed.received(h.Type, status)
	if err != nil {
		return false, errServerNonsense
	}
	k.failed = k.failed || ours && h.Type == wire.ErrorResponse
	if k.owed.idle() {
		k.mark()
		k.timedOut = false
	}

	return ours, nil
}

// comesUnasked reports whether PostgreSQL sends messages of that type at any time,
// to whoever has the session.
func comesUnasked(typ byte) bool {
	return typ == wire.NoticeResponse || typ == wire.NotificationResponse || typ == wire.ParameterStatus
}

// quiet reports whether nothing is on its way in either direction, but for what
// the client has still to take: no part of a message for the server, and none from
// it.
func (k *link) quiet() bool {
	u, d := &k.up, &k.down

	return u.r == u.scan && u.left == 0 && d.scan == d.w && d.left == 0
}

// overstepped reports the end of a session that has the server but has done what
// its pool mode does not allow, or has asked for nothing more.
func (k *link) overstepped() error {
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
	client, server := reactor.Events(0), reactor.Events(0)
	if !k.leaving && !k.owed.full() && !k.up.full() {
		client |= reactor.Readable
	}
	if len(k.down.judged()) > 0 {
		client |= reactor.Writable
	}
	if !k.down.full() {
		server |= reactor.Readable
	}
	if len(k.up.judged()) > 0 {
		server |= reactor.Writable
	}
	k.client.Want(client)
	k.server.Conn.Want(server)
	k.up.relax(k.loop)
	k.down.relax(k.loop)
	k.task.Wait(k.deadline())

	return k.due()
}

// after is the time d after t, or 0, no deadline, if d is 0.
func after(t, d time.Duration) time.Duration {
	if d == 0 {
		return 0
	}

	return t + d
}
