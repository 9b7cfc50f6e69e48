package proxy

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/pgweir/pgweir/wire"
)

// DEALLOCATE takes away what was prepared by the protocol as well. Drivers whose libpq
// cannot close a statement use it. The server knows the statement by another name.

// deallocatesOne finds the name in a DEALLOCATE of one statement.
var deallocatesOne = regexp.MustCompile(`(?i)^deallocate\s+(?:prepare\s+)?(?:"([^"]+)"|([a-z_][\w$]*))\s*;?\s*$`)

// A deallocation is a DEALLOCATE on its way that takes away what was prepared by the
// protocol. There is one at a time.
type deallocation struct {
	name  string // the client's; "": there is none
	after int    // how many ReadyForQuery come before its answer
}

// deallocated returns the name in a text that is a DEALLOCATE of one statement.
func deallocated(text []byte) (name string, ok bool) {
	if !hasPrefixFold(text, "deallocate") {
		return "", false
	}
	m := deallocatesOne.FindSubmatch(text)
	switch {
	case m == nil:
		return "", false
	case m[1] != nil:
		return string(m[1]), true
	}

	return strings.ToLower(string(m[2])), true
}

// deallocate sees to a Query or Parse whose text, at that place of its body, takes away a
// statement that the client has prepared by the protocol. done is false if it is no such
// text. h is its header, which may change.
func (k *link) deallocate(h *wire.Header, at int) (v verdict, done bool) {
	b := k.up.unjudged()
	if len(b) < h.Size {
		return asItIs, false
	}
	text, _, _ := bytes.Cut(b[wire.HeaderSize+at:h.Size], []byte{0})
	name, ok := deallocated(text)
	if !ok {
		return asItIs, false
	}
	s := k.session.statements.get(name)
	if s == nil {
		return asItIs, false
	}
	if k.deallocates.name != "" || k.changes.inDoubt([]byte(name), s.body) {
		k.doubting = true

		return notYet, true
	}
	theirs := k.provide(s)
	k.save()
	resize(&k.up, h, wire.HeaderSize+at, len(text), "DEALLOCATE "+theirs)
	k.deallocates = deallocation{name: name, after: k.owed.readies()}

	return asItIs, true
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
