package pgtest

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/skiptest"
)

const (
	// requireVariable names the environment variable that makes tests fail, rather than skip, without PostgreSQL.
	requireVariable = "REQUIRE_PG"

	// installTimeout is how long installing PostgreSQL may take; go test gives up after ten minutes.
	installTimeout = 8 * time.Minute

	// startTimeout is how long making and starting a cluster may take on a busy machine.
	startTimeout = 2 * time.Minute

	// stopTimeout is how long a cluster may take to stop before it is forced to.
	stopTimeout = 20 * time.Second

	// execTimeout is how long making or dropping a database may take.
	execTimeout = time.Minute
)

// Start starts a cluster for one test and stops it when the test ends. At most one Options may be given. If the test
// has failed by then, the end of the server's log is printed.
func Start(t testing.TB, o ...postgres.Options) *postgres.Cluster {
	t.Helper()
	if len(o) > 1 {
		t.Fatal("pgtest.Start takes at most one Options")
	}
	options := append(o, postgres.Options{})[0]
	if options.Binaries == (postgres.Binaries{}) {
		options.Binaries = Binaries(t)
	}

	c, err := start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of PostgreSQL's log:\n%s", c.Log())
		}
		if err := stop(c); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return c
}

// Binaries returns PostgreSQL's programs, after installing them if necessary. Without them the test is skipped, or
// fails if REQUIRE_PG is 1.
func Binaries(t testing.TB) postgres.Binaries {
	t.Helper()
	binaries, err := binary.ensure()
	Require(t, err)
	return binaries
}

// NewDatabase makes an empty database in the shared cluster, drops it when the test ends, and returns its name, which
// needs no quotes.
func NewDatabase(t testing.TB) string {
	t.Helper()
	c := Cluster(t)
	name := databaseName(t.Name())
	if err := run(c, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// FORCE: connections that the test, or a pooler, has not closed yet are broken.
		if err := run(c, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return name
}

// databaseName returns a unique identifier that tells in PostgreSQL's log which test it belongs to.
func databaseName(test string) string {
	const testBytes, uniqueBytes = 40, 12 // PostgreSQL cuts names at 63 bytes.
	plain := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(test))
	unique := strings.ToLower(rand.Text()[:uniqueBytes])
	return plain[:min(len(plain), testBytes)] + "_" + unique
}

// start starts a cluster.
func start(o postgres.Options) (*postgres.Cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return postgres.Start(ctx, o)
}

// stop stops a cluster.
func stop(c *postgres.Cluster) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return c.Stop(ctx)
}

// run runs one statement as the superuser.
func run(c *postgres.Cluster, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), execTimeout)
	defer cancel()
	return c.Exec(ctx, "postgres", sql)
}

// Require ends the test if err says that something of PostgreSQL's is missing: as skipped, or as failed if REQUIRE_PG is
// 1.
func Require(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv(requireVariable) == "1" {
		t.Fatalf("%v (%s=1 forbids to skip)", err, requireVariable)
	}
	skiptest.Skip(t, err)
}
