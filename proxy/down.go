package proxy

import (
	"errors"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

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
	if k.rejected != nil {
		k.suspect() // it is to be undone

		return k.rejected
	}
	if k.repeating && k.owed.idle() {
		k.repeat()
	}
	if err := k.makeFree(); err != nil {
		return err
	}
	if err := k.writeClient(); err != nil {
		return err
	}
	switch {
	case k.fatal && k.tidying(): // to pgweir, not to the client
		return &sideError{side: "server", op: "read", err: k.said}
	case k.fatal:
		return errServerSpoke
	case lost != nil:
		return k.lost(lost)
	case k.server == nil:
		return nil
	}

	return k.sessionOver()
}

// makeFree gives the server back if the client needs it no more, or finds out whether
// that is so if a failed COPY has left it in doubt.
func (k *link) makeFree() error {
	switch {
	case !k.quiet():
	case k.suspected && k.owed.settled() && !k.fatal:
		return k.inspect()
	case k.cleanup != "" && k.owed.settled() && !k.fatal:
		return k.tidy()
	case k.free():
		k.letGo()
	case k.session.pinned != nil && k.owed.settled() && !k.fatal && !k.state.settings.Equal(k.session.settings):
		return k.resettle()
	case k.owed.doubtful() && k.session.route.mode != config.PoolSession:
		return k.ask()
	}

	return nil
}

// free reports whether the client needs its server no more. That is not so while it is not
// known what it has left there.
func (k *link) free() bool {
	return k.owed.settled() && !k.keeps() && !k.suspected && k.cleanup == ""
}

// letGo gives the server back, or closes it if its last word has come right behind
// its last answer.
func (k *link) letGo() {
	switch {
	case k.fatal:
		k.destroyServer(pool.ReasonServerError)
	case k.dirty:
		k.destroyServer(pool.ReasonDirty)
	default:
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
		k.heard = k.loop.Clock().Now()
		k.down.arrived(n, k.loop.Now())

		return nil
	case errors.Is(err, reactor.ErrWouldBlock):
		return nil
	}

	return &sideError{side: "server", op: "read", err: err}
}

// lost completes the error of reading from a server that is gone.
func (k *link) lost(err error) error {
	var side *sideError
	if errors.As(err, &side) {
		side.unknown = k.owed.mayCommit()
	}

	return err
}

// judgeDown looks at the server's frames and strikes off what they answer.
func (k *link) judgeDown() error {
	d := &k.down
	for k.answerClient(); d.scan < d.w; k.answerClient() {
		b := d.unjudged()
		h, ok := wire.PeekHeader(b)
		if !ok {
			return nil
		}
		if h.Type == wire.DataRow && h.Size >= wire.HeaderSize && k.owed.rowsForClient() {
			if k.flow.Looks() && len(b) < h.Size && k.canHold(h.Size) {
				return nil
			}
			k.flow.Row(h.Size, b[wire.HeaderSize:min(h.Size, len(b))])
			d.take(h.Size, false) // nearly all there is, and nothing to do for it

			continue
		}
		if err := h.CheckServer(); err != nil {
			return errServerNonsense
		}
		if k.mustSee(h.Type) && len(b) < h.Size && k.canHold(h.Size) {
			return nil
		}
		ours, err := k.received(&h, b[wire.HeaderSize:min(h.Size, len(b))])
		if err != nil {
			return err
		}
		d.take(h.Size, ours)
	}

	return nil
}

// mustSee reports whether a server's frame is looked into, so that it must be
// there whole first.
func (k *link) mustSee(typ byte) bool {
	switch typ {
	case wire.ReadyForQuery, wire.ErrorResponse, wire.ParameterStatus, wire.CommandComplete:
		return true
	case wire.RowDescription, wire.ParameterDescription: // are kept
		return k.worker.meter != nil || k.found.asked
	}

	return k.found.asked
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
