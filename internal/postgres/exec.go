package postgres

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
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
