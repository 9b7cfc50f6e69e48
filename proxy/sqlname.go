package proxy

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/pgweir/pgweir/wire"
)

// EXECUTE and DEALLOCATE name what was prepared by the protocol as well as what PREPARE
// has made; drivers whose libpq cannot close a statement use DEALLOCATE. The server knows
// the statement by another name, so that goes into the text.

// executesOne finds the name in an EXECUTE.
var executesOne = regexp.MustCompile(`(?i)^execute\s+("[^"]+"|[a-z_][\w$]*)`)

// executeNamed sees to a Query with that text. If it executes a statement that the client
// has prepared by the protocol the server is to know it. It is false if an answer must be
// waited for first. h is its header, which may change.
func (k *link) executeNamed(h *wire.Header, text []byte) bool {
	if !hasPrefixFold(text, "execute") {
		return true
	}
	m := executesOne.FindSubmatchIndex(text)
	if m == nil {
		return true
	}
	at, n := m[2], m[3]-m[2]
	name := foldName(text[at : at+n])
	s := k.session.statements.named[name]
	switch {
	case k.changes.inDoubt([]byte(name), bodyOf(s.statement, nil)):
		k.doubting = true

		return false
	case s.statement != nil:
		k.heed(&s.traits)
		k.rename(h, wire.HeaderSize+at, n, k.provide(s.statement))
	}

	return true
}

// foldName is the name that an identifier stands for.
func foldName(b []byte) string {
	if b[0] == '"' {
		return string(b[1 : len(b)-1])
	}

	return strings.ToLower(string(b))
}

// deallocatesOne finds the name in a DEALLOCATE of one statement.
var deallocatesOne = regexp.MustCompile(`(?i)^deallocate\s+(?:prepare\s+)?("[^"]+"|[a-z_][\w$]*)\s*;?\s*$`)

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
	if m == nil {
		return "", false
	}

	return foldName(m[1]), true
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
