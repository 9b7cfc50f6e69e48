package proxy

import (
	"bytes"
	"strings"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/wire"
)

// Prepared statements belong to a PostgreSQL session, and a client of a pool has
// another one in each transaction. So what a client has prepared is kept with its
// session here, what a server has prepared with the server, and what the server lacks
// is put in front of the message that needs it, in the same write. On servers
// statements have names of pgweir's, so that clients share them; only the one without a
// name keeps none.

const (
	// maxPrepare is the size of the largest Parse that is kept for other servers.
	maxPrepare = 1 << 20
	// maxClientStatements is how many statements a client may have prepared by name, and
	// maxClientText how many bytes their texts may have together.
	maxClientStatements = 10_000
	maxClientText       = 16 << 20
)

// What a client is told that prepares too much.
var (
	errStatementTooLarge = wire.Fatalf(wire.CodeProgramLimit, "statement is too large to be prepared by name").
				WithDetail("Statements of more than 1 MB cannot follow their client from server to server.").
				WithHint("Prepare it without a name, or use pool_mode = \"session\".")
	errTooManyStatements = wire.Fatalf(wire.CodeProgramLimit, "too many prepared statements").
				WithDetail("A client may have 10000 of them, of 16 MB together.").
				WithHint("Close those that are not needed any more, or use pool_mode = \"session\".")
)

// preparing is what a link knows of its client's prepared statements while it has a
// server, beside what is kept with the session and the server.
type preparing struct {
	manages     bool                      // pgweir looks after them
	changes     changes                   // on their way
	aside       map[string]namedStatement // what the client had, while a Query that is to take all away is on its way
	deallocates deallocation              // on its way
	doubting    bool                      // what the client sent next depends on what the server has yet to answer

	used *statement // by the frame that judging is at, a Bind or Describe; nil: none

	altered bool // the transaction in progress may have changed the catalog

	repeating bool // what the client has sent failed, and is sent again; see heal.go
}

// manages reports whether pgweir looks after the client's prepared statements. In
// session mode they are where it left them.
func (s *session) manages() bool {
	return s.route.mode != config.PoolSession && s.proxy.config.Pgweir.MaxPreparedStatements > 0
}

// A verdict is what becomes of a client's frame.
type verdict uint8

const (
	asItIs      verdict = iota // it goes to the server like any other
	follows                    // so it does, and there is a change that its answer completes
	notYet                     // more of it, or of what the server answers, must be there first
	answered                   // it does not go to the server: pgweir answers
	saysGoodbye                // nor does it, and what comes behind it is not read
)

// prepare sees to the client's next frame if that is about prepared statements. What it
// needs on the server goes in front of it, and it gets the server's names. h is its
// header, which may change.
func (k *link) prepare(h *wire.Header) (verdict, error) {
	switch h.Type {
	case wire.Parse:
		return k.prepareParse(h)
	case wire.Bind:
		return k.prepareBind(h), nil
	case wire.Describe:
		return k.prepareDescribe(h), nil
	case wire.Close:
		return k.prepareClose(h), nil
	case wire.Query:
		return k.prepareQuery(h), nil
	}

	return asItIs, nil
}

// prepareParse sees to a Parse.
func (k *link) prepareParse(h *wire.Header) (verdict, error) {
	b := k.up.unjudged()
	if len(b) < h.Size {
		return k.parsePart(h)
	}
	name, body, ok := bytes.Cut(b[wire.HeaderSize:h.Size], []byte{0})
	if !ok {
		return asItIs, nil // PostgreSQL will complain
	}
	if len(name) == 0 {
		return k.parseUnnamed(h, body), nil
	}

	return k.parseNamed(h, name, body)
}

// parsePart sees to a Parse of which only a part is there: the rest is waited for,
// unless it is too large. Without a name it then goes to this server and no other.
func (k *link) parsePart(h *wire.Header) (verdict, error) {
	b := k.up.unjudged()
	switch {
	case h.Size <= maxPrepare || len(b) == wire.HeaderSize:
		k.up.make(h.Size)

		return notYet, nil
	case b[wire.HeaderSize] != 0:
		return asItIs, errStatementTooLarge
	}
	nobodyKnows := known{traits{effects: sqltext.SetsConfig}, k.worker.meter.Unread()}
	k.prepareAs(newStatement("", nobodyKnows, true))

	return follows, nil
}

// parseUnnamed notes what the client prepares without a name. It goes to the server as
// it is, also if the server has prepared just that: what it makes of a statement
// without a name is not to last. h is its header, which may change.
func (k *link) parseUnnamed(h *wire.Header, body []byte) verdict {
	s := k.session.statements.unnamed
	if s == nil || s.body != string(body) {
		s = newStatement(string(body), k.readBody(body), false)
	}
	if s.traits.effects.Has(discarding) {
		if v, done := k.deallocate(h, 1, &s.traits); v == notYet {
			return notYet
		} else if !done {
			k.state.forget()
		}
	}
	k.prepareAs(s)

	return follows
}

// prepareAs makes s what the client has prepared without a name.
func (k *link) prepareAs(s *statement) {
	k.changes.push(change{kind: clientParses, statement: s, old: k.session.statements.unnamed})
	k.session.statements.unnamed, k.state.unnamed = s, s
}

