// Command pgx does with pgx what applications do with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := run(ctx, os.Getenv("DATABASE_URL")); err != nil {
		fmt.Fprintln(os.Stderr, "pgx:", err)
		os.Exit(1)
	}
}

// run uses a pool of five connections.
func run(ctx context.Context, url string) error {
	pool, err := pgxpool.New(ctx, url+"&pool_max_conns=5")
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, step := range []func(context.Context, *pgxpool.Pool) error{
		migrate, transactions, prepared, types, copyFrom, batch, failAndGoOn, timeout,
	} {
		if err := step(ctx, pool); err != nil {
			return err
		}
	}

	return nil
}

// check compares an answer.
func check[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}

	return nil
}

// one returns the one value of a query.
func one[T any](ctx context.Context, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, sql string, args ...any,
) (value T, err error) {
	err = q.QueryRow(ctx, sql, args...).Scan(&value)

	return value, err
}

// migrate makes the tables, under the lock that migration tools take.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	return pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		for _, sql := range []string{
			"SELECT pg_advisory_lock(4711)",
			"CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL UNIQUE, tags text[], doc jsonb)",
			"ALTER TABLE items ADD COLUMN price numeric(10,2) NOT NULL DEFAULT 0",
			"SELECT pg_advisory_unlock(4711)",
		} {
			if _, err := c.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}

		return nil
	})
}

// transactions commits one and rolls one back.
func transactions(ctx context.Context, pool *pgxpool.Pool) error {
	insert := func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO items (name) VALUES ($1)", "kept")

		return err
	}
	if err := pgx.BeginFunc(ctx, pool, insert); err != nil {
		return err
	}
	undo := errors.New("undo")
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO items (name) VALUES ($1)", "gone"); err != nil {
			return err
		}

		return undo
	})
	if !errors.Is(err, undo) {
		return fmt.Errorf("rolled back: %w", err)
	}
	n, err := one[int](ctx, pool, "SELECT count(*) FROM items")

	return errors.Join(err, check("rows after a rollback", n, 1))
}

// prepared runs statements often, by the driver's own cache and by name.
func prepared(ctx context.Context, pool *pgxpool.Pool) error {
	for i := range 100 {
		n, err := one[int](ctx, pool, "SELECT $1::int + 1", i)
		if err := errors.Join(err, check("cached statement", n, i+1)); err != nil {
			return err
		}
	}

	return pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		if _, err := c.Conn().Prepare(ctx, "twice", "SELECT $1::int * 2"); err != nil {
			return err
		}
		for i := range 10 {
			n, err := one[int](ctx, c, "twice", i)
			if err := errors.Join(err, check("statement by name", n, 2*i)); err != nil {
				return err
			}
		}

		return c.Conn().Deallocate(ctx, "twice")
	})
}

// types sends and gets an array and JSON.
func types(ctx context.Context, pool *pgxpool.Pool) error {
	var tags []string
	var doc struct{ Size int }
	err := pool.QueryRow(ctx, "UPDATE items SET tags = $1, doc = $2 WHERE name = $3 RETURNING tags, doc",
		[]string{"a", "b c"}, map[string]int{"size": 3}, "kept").Scan(&tags, &doc)

	return errors.Join(err, check("array", fmt.Sprintf("%q", tags), `["a" "b c"]`), check("JSON", doc.Size, 3))
}

// copyFrom loads rows by COPY.
func copyFrom(ctx context.Context, pool *pgxpool.Pool) error {
	rows := pgx.CopyFromSlice(1000, func(i int) ([]any, error) { return []any{fmt.Sprint("copied ", i)}, nil })
	n, err := pool.CopyFrom(ctx, pgx.Identifier{"items"}, []string{"name"}, rows)
	if err := errors.Join(err, check("rows copied", n, 1000)); err != nil {
		return err
	}
	got, err := one[int64](ctx, pool, "SELECT count(*) FROM items WHERE name LIKE 'copied %'")

	return errors.Join(err, check("rows there", got, 1000))
}

// batch sends many statements at once.
func batch(ctx context.Context, pool *pgxpool.Pool) error {
	var b pgx.Batch
	sum := 0
	for i := range 20 {
		b.Queue("SELECT $1::int", i).QueryRow(func(row pgx.Row) error {
			var n int
			err := row.Scan(&n)
			sum += n

			return err
		})
	}
	err := pool.SendBatch(ctx, &b).Close()

	return errors.Join(err, check("sum of a batch", sum, 190))
}

// failAndGoOn has statements fail, outside a transaction and in one, and goes on.
func failAndGoOn(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "INSERT INTO items (name) VALUES ('kept')")
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "23505" {
		return fmt.Errorf("duplicate: got %w, want 23505", err)
	}

	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		err := pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error { // a savepoint
			_, err := sp.Exec(ctx, "SELECT 1/0")

			return err
		})
		if !errors.As(err, &pgErr) || pgErr.Code != "22012" {
			return fmt.Errorf("division: got %w, want 22012", err)
		}
		n, err := one[int](ctx, tx, "SELECT 42")

		return errors.Join(err, check("after a savepoint", n, 42))
	})
}

// timeout has the driver give a query up, which it does with a cancel request.
func timeout(ctx context.Context, pool *pgxpool.Pool) error {
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if _, err := pool.Exec(short, "SELECT pg_sleep(30)"); err == nil {
		return errors.New("a query of 30 s has ended within 200 ms")
	}
	_, err := pool.Exec(ctx, "SET statement_timeout = '200ms'; SELECT pg_sleep(30)")
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "57014" {
		return fmt.Errorf("statement_timeout: got %w, want 57014", err)
	}
	n, err := one[int](ctx, pool, "SELECT 1")

	return errors.Join(err, check("after a timeout", n, 1))
}
