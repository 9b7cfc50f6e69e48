package proxy

import (
	"errors"
	"io"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// listen reads from a client that has no server, and does itself what needs none.
// needed is false once there is nothing left to do: the client is at rest. It may
// wait.
func (k *link) listen() (needed bool, err error) {
	k.mark()
	for {
		if err := k.writeClient(); err != nil {
			return false, err
		}
		if k.down.empty() { // else the client does not take its answers: wait for that
			needed, err := k.answerAlone()
			if err != nil {
				return false, err
			}
			if needed {
				return true, k.writeClient() // it may wait long for a server
			}
			if !k.down.empty() {
				continue
			}
			n, err := k.readClient()
			if err != nil {
				return false, err
			}
			if n > 0 {
				continue
			}
			if k.up.empty() && !k.skipping {
				return false, nil
			}
		}
		if err := k.waitForClient(); err != nil {
			return false, err
		}
	}
}

// answerAlone does what the client asks for and needs no server. needed reports
// that the next message does, and is there whole, or as much of it as the buffer
// takes: a client that stalls in the middle of a message keeps no server waiting.
func (k *link) answerAlone() (needed bool, err error) {
	for k.up.left == 0 && len(k.down.judged())+readySize <= reactor.SmallBuffer {
		h, ok := wire.PeekHeader(k.up.unjudged())
		if !ok {
			return false, nil
		}
		if err := h.CheckClient(); err != nil {
			return false, err
		}
		switch h.Type {
		case wire.Terminate:
			return false, errClientLeft
		case wire.Sync:
			k.skipping = false
			k.say(wire.AppendReadyForQuery(nil, wire.TxIdle))
		case wire.Flush, wire.CopyData, wire.CopyDone, wire.CopyFail:
			// There is nothing to flush, and no copy: PostgreSQL ignores
			// them as well.
		default:
			if !k.skipping {
				return k.there(h), nil
			}
		}
		k.up.take(h.Size, true)
	}

	return false, nil
}

// readySize is the size of a ReadyForQuery.
const readySize = wire.HeaderSize + 1

// there reports whether the frame that is next to be judged is there, as far as
// the buffer can hold it.
func (k *link) there(h wire.Header) bool {
	want := min(h.Size, len(k.up.buf))
	if h.Type == wire.Parse && h.Size <= maxPrepare && k.session.manages() {
		k.up.make(h.Size) // it is kept
		want = h.Size
	}

	return len(k.up.unjudged()) >= want
}

// say puts a message of our own on its way to the client. No other may be in the
// middle of its way.
func (k *link) say(frame []byte) {
	k.down.room(k.loop)
	k.down.insert(frame)
}

// refuse answers the client's next message, for which no server could be had, with
// an error, as PostgreSQL would have: what belongs to that message is discarded.
// An error that ends the session is returned.
func (k *link) refuse(why error) error {
	e := clientError(why)
	if e == nil || e.Fatal() {
		return why
	}
	k.session.proxy.countError(e)
	k.say(e.Append(nil))
	h, _ := wire.PeekHeader(k.up.unjudged())
	switch h.Type {
	case wire.Query, wire.FunctionCall:
		k.up.take(h.Size, true)
		k.say(wire.AppendReadyForQuery(nil, wire.TxIdle))
	default:
		k.skipping = true
	}

	return nil
}

// readClient reads what the client has sent, if the loop says that there is
// something and there is room for it.
func (k *link) readClient() (n int, err error) {
	if !k.client.Ready(reactor.Readable) {
		return 0, nil
	}
	room := k.up.room(k.loop)
	if len(room) == 0 {
		return 0, nil
	}
	n, err = k.client.Read(room)
	switch {
	case err == nil:
		k.up.arrived(n, k.loop.Now())

		return n, nil
	case errors.Is(err, reactor.ErrWouldBlock):
		return 0, nil
	case errors.Is(err, io.EOF):
		return 0, errClientGone
	}

	return 0, &sideError{side: "client", op: "read", err: err}
}

// writeClient writes to the client what may leave, as far as it takes it.
func (k *link) writeClient() error {
	b := k.down.judged()
	if len(b) == 0 {
		return nil
	}
	n, err := k.client.Write(b)
	k.down.sent(n)
	k.booked.FromServer += uint64(n)
	k.seeTaken(n, len(b))
	switch {
	case err == nil, errors.Is(err, reactor.ErrWouldBlock):
		return nil
	case k.leaving: // it does not stay for the answers
		k.down.sent(len(b) - n)

		return nil
	}

	return &sideError{side: "client", op: "write", err: err}
}

// seeTaken notes that the client has taken n bytes of those that there were for it.
func (k *link) seeTaken(n, of int) {
	switch {
	case n == of:
		k.stuck = 0
	case n > 0 || k.stuck == 0:
		k.stuck = k.loop.Now()
	}
}

// waitForClient suspends until the client has sent more, or takes more if it must
// take something first. It may wait.
func (k *link) waitForClient() error {
	if k.down.empty() {
		k.client.Want(reactor.Readable)
	} else {
		k.client.Want(reactor.Writable)
	}
	deadline := after(k.since, k.session.proxy.config.Pgweir.ClientIdleTimeout)
	k.up.relax(k.loop)
	k.down.relax(k.loop)
	k.task.Wait(deadline)
	switch {
	case k.session.stop != nil:
		return k.session.stop
	case k.session.draining && k.down.empty(): // a message that is not there whole was not asked yet
		return errShutdown
	case deadline != 0 && k.loop.Now() >= deadline:
		return errClientIdle
	}

	return nil
}
