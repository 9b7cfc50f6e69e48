package proxy

import (
	"strings"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/wire"
)

// What cannot go from server to server is the operator's to decide on, for each kind of
// it: the server stays with its client, or the statement is refused, or what it has left
// is undone before anybody else gets the server.

// undoings are the statements that take away what there is of a kind. LOAD cannot be
// undone.
var undoings = map[config.Leftover]string{
	config.LeftoverListen:        "UNLISTEN *",
	config.LeftoverTempTable:     "DISCARD TEMP",
	config.LeftoverAdvisoryLock:  "SELECT pg_catalog.pg_advisory_unlock_all()",
	config.LeftoverHoldCursor:    "CLOSE ALL",
	config.LeftoverPrepare:       "DEALLOCATE ALL",
	config.LeftoverAuthorization: "RESET SESSION AUTHORIZATION",
}

// remedies are what an application can do instead, beside having a session.
var remedies = map[config.Leftover]string{
	config.LeftoverTempTable:    "Make it in a transaction, ON COMMIT DROP, or ",
	config.LeftoverAdvisoryLock: "Use pg_advisory_xact_lock, or ",
	config.LeftoverHoldCursor:   "Read it in one transaction, or ",
	config.LeftoverPrepare:      "Prepare it by the protocol, as drivers do, or ",
}

// errRefused is what a client is told that uses what its operator refuses.
func errRefused(kind config.Leftover) *wire.Error {
	hint := remedies[kind] + "use pool_mode = \"session\" for this user or database."

	return wire.Errorf(wire.CodeFeatureNotSupported, "%s does not work in transaction mode", kind).
		WithDetail("It is refused by " + kind.Key() + " = \"reject\".").
		WithHint(strings.ToUpper(hint[:1]) + hint[1:])
}

// refusable are the kinds that a text plainly leaves, by its effects.
var refusable = []struct {
	effect sqltext.Effects
	kind   config.Leftover
}{
	{sqltext.Listens, config.LeftoverListen},
	{sqltext.CreatesTemp, config.LeftoverTempTable},
	{sqltext.AdvisoryLock, config.LeftoverAdvisoryLock},
	{sqltext.HoldsCursor, config.LeftoverHoldCursor},
	{sqltext.Prepares, config.LeftoverPrepare},
	{sqltext.SetsUser, config.LeftoverAuthorization},
	{sqltext.Loads, config.LeftoverLoad},
}

// refused returns the kind for which a statement with those effects is refused.
func (r *route) refused(e sqltext.Effects) (config.Leftover, bool) {
	if e.Has(sqltext.DropsOnCommit) {
		e &^= sqltext.CreatesTemp
	}
	for _, one := range refusable {
		if e.Has(one.effect) && r.policies[one.kind] == config.PolicyReject {
			return one.kind, true
		}
	}

	return 0, false
}

// nonsense stands in the place of a text that is refused. PostgreSQL complains of it, so
// that the transaction fails as it would for any other error; the complaint is replaced.
const nonsense = "refused"

// refuseText sees to a Query or Parse whose text plainly leaves what is refused. It
// reports whether it is one. h is its header, which may change.
func (k *link) refuseText(h *wire.Header) bool {
	b := k.up.unjudged()
	if len(b) < h.Size || h.Type != wire.Query && h.Type != wire.Parse {
		return false
	}
	text, at := textOf(h.Type, b[wire.HeaderSize:h.Size])
	kind, ok := k.session.route.refused(k.read(text).effects)
	if !ok {
		return false
	}
	k.save()
	resize(&k.up, h, wire.HeaderSize+at, len(text), nonsense)
	if h.Type == wire.Query {
		k.state.unnamed = nil
		k.session.statements.unnamed = nil
	}
	k.changes.push(change{kind: clientRefused, leaves: kind})

	return true
}

// explainRefusal has the server's next frame, an error, say what a text was refused for,
// if it answers one that was. h is its header, which may change.
func (k *link) explainRefusal(h *wire.Header) {
	if rest := k.changes.rest(); k.owed.follows() && len(rest) > 0 && rest[0].kind == clientRefused {
		e := errRefused(rest[0].leaves)
		k.session.proxy.countError(e)
		k.replaceError(h, e)
	}
}

// errLeft is what a client is told whose session ends for what a function has left in
// it: that it is refused could not be seen before.
func errLeft(kind config.Leftover, name string) *wire.Error {
	e := *errRefused(kind)
	e.Severity = "FATAL"

	return e.WithDetail("A statement has left \"" + name + "\" in its session, which is refused by " +
		kind.Key() + " = \"reject\".")
}

// A thing is something that was found in a session.
type thing struct {
	kind config.Leftover
	name string
}

// leftoverKind returns the kind that an inspection calls by that name.
func leftoverKind(name string) (config.Leftover, bool) {
	for _, kind := range config.Leftovers() {
		if kind.String() == name {
			return kind, true
		}
	}

	return 0, false
}

// dispose decides what becomes of the things that were found: which of them keep the
// server with its client; what is to be undone; and whether the session ends.
func (k *link) dispose() (holds []PinReason) {
	var undo []string
	for _, t := range k.found.things {
		switch k.session.route.policies[t.kind] {
		case config.PolicyReject:
			k.rejected = errLeft(t.kind, t.name)
		case config.PolicyIgnore:
			if sql := undoings[t.kind]; sql != "" {
				undo = append(undo, sql)
			}
		default:
			holds = append(holds, PinReason{t.kind.String(), t.name})
		}
	}
	if len(holds) == 0 {
		k.cleanup = strings.Join(undo, "; ")
		if k.session.proxy.config.Pgweir.Paranoid {
			k.cleanup = resetAll
		}
	}

	return holds
}

// resetAll makes a session as it was at login, but for LOAD.
const resetAll = "DISCARD ALL"

// tidy undoes what does not stay. Until that is done the client's messages wait: what
// they need may be gone with it.
func (k *link) tidy() error {
	k.up.room(k.loop)
	k.prepend(k.cleanup)
	if k.cleanup == resetAll {
		k.state.settings = nil
	}
	k.state.forget() // it may be gone
	k.cleanup, k.cleaning = "", true
	k.mark()

	return k.writeServer()
}

// tidied takes in the server's answer to that.
func (k *link) tidied(typ byte) {
	switch typ {
	case wire.ErrorResponse:
		k.dirty = true
		k.session.proxy.log.Warn("server closed: what its client has left could not be undone", zap.Error(k.said))
	case wire.ReadyForQuery:
		k.cleaning = false
	}
}
