package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgweir/pgweir/config"
)

// driver logs in to the proxy with pgconn.
func (o *oracle) driver(ctx context.Context) *pgconn.PgConn {
	o.t.Helper()
	c, err := pgconn.Connect(ctx, "postgres://app@"+o.addr+"/db?sslmode=disable")
	if err != nil {
		o.t.Fatal(err)
	}

	return c
}

// TestDriver: a driver does what drivers do, many at a time over few servers, and each
// gets its own answers.
func TestDriver(t *testing.T) {
	const clients, rounds = 20, 15
	o := newOracle(t, func(g *config.Pgweir) { g.DefaultPoolSize = 3 })
	ctx, cancel := context.WithTimeout(context.Background(), 6*patience)
	defer cancel()
	var all sync.WaitGroup
	for i := range clients {
		c := o.driver(ctx)
		all.Go(func() {
			for j := range rounds {
				if err := converse(ctx, c, fmt.Sprintf("%d %d", i, j)); err != nil {
					t.Errorf("client %d, round %d: %v", i, j, err)

					break
				}
			}
			if err := c.Close(ctx); err != nil {
				t.Errorf("client %d: close: %v", i, err)
			}
		})
	}
	all.Wait()
	o.eventually("every session is over", func() bool { return o.proxy.Stat().Clients == 0 })
	if s := o.pool(); s.Opened > 3 || s.Open > 3 {
		t.Errorf("%d servers were opened, want 3 at most", s.Opened)
	}
}

// converse uses a connection in several ways; each answer must carry the token.
func converse(ctx context.Context, c *pgconn.PgConn, token string) error {
	p := c.StartPipeline(ctx)
	p.SendQueryParams("SELECT $1::text", [][]byte{[]byte(token)}, nil, nil, nil)
	p.SendQueryParams("SELECT 1/0", nil, nil, nil, nil)
	if err := p.Sync(); err != nil {
		return err
	}
	r, err := p.GetResults()
	if err != nil {
		return err
	}
	if got := r.(*pgconn.ResultReader).Read(); len(got.Rows) != 1 || string(got.Rows[0][0]) != token {
		return fmt.Errorf("the pipeline answered %q, %w", got.Rows, got.Err)
	}
	if err := p.Close(); !hasCode(err, "22012") {
		return fmt.Errorf("the division by zero gave %w", err)
	}
	results, err := c.Exec(ctx, "BEGIN; SELECT '"+token+"'; CREATE TEMP TABLE x (a text) ON COMMIT DROP").ReadAll()
	if err != nil || string(results[1].Rows[0][0]) != token {
		return fmt.Errorf("the query answered %v, %w", results, err)
	}
	tag, err := c.CopyFrom(ctx, strings.NewReader(strings.Repeat(token+"\n", 1000)), "COPY x FROM STDIN")
	if err != nil || tag.RowsAffected() != 1000 {
		return fmt.Errorf("copied %v, %w", tag, err)
	}
	_, err = c.Exec(ctx, "COMMIT").ReadAll()

	return err
}

// hasCode reports whether err is PostgreSQL's with that SQLSTATE.
func hasCode(err error, code string) bool {
	var pg *pgconn.PgError

	return errors.As(err, &pg) && pg.Code == code
}
