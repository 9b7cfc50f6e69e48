// Command pq does with lib/pq what applications do with it.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lib/pq"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, more := range []string{"", "&binary_parameters=yes"} {
		if err := run(ctx, os.Getenv("DATABASE_URL")+more); err != nil {
			fmt.Fprintf(os.Stderr, "lib/pq%s: %v\n", more, err)
			os.Exit(1)
		}
	}
}

// run uses a pool of five connections.
func run(ctx context.Context, url string) error {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(5)
	for _, step := range []func(context.Context, *sql.DB) error{
		migrate, transactions, prepared, types, copyIn, failAndGoOn, timeout,
	} {
		if err := step(ctx, db); err != nil {
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

// migrate makes the table.
func migrate(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `DROP TABLE IF EXISTS items;
		CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
		ALTER TABLE items ADD COLUMN tags text[], ADD COLUMN doc jsonb`)

	return err
}

// transactions commits one and rolls one back.
func transactions(ctx context.Context, db *sql.DB) error {
	for _, name := range []string{"kept", "gone"} {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "INSERT INTO items (name) VALUES ($1)", name); err != nil {
			return err
		}
		end := map[string]func() error{"kept": tx.Commit, "gone": tx.Rollback}[name]
		if err := end(); err != nil {
			return err
		}
	}
	var n int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM items").Scan(&n)

	return errors.Join(err, check("rows after a rollback", n, 1))
}

// prepared runs statements with parameters often, prepared by name and not.
func prepared(ctx context.Context, db *sql.DB) error {
	stmt, err := db.PrepareContext(ctx, "SELECT $1::int * 2")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range 50 {
		var twice, more int
		err := errors.Join(stmt.QueryRowContext(ctx, i).Scan(&twice),
			db.QueryRowContext(ctx, "SELECT $1::int + 1", i).Scan(&more),
			check("statement by name", twice, 2*i), check("statement without a name", more, i+1))
		if err != nil {
			return err
		}
	}

	return nil
}

// types sends and gets an array and JSON.
func types(ctx context.Context, db *sql.DB) error {
	var tags []string
	var text []byte
	err := db.QueryRowContext(ctx, "UPDATE items SET tags = $1, doc = $2 WHERE name = 'kept' RETURNING tags, doc",
		pq.Array([]string{"a", "b c"}), `{"size": 3}`).Scan(pq.Array(&tags), &text)
	var doc struct{ Size int }

	return errors.Join(err, json.Unmarshal(text, &doc),
		check("array", fmt.Sprintf("%q", tags), `["a" "b c"]`), check("JSON", doc.Size, 3))
}

// copyIn loads rows by COPY.
func copyIn(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	stmt, err := tx.PrepareContext(ctx, pq.CopyIn("items", "name"))
	if err != nil {
		return err
	}
	for i := range 1000 {
		if _, err := stmt.ExecContext(ctx, fmt.Sprint("copied ", i)); err != nil {
			return err
		}
	}
	if _, err := stmt.ExecContext(ctx); err != nil {
		return err
	}
	if err := errors.Join(stmt.Close(), tx.Commit()); err != nil {
		return err
	}
	var n int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM items WHERE name LIKE 'copied %'").Scan(&n)

	return errors.Join(err, check("rows there", n, 1000))
}

// wantCode checks the SQLSTATE of an error.
func wantCode(what string, err error, code string) error {
	var pqErr *pq.Error
	if !errors.As(err, &pqErr) || string(pqErr.Code) != code {
		return fmt.Errorf("%s: got %w, want %s", what, err, code)
	}

	return nil
}

// failAndGoOn has a statement fail and goes on.
func failAndGoOn(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "INSERT INTO items (name) VALUES ($1)", "kept")
	if err := wantCode("duplicate", err, "23505"); err != nil {
		return err
	}
	var n int
	err = db.QueryRowContext(ctx, "SELECT $1::int", 42).Scan(&n)

	return errors.Join(err, check("after an error", n, 42))
}

// timeout has the driver give a query up, which it does with a cancel request.
func timeout(ctx context.Context, db *sql.DB) error {
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if _, err := db.ExecContext(short, "SELECT pg_sleep(30)"); err == nil {
		return errors.New("a query of 30 s has ended within 200 ms")
	}
	_, err := db.ExecContext(ctx, "SET statement_timeout = '200ms'; SELECT pg_sleep(30)")
	if err := wantCode("statement_timeout", err, "57014"); err != nil {
		return err
	}
	var n int
	err = db.QueryRowContext(ctx, "SELECT 1").Scan(&n)

	return errors.Join(err, check("after a timeout", n, 1))
}
