package proxy

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// long asks for the long form of tests.
var long = flag.Bool("long", false, "try every combination, which takes minutes")

// probe asks for all that one client could leave to the next in a PostgreSQL session.
const probe = "SELECT concat_ws(' ', current_user, session_user, current_setting('search_path')," +
	" (SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings WHERE source = 'session')," +
	" nullif(current_setting('role'), 'none')," +
	" nullif(current_setting('app.x', true), '')," +
	" (SELECT 'listens to ' || string_agg(c, ',' ORDER BY c) FROM pg_listening_channels() c)," +
	" (SELECT 'cursors ' || string_agg(name, ',' ORDER BY name) FROM pg_cursors WHERE name <> '')," +
	" (SELECT 'statements ' || string_agg(name, ',' ORDER BY name) FROM pg_prepared_statements WHERE from_sql)," +
	" (SELECT 'temporary ' || count(*) FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass" +
	"  AND refobjid = pg_my_temp_schema() HAVING count(*) > 0)," +
	" (SELECT 'locks ' || count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() HAVING count(*) > 0))"

// A snippet is statements that leave something in the session, or try to.
type snippet struct {
	name       string
	statements []string
}

// snippets returns all of them. A function that is called by its name and nothing else is
// not among them: pgweir does not notice what it leaves (docs/protocol.md).
func snippets() []snippet {
	return []snippet{
		{"SET", []string{"SET work_mem = '5MB'"}},
		{"SET of two", []string{"SET work_mem = '5MB'", "SET lock_timeout = '10min'"}},
		{"SET and RESET", []string{"SET work_mem = '5MB'", "RESET work_mem"}},
		{"SET and RESET ALL", []string{"SET work_mem = '5MB'", "SET app.x = 'mine'", "RESET ALL"}},
		{"SET LOCAL", []string{"SET LOCAL work_mem = '5MB'"}},
		{"SET LOCAL and SET", []string{"SET LOCAL work_mem = '5MB'", "SET lock_timeout = '10min'"}},
		{"SET app.x", []string{"SET app.x = 'mine'"}},
		{"SET LOCAL app.x", []string{"SET LOCAL app.x = 'mine'"}},
		{"SET search_path", []string{"SET search_path = pg_catalog, public"}},
		{"SET statement_timeout", []string{"SET statement_timeout = '10min'"}},
		{"SET session_replication_role", []string{"SET session_replication_role = replica"}},
		{"SET temp_tablespaces", []string{"SET temp_tablespaces = pg_default"}},
		{"SET row_security", []string{"SET row_security = off"}},
		{"SET TIME ZONE", []string{"SET TIME ZONE 'Asia/Tokyo'"}},
		{"SET NAMES", []string{"SET NAMES 'LATIN1'"}},
		{"SET application_name", []string{"SET application_name = 'mine'"}},
		{"SET XML OPTION", []string{"SET XML OPTION DOCUMENT"}},
		{"SET SESSION CHARACTERISTICS", []string{"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE"}},
		{"set_config", []string{"SELECT set_config('work_mem', '5MB', false)"}},
		{"set_config of app.x", []string{"SELECT set_config('app.x', 'mine', false)"}},
		{"set_config, a name that is made up", []string{"SELECT set_config('app' || '.x', 'mine', false)"}},
		{"set_config, local", []string{"SELECT set_config('app.x', 'mine', true)"}},
		{"UPDATE pg_settings", []string{"UPDATE pg_settings SET setting = '5000' WHERE name = 'work_mem'"}},
		{"SET ROLE", []string{"SET ROLE pg_monitor"}},
		{"SET ROLE and SET", []string{"SET ROLE pg_monitor", "SET work_mem = '5MB'"}},
		{"SET SESSION AUTHORIZATION", []string{"SET SESSION AUTHORIZATION pg_monitor"}},
		{"SET SESSION AUTHORIZATION and ROLE", []string{"SET SESSION AUTHORIZATION pg_monitor", "SET ROLE pg_read_all_stats"}},
		{"PREPARE", []string{"PREPARE p AS SELECT 1"}},
		{"CREATE TEMP TABLE", []string{"CREATE TEMP TABLE x (a int)"}},
		{"CREATE TEMP TABLE AS", []string{"/* a comment */ CREATE TEMP TABLE x AS SELECT 1 AS a"}},
		{"CREATE TABLE pg_temp", []string{"CREATE TABLE pg_temp.x (a int)"}},
		{"SELECT INTO TEMP", []string{"SELECT 1 AS a INTO TEMP x"}},
		{"WITH and SELECT INTO TEMP", []string{"WITH w AS (SELECT 1 AS a) SELECT a INTO TEMPORARY x FROM w"}},
		{"EXPLAIN ANALYZE CREATE TEMP TABLE", []string{"EXPLAIN ANALYZE CREATE TEMP TABLE x AS SELECT 1 AS a"}},
		{"CREATE TEMP VIEW", []string{"CREATE TEMP VIEW x AS SELECT 1 AS a"}},
		{"CREATE VIEW of a temporary table", []string{"CREATE TEMP TABLE x (a int)", "CREATE VIEW y AS SELECT * FROM x"}},
		{"CREATE TEMP SEQUENCE", []string{"CREATE TEMP SEQUENCE x"}},
		{"CREATE TYPE pg_temp", []string{"CREATE TYPE pg_temp.x AS ENUM ('a')"}},
		{"CREATE FUNCTION pg_temp", []string{"CREATE FUNCTION pg_temp.x() RETURNS int LANGUAGE sql AS 'SELECT 1'"}},
		{"ON COMMIT DROP", []string{"CREATE TEMP TABLE x (a int) ON COMMIT DROP"}},
		{"DECLARE WITH HOLD", []string{"DECLARE c CURSOR WITH HOLD FOR SELECT 1"}},
		{"LISTEN", []string{"LISTEN x"}},
		{"pg_advisory_lock", []string{"SELECT pg_advisory_lock(pg_backend_pid())"}},
		{"pg_advisory_lock_shared", []string{"SELECT pg_advisory_lock_shared(42)"}},
		{"pg_try_advisory_lock", []string{"SELECT pg_try_advisory_lock(1, pg_backend_pid())"}},
		{"EXPLAIN ANALYZE pg_advisory_lock", []string{"EXPLAIN ANALYZE SELECT pg_advisory_lock(pg_backend_pid())"}},
		{"pg_advisory_xact_lock", []string{"SELECT pg_advisory_xact_lock(pg_backend_pid())"}},
		{"everything", []string{
			"SET work_mem = '5MB'", "SET app.x = 'mine'", "LISTEN x", "CREATE TEMP TABLE x (a int)", "PREPARE p AS SELECT 1",
			"SELECT pg_advisory_lock(pg_backend_pid())",
		}},
	}
}

