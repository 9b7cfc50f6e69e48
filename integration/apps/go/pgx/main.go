// Command pgx works with the shop as programs do that write their SQL themselves.
//
//	DATABASE_URL=... pgx SCENARIO CLIENTS REQUESTS
//
// Each client has a connection of its own and does one request after another, without a
// pause. The scenario says what a request is: "loop" asks for what belongs to the rows of
// a list one by one, "fixed" all at once. The others repeat statements as well and
// are no such loops.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// A request is one request of a client: its number, from 0 on.
type request func(ctx context.Context, c *client, number int) error

// scenarios returns what can be done, by name.
func scenarios() map[string]request {
	return map[string]request{
		"loop":        both(usersInLoop, ordersInLoop),
		"fixed":       both(usersAtOnce, ordersAtOnce),
		"join":        both(usersJoined, ordersJoined),
		"poll":        poll,
		"skip-locked": takeJob,
		"keyset":      keyset,
		"tree":        tree,
		"retry":       retry,
		"import":      importRows,
		"keep-alive":  keepAlive,
		"mixed":       mixed,
		"batch":       batch,
		"dataloader":  dataLoader,
		"unique":      unique,
		"tenants":     tenants,
	}
}

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run reads the arguments and has the clients work at the same time.
func run(args []string) error {
	if len(args) != 4 {
		return errors.New("usage: pgx SCENARIO CLIENTS REQUESTS")
	}
	do, ok := scenarios()[args[1]]
	clients, err := strconv.Atoi(args[2])
	requests, err2 := strconv.Atoi(args[3])
	if err = errors.Join(err, err2); err != nil || !ok {
		return fmt.Errorf("scenario %q: known %v, %w", args[1], ok, err)
	}
	ended := make(chan error, clients)
	for i := range clients {
		go func() { ended <- work(context.Background(), i, requests, do) }()
	}
	for range clients {
		err = errors.Join(err, <-ended)
	}

	return err
}

// A client is a worker of the application.
type client struct {
	*pgx.Conn
	number int
	first  int64 // the first id of every table
}

// work is the life of one client.
func work(ctx context.Context, number, requests int, do request) error {
	conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	c := &client{Conn: conn, number: number}
	if err := conn.QueryRow(ctx, "SELECT min(id) FROM accounts").Scan(&c.first); err != nil {
		return err
	}
	for i := range requests {
		if err := do(ctx, c, i); err != nil {
			return fmt.Errorf("client %d, request %d: %w", number, i, err)
		}
	}

	return nil
}

// both makes one request of two.
func both(one, other request) request {
	return func(ctx context.Context, c *client, number int) error {
		return errors.Join(one(ctx, c, number), other(ctx, c, number))
	}
}

// page returns behind which id the page of a request begins, in a table with so many
// rows. Each client and request has another one.
func (c *client) page(number, rows int) int64 {
	return c.first - 1 + int64((c.number*131+number*37)%(rows-pageSize))
}

// pageSize is how many rows a list has.
const pageSize = 20
