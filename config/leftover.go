package config

// A Leftover is a kind of thing that a statement leaves in its PostgreSQL session beyond
// the transaction, and that cannot go to another session.
type Leftover uint8

// The kinds of leftovers.
const (
	LeftoverListen Leftover = iota
	LeftoverTempTable
	LeftoverAdvisoryLock
	LeftoverHoldCursor
	LeftoverPrepare
	LeftoverAuthorization
	LeftoverLoad
	leftoverKinds // how many there are
)

// leftovers are the keys of the kinds' settings, behind "on_", what they are called in
// logs, metrics and errors, and what they are.
var leftovers = [leftoverKinds]struct{ key, name, doc string }{
	{"listen", "LISTEN", "the channels of LISTEN"},
	{"temp_table", "temporary object", "temporary tables and the like"},
	{"advisory_lock", "advisory lock", "advisory locks of the session"},
	{"hold_cursor", "cursor WITH HOLD", "cursors WITH HOLD"},
	{"prepare", "PREPARE", "what PREPARE in SQL makes"},
	{"session_authorization", "SET SESSION AUTHORIZATION", "the user of SET SESSION AUTHORIZATION"},
	{"load", "LOAD", "the libraries of LOAD"},
}

// String returns what the kind is called.
func (l Leftover) String() string { return leftovers[l].name }

// Key returns the setting that says what becomes of the kind.
func (l Leftover) Key() string { return "on_" + leftovers[l].key }

// Leftovers returns all kinds.
func Leftovers() []Leftover {
	all := make([]Leftover, leftoverKinds)
	for i := range all {
		all[i] = Leftover(i)
	}
	return all
}

// A Policy says what becomes of a kind of leftovers in transaction mode.
type Policy string

// The policies.
const (
	PolicyPin    Policy = "pin"    // the client keeps its server until it is gone
	PolicyReject Policy = "reject" // the client gets an error
	PolicyIgnore Policy = "ignore" // it is undone when the transaction is over
)

// Policies are those of all kinds. "" in a database's stands for the one of [pgweir].
type Policies [leftoverKinds]Policy

// Any reports whether p is the policy of any kind.
func (ps *Policies) Any(p Policy) bool {
	for _, one := range ps {
		if one == p {
			return true
		}
	}
	return false
}

// inherit fills in what a database leaves to [pgweir].
func (ps *Policies) inherit(from Policies) {
	for i := range ps {
		if ps[i] == "" {
			ps[i] = from[i]
		}
	}
}

// leftoverSettings returns the rows of [pgweir] that say what becomes of what cannot go
// from server to server.
func leftoverSettings() []Setting {
	rows := []Setting{{
		Key: "paranoid", PgBouncer: "server_reset_query_always, which forgets what clients have set",
		Doc:     "look for leftovers after every transaction, and run DISCARD ALL",
		binding: bind(func(p *Pgweir) *bool { return &p.Paranoid }, boolean(), false),
	}}
	for i, kind := range leftovers {
		rows = append(rows, Setting{
			Key: Leftover(i).Key(), PgBouncer: "stays on the server",
			Doc: kind.doc,
			binding: bind(func(p *Pgweir) *Policy { return &p.On[i] },
				oneOf(PolicyPin, PolicyReject, PolicyIgnore), PolicyPin),
		})
	}
	return rows
}

// databaseLeftovers returns the same rows for a database.
func databaseLeftovers() []Setting {
	var rows []Setting
	for i, kind := range leftovers {
		rows = append(rows, Setting{
			Key: Leftover(i).Key(), PgBouncer: notInPgBouncer,
			Doc: kind.doc, Zero: `"": as in [pgweir]`,
			binding: bind(func(d *Database) *Policy { return &d.On[i] },
				oneOf("", PolicyPin, PolicyReject, PolicyIgnore), ""),
		})
	}
	return rows
}
