package proxy

import (
	"testing"

	"github.com/pgweir/pgweir/wire"
)

// queries is a conversation of one query after another.
func queries(name string, list ...string) conversation {
	c := conversation{name: name}
	for _, sql := range list {
		c.steps = append(c.steps, step{query(sql), "Z"})
	}

	return c
}

// sessionConversations use what belongs to a PostgreSQL session and outlives a
// transaction.
func sessionConversations() []conversation {
	const show = "SELECT current_setting('work_mem')"

	return []conversation{
		queries("SET", "SET work_mem = '5MB'", show, "SET work_mem TO '6MB'; SET geqo = off", show, "SHOW geqo",
			"RESET work_mem", show, "SHOW geqo", "RESET ALL", "SHOW geqo"),
		queries("SET in transactions", "BEGIN; SET work_mem = '5MB'", show, "ROLLBACK", show,
			"BEGIN; SET work_mem = '6MB'; COMMIT", show, "BEGIN; SET LOCAL work_mem = '7MB'", show, "COMMIT", show,
			"SET LOCAL work_mem = '8MB'", show),
		queries("SET and an error", "SET work_mem = '5MB'; SELECT 1/0", show, "SET work_mem = 'nonsense'", show),
		queries("set_config", "SELECT set_config('work_mem', '5MB', false)", show,
			"SELECT pg_catalog.SET_CONFIG('work_mem', '6MB', true)", show,
			"DO $$ BEGIN PERFORM set_config('app.x', 'it''s \\ me', false); END $$", "SHOW app.x"),
		queries("search_path", "CREATE SCHEMA s CREATE TABLE u AS SELECT 's.u' AS x", "SET search_path = s, public",
			"SELECT * FROM u", "SELECT * FROM u, t", "RESET search_path", "SELECT * FROM u", "DROP SCHEMA s CASCADE"),
		queries("transactions by default", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
			"INSERT INTO t VALUES (1)", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
			"INSERT INTO t VALUES (1)"),
		queries("roles", "SET ROLE pg_monitor", "SELECT current_user = 'pg_monitor'",
			"SET work_mem = '5MB'", "SELECT current_user = 'pg_monitor'", show, "RESET ROLE",
			"SELECT current_user = session_user", show),
		queries("temporary tables", "CREATE TEMP TABLE x (a int)", "INSERT INTO x VALUES (1)", "SELECT a + 0 FROM x",
			"DROP TABLE x", "SELECT a + 0 FROM x", "CREATE TEMP TABLE x AS SELECT 2 AS a", "SELECT a + 0 FROM x",
			"CREATE TEMP TABLE y ON COMMIT DROP AS SELECT 2 AS a", "SELECT a + 0 FROM y", "DISCARD TEMP", "SELECT a + 0 FROM x"),
		queries("advisory locks", "SELECT pg_advisory_lock(42)", "SELECT pg_try_advisory_lock(43)",
			"SELECT pg_advisory_unlock(42)", "SELECT pg_advisory_unlock(42)", "SELECT pg_advisory_unlock_all()",
			"SELECT pg_advisory_unlock(43)", "BEGIN; SELECT pg_advisory_xact_lock(42); COMMIT",
			"SELECT pg_advisory_unlock(42)"),
		queries("cursors", "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 5); COMMIT", "FETCH 2 FROM c",
			"FETCH 2 FROM c", "CLOSE c", "FETCH 2 FROM c", "BEGIN; DECLARE d CURSOR FOR SELECT 1; COMMIT", "FETCH d"),
		queries("PREPARE", "PREPARE p (int) AS SELECT $1", "EXECUTE p (1)", "EXECUTE p (2)", "DEALLOCATE p", "EXECUTE p (3)"),
		queries("DISCARD ALL", "SET work_mem = '5MB'", "CREATE TEMP TABLE x (a int)", "PREPARE p AS SELECT 1",
			"DISCARD ALL", show, "SELECT * FROM x", "EXECUTE p"),
		{"by the extended protocol", []step{
			{join(extended("SET work_mem = '5MB'"), syncMsg()), "Z"},
			{query(show), "Z"},
			{join(parse("s", "SELECT set_config('work_mem', $1, false)"), syncMsg()), "Z"},
			{join(run("s", "6MB"), syncMsg()), "Z"},
			{join(extended(show), syncMsg()), "Z"},
			{join(parse("", "SELECT set_config('work_mem', $1, false)"), syncMsg()), "Z"},
			{join(run("", "7MB"), syncMsg(), extended(show), syncMsg()), "ZZ"},
			{join(extended(show), syncMsg(), query(show)), "ZZ"},
		}},
		{"in a pipeline", []step{
			{join(query("SET work_mem = '5MB'"), query(show), query("RESET work_mem"), query(show)), "ZZZZ"},
			{join(query("SET work_mem = '6MB'"), extended(show), syncMsg()), "ZZ"},
			{query(show), "Z"},
		}},
	}
}

