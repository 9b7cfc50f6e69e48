package proxy

import (
	"github.com/pgweir/pgweir/wire"
)

// received takes in what a server's frame says, and strikes it off the queue. ours
// reports that it is not for the client. h is its header, which may change.
func (k *link) received(h *wire.Header, body []byte) (ours bool, err error) {
	free, internal := k.free(), k.owed.answersOurs()
	if free && comesUnasked(h.Type) {
		return true, nil // it is the pool's affair
	}
	switch h.Type {
	case wire.ReadyForQuery:
		if len(body) != 1 {
			return false, errServerNonsense
		}
	case wire.ErrorResponse:
		k.readError(h, body)
		if free && k.fatal {
			return true, nil
		}
	case wire.CommandComplete:
		if !internal {
			k.readTag(body)
		}
	case wire.DataRow:
		if internal && k.found.asked && !k.finding(body) {
			k.found.failed = true
		}
	case wire.ParameterStatus:
		if internal && !k.ending {
			return k.cleaning || k.knows(body), nil
		}
		k.follow(body)
	}

	return k.strike(h, body)
}

// readError takes in an error, which may be replaced.
func (k *link) readError(h *wire.Header, body []byte) {
	if e, err := wire.ParseError(body); err == nil {
		if !k.failed { // else what counts is the error of our own statement, in front
			k.said = e
		}
		k.fatal = e.Fatal()
	}
	k.explainRefusal(h)
	k.notDiscarded()
	k.locals, k.boundLocal = 0, false // not all may have been done
}

// readTag takes in what a CommandComplete says that the client has done.
func (k *link) readTag(tag []byte) {
	if k.manages && tellsDiscarded(tag) {
		k.discarded()
	}
	if string(tag) == "DEALLOCATE\x00" {
		k.deallocationDone()
	}
	if tagAlters(tag) {
		k.alter()
	}
	if tagSuspects(tag, k.session.pinned != nil) {
		k.complete(tag)
	}
}

// strike strikes a server's frame off the queue.
func (k *link) strike(h *wire.Header, body []byte) (ours bool, err error) {
	status := byte(0)
	if h.Type == wire.ReadyForQuery {
		status = body[0]
		k.deallocationOver()
	}
	before, follows := k.owed.marked, k.owed.follows()
	first, asks := k.owed.first(), k.owed.asks
	ours, err = k.owed.received(h.Type, status)
	if err != nil {
		return false, errServerNonsense
	}
	if n := before - k.owed.marked; n > 0 {
		k.settle(h, n, follows)
	}
	if k.worker.meter != nil && !ours && !comesUnasked(h.Type) {
		k.measureDown(*h, body, first, asks-k.owed.asks)
	}
	if k.altered && status == wire.TxIdle {
		k.altered = false
		k.session.proxy.catalog.Add(1) // now others see it
	}
	if ours {
		k.readOwn(h.Type)
	}
	switch {
	case k.repeating && (h.Type == wire.ErrorResponse || h.Type == wire.ReadyForQuery):
		ours = true
	case !ours:
		k.original = k.original[:0] // answered
	}
	if endsStatement(h.Type) || k.owed.idle() {
		k.mark()
		k.timedOut = false
	}

	return ours, nil
}

// readOwn takes in an answer to a statement of pgweir's own.
func (k *link) readOwn(typ byte) {
	switch {
	case k.cleaning:
		k.tidied(typ)
	case typ == wire.ErrorResponse && k.found.asked:
		k.found.failed = true
	case typ == wire.ErrorResponse:
		k.failed = true
	case typ == wire.ReadyForQuery && k.found.asked:
		k.inspected()
	}
}

// comesUnasked reports whether PostgreSQL sends messages of that type at any time,
// to whoever has the session.
func comesUnasked(typ byte) bool {
	return typ == wire.NoticeResponse || typ == wire.NotificationResponse || typ == wire.ParameterStatus
}
