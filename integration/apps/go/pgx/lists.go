package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/jackc/pgx/v5"
)

// keyset goes through all orders, page by page.
func keyset(ctx context.Context, c *client, _ int) error {
	seen := 0
	for after := c.first - 1; ; {
		orders, err := list[order](ctx, c, "SELECT id, user_id, total FROM orders WHERE id > $1 ORDER BY id LIMIT 100", after)
		if err != nil {
			return err
		}
		if len(orders) == 0 {
			break
		}
		after, seen = orders[len(orders)-1].ID, seen+len(orders)
	}
	if seen < 2500 {
		return fmt.Errorf("%d orders, want 2500", seen)
	}

	return nil
}

// A node is one of the tree of categories.
type node struct {
	ID   int64
	Name string
}

// tree goes through the tree of categories, asking each node for its children.
func tree(ctx context.Context, c *client, _ int) error {
	n, err := children(ctx, c, c.first)
	if err == nil && n != 84 {
		err = fmt.Errorf("%d nodes below the root, want 84", n)
	}

	return err
}

// children returns how many nodes are below one.
func children(ctx context.Context, c *client, parent int64) (n int, err error) {
	below, err := list[node](ctx, c, "SELECT id, name FROM categories WHERE parent_id = $1 ORDER BY id", parent)
	if err != nil {
		return 0, err
	}
	for _, child := range below {
		more, err := children(ctx, c, child.ID)
		if err != nil {
			return 0, err
		}
		n += 1 + more
	}

	return n, nil
}

// keepAlive is what comes over a connection that a browser keeps: a list, then one of its
// rows, then another, 200 requests in all.
func keepAlive(ctx context.Context, c *client, number int) error {
	for i := range 200 / 3 {
		users, err := list[user](ctx, c, selectUsers, c.page(number*67+i, 500))
		if err != nil {
			return err
		}
		for _, clicked := range []int{i % len(users), (i + 7) % len(users)} {
			if err := detail(ctx, c, users[clicked].ID); err != nil {
				return err
			}
		}
	}

	return nil
}

// detail shows one user.
func detail(ctx context.Context, c *client, id int64) error {
	u, err := one[user](ctx, c, "SELECT id, name, email FROM users WHERE id = $1", id)
	if err != nil {
		return err
	}

	return check(id, u.Email)
}

// mixed is what comes from many visitors over one connection: 200 requests, of which
// every fifth is a list, and the others show some user.
func mixed(ctx context.Context, c *client, number int) error {
	dice := rand.New(rand.NewPCG(uint64(c.number), uint64(number)))
	for range 200 {
		var err error
		if dice.IntN(5) == 0 {
			_, err = list[user](ctx, c, selectUsers, c.first+dice.Int64N(480))
		} else {
			err = detail(ctx, c, c.first+dice.Int64N(500))
		}
		if err != nil {
			return err
		}
	}

	return nil
}

// batch asks for the user of each order, but with one round trip.
func batch(ctx context.Context, c *client, number int) error {
	orders, err := list[order](ctx, c, selectOrders, c.page(number, 2500))
	if err != nil {
		return err
	}
	var b pgx.Batch
	for _, o := range orders {
		b.Queue("SELECT email FROM users WHERE id = $1", o.UserID).QueryRow(func(row pgx.Row) error {
			var email string
			if err := row.Scan(&email); err != nil {
				return err
			}

			return check(o.UserID, email)
		})
	}

	return c.SendBatch(ctx, &b).Close()
}

// dataLoader resolves a query of GraphQL as DataLoader does, level by level.
func dataLoader(ctx context.Context, c *client, number int) error {
	users, err := list[user](ctx, c, selectUsers, c.page(number, 500))
	if err != nil {
		return err
	}
	orders, err := list[order](ctx, c, "SELECT id, user_id, total FROM orders WHERE user_id = ANY($1)", idsOf(users, func(u user) int64 { return u.ID }))
	if err != nil {
		return err
	}
	type item struct {
		ID, OrderID int64
		Product     string
	}
	_, err = list[item](ctx, c, "SELECT id, order_id, product FROM order_items WHERE order_id = ANY($1)", idsOf(orders, func(o order) int64 { return o.ID }))

	return err
}

// idsOf returns the ids of rows.
func idsOf[T any](rows []T, id func(T) int64) []int64 {
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, id(r))
	}

	return ids
}
