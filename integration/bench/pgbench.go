package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// warmUp is the first part of every load. It is driven but not measured: in it the clients log in and the pool opens
// its servers.
const warmUp = time.Second

// maxComplaints is how many lines of pgbench's errors are kept: each of 500 clients may have one to say.
const maxComplaints = 5

// load says what pgbench shall do.
type load struct {
	mode      string // query mode: simple, extended or prepared
	clients   int
	reconnect bool   // a new connection for each transaction
	script    string // path of a script; empty: the built-in select-only one
	logPrefix string // where to log each transaction; empty: nowhere
}

// tally is what pgbench reports at its end.
type tally struct {
	transactions int64 // processed, the warm-up's included
	failed       int64
}

// progress is one of pgbench's periodic reports.
type progress struct {
	at  time.Duration // since the clients were connected
	tps float64       // since the report before
}

// window is the measured part of a load: all but its warm-up.
type window struct {
	transactions float64
	elapsed      time.Duration
	cpu          time.Duration // of the pooler
}

// tps returns the transactions per second.
func (w window) tps() float64 { return w.transactions / w.elapsed.Seconds() }

// cpuPerTransaction returns the pooler's CPU time for one transaction, in microseconds.
func (w window) cpuPerTransaction() float64 {
	return float64(w.cpu.Nanoseconds()) / 1e3 / w.transactions
}

// latency returns the mean time of a transaction. pgbench's clients ask again as soon as they are answered, so each of
// them has had exactly one transaction under way all the time (Little's law).
func (w window) latency(clients int) time.Duration {
	return time.Duration(float64(clients) * float64(w.elapsed) / w.transactions)
}

// driveLoad runs the load through p for the warm-up and then for duration, a number of whole seconds, and returns what
// the latter cost. The moment between the two is pgbench's first report of progress. The end is pgbench's own, so the
// clients' leaving is in the account; it is little against seconds of transactions.
func (b *lab) driveLoad(ctx context.Context, p *pooler, l load, duration time.Duration) (window, error) {
	var meter *cpuMeter
	var warm progress
	atProgress := func(at progress) error {
		if meter != nil {
			return nil
		}
		var err error
		warm = at
		meter, err = startCPUMeter(p.pid())
		return err
	}

	total, err := b.pgbench(ctx, p.port, l.arguments(warmUp+duration), atProgress)
	if err != nil {
		return window{}, fmt.Errorf("%w\n%s's log ends:\n%s", err, p.name, p.logTail())
	}
	if meter == nil {
		return window{}, errors.New("pgbench: no report of progress")
	}
	cpu, err := meter.spent()
	if err != nil {
		return window{}, err
	}
	measured := float64(total.transactions) - warm.tps*warm.at.Seconds()
	if measured < 1 {
		return window{}, errors.New("pgbench: no transaction after the warm-up")
	}
	return window{transactions: measured, elapsed: warmUp + duration - warm.at, cpu: cpu}, nil
}

// arguments returns pgbench's arguments for the load, without those that say where to connect.
func (l load) arguments(total time.Duration) []string {
	args := []string{
		"--no-vacuum", "--protocol=" + l.mode,
		"--client=" + strconv.Itoa(l.clients),
		"--jobs=" + strconv.Itoa(min(l.clients, runtime.NumCPU())),
		"--time=" + strconv.Itoa(int(total/time.Second)),
		"--progress=1",
	}
	if l.script == "" {
		args = append(args, "--select-only")
	} else {
		args = append(args, "--file="+l.script)
	}
	if l.reconnect {
		args = append(args, "--connect")
	}
	if l.logPrefix != "" {
		args = append(args, "--log", "--log-prefix="+l.logPrefix)
	}
	return args
}

