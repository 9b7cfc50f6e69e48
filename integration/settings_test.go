package integration

import (
	"slices"
	"strings"
	"testing"
)

// show returns a query for settings.
const show = "SELECT current_setting('TimeZone') AS tz, current_setting('application_name') AS app, " +
	"current_setting('client_encoding') AS enc, current_setting('DateStyle') AS ds"

// TestStartupSettings has clients with different settings share one server. Each sees
// its own, in each transaction.
func TestStartupSettings(t *testing.T) {
	t.Parallel()
	p := startInGMT(t)
	tests := []struct {
		parameters []string
		want       string
	}{
		{
			[]string{"TimeZone", "Asia/Tokyo", "application_name", "tokyo", "DateStyle", "SQL, DMY"},
			"Asia/Tokyo|tokyo|UTF8|SQL, DMY",
		},
		{
			[]string{"TimeZone", "Europe/Paris", "application_name", "it's \\paris", "client_encoding", "LATIN1"},
			"Europe/Paris|it's \\paris|LATIN1|ISO, MDY",
		},
		{[]string{"application_name", "plain"}, "GMT|plain|UTF8|ISO, MDY"},
	}
	var clients []*client
	for _, tt := range tests {
		clients = append(clients, p.login(t, tt.parameters...))
	}
	for range 3 {
		for i, tt := range tests {
			got := clients[i].query(show)
			wantLines(t, withoutReports(got), "T tz|app|enc|ds", "D "+tt.want, "C SELECT 1", "Z I")
			clients[i].send(messages(statement(show), syncMessage())...)
			got = clients[i].answer()
			wantLines(t, withoutReports(got), "ParseComplete", "BindComplete", "D "+tt.want, "C SELECT 1", "Z I")
		}
	}
}

// withoutReports returns a transcript without the reports of settings: a server that
// takes a client's settings says so to the client, to which they are nothing new.
func withoutReports(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "S ") })
}

// startInGMT starts pgweir with one server, in whose database the clocks show GMT.
func startInGMT(t *testing.T) *pgweir {
	t.Helper()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("ALTER DATABASE " + p.db + " SET TimeZone = 'GMT'")

	return p
}

// TestReportedSettings has the settings that PostgreSQL reports at login be the
// client's own.
func TestReportedSettings(t *testing.T) {
	t.Parallel()
	p := startInGMT(t)
	parameters := []string{"TimeZone", "Asia/Tokyo", "application_name", "tokyo"}
	c := p.dial(t)
	c.startup(p.cluster.User, p.db, parameters...)
	got := c.answer()
	for _, want := range []string{"S TimeZone=Asia/Tokyo", "S application_name=tokyo", "S server_encoding=UTF8"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
}

// TestSet has a client change a reported setting: it stays the client's, on whatever
// server, and nobody else's.
func TestSet(t *testing.T) {
	t.Parallel()
	p := startInGMT(t)
	one, other := p.login(t), p.login(t, "application_name", "other")
	zone := func(c *client, want string) {
		t.Helper()
		got := c.query("SELECT current_setting('TimeZone') AS tz")
		if last := got[len(got)-1]; value(got) != want || last != "Z I" && last != "Z T" {
			t.Fatalf("got %q, want %s", got, want)
		}
	}
	zone(one, "GMT")
	wantLines(t, one.query("SET TimeZone = 'Asia/Tokyo'"), "C SET", "S TimeZone=Asia/Tokyo", "Z I")
	zone(other, "GMT")
	zone(one, "Asia/Tokyo")
	zone(other, "GMT")

	// Rolled back it was never there.
	wantLines(t, withoutReports(one.query("BEGIN; SET TimeZone = 'Europe/Paris'; ROLLBACK; SELECT 1 AS a")),
		"C BEGIN", "C SET", "C ROLLBACK", "T a", "D 1", "C SELECT 1", "Z I")
	zone(other, "GMT")
	zone(one, "Asia/Tokyo")
	wantLines(t, withoutReports(one.query("BEGIN; SET LOCAL TimeZone = 'Europe/Paris'")), "C BEGIN", "C SET", "Z T")
	zone(one, "Europe/Paris")
	wantLines(t, one.query("COMMIT"), "C COMMIT", "S TimeZone=Asia/Tokyo", "Z I")
	zone(other, "GMT")
	zone(one, "Asia/Tokyo")

	// It goes along to a new server.
	killBackends(p)
	await(t, goneTime, "the server to be gone", func() bool { return p.backends("true") == 0 })
	zone(one, "Asia/Tokyo")
	zone(other, "GMT")
	wantLines(t, withoutReports(one.query("RESET TimeZone")), "C RESET", "Z I")
	zone(one, "GMT")
}

// TestBadSettings has clients ask for settings that PostgreSQL does not take. They
// hear PostgreSQL's own error and are closed, and the server serves others.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	p := startInGMT(t)
	good := p.login(t)
	tests := []struct{ name, value, want string }{
		{"TimeZone", "Nowhere/Land", "E FATAL 22023"},
		{"no_such_setting", "x", "E FATAL 42704"},
		{"client_encoding", "nonsense", "E FATAL 22023"},
		{"replication", "database", "E FATAL 0A000"},
		{"options", "-e", "E FATAL 0A000"},
		{"options", "-c nonsense", "E FATAL 42601"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := p.dial(t)
			c.startup(p.cluster.User, p.db, tt.name, tt.value)
			got := c.answer()
			if got[len(got)-1] == "Z I" { // it comes out with the first server
				got = c.query("SELECT 1 AS a")
			}
			if n := len(got); n < 2 || got[n-2] != tt.want || got[n-1] != closed {
				t.Errorf("got %q, want %q in the end", got, tt.want)
			}
			wantLines(t, good.query("SELECT current_setting('TimeZone') AS tz"), "T tz", "D GMT", "C SELECT 1", "Z I")
		})
	}
}

// TestOptions has settings come as command-line switches, as from PGOPTIONS. Those that
// come by themselves win.
func TestOptions(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	const show = "SELECT current_setting('work_mem') AS mem, current_setting('TimeZone') AS tz, " +
		"coalesce(current_setting('app.tenant', true), '') AS tenant"
	with := p.login(t, "options", `-c work_mem=5MB --app.tenant=it's\ me -c TimeZone=UTC`, "TimeZone", "Asia/Tokyo")
	without := p.login(t)
	usual := without.query(show)
	for range 2 {
		wantLines(t, withoutReports(with.query(show)),
			"T mem|tz|tenant", "D 5MB|Asia/Tokyo|it's me", "C SELECT 1", "Z I")
		wantLines(t, withoutReports(without.query(show)), withoutReports(usual)...)
	}
}
