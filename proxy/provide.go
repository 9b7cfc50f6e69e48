package proxy

import (
	"bytes"
	"encoding/binary"

	"github.com/pgweir/pgweir/wire"
)

// use has the server know the statement whose name, of n bytes, is at that place of the
// frame's body, and puts the server's name there. The statement is nil if the client
// has none of that name.
func (k *link) use(h *wire.Header, at, n int) (verdict, *statement) {
	at += wire.HeaderSize
	name := k.up.unjudged()[at : at+n]
	s := k.session.statements.named[string(name)]
	switch {
	case k.inDoubt(name, bodyOf(s.statement, nil)):
		return notYet, nil
	case n == 0:
		k.provideUnnamed()
		mine := k.session.statements.unnamed
		if mine != nil {
			k.heed(&mine.traits)
		}

		return asItIs, mine
	case s.statement != nil:
		k.heed(&s.traits)
		if k.outdated(s) {
			k.useOutdated(h, at, n, s)

			return follows, s.statement
		}
		theirs := k.provide(s.statement)
		k.rename(h, at, n, theirs)
		k.changes.push(change{kind: clientUses, name: s.name, theirs: theirs, statement: s.statement})

		return follows, s.statement
	case bytes.HasPrefix(name, []byte(namePrefix)): // which may be there, but is not the client's
		c := change{kind: clientMisses, name: string(name), theirs: nobodysName}
		k.rename(h, at, n, c.theirs)
		k.changes.push(c)

		return follows, nil
	}

	return asItIs, nil
}

// provide has the server prepare s if it has not, and returns its name there.
func (k *link) provide(s *statement) string {
	if o := k.state.current(s); o != nil {
		return o.name
	}
	k.makeRoom(s)
	name := k.state.add(s)
	k.inject(wire.Parse, name, s.body)
	k.changes.push(change{kind: serverParses, statement: s, theirs: name})

	return name
}

// provideUnnamed has the server prepare what the client has prepared without a name. If
// that is nothing, or cannot be had any more, the server must not have another's.
func (k *link) provideUnnamed() {
	s := k.session.statements.unnamed
	switch {
	case s != nil && s == k.state.unnamed:
		return
	case s == nil || s.lost:
		k.inject(wire.Close, "S", "")
		s = nil
	default:
		k.inject(wire.Parse, "", s.body)
	}
	k.changes.push(change{kind: serverParses, statement: s})
	k.state.unnamed = s
}

// makeRoom has the server close what is in the way of s: an older version of it, and
// what it has not used for the longest time if it has too many.
func (k *link) makeRoom(s *statement) {
	if o := k.state.find(s); o != nil {
		k.closeOnServer(o)
	}
	for k.state.recent.Len() >= k.session.proxy.config.Pgweir.MaxPreparedStatements {
		k.closeOnServer(k.state.oldest())
	}
}

// closeOnServer has the server close a statement.
func (k *link) closeOnServer(o *onServer) {
	k.inject(wire.Close, "S"+o.name, "")
	k.changes.push(change{kind: serverCloses})
	k.state.remove(o.statement)
	k.state.epoch++ // it may not happen, and then the name is taken
}

// inject puts a message of our own in front of the client's next frame: one that begins
// with a string, and what follows it.
func (k *link) inject(typ byte, first, rest string) {
	k.save()
	size := wire.HeaderSize - 1 + len(first) + 1 + len(rest)
	k.scratch = binary.BigEndian.AppendUint32(append(k.scratch[:0], typ), uint32(size))
	k.scratch = append(append(append(k.scratch, first...), 0), rest...)
	k.up.insert(k.scratch)
	k.owed.sent(typ, 0, internal|tracked)
}

// rename replaces n bytes of the client's next frame, a name, by another name.
func (k *link) rename(h *wire.Header, at, n int, name string) {
	k.save()
	resize(&k.up, h, at, n, name)
}

// resize replaces n bytes of a stream's next frame, and corrects its header.
func resize(s *stream, h *wire.Header, at, n int, with string) {
	s.replace(at, n, with)
	h.Size += len(with) - n
	binary.BigEndian.PutUint32(s.unjudged()[1:], uint32(h.Size-1))
}

// save keeps what the client has sent before it is changed, as long as the server may
// turn out to be gone.
func (k *link) save() {
	if k.booked.FromClient == 0 && len(k.original) == 0 {
		k.original = append(k.original, k.up.buf[k.up.r:k.up.w]...)
	}
}