// pgbench runs a load against a port of this machine. It calls atProgress, if not nil, for each report of progress, as
// it comes. A failed transaction is an error: what it cost is not what a transaction costs.
func (b *lab) pgbench(
	ctx context.Context, port int, args []string, atProgress func(progress) error,
) (tally, error) {
	var stdout bytes.Buffer
	if err := b.execPgbench(ctx, port, args, &stdout, atProgress); err != nil {
		return tally{}, err
	}
	total, err := parseTally(&stdout)
	if err == nil && total.failed > 0 {
		err = fmt.Errorf("pgbench: %d transactions failed", total.failed)
	}
	return total, err
}

// initPgbench makes pgbench's tables, at scale 1, in the PostgreSQL at port.
func (b *lab) initPgbench(ctx context.Context, port int) error {
	return b.execPgbench(ctx, port, []string{"--initialize", "--quiet"}, io.Discard, nil)
}

// execPgbench runs pgbench against a port of this machine, with its standard output going to stdout.
func (b *lab) execPgbench(
	ctx context.Context, port int, args []string, stdout io.Writer, atProgress func(progress) error,
) error {
	args = append(args, "--host="+loopback, "--port="+strconv.Itoa(port), "--username="+benchUser, benchDatabase)
	cmd := exec.CommandContext(ctx, b.pgbenchPath, args...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+benchPassword, "PGSSLMODE=disable", "PGGSSENCMODE=disable")
	cmd.SysProcAttr = childAttributes(nil)
	cmd.WaitDelay = stopGrace
	cmd.Stdout = stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	complaints, progressErr := followProgress(stderr, atProgress)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("pgbench: %w: %s", err, complaints)
	}
	return progressErr
}

// followProgress reads pgbench's standard error to its end, calls atProgress for each report of progress, and returns
// the first of the other lines. After an error it goes on reading, lest pgbench block.
func followProgress(stderr io.Reader, atProgress func(progress) error) (complaints string, err error) {
	var other []string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		at, isProgress := parseProgress(lines.Text())
		switch {
		case isProgress && err == nil && atProgress != nil:
			err = atProgress(at)
		case !isProgress && len(other) < maxComplaints:
			other = append(other, lines.Text())
		}
	}
	return strings.Join(other, "\n"), errors.Join(err, lines.Err())
}

// parseProgress parses a line such as
//
//	progress: 1.0 s, 25183.9 tps, lat 0.632 ms stddev 0.271, 0 failed
func parseProgress(line string) (progress, bool) {
	rest, found := strings.CutPrefix(line, "progress: ")
	if !found {
		return progress{}, false
	}
	fields := strings.Fields(rest)
	if len(fields) < 4 || fields[1] != "s," || fields[3] != "tps," {
		return progress{}, false
	}
	seconds, secondsErr := strconv.ParseFloat(fields[0], 64)
	tps, tpsErr := strconv.ParseFloat(fields[2], 64)
	if secondsErr != nil || tpsErr != nil {
		return progress{}, false
	}
	return progress{at: time.Duration(seconds * float64(time.Second)), tps: tps}, true
}

// parseTally parses pgbench's report. Versions before 15 do not count failed transactions; they abort the client
// instead, and pgbench then exits with an error.
func parseTally(report io.Reader) (tally, error) {
	const (
		processedKey = "number of transactions actually processed: "
		failedKey    = "number of failed transactions: "
	)
	t := tally{transactions: -1}
	lines := bufio.NewScanner(report)
	for lines.Scan() {
		var err error
		if value, found := strings.CutPrefix(lines.Text(), processedKey); found {
			t.transactions, err = leadingInt(value)
		} else if value, found := strings.CutPrefix(lines.Text(), failedKey); found {
			t.failed, err = leadingInt(value)
		}
		if err != nil {
			return tally{}, fmt.Errorf("pgbench's report: %w", err)
		}
	}
	if t.transactions < 0 {
		return tally{}, errors.New("pgbench's report: no number of transactions")
	}
	return t, lines.Err()
}

// leadingInt parses the decimal number at the start of s, up to anything that is not a digit.
func leadingInt(s string) (int64, error) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	return strconv.ParseInt(s[:digits], 10, 64)
}