// A shape is a way of sending statements.
type shape struct {
	name    string
	send    func(statements []string) []byte
	answers string // the frames that end the answer
}

// shapes returns all of them.
func shapes() []shape {
	return []shape{
		{"a query", func(s []string) []byte { return query(strings.Join(s, "; ")) }, "Z"},
		{"among others", func(s []string) []byte { return query("SELECT 1; " + strings.Join(s, "; ") + "; SELECT 2") }, "Z"},
		{"extended", func(s []string) []byte { return join(series(s), syncMsg()) }, "Z"},
		{"a pipeline", func(s []string) []byte {
			return join(query("SELECT 1"), series(s), syncMsg(), extended("SELECT 2"), syncMsg())
		}, "ZZZ"},
		{"a DO block", func(s []string) []byte {
			return query("DO $do$ BEGIN EXECUTE $ex$" + strings.Join(s, "$ex$; EXECUTE $ex$") + "$ex$; END $do$")
		}, "Z"},
	}
}

// series is statements by the extended protocol.
func series(statements []string) []byte {
	var b []byte
	for _, s := range statements {
		b = join(b, extended(s))
	}

	return b
}

// A finish is what a client does when it has sent the statements.
type finish struct {
	name      string
	important bool
	begin     bool // it opened a transaction before
	hasty     bool // it does not wait for the answer
	stays     bool
	do        func(c *client)
}

