package main

import (
	"context"
	"net/url"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// A running is a pooler in this process, in front of a PostgreSQL with the tables of
// users and their orders.
type running struct {
	web  string // the URL of its pages
	conn *pgx.Conn
}

// startRunning starts a pooler with settings, until the end of the test.
func startRunning(t *testing.T, settings map[string]string) *running {
	t.Helper()
	database := pgtest.Cluster(t).URL(pgtest.NewDatabase(t))
	flags := map[string]string{
		"auth_type": "trust", "listen_addr": "127.0.0.1", "listen_port": "0", "http_listen": "127.0.0.1:0", "loops": "1",
	}
	for key, value := range settings {
		flags[key] = value
	}
	cfg, err := config.Load(config.Source{DatabaseURL: database, Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	log := newLogger(config.LogConsole, "error", t.Output())
	t.Cleanup(func() { _ = log.Sync() })
	a, err := newApp(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close(context.Background()) })
	a.start()
	client, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	client.Host = a.listeners[0].Addr().String()
	r := &running{web: "http://" + a.webListen.Addr().String(), conn: connect(t, client.String()+"&application_name=shop")}
	r.exec(t, "CREATE TABLE users AS SELECT id, 'name ' || id AS name FROM generate_series(20001, 20012) AS id")
	r.exec(t, "CREATE TABLE orders AS SELECT id AS user_id, 5 AS total FROM users")
	if code, _, stderr := pgweir(t, "nplusone", "-url", r.web, "-reset"); settings["stats.enabled"] == "" && code != exitOK {
		t.Fatalf("reset: exit code %d, %s", code, stderr)
	}

	return r
}

// exec runs statements.
func (r *running) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := r.conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// loop runs a list, and a statement for each of its rows.
func (r *running) loop(t *testing.T, route string) {
	t.Helper()
	tags := " /*route='" + url.PathEscape(route) + "',request_id='" + url.PathEscape(route) + "'*/"
	rows, err := r.conn.Query(t.Context(), "SELECT id FROM users"+tags, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(ids) != 12 {
		t.Fatalf("%d users, %v", len(ids), err)
	}
	for _, id := range ids {
		r.exec(t, "SELECT total FROM orders WHERE user_id = "+strconv.Itoa(id)+tags, pgx.QueryExecModeSimpleProtocol)
	}
}

// guess runs a statement again and again after no list, so that nothing is certain.
func (r *running) guess(t *testing.T) {
	t.Helper()
	for i := range 30 {
		r.exec(t, "SELECT name FROM users WHERE id = "+strconv.Itoa(i)+" /*request_id='1'*/", pgx.QueryExecModeSimpleProtocol)
	}
}
