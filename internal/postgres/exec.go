package postgres

import (
	"context"
	_ "embed" // for Sample
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Sample is the SQL that fills the database of a small shop. It makes everything as the role app.
//
//go:embed sample.sql
var Sample string

// The database that LoadSample makes, and the role that owns it.
const (
	SampleDatabase = "shop"
	SampleUser     = "app"
	SamplePassword = "app"
)

// errNoPsql is returned when SQL is to be run and psql is not installed.
var errNoPsql = errors.New("psql is not installed (Debian, Ubuntu: apt-get install postgresql-client)")

// Exec runs SQL, one statement or more, in a database as the superuser, up to the first error. The error has what the
// server says, with the number of the line.
func (c *Cluster) Exec(ctx context.Context, database, sql string) error {
	if c.binaries.Psql == "" {
		return errNoPsql
	}
	var stderr strings.Builder
	// -X: no startup file; -w: never ask for a password.
	cmd := exec.CommandContext(ctx, c.binaries.Psql, "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1",
		"-h", c.SocketDir, "-p", strconv.Itoa(c.Port), "-U", c.User, "-d", database, "-f", "-")
	cmd.Env = environment()
	cmd.Stdin = strings.NewReader(sql)
	cmd.Stderr = &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("psql: %w", ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("%s: psql: %w", strings.TrimSpace(stderr.String()), err)
	}
	return nil
}

// LoadSample makes the sample database with its data, and the role that owns it.
func (c *Cluster) LoadSample(ctx context.Context) error {
	role := fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s';\n", SampleUser, SamplePassword)
	database := fmt.Sprintf("CREATE DATABASE %s OWNER %s;\n", SampleDatabase, SampleUser)
	if err := c.Exec(ctx, "postgres", role+database); err != nil {
		return err
	}
	return c.Exec(ctx, SampleDatabase, Sample)
}
