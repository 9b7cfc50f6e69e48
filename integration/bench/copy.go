package main

import (
	"context"
	"fmt"
	"time"
)

// The table that is copied out: a million rows of 99 bytes and a line end each, 100 MB of data.
const (
	copyTable    = "bench_copy"
	copyRows     = 1_000_000
	copyRowBytes = 99
)

// copyTableSQL returns the SQL that makes the table.
func copyTableSQL() string {
	return fmt.Sprintf("CREATE UNLOGGED TABLE %s AS SELECT repeat('x', %d) AS filler FROM generate_series(1, %d);\n"+
		"ALTER TABLE %[1]s OWNER TO %[4]s;\n", copyTable, copyRowBytes, copyRows, benchUser)
}

// copyBufferBytes is how much the client reads at a time: enough not to be the bottleneck.
const copyBufferBytes = 256 << 10

// copyAnswerBytes is the least that the whole answer can be: each row has the five bytes of CopyData's header too.
const copyAnswerBytes = copyRows * (5 + copyRowBytes + 1)

// copyScenario measures what the pooler spends on relaying a COPY OUT of 100 MB.
func copyScenario(duration time.Duration) scenario {
	return scenario{
		name: "copy", unit: "ms CPU per GB of COPY OUT", goal: goal{ratioAtMost, 0.60}, pool: defaultPool(),
		measure: func(ctx context.Context, _ *lab, p *pooler) (sample, error) { return measureCopy(ctx, p, duration) },
	}
}

// measureCopy copies the table out, again and again until duration has passed, after a first time that only warms up.
// The sample's latency is the mean time of a copy.
func measureCopy(ctx context.Context, p *pooler, duration time.Duration) (sample, error) {
	c, err := dialClient(ctx, p.port)
	if err != nil {
		return sample{}, err
	}
	defer func() { _ = c.close() }()
	if _, err := copyOut(ctx, c); err != nil {
		return sample{}, err
	}

	meter, err := startCPUMeter(p.pid())
	if err != nil {
		return sample{}, err
	}
	var bytes, copies int64
	start := time.Now()
	for time.Since(start) < duration {
		size, err := copyOut(ctx, c)
		if err != nil {
			return sample{}, err
		}
		bytes += size
		copies++
	}
	elapsed := time.Since(start)
	cpu, err := meter.spent()
	if err != nil {
		return sample{}, err
	}
	return sample{
		value:   cpu.Seconds() * 1e3 / (float64(bytes) / 1e9),
		tps:     float64(copies) / elapsed.Seconds(),
		latency: elapsed / time.Duration(copies),
	}, nil
}

// copyOut copies the table out once and returns the size of the answer, which must be whole.
func copyOut(ctx context.Context, c *client) (int64, error) {
	size, err := c.query(ctx, "COPY "+copyTable+" TO STDOUT", copyBufferBytes)
	if err == nil && size < copyAnswerBytes {
		err = fmt.Errorf("COPY: only %d bytes of at least %d have come", size, copyAnswerBytes)
	}
	return size, err
}
