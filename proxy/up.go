package proxy

import (
	"errors"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

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
		if k.mustWait(h) {
			return nil
		}
		flags := entry(0)
		if k.manages && !k.owed.skip {
			v, err := k.prepare(&h)
			switch {
			case err != nil:
				return err
			case v == notYet:
				return nil
			case v == answered:
				u.take(h.Size, true)

				continue
			case v == follows:
				flags = tracked
			}
			b = u.unjudged()
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
		if (h.Type == wire.Query || h.Type == wire.Parse && !k.manages) && !k.owed.skip {
			k.readText(h, b[wire.HeaderSize:min(h.Size, len(b))])
		}
		if k.owed.idle() {
			k.mark()
		}
		k.owed.sent(h.Type, what, flags)
		if h.Type == wire.Execute && k.boundLocal && len(b) > wire.HeaderSize && b[wire.HeaderSize] == 0 {
			k.locals++
			k.boundLocal = false
		}
		if h.Type == wire.Sync || h.Type == wire.Query || h.Type == wire.FunctionCall {
			k.changes.segment++
		}
		u.take(h.Size, false)
	}

	return nil
}

// mustWait reports whether a frame goes to the server only once it is there whole, as
// far as the buffer can hold it: one that begins something, as [link.answerAlone] has
// it. Until then the server is not kept for it.
func (k *link) mustWait(h wire.Header) bool {
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
	if n > 0 {
		k.bookWait()
	}
	k.booked.FromClient += uint64(n)

	return nil
}
