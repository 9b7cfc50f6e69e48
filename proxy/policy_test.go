package proxy

import (
	"strings"
	"testing"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// everything sets one policy for all kinds of leftovers.
func everything(p config.Policy) func(*config.Pgweir) {
	return func(g *config.Pgweir) {
		for i := range g.On {
			g.On[i] = p
		}
	}
}

// TestIgnore: what is ignored is undone when the transaction is over, and keeps no
// server.
func TestIgnore(t *testing.T) {
	o := newOracle(t, everything(config.PolicyIgnore))
	other := o.connect()
	want := o.look(other, probe)
	for _, s := range snippets() {
		if strings.Contains(s.name, "made up") {
			continue // a setting that cannot be asked for pins in any case
		}
		t.Run(s.name, func(t *testing.T) {
			c := o.connect()
			c.send(query("BEGIN"), query(strings.Join(s.statements, "; ")), query("COMMIT"))
			c.until("ZZZ")
			if got := o.look(other, probe); got != want {
				t.Errorf("another client finds %q, want %q", got, want)
			}
			c.send(terminate())
			c.wantEnd()
			if s := o.proxy.Stat(); s.Pinned != 0 || len(s.Pins) > 0 || o.pool().Open != 1 {
				t.Errorf("%d clients are pinned, for %v, with %d servers", s.Pinned, s.Pins, o.pool().Open)
			}
		})
	}
}

// TestIgnoreOfSome: while something else keeps the server nothing is undone.
func TestIgnoreOfSome(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.On[config.LeftoverTempTable] = config.PolicyIgnore })
	c := o.connect()
	const look = "SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()"
	c.send(query("LISTEN x"), query("CREATE TEMP TABLE y ()"))
	c.want("CZCZ")
	if got := o.look(c, look); got != "1" {
		t.Errorf("%s tables", got)
	}
	c.send(query("UNLISTEN x"))
	c.want("CZ")
	if got := o.look(c, look); got != "0" {
		t.Errorf("%s tables", got)
	}
}

// TestIgnoreFails: a server on which nothing can be undone is closed, and its client
// loses nothing.
func TestIgnoreFails(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(everything(config.PolicyIgnore)))
	c := r.connect()
	s := f.accept()
	c.send(query("LISTEN x"))
	s.want("Q")
	s.send(done("LISTEN", wire.TxIdle))
	c.want("CZ")
	s.want("Q")
	s.send(rowDescription(), dataRow("LISTEN", "x", ""), done("SELECT 1", wire.TxIdle))
	if got := string(s.want("Q")[0].body); got != "UNLISTEN *\x00" {
		t.Errorf("the server got %q", got)
	}
	c.send(query("SELECT 1")) // waits
	s.send(wire.AppendReadyForQuery(wire.Errorf(wire.CodeQueryCanceled, "statement timeout").Append(nil), wire.TxIdle))
	s.want("X")
	s = f.accept()
	s.want("Q")
	s.send(result("1"))
	c.want("TDCZ")
}