// parseNamed notes what the client prepares under a name. A server that has it already
// is not told, but in a failed transaction, of which it will complain, and where it may
// depend on the Parse whether PostgreSQL 18 ends the transaction of a series.
func (k *link) parseNamed(h *wire.Header, name, body []byte) (verdict, error) {
	mine := &k.session.statements
	c := change{kind: clientParses, name: string(name)}
	s := mine.get(c.name)
	switch {
	case k.inDoubt(name, bodyOf(s, body)):
		return notYet, nil
	case s != nil: // PostgreSQL shall say that there is one
		c.kind, c.statement = clientRepeats, s
		c.theirs = k.provide(s)
		k.rename(h, wire.HeaderSize, len(name), c.theirs)
		k.changes.push(c)

		return follows, nil
	case !mine.mayHave(len(body)):
		return asItIs, errTooManyStatements
	}
	s = k.session.route.statements.take(body, k.session.proxy.catalog.Load(), k.readBody(body))
	if s.traits.effects.Has(discarding) {
		k.state.forget()
	}
	c.statement = s
	mine.set(c.name, s)
	if k.state.current(s) != nil && k.owed.tx != wire.TxFailed && !k.owed.mixed {
		k.save()
		k.changes.push(c)
		k.owed.answer(oweParse)

		return answered, nil
	}
	k.makeRoom(s)
	c.theirs = k.state.add(s)
	k.rename(h, wire.HeaderSize, len(name), c.theirs)
	k.changes.push(c)

	return follows, nil
}

// bodyOf returns the body of s, or body if there is no s.
func bodyOf(s *statement, body []byte) string {
	if s != nil {
		return s.body
	}

	return string(body)
}

// prepareBind has the server know the statement that a Bind names.
func (k *link) prepareBind(h *wire.Header) verdict {
	b := k.up.unjudged()
	b = b[wire.HeaderSize:min(h.Size, len(b))]
	portal := bytes.IndexByte(b, 0)
	end := bytes.IndexByte(b[portal+1:], 0)
	if portal < 0 || end < 0 {
		return k.malformed(h)
	}
	v, s := k.use(h, portal+1, end)
	k.used = s
	if portal == 0 && v != notYet {
		k.boundLocal = s != nil && s.traits.local
	}

	return v
}

// namesStatement finds out whether a Describe or Close is about a statement. If not, or
// if it is not there whole, that is the verdict on it.
func (k *link) namesStatement(h *wire.Header) (verdict, bool) {
	b := k.up.unjudged()
	if len(b) < h.Size {
		k.up.make(h.Size)

		return notYet, false
	}

	return asItIs, h.Size >= wire.HeaderSize+2 && b[wire.HeaderSize] == 'S'
}

// prepareDescribe has the server know the statement that a Describe names.
func (k *link) prepareDescribe(h *wire.Header) verdict {
	v, ok := k.namesStatement(h)
	if ok {
		v, k.used = k.use(h, 1, h.Size-wire.HeaderSize-2)
	}

	return v
}

// prepareClose notes that the client closes a statement. A named one stays on the
// server, for others.
func (k *link) prepareClose(h *wire.Header) verdict {
	if v, ok := k.namesStatement(h); !ok {
		return v
	}
	mine := &k.session.statements
	c := change{kind: clientCloses, name: string(k.up.unjudged()[wire.HeaderSize+1 : h.Size-1])}
	c.old = mine.get(c.name)
	if c.old == nil && k.session.pinned != nil && !strings.HasPrefix(c.name, namePrefix) {
		return asItIs // it may be one that PREPARE has made
	}
	mine.set(c.name, nil)
	k.changes.push(c)
	if c.name == "" {
		k.state.unnamed = nil

		return follows
	}
	k.save()
	k.owed.answer(oweClose)

	return answered
}

// prepareQuery notes that a Query takes the statement without a name away, from client
// and server, and that it may take others.
func (k *link) prepareQuery(h *wire.Header) verdict {
	t := &k.query.traits
	switch {
	case t.effects.Has(discarding):
		if v, done := k.deallocate(h, 0, t); v == notYet {
			return notYet
		} else if !done {
			k.discard(t)
		}
	case t.effects.Has(sqltext.Executes):
		if !k.executeNamed(h, t) {
			return notYet
		}
	}
	old := k.session.statements.unnamed
	k.session.statements.unnamed, k.state.unnamed = nil, nil
	if k.owed.marked == 0 {
		return asItIs // nothing can give it back
	}
	k.changes.push(change{kind: clientCloses, old: old})

	return follows
}

// discard notes that a Query may take prepared statements away from the server. If it
// plainly takes all of them, and does nothing else, what comes behind it, before its
// answer, shall find none.
func (k *link) discard(t *traits) {
	k.state.forget()
	if t.alone && t.effects.Has(sqltext.DiscardsAll|sqltext.DeallocatesAll) && k.aside == nil {
		k.aside = k.session.statements.takeNamed()
	}
}

// malformed is the verdict on a frame that lacks what it must begin with: there may be
// more of it to come.
func (k *link) malformed(h *wire.Header) verdict {
	if len(k.up.unjudged()) < h.Size && !k.up.full() {
		return notYet
	}

	return asItIs // PostgreSQL will complain
}
