package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The rows of the shop.
type (
	user struct {
		ID          int64
		Name, Email string
	}
	order struct {
		ID, UserID, Total int64
	}
)

// The two lists.
const (
	selectUsers  = "SELECT id, name, email FROM users WHERE id > $1 ORDER BY id LIMIT 20"
	selectOrders = "SELECT id, user_id, total FROM orders WHERE id > $1 ORDER BY id LIMIT 20"
)

// list returns the rows of a query.
func list[T any](ctx context.Context, c *client, sql string, args ...any) ([]T, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// one returns the one row of a query.
func one[T any](ctx context.Context, c *client, sql string, args ...any) (T, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		var none T

		return none, err
	}

	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[T])
}

// check compares what came with what belongs to a user.
func check(userID int64, email string) error {
	if want := fmt.Sprintf("%d@example.com", userID); email != want {
		return fmt.Errorf("user %d: got %q, want %q", userID, email, want)
	}

	return nil
}

// usersInLoop asks for the orders of each user.
func usersInLoop(ctx context.Context, c *client, number int) error {
	users, err := list[user](ctx, c, selectUsers, c.page(number, 500))
	if err != nil {
		return err
	}
	for _, u := range users {
		orders, err := list[order](ctx, c, "SELECT id, user_id, total FROM orders WHERE user_id = $1", u.ID)
		if err != nil {
			return err
		}
		for _, o := range orders {
			if err := check(o.UserID, u.Email); err != nil {
				return err
			}
		}
	}

	return nil
}

// ordersInLoop asks for the user of each order.
func ordersInLoop(ctx context.Context, c *client, number int) error {
	orders, err := list[order](ctx, c, selectOrders, c.page(number, 2500))
	if err != nil {
		return err
	}
	for _, o := range orders {
		u, err := one[user](ctx, c, "SELECT id, name, email FROM users WHERE id = $1", o.UserID)
		if err != nil {
			return err
		}
		if err := check(o.UserID, u.Email); err != nil {
			return err
		}
	}

	return nil
}

// usersAtOnce asks for the orders of all users together.
func usersAtOnce(ctx context.Context, c *client, number int) error {
	users, err := list[user](ctx, c, selectUsers, c.page(number, 500))
	if err != nil {
		return err
	}
	emails := make(map[int64]string)
	var ids []int64
	for _, u := range users {
		ids, emails[u.ID] = append(ids, u.ID), u.Email
	}
	orders, err := list[order](ctx, c, "SELECT id, user_id, total FROM orders WHERE user_id = ANY($1)", ids)
	if err != nil {
		return err
	}
	for _, o := range orders {
		if err := check(o.UserID, emails[o.UserID]); err != nil {
			return err
		}
	}

	return nil
}

// ordersAtOnce asks for the users of all orders together.
func ordersAtOnce(ctx context.Context, c *client, number int) error {
	orders, err := list[order](ctx, c, selectOrders, c.page(number, 2500))
	if err != nil {
		return err
	}
	var ids []int64
	for _, o := range orders {
		ids = append(ids, o.UserID)
	}
	users, err := list[user](ctx, c, "SELECT id, name, email FROM users WHERE id = ANY($1)", ids)
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := check(u.ID, u.Email); err != nil {
			return err
		}
	}

	return nil
}

// usersJoined asks for users and orders with one statement.
func usersJoined(ctx context.Context, c *client, number int) error {
	const sql = "SELECT u.email, o.user_id FROM (SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT 20) AS u " +
		"LEFT JOIN orders AS o ON o.user_id = u.id WHERE o.id IS NOT NULL"

	return joined(ctx, c, sql, c.page(number, 500))
}

// ordersJoined asks for orders and users with one statement.
func ordersJoined(ctx context.Context, c *client, number int) error {
	const sql = "SELECT u.email, o.user_id FROM orders AS o JOIN users AS u ON u.id = o.user_id " +
		"WHERE o.id > $1 ORDER BY o.id LIMIT 20"

	return joined(ctx, c, sql, c.page(number, 2500))
}

// joined checks a list of email and user_id.
func joined(ctx context.Context, c *client, sql string, after int64) error {
	type row struct {
		Email  string
		UserID int64
	}
	rows, err := list[row](ctx, c, sql, after)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := check(r.UserID, r.Email); err != nil {
			return err
		}
	}

	return nil
}