// TestReject: what is refused is an error before anything is done, and the session goes
// on.
func TestReject(t *testing.T) {
	o := newOracle(t, everything(config.PolicyReject))
	o.do("CREATE TABLE kept (a int)")
	c := o.connect()
	for sql, what := range map[string]string{
		"LISTEN x":                                "LISTEN",
		"INSERT INTO kept VALUES (1); LISTEN x":   "LISTEN",
		"/* a */ CREATE TEMP TABLE x (a int)":     "temporary object",
		"SELECT pg_advisory_lock(1)":              "advisory lock",
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1": "cursor WITH HOLD",
		"PREPARE p AS SELECT 1":                   "PREPARE",
		"SET SESSION AUTHORIZATION pg_monitor":    "SET SESSION AUTHORIZATION",
		"LOAD 'auto_explain'":                     "LOAD",
		"SELECT 'a much longer text', pg_advisory_lock(1), 'than it is replaced by'": "advisory lock",
	} {
		c.send(query(sql))
		c.wantError("ERROR", wire.CodeFeatureNotSupported, what+" does not work in transaction mode")
		c.want("Z")
		c.send(extended(sql), syncMsg())
		c.wantError("ERROR", wire.CodeFeatureNotSupported, what+" does not work in transaction mode")
		c.want("Z")
		c.send(parse("s", sql), syncMsg(), run("s"), syncMsg())
		c.wantError("ERROR", wire.CodeFeatureNotSupported, what+" does not work in transaction mode")
		c.want("Z")
		c.wantError("ERROR", "26000", `prepared statement "s" does not exist`)
		c.want("Z")
	}
	c.send(query("BEGIN"), query("INSERT INTO kept VALUES (2)"), query("LISTEN x"))
	c.want("CZCZ")
	c.wantError("ERROR", wire.CodeFeatureNotSupported, "LISTEN does not work in transaction mode")
	if got := c.want("Z")[0].body[0]; got != wire.TxFailed {
		t.Errorf("transaction status %c, want E", got)
	}
	c.send(query("COMMIT"))
	c.want("CZ")
	for sql, want := range map[string]string{
		"SELECT count(*) FROM kept": "0", "SELECT 'LISTEN x; CREATE TEMP TABLE'": "LISTEN x; CREATE TEMP TABLE",
		"SELECT pg_try_advisory_xact_lock(1)": "t",
	} {
		if got := o.look(c, sql); got != want {
			t.Errorf("%s is %s, want %s", sql, got, want)
		}
	}
	c.send(query("BEGIN; CREATE TEMP TABLE x ON COMMIT DROP AS SELECT 1; COMMIT"))
	c.want("CCCZ")
}

// TestRejectUnseen: a session that has in it what is refused, and could not be seen to
// do so, ends.
func TestRejectUnseen(t *testing.T) {
	o := newOracle(t, everything(config.PolicyReject))
	c, other := o.connect(), o.connect()
	c.send(query("DO $$ BEGIN EXECUTE 'LISTEN x'; END $$"))
	c.want("CZ")
	c.wantFatal(wire.CodeFeatureNotSupported, "LISTEN does not work in transaction mode")
	if got := o.look(other, "SELECT count(*) FROM pg_listening_channels()"); got != "0" {
		t.Errorf("another client listens to %s channels", got)
	}
}

// TestLoad: a library is loaded for one client. Its server is closed when it leaves.
func TestLoad(t *testing.T) {
	o := newOracle(t, nil)
	c, other := o.connect(), o.connect()
	pid := o.look(other, "SELECT pg_backend_pid()")
	c.send(query("LOAD 'auto_explain'"))
	c.want("CZ")
	o.eventually("it is pinned", func() bool { return o.proxy.Stat().Pins["LOAD"] == 1 })
	c.send(query("SET auto_explain.log_min_duration = 0"), query("RESET auto_explain.log_min_duration"), terminate())
	c.want("CZCZ")
	c.wantEnd()
	if o.look(other, "SELECT pg_backend_pid()") == pid {
		t.Error("another client has the server")
	}
}

// paranoid has every transaction looked after.
func paranoid(g *config.Pgweir) { g.Paranoid = true }

// TestParanoid: an application notices nothing of it.
func TestParanoid(t *testing.T) {
	o := newRotation(t, paranoid)
	for _, c := range append(sessionConversations(), preparedConversations()...) {
		t.Run(c.name, func(t *testing.T) { o.compare(t, c) })
	}
}

// TestParanoidUnseen: what a function does that is called by its name alone stays with
// its client too, and what cannot be asked for is nobody else's.
func TestParanoidUnseen(t *testing.T) {
	o := newRotation(t, paranoid)
	o.do("CREATE FUNCTION sneak() RETURNS text LANGUAGE sql AS $$ SELECT set_config('work_mem', '5MB', false) $$")
	o.do("CREATE SEQUENCE s")
	c, other := o.connect(), o.connect()
	o.look(c, "SELECT sneak()")
	for range 4 {
		if got := o.look(c, "SHOW work_mem"); got != "5MB" {
			t.Errorf("the client finds %s", got)
		}
		if got := o.look(other, "SHOW work_mem"); got == "5MB" {
			t.Error("another client finds it")
		}
	}
	o.look(c, "SELECT nextval('s')")
	for range 4 {
		other.send(query("SELECT lastval()"))
		other.want("T")
		other.wantError("ERROR", "55000", "lastval is not yet defined in this session")
		other.want("Z")
	}
}
