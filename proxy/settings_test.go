package proxy

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// timeZone is a setting of a client's startup packet.
func timeZone(value string) wire.Parameter { return wire.Parameter{Name: "TimeZone", Value: value} }

// TestSettingsReports: PostgreSQL's reports of what pgweir sets for a client do not
// reach the client, which knows; those of what it sets itself do.
func TestSettingsReports(t *testing.T) {
	o := newOracle(t, nil)
	tokyo, paris, plain := o.connect(timeZone("Asia/Tokyo")), o.connect(timeZone("Europe/Paris")), o.connect()
	for range 3 { // the first time each is tried alone, later it leaves with the query
		tokyo.wantTimeZone("Asia/Tokyo")
		plain.wantTimeZone(plain.told("TimeZone"))
		paris.wantTimeZone("Europe/Paris")
	}
	paris.send(query("SET TimeZone = 'Asia/Tokyo'"))
	paris.want("CSZ")
	plain.wantTimeZone(plain.told("TimeZone"))
	paris.wantTimeZone("Asia/Tokyo")
}

// TestSettingsReportsNews: a report that says something else than what the client has
// been told reaches it: here what its setting means to PostgreSQL.
func TestSettingsReportsNews(t *testing.T) {
	o := newOracle(t, nil)
	c := o.connect(wire.Parameter{Name: "DateStyle", Value: "German"})
	c.send(query("SELECT 1"))
	if got := string(c.want("STDCZ")[0].body); got != "DateStyle\x00German, DMY\x00" {
		t.Errorf("got %q", got)
	}
}

// TestSettingsRolledBack: what a client that left had set in its transaction is undone,
// and not taken for what the server has.
func TestSettingsRolledBack(t *testing.T) {
	o := newOracle(t, nil)
	c, same, plain := o.connect(), o.connect(timeZone("Asia/Tokyo")), o.connect()
	for range 2 {
		c.send(query("BEGIN; SET TimeZone = 'Asia/Tokyo'; SET application_name = 'a'"))
		c.want("CCCSSZ")
		_ = c.nc.Close()
		same.wantTimeZone("Asia/Tokyo")
		plain.wantTimeZone(plain.told("TimeZone"))
		c = o.connect()
	}
}

// told is what the client was told at login.
func (c *client) told(name string) string {
	return initial(c.welcome, name)
}

// wantTimeZone asks for the time zone, and gets nothing but the answer.
func (c *client) wantTimeZone(want string) {
	c.t.Helper()
	c.send(query("SELECT current_setting('TimeZone')"))
	if got := string(c.want("TDCZ")[1].body[6:]); got != want {
		c.t.Errorf("the time zone is %q, want %q", got, want)
	}
}

// TestMatchingServer: clients of different settings find servers that have theirs, if
// there are any.
func TestMatchingServer(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.DefaultPoolSize = 2 })
	var clients [2]*client
	var pids [2]string
	for i, zone := range []string{"Europe/Rome", "Asia/Tokyo"} {
		clients[i] = o.connect(timeZone(zone))
		clients[i].send(query("BEGIN"))
		clients[i].want("CZ")
		pids[i] = o.look(clients[i], "SELECT pg_backend_pid()")
	}
	for _, c := range clients {
		c.send(query("COMMIT"))
		c.want("CZ")
	}
	for range 3 {
		for i, c := range clients {
			if got := o.look(c, "SELECT pg_backend_pid()"); got != pids[i] {
				t.Errorf("client %d has server %s, want %s", i, got, pids[i])
			}
		}
	}
}

// TestSettingsRefusedLater: if settings that were taken before are refused, nothing of
// the client's is executed, which would be with the role of another.
func TestSettingsRefusedLater(t *testing.T) {
	o := newOracle(t, nil)
	const role = "role_to_be_dropped"
	o.do("CREATE ROLE " + role)
	o.do("GRANT INSERT ON t TO PUBLIC")
	c, other := o.connect(), o.connect()
	c.send(query("SET ROLE " + role))
	c.until("CZ")
	other.send(query("SET ROLE pg_monitor"))
	other.until("CZ")
	o.do("DROP ROLE " + role)
	c.send(query("INSERT INTO t VALUES (1, current_user)"))
	c.wantFatal("22023", "role \""+role+"\" does not exist")
	if got := o.do("SELECT string_agg(x, '') FROM t"); got != "" {
		t.Errorf("the statement was executed all the same, by %s", got)
	}
	if got := o.look(other, "SELECT current_user"); got != "pg_monitor" {
		t.Errorf("the other client is %s", got)
	}
}

// TestSettingsInNoTime: a client does not suffer from the statement_timeout of the one
// that had the server before: another server has more time.
func TestSettingsInNoTime(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(nil))
	c, other := r.connect(), r.connect(wire.Parameter{Name: "application_name", Value: "other"})
	s := f.accept()
	c.send(query("SET statement_timeout = 1"))
	s.want("Q")
	s.send(done("SET", wire.TxIdle))
	c.want("CZ")
	s.want("Q") // what is there?
	s.send(frameOf(&pgproto3.DataRow{Values: [][]byte{[]byte("setting"), []byte("statement_timeout"), []byte("1")}}),
		done("SELECT 1", wire.TxIdle))
	other.send(query("SELECT 1"))
	s.want("Q") // its settings, alone
	r.settle()
	s.wantSilence()
	s.send(canceledError())
	s.wantClosed()
	s = f.accept()
	s.want("QQ")
	s.send(done("SELECT", wire.TxIdle), result("1"))
	other.want("TDCZ")
}