// look returns the first column of the first row that a query gives a client.
func (o *oracle) look(c *client, sql string) string {
	o.t.Helper()
	c.send(query(sql))
	for _, f := range c.until("Z") {
		if f.typ == wire.DataRow {
			return string(f.body[6:])
		}
	}
	o.t.Fatalf("%s: no rows", sql)

	return ""
}

// TestNotifications: a client that listens hears.
func TestNotifications(t *testing.T) {
	o := newRotation(t, nil)
	c, other := o.connect(), o.connect()
	c.send(query("LISTEN x"))
	c.want("CZ")
	o.eventually("it keeps its server", func() bool { return o.pool().Idle == 2 && o.proxy.Stat().Pinned == 1 })
	if s := o.proxy.Stat(); s.Pinned != 1 || s.Pins["LISTEN"] != 1 {
		t.Errorf("%d clients are pinned, for %v", s.Pinned, s.Pins)
	}
	other.send(query("NOTIFY x, 'hello'"))
	other.want("CZ")
	if got := string(c.want("A")[0].body[4:]); got != "x\x00hello\x00" {
		t.Errorf("heard %q", got)
	}
	c.send(query("UNLISTEN x"))
	c.want("CZ")
	o.eventually("it keeps its server no more", func() bool { return o.pool().Idle == 3 })
	if s := o.proxy.Stat(); s.Pinned != 0 || s.Pins["LISTEN"] != 1 {
		t.Errorf("%d clients are pinned, for %v", s.Pinned, s.Pins)
	}
}

// TestOwnSettingsFromStartup: settings of the application's own that come with the
// startup packet are nobody else's either.
func TestOwnSettingsFromStartup(t *testing.T) {
	o := newOracle(t, nil)
	const look = "SELECT coalesce(current_setting('app.x', true), '')"
	c, other := o.connect(wire.Parameter{Name: "app.x", Value: "mine"}), o.connect()
	for range 2 {
		if got := o.look(c, look); got != "mine" {
			t.Errorf("the client finds %q", got)
		}
		c.send(query("SET work_mem = '5MB'")) // which has PostgreSQL asked
		c.want("CZ")
		if got := o.look(other, look); got != "" {
			t.Errorf("another client finds %q", got)
		}
	}
}

// TestInspectionFails: a client whose session PostgreSQL does not tell of keeps its
// server, and loses nothing. The server is clean before somebody else has it.
func TestInspectionFails(t *testing.T) {
	refusal := wire.AppendReadyForQuery(wire.Errorf(wire.CodeQueryCanceled, "statement timeout").Append(nil), wire.TxIdle)
	for name, answer := range map[string][]byte{"an error": refusal, "nonsense": result("one column")} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			r := newRig(t, f.config(nil))
			c, other := r.connect(), r.connect()
			s := f.accept()
			c.send(query("SET x = 1"))
			s.want("Q")
			s.send(done("SET", wire.TxIdle))
			c.want("CZ")
			s.want("Q") // what is there?
			s.send(answer)
			r.eventually("the client is pinned", func() bool { return r.proxy.Stat().Pins["unknown"] == 1 })
			other.send(query("SELECT 2"))
			c.send(query("SELECT 1"))
			if got := string(s.want("Q")[0].body); got != "SELECT 1\x00" {
				t.Errorf("the server got %q", got)
			}
			s.send(result("1"))
			c.want("TDCZ")
			_ = c.nc.Close()
			if got := string(s.want("Q")[0].body); got != "DISCARD ALL\x00" {
				t.Errorf("the server got %q", got)
			}
			s.send(done("DISCARD ALL", wire.TxIdle))
			s.want("Q")
			s.send(result("2"))
			other.want("TDCZ")
		})
	}
}
