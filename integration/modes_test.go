package integration

import (
	"testing"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// TestSessionMode has a client keep its server, and the server cleaned for the next.
func TestSessionMode(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"pool_mode": "session", "default_pool_size": 1}})
	first := p.login(t)
	wantLines(t, first.query("CREATE TEMP TABLE mine (i int); SET work_mem = '7MB'; SELECT 1 AS a"),
		"C CREATE TABLE", "C SET", "T a", "D 1", "C SELECT 1", "Z I")
	pid := value(first.query("SELECT pg_backend_pid()"))
	second := p.login(t)
	second.send(messages("SELECT pg_backend_pid() AS pid, to_regclass('mine') IS NULL AS gone, current_setting('work_mem') AS mem")...)
	await(t, patience, "the client to be queued", func() bool { return p.waiting() == 1 })
	wantLines(t, first.query("INSERT INTO mine VALUES (1)"), "C INSERT 0 1", "Z I")
	wantLines(t, first.query("SELECT count(*), current_setting('work_mem') AS mem FROM mine"),
		"T count|mem", "D 1|7MB", "C SELECT 1", "Z I")

	first.send(terminateMessage())
	second.expect(t, "T pid|gone|mem", "D "+pid+"|t|4MB", "C SELECT 1", "Z I")

	// One that leaves its transaction open, and rudely, is cleaned up after as well.
	wantLines(t, second.query("BEGIN; CREATE TEMP TABLE mine (i int)"), "C BEGIN", "C CREATE TABLE", "Z T")
	second.reset()
	third := p.login(t)
	wantLines(t, third.query("SELECT to_regclass('mine') IS NULL AS gone, txid_current_if_assigned() IS NULL AS clean"),
		"T gone|clean", "D t|t", "C SELECT 1", "Z I")
}

// TestStatementMode refuses what would keep a server beyond a statement.
func TestStatementMode(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"pool_mode": "statement", "default_pool_size": 1}})
	for _, begin := range []string{"BEGIN", "SELECT 1; BEGIN", "START TRANSACTION READ ONLY"} {
		c := p.login(t)
		wantLines(t, c.query("SELECT 1 AS a; SELECT 2 AS b"), "T a", "D 1", "C SELECT 1", "T b", "D 2", "C SELECT 1", "Z I")
		wantLines(t, c.query("BEGIN; SELECT 1 AS a; COMMIT"), "C BEGIN", "T a", "D 1", "C SELECT 1", "C COMMIT", "Z I")
		c.send(messages(begin)...)
		got := c.rest()
		if n := len(got); n < 2 || got[n-2] != "E FATAL 0A000" || got[n-1] != closed {
			t.Errorf("%s: got %q, want FATAL 0A000 in the end", begin, got)
		}
		wantLines(t, p.login(t).query("SELECT txid_current_if_assigned() IS NULL AS clean"), "T clean", "D t", "C SELECT 1", "Z I")
	}
}

// TestModePerDatabaseAndUser has the user's own mode win over the database's, and
// that over the general one.
func TestModePerDatabaseAndUser(t *testing.T) {
	t.Parallel()
	role, c := newRole(t), pgtest.Cluster(t)
	p := start(t, options{
		settings: table{"pool_mode": "statement"},
		databases: map[string]table{
			"*":  serverOf(c),
			"tx": serverOf(c, table{"dbname": "postgres", "pool_mode": "transaction"}),
		},
		users: map[string]table{
			c.User: {"password": c.Password},
			role:   {"password": c.Password, "pool_mode": "session"},
		},
	})
	general, database := p.login(t), p.loginTo(t, "tx")
	general.send(messages("BEGIN")...)
	if got := general.rest(); got[len(got)-2] != "E FATAL 0A000" {
		t.Errorf("general mode: got %q", got)
	}
	wantLines(t, database.query("BEGIN"), "C BEGIN", "Z T")
	wantLines(t, database.query("COMMIT"), "C COMMIT", "Z I")
	user := p.dial(t)
	user.startup(role, "tx")
	user.answer()
	wantLines(t, user.query("CREATE TEMP TABLE mine (i int)"), "C CREATE TABLE", "Z I")
	wantLines(t, user.query("SELECT count(*) FROM mine"), "T count", "D 0", "C SELECT 1", "Z I")
}
