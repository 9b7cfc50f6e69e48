package proxy

import (
	"bytes"
	"regexp"

	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/wire"
)

// EXECUTE and DEALLOCATE name what was prepared by the protocol as well as what PREPARE
// has made; drivers whose libpq cannot close a statement use DEALLOCATE. The server knows
// the statement by another name, so that goes into the text.

// executesOne finds the name in an EXECUTE.
var executesOne = regexp.MustCompile(`(?i)^\s*execute\s+("[^"]+"|[a-z_][\w$]*)`)

// executeNamed sees to a Query with those traits. If it executes a statement that the
// client has prepared by the protocol the server is to know it. It is false if an answer
// must be waited for first. h is its header, which may change.
func (k *link) executeNamed(h *wire.Header, t *traits) bool {
	s := k.session.statements.named[t.target]
	m := executesOne.FindSubmatchIndex(k.up.unjudged()[wire.HeaderSize:])
	switch {
	case m == nil || t.target == "":
	case k.inDoubt([]byte(t.target), bodyOf(s.statement, nil)):
		return false
	case s.statement != nil:
		k.heed(&s.traits)
		k.rename(h, wire.HeaderSize+m[2], m[3]-m[2], k.provide(s.statement))
	}

	return true
}

// A deallocation is a DEALLOCATE on its way that takes away what was prepared by the
// protocol. There is one at a time.
type deallocation struct {
	name  string // the client's; "": there is none
	after int    // how many ReadyForQuery come before its answer
}

// deallocate sees to a Query or Parse with those traits, whose text is at that place of
// its body. done is false unless it takes away a statement that the client has prepared
// by the protocol. h is its header, which may change.
func (k *link) deallocate(h *wire.Header, at int, t *traits) (v verdict, done bool) {
	b := k.up.unjudged()
	if len(b) < h.Size || t.target == "" || !t.effects.Has(sqltext.Deallocates) {
		return asItIs, false
	}
	s := k.session.statements.get(t.target)
	if s == nil {
		return asItIs, false
	}
	if k.deallocates.name != "" { // one at a time
		k.doubting = true
	} else if !k.inDoubt([]byte(t.target), s.body) {
		return k.deallocateNow(h, at, s, t.target), true
	}

	return notYet, true
}

// deallocateNow puts the server's name into such a text.
func (k *link) deallocateNow(h *wire.Header, at int, s *statement, name string) verdict {
	theirs := k.provide(s)
	k.save()
	text, _, _ := bytes.Cut(k.up.unjudged()[wire.HeaderSize+at:h.Size], []byte{0})
	resize(&k.up, h, wire.HeaderSize+at, len(text), "DEALLOCATE "+theirs)
	k.deallocates = deallocation{name: name, after: k.owed.readies()}

	return asItIs
}

// deallocationDone takes in the CommandComplete of a DEALLOCATE.
func (k *link) deallocationDone() {
	d := k.deallocates
	if d.name == "" || d.after > 0 {
		return
	}
	if s := k.session.statements.get(d.name); s != nil {
		k.session.statements.set(d.name, nil)
		k.session.route.statements.drop(s)
		k.state.remove(s)
	}
	k.endDeallocation()
}

// deallocationOver takes in a ReadyForQuery: what has not been done by the one that ends
// its series will not be done any more.
func (k *link) deallocationOver() {
	switch d := &k.deallocates; {
	case d.name == "":
	case d.after > 0:
		d.after--
	default:
		k.endDeallocation()
	}
}

// endDeallocation has what waited for it judged.
func (k *link) endDeallocation() {
	k.deallocates = deallocation{}
	k.clear()
}
