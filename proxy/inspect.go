package proxy

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// A client may leave something in its PostgreSQL session that outlives the transaction.
// Settings go with the client; the rest cannot, and keeps the server with the client
// until it is gone. Which it is PostgreSQL is asked, before the server is released, if
// the client has sent a statement after which there may be something: only PostgreSQL
// knows what a SET in a function did, or in a transaction that was rolled back.

// inspection is what PostgreSQL is asked. Each row is a kind of thing, its name and its
// value; the names of the kinds are for the log.
const inspection = "SELECT 'setting', name, setting FROM pg_catalog.pg_settings WHERE source = 'session'" +
	" UNION ALL SELECT 'setting', 'role', s FROM pg_catalog.current_setting('role') s WHERE s <> 'none'" +
	" UNION ALL SELECT 'LISTEN', c, '' FROM pg_catalog.pg_listening_channels() c" +
	" UNION ALL SELECT 'cursor WITH HOLD', name, '' FROM pg_catalog.pg_cursors WHERE is_holdable" +
	" UNION ALL SELECT 'PREPARE', name, '' FROM pg_catalog.pg_prepared_statements WHERE from_sql" +
	" UNION ALL SELECT 'temporary object', pg_catalog.pg_describe_object(classid, objid, objsubid), ''" +
	" FROM pg_catalog.pg_depend WHERE refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass" +
	" AND refobjid = pg_catalog.pg_my_temp_schema()" +
	" UNION ALL SELECT 'advisory lock', objid::text, '' FROM pg_catalog.pg_locks" +
	" WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()"

// inspection is what PostgreSQL is asked about the client's session.
func (k *link) inspection() string {
	names := k.ownNames()
	var b strings.Builder
	b.WriteString(inspection)
	b.WriteString(" UNION ALL SELECT 'SET SESSION AUTHORIZATION', session_user::text, '' WHERE session_user <> " +
		wire.QuoteLiteral(initial(k.server.Welcome, "session_authorization")))
	if len(names) == 0 {
		return b.String()
	}
	b.WriteString(" UNION ALL SELECT 'setting', n, pg_catalog.current_setting(n, true)" +
		" FROM pg_catalog.unnest(ARRAY[")
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(wire.QuoteLiteral(name))
	}
	b.WriteString("]) n WHERE pg_catalog.current_setting(n, true) IS NOT NULL")

	return b.String()
}

// ownNames are the names of the application's own settings, which PostgreSQL does not
// list: those that the client has used, and those that the server has got from it.
func (k *link) ownNames() []string {
	names := slices.Clip(k.session.names)
	for _, p := range k.state.settings {
		if name := strings.ToLower(p.Name); strings.Contains(name, ".") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}

	return names
}

// leftovers are what a link knows of what its client leaves in its PostgreSQL session.
type leftovers struct {
	suspected  bool      // there may be something when the transaction is over
	found      discovery // what there is
	locals     int       // so many SETs to come end with the transaction
	boundLocal bool      // the portal without a name is such a one
	query      known     // of the Query that is being judged

	cleanup  string // undoes what does not stay, before the server is released
	cleaning bool   // that is on its way
	dirty    bool   // and has failed
	rejected error  // for what was found the session must end
}

// tidying reports whether the client's messages wait until it is known what it has left
// in its session, and that is undone which does not stay.
func (o *leftovers) tidying() bool {
	return o.found.asked || o.cleaning
}

// A discovery is what an inspection has found so far.
type discovery struct {
	asked    bool             // the answer is on its way
	failed   bool             // there is no answer, or none that makes sense
	settings []wire.Parameter // of the session
	things   []thing          // what cannot go along, one of each kind
}

// keeps reports whether the client keeps its server when it is outside a transaction.
func (k *link) keeps() bool {
	return k.session.route.mode == config.PoolSession || k.session.pinned != nil
}

// suspect notes that there may be something left in the session when the transaction
// is over.
func (k *link) suspect() {
	k.suspected = k.session.route.mode != config.PoolSession
}

// inspect asks PostgreSQL what the client leaves in its session.
func (k *link) inspect() error {
	k.suspected = false
	k.found = discovery{asked: true}
	k.up.room(k.loop)
	k.prepend(k.inspection())

	return k.writeServer()
}

// finding takes in a row of the inspection's answer. It reports whether it is one.
func (k *link) finding(body []byte) bool {
	var columns [3]string
	if len(body) < 2 {
		return false
	}
	b := body[2:]
	for i := range columns {
		if len(b) < 4 {
			return false
		}
		n := int(int32(binary.BigEndian.Uint32(b)))
		b = b[4:]
		if n < 0 || n > len(b) {
			return false
		}
		columns[i], b = string(b[:n]), b[n:]
	}
	if columns[0] == "setting" {
		if !ofTransaction(columns[1]) { // SET TRANSACTION makes it one of the session, by name only
			k.found.settings = append(k.found.settings, wire.Parameter{Name: columns[1], Value: columns[2]})
		}

		return true
	}
	kind, ok := leftoverKind(columns[0])
	if ok && !slices.ContainsFunc(k.found.things, func(t thing) bool { return t.kind == kind }) {
		k.found.things = append(k.found.things, thing{kind, columns[1]})
	}

	return ok
}

// inspected takes in that the inspection is over.
func (k *link) inspected() {
	s := k.session
	reasons := []PinReason{{"unknown", "PostgreSQL did not tell"}}
	if !k.found.failed {
		k.adopt()
		if s.loaded {
			k.found.things = append(k.found.things, thing{config.LeftoverLoad, "a library"})
		}
		reasons = k.dispose()
	}
	if len(reasons) == 0 && s.unnamed {
		reasons = []PinReason{{"set_config", "a name that is not in the statement"}}
	}
	s.pin(reasons)
	k.found = discovery{}
	k.cleared = true
}

// adopt makes the settings that were found the client's.
func (k *link) adopt() {
	s := k.session
	settings := wire.NewParameters(k.found.settings)
	k.state.settings = settings
	for _, p := range s.initial { // RESET goes back to what the client has begun with
		if _, ok := settings.Get(p.Name); !ok {
			settings = settings.With(p.Name, p.Value)
		}
	}
	s.settings, s.proven = s.route.share(settings), true
	s.readAs(k.server.Welcome)
}

// complete takes in the CommandComplete of a statement that may have left something.
func (k *link) complete(tag []byte) {
	if tag[0] == 'S' && k.locals > 0 {
		k.locals--

		return
	}
	if string(tag) == "LOAD\x00" {
		k.session.loaded = true
	}
	k.suspect()
}

// tagSuspects reports whether a CommandComplete is that of a statement after which there
// may be something left in the session, or, if it is pinned, something may be gone.
func tagSuspects(tag []byte, pinned bool) bool {
	is := func(prefix string) bool { return len(tag) >= len(prefix) && string(tag[:len(prefix)]) == prefix }
	switch {
	case len(tag) == 0:
		return false
	case tag[0] == 'S':
		return is("SET\x00")
	case tag[0] == 'R':
		return is("RESET")
	case tag[0] == 'L':
		return is("LISTEN") || is("LOAD\x00")
	case tag[0] == 'P':
		return is("PREPARE\x00")
	case tag[0] == 'C':
		return is("CREATE TABLE") || is("CREATE VIEW") || is("CREATE SEQUENCE") || pinned && is("CLOSE")
	case tag[0] == 'D':
		return is("DECLARE") || is("DISCARD") || is("DO\x00") || pinned && (is("DEALLOCATE") || is("DROP"))
	}

	return pinned && is("UNLISTEN")
}
