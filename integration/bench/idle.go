package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// idleClients is how many clients are held at rest while the pooler's memory is read.
const idleClients = 5000

// idleDialers is how many of them log in at a time. Few, so that the memory of the logins themselves, which are over
// when it is read, does not hide that of the clients.
const idleDialers = 4

// idleSettle is how long the pooler is left alone before its memory is read.
const idleSettle = time.Second

// descriptorReserve is how many descriptors are needed beside those of the clients, generously.
const descriptorReserve = 256

// idleScenario measures what a client at rest costs in memory.
func idleScenario() scenario {
	pool := defaultPool()
	pool.maxClients = idleClients + 100
	return scenario{
		name: "idle-memory", unit: fmt.Sprintf("bytes (RSS) per idle client of %d", idleClients),
		goal: goal{valueAtMost, 1 << 10}, pool: pool, measure: measureIdle,
	}
}

// measureIdle reads the pooler's memory before and after idleClients have logged in, asked one query each, and come to
// rest. The pool is warm before, so that its servers are not counted as the clients'.
func measureIdle(ctx context.Context, b *lab, p *pooler) (sample, error) {
	limit, err := raiseFileLimit()
	if err != nil {
		return sample{}, err
	}
	if limit < idleClients+descriptorReserve {
		return sample{}, fmt.Errorf("%d idle clients need more open files than the %d allowed", idleClients, limit)
	}
	warm := []string{"--no-vacuum", "--select-only", "--client=20", "--transactions=200"}
	if _, err := b.pgbench(ctx, p.port, warm, nil); err != nil {
		return sample{}, err
	}
	before, err := settledMemory(ctx, p)
	if err != nil {
		return sample{}, err
	}

	clients, err := holdClients(ctx, p, idleClients)
	defer closeAll(clients)
	if err != nil {
		return sample{}, err
	}
	after, err := settledMemory(ctx, p)
	if err != nil {
		return sample{}, err
	}
	return sample{
		value: float64(after.resident-before.resident) / idleClients,
		note: fmt.Sprintf("Pss %d bytes; RSS %.1f -> %.1f MB", (after.proportional-before.proportional)/idleClients,
			float64(before.resident)/1e6, float64(after.resident)/1e6),
	}, nil
}

// settledMemory reads the pooler's memory after a pause of idleSettle.
func settledMemory(ctx context.Context, p *pooler) (memory, error) {
	select {
	case <-ctx.Done():
		return memory{}, ctx.Err()
	case <-time.After(idleSettle):
		return readMemory(p.pid())
	}
}

// holdClients logs in n clients, has each ask one query, and returns those that could, in no order, together with the
// first error. The caller must close them.
func holdClients(ctx context.Context, p *pooler, n int) ([]*client, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make([]*client, n)
	var dialers sync.WaitGroup
	for first := range idleDialers {
		// A dialer stops when it has filled its slots or ctx ends, and is waited for below.
		dialers.Go(func() {
			for i := first; i < n && ctx.Err() == nil; i += idleDialers {
				var err error
				if slots[i], err = restingClient(ctx, p); err != nil {
					cancel(fmt.Errorf("client %d: %w", i, err))
				}
			}
		})
	}
	dialers.Wait()

	held := make([]*client, 0, n)
	for _, c := range slots {
		if c != nil {
			held = append(held, c)
		}
	}
	return held, context.Cause(ctx)
}

// restingClient logs in a client that has asked one query.
func restingClient(ctx context.Context, p *pooler) (*client, error) {
	c, err := dialClient(ctx, p.port)
	if err != nil {
		return nil, err
	}
	if _, err := c.query(ctx, "SELECT 1", 512); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// closeAll ends all clients. Errors do not matter any more: the pooler is about to be stopped.
func closeAll(clients []*client) {
	for _, c := range clients {
		_ = c.close()
	}
}
