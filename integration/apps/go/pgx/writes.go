package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// poll looks into a queue in which nothing is to be done, 20 times.
func poll(ctx context.Context, c *client, _ int) error {
	for range 20 {
		jobs, err := list[node](ctx, c, "SELECT id, kind FROM jobs WHERE state = 'ready' AND kind = $1 ORDER BY id LIMIT 5", "fax")
		if err != nil {
			return err
		}
		if len(jobs) > 0 {
			return fmt.Errorf("job %d: nobody has made it", jobs[0].ID)
		}
		time.Sleep(5 * time.Millisecond)
	}

	return nil
}

// takeJob takes 20 jobs from a queue, one after another, beside all others.
func takeJob(ctx context.Context, c *client, _ int) error {
	for range 20 {
		err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			var id int64
			err := tx.QueryRow(ctx, "SELECT id FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED").Scan(&id)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "UPDATE jobs SET state = 'done' WHERE id = $1", id)

			return err
		})
		if err != nil {
			return err
		}
	}

	return nil
}

// retry changes an account. Until it succeeds, the first eight times somebody else is
// faster.
func retry(ctx context.Context, c *client, _ int) error {
	other, err := pgx.ConnectConfig(ctx, c.Config())
	if err != nil {
		return err
	}
	defer other.Close(ctx)
	for attempt := 0; ; attempt++ {
		err := deposit(ctx, c, c.first+int64(c.number), func() error {
			if attempt >= 8 {
				return nil
			}
			_, err := other.Exec(ctx, "UPDATE accounts SET balance = balance - 1 WHERE id = $1", c.first+int64(c.number))

			return err
		})
		var failure *pgconn.PgError
		if errors.As(err, &failure) && failure.Code == "40001" {
			continue
		}
		if err == nil && attempt < 8 {
			err = fmt.Errorf("attempt %d has succeeded", attempt)
		}

		return err
	}
}

// deposit adds to an account, after something has happened meanwhile.
func deposit(ctx context.Context, c *client, account int64, meanwhile func() error) error {
	return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
		var balance int64
		if err := tx.QueryRow(ctx, "SELECT balance FROM accounts WHERE id = $1", account).Scan(&balance); err != nil {
			return err
		}
		if err := meanwhile(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE accounts SET balance = $2 WHERE id = $1", account, balance+1)

		return err
	})
}

// importRows takes in a file, row by row, in one transaction.
func importRows(ctx context.Context, c *client, number int) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		for i := range 200 {
			line := fmt.Sprintf("%d, %d, %d", c.number, number, i)
			if _, err := tx.Exec(ctx, "INSERT INTO imported (line) VALUES ($1)", line); err != nil {
				return err
			}
		}

		return nil
	})
}

// unique adds ten users, and looks before whether their addresses are taken, as Rails
// does and as others do.
func unique(ctx context.Context, c *client, number int) error {
	for i := range 10 {
		email := fmt.Sprintf("%d-%d-%d@example.com", c.number, number, i)
		err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, "SELECT 1 AS one FROM users WHERE email = $1 LIMIT 1", email)
			if err != nil {
				return err
			}
			rows.Close()
			var taken bool
			err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM users WHERE email = $1)", email).Scan(&taken)
			if err != nil || taken {
				return errors.Join(err, rows.Err())
			}
			_, err = tx.Exec(ctx, "INSERT INTO users (name, email) VALUES ($1, $2)", "new", email)

			return err
		})
		if err != nil {
			return err
		}
	}

	return nil
}

// tenants asks the same for each of ten tenants, after a change of the setting that says
// whose rows are to be seen.
func tenants(ctx context.Context, c *client, _ int) error {
	for i := range 10 {
		err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, fmt.Sprintf("SET LOCAL app.tenant = 'tenant %d'", i)); err != nil {
				return err
			}
			var n int64

			return tx.QueryRow(ctx, "SELECT count(*) FROM orders WHERE total > 90").Scan(&n)
		})
		if err != nil {
			return err
		}
	}

	return nil
}
