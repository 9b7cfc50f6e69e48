package proxy

import (
	"bytes"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// A change is what a message about a prepared statement changes, on its way to the
// server. It is made when the message is judged, so that the next ones find it, and
// undone if the server does not do what the message says. There is one for each tracked
// entry in the queue of what the server owes, in the same order.
type change struct {
	kind      changeKind
	name      string     // the client's
	theirs    string     // the server's, if the message has it
	statement *statement // that is prepared
	old       *statement // of a client: what it had under that name
	segment   int        // of the pipeline

	leaves config.Leftover // what it is refused for
}

// changeKind is whose statements change, and how.
type changeKind uint8

// The kinds of changes.
const (
	clientParses  changeKind = iota // it prepares statement as name; theirs: the server does, too
	clientCloses                    // it closes name
	clientRepeats                   // it prepares as name what it has: an error
	clientUses                      // it uses name, which changes nothing
	clientMisses                    // it uses name, which it does not have: an error
	clientRefused                   // it may not do what it would, which leaves something: an error
	serverParses                    // it is given statement to prepare
	serverCloses                    // it is told to close one
)

// changes are those on the way, the oldest first. The zero value is empty.
type changes struct {
	list    []change
	done    int // so many of the list are over
	segment int // of the pipeline that new ones are in: how often the client has ended a series
}

// push appends a change.
func (c *changes) push(one change) {
	one.segment = c.segment
	if c.done >= len(c.list)/2 { // so it costs no more than the pushes did
		rest := copy(c.list, c.list[c.done:])
		clear(c.list[rest:])
		c.list, c.done = c.list[:rest], 0
	}
	c.list = append(c.list, one)
}

// pop takes the oldest off.
func (c *changes) pop() change {
	one := c.list[c.done]
	c.list[c.done] = change{}
	c.done++

	return one
}

// rest are those that are on the way.
func (c *changes) rest() []change {
	return c.list[c.done:]
}

// manyChanges is how many changes are looked through to find out what is in doubt.
const manyChanges = 64

// inDoubt reports whether it depends on an answer to an earlier segment of the pipeline
// what the client calls name, or whether the server has the statement with that body.
// (If an earlier message of the same segment fails, so does what depends on it.) The
// server will give that answer whatever the client does.
func (c *changes) inDoubt(name []byte, body string) bool {
	rest, segment := c.rest(), c.segment
	switch {
	case len(rest) == 0 || rest[0].segment == segment:
		return false
	case len(rest) > manyChanges:
		return true
	}
	for i := range rest {
		if one := &rest[i]; one.segment != segment && (one.renames(name) || one.prepares(body)) {
			return true
		}
	}

	return false
}

// inDoubt reports whether it depends on an answer that is still to come what the client
// calls name, or whether the server has the statement with that body, and notes that.
func (p *preparing) inDoubt(name []byte, body string) bool {
	going := p.deallocates.name != "" && p.deallocates.name == string(name)
	if !going && !p.changes.inDoubt(name, body) {
		return false
	}
	p.doubting = true

	return true
}

// renames reports whether the change is one of what the client calls name.
func (c *change) renames(name []byte) bool {
	return (c.kind == clientParses || c.kind == clientCloses) && c.name == string(name)
}

// prepares reports whether the change has the server prepare the statement with that
// body.
func (c *change) prepares(body string) bool {
	return (c.kind == clientParses || c.kind == serverParses) && c.statement != nil && c.statement.body == body
}

// keepChanges is how many changes' memory a link keeps.
const keepChanges = 64

// reset forgets all of them.
func (c *changes) reset() {
	clear(c.list)
	c.list, c.done, c.segment = c.list[:0], 0, 0
	if cap(c.list) > keepChanges {
		c.list = nil
	}
}

// settle ends the n oldest changes: the server's frame says that their messages have
// been done, or, if it is an error, that they have not. follows says that the first is
// the one that failed; the others were discarded for that.
func (k *link) settle(h *wire.Header, n int, follows bool) {
	k.clear()
	for i := range n {
		c := k.changes.pop()
		if h.Type != wire.ErrorResponse {
			k.commit(c)

			continue
		}
		k.undo(c)
		if follows && i == 0 {
			k.failedItself(h, c)
		}
	}
}

// failedItself sees to the change whose message the server has answered with an error.
// The client knows the statement by another name.
func (k *link) failedItself(h *wire.Header, c change) {
	if c.kind == clientParses && c.name == "" {
		c.old = nil // PostgreSQL drops the old one first
		k.restore(c)
	}
	if c.theirs == "" || c.kind == serverParses || c.kind == clientUses && k.healed(h, c) {
		return
	}
	b := k.down.unjudged()
	b = b[:min(h.Size, len(b))]
	if at := bytes.Index(b, []byte(c.theirs)); at > 0 {
		resize(&k.down, h, at, len(c.theirs), c.name)
	}
}

// clear has what was in doubt judged again.
func (k *link) clear() {
	k.cleared = k.cleared || k.doubting
	k.doubting = false
}

// commit ends a change that has happened.
func (k *link) commit(c change) {
	if c.kind == clientCloses && c.name != "" && c.old != nil {
		k.session.route.statements.drop(c.old)
	}
}

// undo takes a change back.
func (k *link) undo(c change) {
	switch c.kind {
	case clientParses:
		k.restore(c)
		switch {
		case c.name == "":
			k.state.unnamed = nil // not known
		case c.theirs != "":
			k.state.remove(c.statement)
		}
		if c.name != "" {
			k.session.route.statements.drop(c.statement)
		}
	case clientCloses:
		k.restore(c)
	case serverParses:
		if c.theirs == "" {
			k.state.unnamed = nil
		} else {
			k.state.remove(c.statement)
		}
	}
}

// restore gives the client back what it had under the name of a change, or makes that
// what a later change would give back.
func (k *link) restore(c change) {
	rest := k.changes.rest()
	for i := range rest {
		later := &rest[i]
		if later.name == c.name && (later.kind == clientParses || later.kind == clientCloses) {
			later.old = c.old

			return
		}
	}
	k.session.statements.set(c.name, c.old)
}

// undoAll takes back all changes on the way, the last one first: their messages have
// not reached the server, or it is gone.
func (k *link) undoAll() {
	for list := k.changes.rest(); len(list) > 0; list = k.changes.rest() {
		last := list[len(list)-1]
		k.changes.list = k.changes.list[:len(k.changes.list)-1]
		k.undo(last)
	}
	k.changes.reset()
	k.notDiscarded()
}

// answerClient sends the client what pgweir answers itself, where its turn has come.
func (k *link) answerClient() {
	for k.down.left == 0 && k.owed.answersItself() {
		typ := byte(wire.ParseComplete)
		if k.owed.at(0).kind() == oweClose {
			typ = wire.CloseComplete
		}
		k.owed.pop()
		k.say([]byte{typ, 0, 0, 0, 4})
		k.dropOriginal()
		k.commit(k.changes.pop())
		k.clear()
		if k.owed.idle() {
			k.mark()
		}
	}
}

// tellsDiscarded reports whether a CommandComplete says that all prepared statements
// are gone.
func tellsDiscarded(body []byte) bool {
	tag := string(body)

	return tag == "DISCARD ALL\x00" || tag == "DEALLOCATE ALL\x00"
}

// tagAlters reports whether a CommandComplete is that of a statement that may change the
// catalog. Functions may, too, without a word.
func tagAlters(tag []byte) bool {
	is := func(word string) bool { return len(tag) > len(word) && string(tag[:len(word)]) == word }

	return is("CREATE ") || is("ALTER ") || is("DROP ")
}

// alter notes that the client may have changed the catalog, for itself now and for others
// when the transaction is over: who prepares a statement from then on shall have it
// prepared anew, as PostgreSQL would.
func (k *link) alter() {
	k.altered = true
	k.session.proxy.catalog.Add(1)
}

// discarded notes that all prepared statements are gone, from client and server.
func (k *link) discarded() {
	if k.aside != nil {
		k.session.drop(k.aside)
		k.aside = nil
	} else {
		k.session.drop(k.session.statements.takeNamed())
	}
	k.state.forget()
}

// notDiscarded gives the client back what it had before a Query that was to take all
// away and has not.
func (k *link) notDiscarded() {
	for name, s := range k.aside {
		if k.session.statements.get(name) == nil {
			k.session.statements.set(name, s.statement)
		} else {
			k.session.route.statements.drop(s.statement)
		}
	}
	k.aside = nil
}

// drop lets go of statements that the client had.
func (s *session) drop(named map[string]namedStatement) {
	for _, one := range named {
		s.route.statements.drop(one.statement)
	}
}
