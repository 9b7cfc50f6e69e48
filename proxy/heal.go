package proxy

import (
	"bytes"
	"encoding/binary"

	"github.com/pgweir/pgweir/wire"
)

// The columns of a prepared statement are fixed when it is prepared: if a table changes
// under it, PostgreSQL refuses to run it in that session ever after ("cached plan must
// not change result type"), since the client reads its rows by the description that it
// had then. Servers here are shared and their sessions live long, so the statement is
// prepared anew. A client that asks for a description anyhow notices nothing; any other
// is told once, as by PostgreSQL, before it gets other columns.

// errColumnsChanged is what PostgreSQL tells a client whose statement has other columns
// now. Drivers know it by its routine too, and then prepare the statement again.
var errColumnsChanged = &wire.Error{
	Severity: "ERROR", Code: wire.CodeFeatureNotSupported, Message: "cached plan must not change result type",
	Routine: revalidate,
}

// revalidate is the routine in PostgreSQL that finds out
// (src/backend/utils/cache/plancache.c).
const revalidate = "RevalidateCachedQuery"

// outdated reports whether the client must be told that s, which its next frame uses, has
// other columns than it knows. In a failed transaction PostgreSQL complains of that.
func (k *link) outdated(s namedStatement) bool {
	if s.version == s.statement.version.Load() || k.owed.tx == wire.TxFailed {
		return false
	}
	if describes(k.up.unjudged(), s.name) {
		k.session.statements.tell(s.name)

		return false
	}

	return true
}

// useOutdated has the server refuse the client's next frame, whose statement has other
// columns than the client knows, by a name that nobody has: the transaction fails as it
// would without pgweir.
func (k *link) useOutdated(h *wire.Header, at, n int, s namedStatement) {
	k.rename(h, at, n, nobodysName)
	k.changes.push(change{kind: clientUses, name: s.name, theirs: nobodysName, statement: s.statement})
}

// healed sees to a client's use of a statement that the server has answered with an
// error, the frame that judging is at, if that is about its columns. h is its header,
// which may change.
func (k *link) healed(h *wire.Header, c change) bool {
	b := k.down.unjudged()
	b = b[:min(h.Size, len(b))]
	switch {
	case c.theirs == nobodysName && bytes.Contains(b, []byte(nobodysName)):
		k.session.statements.tell(c.name)
		k.replaceError(h, errColumnsChanged)
	case bytes.Contains(b, []byte("R"+revalidate+"\x00")):
		k.newVersion(c.statement)
		k.repeating = k.repeatable(c.name)
		k.session.statements.tell(c.name)
	default:
		return false
	}

	return true
}

// newVersion notes that what servers have prepared of s is of no use any more, unless
// another has been faster.
func (k *link) newVersion(s *statement) {
	if o := k.state.find(s); o != nil {
		s.version.CompareAndSwap(o.version, o.version+1)
	}
}

// replaceError replaces the server's next frame.
func (k *link) replaceError(h *wire.Header, e *wire.Error) {
	frame := e.Append(nil)
	k.down.replace(0, h.Size, string(frame))
	h.Size = len(frame)
}

// repeatable reports whether all that the client has asked for since it got its server
// can be sent again: one series that is over, of which only the error that has come now
// was answered, and in which it asks for a description of the statement.
func (k *link) repeatable(name string) bool {
	return len(k.original) > 0 && k.changes.segment == 1 && !k.owed.open && describes(k.original, name)
}

// repeat has what failed judged and sent once more.
func (k *link) repeat() {
	k.repeating = false
	k.up.restore(k.loop, k.original)
	k.original = k.original[:0]
	k.booked.Queries = 0
}

// describes reports whether a client's frames, up to the end of their series, ask for a
// description of the statement with that name, or of what is bound of it.
func describes(frames []byte, name string) bool {
	portal, bound := "", false
	for {
		h, ok := wire.PeekHeader(frames)
		if !ok || len(frames) < h.Size || h.Size < wire.HeaderSize || h.Type == wire.Sync {
			return false
		}
		body := frames[wire.HeaderSize:h.Size]
		frames = frames[h.Size:]
		switch h.Type {
		case wire.Bind:
			p, rest, _ := bytes.Cut(body, []byte{0})
			if s, _, _ := bytes.Cut(rest, []byte{0}); string(s) == name {
				portal, bound = string(p), true
			}
		case wire.Describe:
			if len(body) < 2 {
				return false
			}
			what, of := body[0], string(body[1:len(body)-1])
			if what == 'S' && of == name || what == 'P' && bound && of == portal {
				return true
			}
		}
	}
}

// keepOriginal keeps the n bytes that have just come from the client with those that may
// have to be sent again, or gives these up if it is too late for the new ones.
func (k *link) keepOriginal(n int) {
	switch {
	case len(k.original) == 0:
	case k.booked.FromClient == 0:
		k.original = append(k.original, k.up.buf[k.up.w-n:k.up.w]...)
	default:
		k.original = k.original[:0]
	}
}

// dropOriginal takes the frame that pgweir has answered itself off what may have to be
// sent again.
func (k *link) dropOriginal() {
	if len(k.original) < wire.HeaderSize {
		return
	}
	size := min(1+int(binary.BigEndian.Uint32(k.original[1:])), len(k.original))
	k.original = k.original[:copy(k.original, k.original[size:])]
}
