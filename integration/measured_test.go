package integration

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// users and orders, with keys that are not small.
const sampleTables = `
	CREATE TABLE users (id int PRIMARY KEY, name text);
	CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total int);
	INSERT INTO users SELECT i, 'user ' || i FROM generate_series(20001, 20030) AS i;
	INSERT INTO orders SELECT i, 20001 + i % 30, i FROM generate_series(50001, 50300) AS i`

// application connects as an application with a driver does.
func (p *pgweir) application(t *testing.T) *pgx.Conn {
	t.Helper()
	cfg, err := pgx.ParseConfig("postgres://" + p.addr + "/" + p.db + "?sslmode=disable&application_name=shop")
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Password = p.cluster.User, p.cluster.Password
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })

	return conn
}

// showUsers shows all users with what they have ordered, with a query for each of them.
func showUsers(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT id FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		var sum int64
		if err := conn.QueryRow(t.Context(), "SELECT sum(total) FROM orders WHERE user_id = $1", id).Scan(&sum); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReport: what an application has done is in the report, its loop is found and
// proven, and fails a test run unless it is known.
func TestReport(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	conn := p.application(t)
	if _, err := conn.Exec(t.Context(), sampleTables); err != nil {
		t.Fatal(err)
	}
	url := []string{"-url", p.httpURL}
	run := func(code int, args ...string) string {
		t.Helper()
		out, got := command(t, nil, append(args[:1:1], append(url, args[1:]...)...)...)
		if got != code {
			t.Fatalf("pgweir %v: exit code %d, want %d:\n%s", args, got, code, out)
		}

		return out
	}
	run(0, "nplusone", "-reset")
	run(0, "nplusone", "-fail-on-new")
	showUsers(t, conn)
	_ = conn.Close(t.Context())

	out := run(1, "nplusone", "-fail-on-new")
	for _, want := range []string{
		"n+1, proven: 30 executions", "SELECT sum(total) FROM orders WHERE user_id = $1", "SELECT id FROM users ORDER BY id",
		"orders.user_id <- users.id (30/30 values)", "shop, ", "= ANY($1)", "there are new findings",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("nplusone does not tell of %q:\n%s", want, out)
		}
	}
	baseline := filepath.Join(t.TempDir(), "baseline.json")
	run(0, "nplusone", "-write-baseline", baseline)
	if out := run(0, "nplusone", "-fail-on-new", "-baseline", baseline); !strings.Contains(out, "proven (known)") {
		t.Errorf("what is in the baseline is not known:\n%s", out)
	}
	out = run(0, "report")
	for _, want := range []string{"statements", "Most time in PostgreSQL", "SELECT sum(total) FROM orders WHERE user_id = $1", "n+1"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not tell of %q:\n%s", want, out)
		}
	}
	t.Log(out)
	var report map[string]json.RawMessage
	if err := json.Unmarshal([]byte(run(0, "report", "-format", "json")), &report); err != nil || len(report) != 5 {
		t.Errorf("the report as JSON has %d parts, %v", len(report), err)
	}
	const message = "N+1: a statement for each row of a list"
	await(t, patience, "the line in the log", func() bool { _, ok := p.log.Find(message); return ok })
	if line, _ := p.log.Find(message); line["provenance"] != "orders.user_id <- users.id (30/30 values)" || line["application"] != "shop" {
		t.Errorf("the line in the log is %v", line)
	}
}

// TestNotMeasured: with enabled = false nothing is measured, and the commands say so.
func TestNotMeasured(t *testing.T) {
	t.Parallel()
	p := start(t, options{stats: table{"enabled": false}})
	conn := p.application(t)
	if _, err := conn.Exec(t.Context(), sampleTables); err != nil {
		t.Fatal(err)
	}
	showUsers(t, conn)
	for _, name := range []string{"report", "nplusone"} {
		if out, code := command(t, nil, name, "-url", p.httpURL); code != 1 || !strings.Contains(out, "[stats]") {
			t.Errorf("%s: exit code %d, want 1 and the name of the setting:\n%s", name, code, out)
		}
	}
}

// TestSlowStatement: a slow statement is in the log, with the time that is slow for its
// database, and without its values.
func TestSlowStatement(t *testing.T) {
	t.Parallel()
	p := start(t, options{
		databases: map[string]table{"*": serverOf(pgtest.Cluster(t), table{"slow_statement": "100ms"})},
		stats:     table{"explain_slow": true},
	})
	conn := p.application(t)
	if _, err := conn.Exec(t.Context(), "SELECT 'secret', pg_sleep(0.2)"); err != nil {
		t.Fatal(err)
	}
	await(t, patience, "the plan", func() bool { _, ok := p.log.Find("plan of a slow statement"); return ok })
	line, ok := p.log.Find("slow statement")
	if !ok || line["statement"] != "SELECT $1, pg_sleep($2)" || line["limit"] == nil || line["reason"] != "threshold" {
		t.Errorf("the line in the log is %v", line)
	}
	if text := p.log.String(); strings.Contains(text, "secret") {
		t.Errorf("the log tells of the value:\n%s", text)
	}
}
