package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

func TestExec(t *testing.T) {
	c := pgtest.Cluster(t)
	database := pgtest.NewDatabase(t)
	if err := c.Exec(t.Context(), database, "CREATE TABLE t (n int);\nINSERT INTO t VALUES (1), (2)"); err != nil {
		t.Fatal(err)
	}
	if got := queryInt(t, c.URL(database), "SELECT sum(n) FROM t"); got != 3 {
		t.Errorf("got %d, want 3", got)
	}

	err := c.Exec(t.Context(), database, "INSERT INTO t VALUES (3);\nSELECT nonsense;\nINSERT INTO t VALUES (4)")
	if want := `2: ERROR:  column "nonsense" does not exist`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}
	if got := queryInt(t, c.URL(database), "SELECT sum(n) FROM t"); got != 6 {
		t.Errorf("got %d, want 6: what comes before the error, nothing after it", got)
	}
}

func TestExecIsBounded(t *testing.T) {
	c := pgtest.Cluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := c.Exec(ctx, "postgres", "SELECT pg_sleep(60)"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestLoadSample(t *testing.T) {
	c := pgtest.Start(t)
	if err := c.LoadSample(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, c.UserURL(postgres.SampleUser, postgres.SamplePassword, postgres.SampleDatabase))

	got := map[string]int{}
	for _, table := range []string{"users", "products", "orders", "order_items"} {
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		got[table] = n
	}
	want := map[string]int{"users": 200, "products": 60, "orders": 500, "order_items": 1001}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}

	// The role owns what it works with, and is no superuser.
	if _, err := conn.Exec(t.Context(), "DROP TABLE order_items"); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE ROLE other"); sqlState(err) != "42501" {
		t.Errorf("creating a role: got %v, want insufficient_privilege", err)
	}
}
