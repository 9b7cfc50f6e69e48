package postgres_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// waitLimit is how long a test waits for what should happen at once.
const waitLimit = 20 * time.Second

// eventually waits until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(waitLimit)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("still not so after %s: %s", waitLimit, what)
		case <-ticker.C:
		}
	}
}

// newRoot returns a directory for clusters. PostgreSQL's user may enter it, unlike those of t.TempDir.
func newRoot(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "root")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	return root
}

// newTempRoot is newRoot, and makes temporary clusters go there.
func newTempRoot(t *testing.T) string {
	t.Helper()
	root := newRoot(t)
	t.Setenv("TMPDIR", root)
	return root
}

// assertNothingLeft fails the test if there is a file in root, or a process works there.
func assertNothingLeft(t *testing.T, root string) {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("%s is left in the temporary directory", entry.Name())
	}
	if pids := pgtest.ProcessesIn(t, root); len(pids) > 0 {
		t.Errorf("processes are left: %v", pids)
	}
}

// connect returns a connection that is closed when the test ends.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// queryInt returns the number that a query returns.
func queryInt(t *testing.T, url, sql string) int {
	t.Helper()
	var n int
	if err := connect(t, url).QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// mustExec runs SQL as the superuser.
func mustExec(t *testing.T, c *postgres.Cluster, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit) // t.Context ends before cleanup.
	defer cancel()
	if err := c.Exec(ctx, "postgres", sql); err != nil {
		t.Fatal(err)
	}
}
