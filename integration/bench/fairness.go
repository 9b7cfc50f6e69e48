package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Ten clients for each server: the pool, not the machine, is what they wait for.
const (
	fairServers = 10
	fairClients = 10 * fairServers
)

// fairScript keeps a server busy for a millisecond, nearly all of it asleep, so that the queue for a server is always
// about as long as it can be.
const fairScript = "SELECT pg_sleep(0.001);\n"

// fairnessScenario measures how evenly clients that queue for a server are served.
func fairnessScenario(duration time.Duration) scenario {
	pool := defaultPool()
	pool.poolSize = fairServers
	return scenario{
		name: "fairness", unit: "slowest client's share of the mean", goal: goal{valueAtLeast, 0.8}, pool: pool,
		measure: func(ctx context.Context, b *lab, p *pooler) (sample, error) {
			return measureFairness(ctx, b, p, duration)
		},
	}
}

// measureFairness counts each client's transactions; its value is the smallest count over the mean, 1 being perfect.
func measureFairness(ctx context.Context, b *lab, p *pooler, duration time.Duration) (sample, error) {
	dir, err := os.MkdirTemp(b.dir, "fairness")
	if err != nil {
		return sample{}, err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "sleep.sql")
	if err := os.WriteFile(script, []byte(fairScript), 0o644); err != nil {
		return sample{}, err
	}
	l := load{mode: "simple", clients: fairClients, script: script, logPrefix: filepath.Join(dir, "log")}
	w, err := b.driveLoad(ctx, p, l, duration)
	if err != nil {
		return sample{}, err
	}

	// pgbench writes one log per thread: PREFIX.PID and PREFIX.PID.THREAD.
	paths, err := filepath.Glob(l.logPrefix + ".*")
	if err != nil {
		return sample{}, err
	}
	counts, err := countByClient(paths)
	if err != nil {
		return sample{}, err
	}
	return sample{value: slowestShare(counts, fairClients), tps: w.tps(), latency: w.latency(fairClients)}, nil
}

// transaction is one line of pgbench's log: who ended a transaction, and when.
type transaction struct {
	client int
	end    time.Duration // since the epoch
}

// countByClient reads pgbench's logs and returns how many transactions each client did after the warm-up. A client
// that did none is not in the map.
func countByClient(paths []string) (map[int]int, error) {
	var all []transaction
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		some, err := parseTransactionLog(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, errors.New("pgbench: no transaction in its log")
	}
	return countAfter(all, warmUp), nil
}

// countAfter counts transactions by client, without those that ended less than skip after the first one.
func countAfter(all []transaction, skip time.Duration) map[int]int {
	first := time.Duration(math.MaxInt64)
	for _, t := range all {
		first = min(first, t.end)
	}
	counts := make(map[int]int)
	for _, t := range all {
		if t.end >= first+skip {
			counts[t.client]++
		}
	}
	return counts
}

// parseTransactionLog parses lines of the form "client_id transaction_no time script_no time_epoch time_us".
func parseTransactionLog(r io.Reader) ([]transaction, error) {
	var all []transaction
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var client, number, took, script, seconds, micros int64
		_, err := fmt.Sscan(lines.Text(), &client, &number, &took, &script, &seconds, &micros)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", lines.Text(), err)
		}
		end := time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond
		all = append(all, transaction{client: int(client), end: end})
	}
	return all, lines.Err()
}

// slowestShare returns the smallest count over the mean count of n clients; one that is not in counts has done nothing.
func slowestShare(counts map[int]int, n int) float64 {
	if n == 0 || len(counts) == 0 {
		return 0
	}
	total, slowest := 0, math.MaxInt
	for _, count := range counts {
		total += count
		slowest = min(slowest, count)
	}
	if len(counts) < n {
		slowest = 0
	}
	return float64(slowest) * float64(n) / float64(total)
}