// finishes returns all of them.
func finishes() []finish {
	return []finish{
		{"stays", true, false, false, true, func(*client) {}},
		{"commits", true, true, false, true, func(c *client) { c.say("COMMIT") }},
		{"rolls back", true, true, false, true, func(c *client) { c.say("ROLLBACK") }},
		{"fails", false, false, false, true, func(c *client) { c.say("SELECT 1/0") }},
		{"fails in a transaction", false, true, false, true, func(c *client) { c.say("SELECT 1/0"); c.say("COMMIT") }},
		{"is cancelled", true, false, false, true, (*client).nap},
		{"is cancelled in a transaction", false, true, false, true, func(c *client) { c.nap(); c.say("ROLLBACK") }},
		{"says goodbye", false, false, false, false, func(c *client) { c.send(terminate()) }},
		{"says goodbye at once", true, false, true, false, func(c *client) { c.send(terminate()) }},
		{"says goodbye in a transaction", false, true, false, false, func(c *client) { c.send(terminate()) }},
		{"closes", true, false, false, false, func(c *client) { _ = c.nc.Close() }},
		{"closes at once", false, false, true, false, func(c *client) { _ = c.nc.Close() }},
		{"vanishes", false, false, false, false, (*client).reset},
		{"vanishes at once", true, false, true, false, (*client).reset},
		{"vanishes in a transaction", true, true, false, false, (*client).reset},
		{"vanishes in a series", false, false, false, false, func(c *client) {
			c.send(extended("SELECT 1"), flushMsg())
			c.until("C")
			c.reset()
		}},
		{"vanishes in a query", false, false, false, false, func(c *client) {
			c.send(query("SELECT nap(600)"))
			c.until("N")
			c.reset()
		}},
	}
}

// say sends a query and waits for the end of its answer.
func (c *client) say(sql string) {
	c.t.Helper()
	c.send(query(sql))
	c.until("Z")
}

// nap has a query cancelled, unless it fails at once because the transaction has.
func (c *client) nap() {
	c.t.Helper()
	c.send(query("SELECT nap(600)"))
	for {
		f, err := c.read()
		switch {
		case err != nil:
			c.t.Fatalf("client: waiting for a query to run: %v", err)
		case f.typ == wire.NoticeResponse:
			c.cancelMe()
		case f.typ == wire.ReadyForQuery:
			return
		}
	}
}

// cancelMe sends a cancel request for c to where it is connected, and waits for its end.
func (c *client) cancelMe() {
	c.t.Helper()
	carrier := dial(c.t, c.nc.RemoteAddr().String())
	carrier.send(wire.AppendCancelRequest(nil, c.welcome.PID, c.welcome.Secret))
	carrier.wantEnd()
}

// TestNothingLeaks: whatever a client leaves in its session, however it does that and
// however it ends, the next client on the server finds a session like a new one. The
// client itself, if it is still there, finds what it would find without pgweir. The short
// form tries each snippet in each shape and with each important finish, but not all with
// all.
func TestNothingLeaks(t *testing.T) {
	g := newLeakGrid(t)
	for _, s := range snippets() {
		for _, sh := range shapes() {
			for _, f := range finishes() {
				if *long || sh.name == "a query" && f.important || f.name == "commits" {
					g.try(s, sh, f)
				}
			}
		}
	}
	g.report()
}

// A leakGrid tries one combination after another on two servers.
type leakGrid struct {
	*oracle
	next  *client // finds what others leave
	clean string  // what it must find
	tried map[combination]byte
	found []string // what was wrong
}

