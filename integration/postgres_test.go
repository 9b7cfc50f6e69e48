package integration

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// testApplication is the application_name of the tests' own connections to
// PostgreSQL, to tell them from pgweir's.
const testApplication = "pgweir-test"

// newDatabase makes a database for the test. In a cluster of the test's own it is the
// one that is always there.
func (p *pgweir) newDatabase() string {
	if p.cluster != pgtest.Cluster(p.t) {
		return "postgres"
	}

	return pgtest.NewDatabase(p.t)
}

// direct connects to PostgreSQL without pgweir, as the superuser.
func direct(t testing.TB, c *postgres.Cluster, database string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(c.SocketURL(database))
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = testApplication
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}

	return conn
}

// ask returns the one value of a query that is put to PostgreSQL directly.
func ask[T any](p *pgweir, sql string, args ...any) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn := direct(p.t, p.cluster, p.db)
	defer conn.Close(ctx)
	var value T
	if err := conn.QueryRow(ctx, sql, args...).Scan(&value); err != nil {
		p.t.Fatalf("%s: %v", sql, err)
	}

	return value
}

// exec runs SQL in PostgreSQL directly, in the test's database.
func (p *pgweir) exec(sql string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.cluster.Exec(ctx, p.db, sql); err != nil {
		p.t.Fatal(err)
	}
}

// backends returns how many of pgweir's connections to the test's database PostgreSQL
// has, of those that fulfil a condition on pg_stat_activity.
func (p *pgweir) backends(condition string) int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn := direct(p.t, p.cluster, "postgres")
	defer conn.Close(ctx)
	var n int
	err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND "+
		"backend_type = 'client backend' AND application_name <> $2 AND "+condition,
		p.db, testApplication).Scan(&n)
	if err != nil {
		p.t.Fatal(err)
	}

	return n
}

// sleeping is the condition on a backend that runs pg_sleep.
const sleeping = "query ~ 'pg_sleep' AND state = 'active'"

// awaitSleep waits until one of pgweir's backends runs pg_sleep.
func (p *pgweir) awaitSleep() {
	p.t.Helper()
	await(p.t, patience, "the query to run", func() bool { return p.backends(sleeping) == 1 })
}

// get fetches a page from pgweir.
func (p *pgweir) get(path string) (status int, body string) {
	p.t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(p.httpURL + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}

	return resp.StatusCode, string(b)
}

// url returns the connection string of the test's database through pgweir, as the
// superuser.
func (p *pgweir) url() string {
	return p.userURL(p.cluster.User, p.cluster.Password, p.db)
}

// userURL is like url, for another user and database.
func (p *pgweir) userURL(user, password, database string) string {
	return "postgres://" + user + ":" + password + "@" + p.addr + "/" + database + "?sslmode=disable"
}

// connect connects to the test's database through pgweir with pgx, until the end of
// the test.
func (p *pgweir) connect(t testing.TB, settings ...string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	url := p.url() + "&" + strings.Join(settings, "&")
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })

	return conn
}

// patience is how long anything may take that takes no time.
const patience = 30 * time.Second
