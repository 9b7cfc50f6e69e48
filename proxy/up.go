package proxy

import (
	"errors"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// forwardUp moves what the client sends to the server.
func (k *link) forwardUp() error {
	if !k.leaving && !k.owed.full() {
		n, err := k.readClient()
		if err != nil {
			return err
		}
		if n > 0 {
			k.asked = k.loop.Clock().Now()
			k.keepOriginal(n)
		}
	}
	if err := k.judgeUp(); err != nil {
		return err
	}

	return k.writeServer()
}

// judgeUp looks at the client's frames and enters in the queue what the server
// will owe for them. All go to the server, but for the goodbye and what pgweir answers
// itself.
func (k *link) judgeUp() error {
	u := &k.up
	for u.scan < u.w && !k.leaving && !k.tidying() && !k.owed.full() {
		h, ok := wire.PeekHeader(u.unjudged())
		if !ok {
			return nil
		}
		if err := h.CheckClient(); err != nil {
			return err
		}
		v, err := k.judge(&h)
		switch {
		case err != nil || v == notYet:
			return err
		case v == saysGoodbye:
			k.leave()
		default:
			if v != answered {
				k.enter(h, v)
			}
			u.take(h.Size, v == answered)
		}
	}

	return nil
}

// judge says what becomes of the client's next frame. h is its header, which may change.
func (k *link) judge(h *wire.Header) (verdict, error) {
	switch {
	case k.mustWait(*h):
		return notYet, nil
	case h.Type == wire.Terminate:
		return saysGoodbye, nil
	case k.owed.skip:
		return asItIs, nil
	case k.session.route.rejects && k.refuseText(h):
		k.query = known{}

		return follows, nil
	case h.Type == wire.Query:
		b := k.up.unjudged()
		k.query = k.read(b[wire.HeaderSize:min(h.Size, len(b))])
		if len(b) < h.Size {
			k.query.measured = k.worker.meter.Unread()
		}
	}
	if k.manages {
		return k.prepare(h)
	}

	return asItIs, nil
}

// enter enters the client's next frame, with header h, in the queue of what the server
// owes, and takes in what the frame may leave in the session.
func (k *link) enter(h wire.Header, v verdict) {
	b := k.up.unjudged()
	body := b[wire.HeaderSize:min(h.Size, len(b))]
	switch h.Type {
	case wire.Query, wire.Execute, wire.FunctionCall:
		k.booked.Queries++
	}
	if !k.owed.skip {
		k.heedFrame(h, body)
	}
	if k.owed.idle() {
		k.mark()
	}
	what, flags := byte(0), entry(0)
	if len(body) > 0 {
		what = body[0]
	}
	if v == follows {
		flags = tracked
	}
	asks := k.owed.asks
	k.owed.sent(h.Type, what, flags)
	k.measureUp(h, body, k.owed.asks > asks)
	if endsSegment(h.Type) {
		k.changes.segment++
	}
}

// endsSegment reports whether a client's frame of type typ ends a series of its
// messages: what comes next is done even if they fail.
func endsSegment(typ byte) bool {
	return typ == wire.Sync || typ == wire.Query || typ == wire.FunctionCall
}

// mustWait reports whether a frame goes to the server only once more of it is there: the
// byte that says what a Describe is of; of a frame that begins something, as
// [link.answerAlone] has it, all that the buffer can hold. Until then the server is not
// kept for it.
func (k *link) mustWait(h wire.Header) bool {
	if h.Type == wire.Describe && h.Size > wire.HeaderSize && len(k.up.unjudged()) == wire.HeaderSize {
		return true
	}
	if k.owed.open || h.Type == wire.CopyData || k.there(h) {
		return false
	}
	if k.up.bulk && len(k.up.buf) == reactor.SmallBuffer { // it is never empty in between
		k.up.widen(k.loop)
	}

	return !k.there(h)
}

// leave notes that the client has said goodbye: what it asked for before is done. A
// server holds back its answers in an open extended series, so it is asked for them.
func (k *link) leave() {
	k.leaving = true
	if k.owed.open {
		k.up.insert([]byte{wire.Flush, 0, 0, 0, 4})
	}
}

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
	if n > 0 && !k.checking {
		k.bookWait()
		k.booked.FromClient += uint64(n)
	}

	return nil
}