// A combination is a snippet, a shape and a finish, by their names.
type combination struct {
	snippet, shape, finish string
}

// newLeakGrid starts a proxy with two servers, which are used in turn.
func newLeakGrid(t *testing.T) *leakGrid {
	g := &leakGrid{tried: make(map[combination]byte)}
	g.oracle = newOracle(t, func(c *config.Pgweir) {
		c.DefaultPoolSize, c.MinPoolSize, c.ServerRoundRobin = 2, 2, true
	})
	g.do("CREATE FUNCTION nap(s float8) RETURNS int LANGUAGE plpgsql AS " +
		"$$ BEGIN RAISE NOTICE 'asleep'; PERFORM pg_sleep(s); RETURN 1; END $$")
	g.next = g.connect()
	fresh := g.direct(t)
	g.clean = g.look(fresh, probe)
	_ = fresh.nc.Close()

	return g
}

// try tries one combination.
func (g *leakGrid) try(s snippet, sh shape, f finish) {
	at := combination{s.name, sh.name, f.name}
	g.tried[at] = '.'
	c := g.connect()
	g.perform(c, s, sh, f)
	if f.stays {
		want := g.alone(s, sh, f)
		for range 2 {
			g.want(at, 'O', c, want)
		}
		g.want(at, 'L', g.next, g.clean)
		c.send(terminate())
		c.rest()
	}
	_ = c.nc.Close()
	g.quiesce()
	for range 2 {
		g.want(at, 'L', g.next, g.clean)
	}
}

// want checks what a client finds; a letter says what is wrong if it is not that.
func (g *leakGrid) want(at combination, wrong byte, c *client, want string) {
	if got := g.look(c, probe); got != want {
		g.tried[at] = wrong
		g.found = append(g.found, fmt.Sprintf("%c %v: found %q, want %q", wrong, at, got, want))
	}
}

// alone returns what a client finds that does the same without pgweir.
func (g *leakGrid) alone(s snippet, sh shape, f finish) string {
	c := g.direct(g.t)
	defer c.nc.Close()
	g.perform(c, s, sh, f)

	return g.look(c, probe)
}

// perform has c do what is to be tried.
func (g *leakGrid) perform(c *client, s snippet, sh shape, f finish) {
	if f.begin {
		c.say("BEGIN")
	}
	c.send(sh.send(s.statements))
	if !f.hasty {
		c.until(sh.answers)
	}
	f.do(c)
}

// quiesce waits until there is only the client that looks, and both servers are idle.
func (g *leakGrid) quiesce() {
	g.eventually("two servers are idle", func() bool {
		p := g.pool()

		return g.proxy.Stat().Clients == 1 && p.Idle == 2 && p.Open == 2
	})
}

// report prints what was wrong, if anything, as a grid and in words.
func (g *leakGrid) report() {
	g.t.Logf("%d combinations", len(g.tried))
	if len(g.found) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("L: it leaks, O: the client does not find its own\n\nblocks:  ")
	for _, sh := range shapes() {
		b.WriteString(sh.name + "; ")
	}
	b.WriteString("\ncolumns: ")
	for _, f := range finishes() {
		b.WriteString(f.name + "; ")
	}
	for _, s := range snippets() {
		fmt.Fprintf(&b, "\n%-40s%s", s.name, g.row(s))
	}
	g.t.Error(b.String())
	const most = 40
	for _, what := range g.found[:min(len(g.found), most)] {
		g.t.Error(what)
	}
}

// row is the line of the grid about a snippet.
func (g *leakGrid) row(s snippet) string {
	var b strings.Builder
	for _, sh := range shapes() {
		for _, f := range finishes() {
			v := g.tried[combination{s.name, sh.name, f.name}]
			if v == 0 {
				v = ' ' // not tried
			}
			b.WriteByte(v)
		}
		b.WriteByte('|')
	}

	return b.String()
}
