package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/pgweir/pgweir/internal/postgres"
)

// Everything talks TCP on the loopback interface, as one user in one database.
const (
	loopback      = "127.0.0.1"
	benchUser     = "bench"
	benchPassword = "bench"
	benchDatabase = "bench"
)

// openTimeout is how long installing PostgreSQL, starting it and filling the tables may take.
const openTimeout = 10 * time.Minute

// lab is what all measurements share: a PostgreSQL with the tables, and a directory for everybody's files.
type lab struct {
	dir           string // temporary, readable by the poolers
	cluster       *postgres.Cluster
	serverPort    int
	serverVersion string
	pgbenchPath   string
	authFile      string              // one user's SCRAM verifier
	unprivileged  *syscall.Credential // the OS user the poolers run as; nil: ourselves
	duration      time.Duration       // of one measurement
}

// openLab starts PostgreSQL and fills the tables. The caller must close the lab.
func openLab(ctx context.Context, duration time.Duration, out io.Writer) (_ *lab, err error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	b := &lab{duration: duration}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	// PgBouncer refuses to run as root.
	if b.unprivileged, err = postgres.UnprivilegedUser(); err != nil {
		return nil, err
	}
	if err := b.makeDir(); err != nil {
		return nil, err
	}
	if err := b.startPostgres(ctx, out); err != nil {
		return nil, err
	}
	fmt.Fprintln(out, "filling the tables")
	return b, b.fill(ctx)
}

// close stops PostgreSQL and removes all files. It works on a lab that is only partly open, and when the run has been
// interrupted.
func (b *lab) close() error {
	var err error
	if b.cluster != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err = b.cluster.Stop(ctx)
	}
	if b.dir != "" {
		err = errors.Join(err, os.RemoveAll(b.dir))
	}
	return err
}

// makeDir makes the directory and the auth file in it.
func (b *lab) makeDir() error {
	var err error
	if b.dir, err = os.MkdirTemp("", "pgweir-bench"); err != nil {
		return err
	}
	// The poolers may run as another user.
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	verifier, err := scramVerifier(benchPassword, newScramSalt())
	if err != nil {
		return err
	}
	b.authFile = filepath.Join(b.dir, "userlist.txt")
	line := strconv.Quote(benchUser) + " " + strconv.Quote(verifier) + "\n"
	if err := os.WriteFile(b.authFile, []byte(line), 0o600); err != nil || b.unprivileged == nil {
		return err
	}
	return os.Chown(b.authFile, int(b.unprivileged.Uid), int(b.unprivileged.Gid))
}

// startPostgres starts a cluster that lets everybody in, so that a pooler's own logins do not blur its numbers.
func (b *lab) startPostgres(ctx context.Context, out io.Writer) error {
	binaries, err := postgres.Ensure(ctx, out)
	if err != nil {
		return err
	}
	if binaries.Pgbench == "" {
		return fmt.Errorf("no pgbench in %s or on PATH; it belongs to PostgreSQL's server or contrib package", binaries.Dir)
	}
	b.cluster, err = postgres.Start(ctx, postgres.Options{
		Binaries: binaries,
		HBA:      []string{"local all all trust", "host all all " + loopback + "/32 trust"},
		Settings: map[string]string{
			"max_connections": "100",
			"shared_buffers":  "256MB", // All the tables fit.
			"autovacuum":      "off",   // It would run in some rounds and not in others.
			"max_wal_size":    "1GB",   // No checkpoint in the middle either.
		},
	})
	if err != nil {
		return err
	}
	b.serverPort = b.cluster.Port
	b.serverVersion = firstLine(ctx, filepath.Join(binaries.Dir, "postgres"), "--version")
	b.pgbenchPath = binaries.Pgbench
	return nil
}

// fill creates the user, the database, pgbench's tables and the table to copy. VACUUM leaves nothing for the measured
// reads to tidy up.
func (b *lab) fill(ctx context.Context) error {
	owner := fmt.Sprintf("CREATE ROLE %s LOGIN; CREATE DATABASE %s OWNER %[1]s;", benchUser, benchDatabase)
	if err := b.cluster.Exec(ctx, "postgres", owner); err != nil {
		return err
	}
	if err := b.initPgbench(ctx, b.serverPort); err != nil {
		return err
	}
	return b.cluster.Exec(ctx, benchDatabase, copyTableSQL()+"VACUUM (FREEZE, ANALYZE); CHECKPOINT;")
}
