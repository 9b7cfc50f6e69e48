package integration

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The log of so many clients, two lines of more than 200 bytes each, is more than the
// pipe takes (64 KB) and whoever empties it has in hand (32 KB).
const (
	loggedClients  = 400
	loggedBytes    = loggedClients * 2 * 200
	pipeTakes      = 96 << 10
	logSettlesTime = 10 * time.Second
)

// TestLogIsNotRead: while nobody empties the pipe with the log, clients come, are
// served, and go. Afterwards not a line is missing.
func TestLogIsNotRead(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	before := len(p.log.String())
	resume := p.log.stall(t)
	visit(t, p)
	wantMetrics(t, p, map[string]float64{"log_lines_dropped_total": 0})

	resume()
	await(t, logSettlesTime, "the rest of the log", func() bool {
		text := p.log.String()

		return strings.HasSuffix(text, "\n") && strings.Count(text, "client disconnected") >= loggedClients
	})
	want := map[string]int{"client connected": loggedClients, "client disconnected": loggedClients}
	if diff := cmp.Diff(want, p.logged(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if n := len(p.log.String()) - before; n < loggedBytes {
		t.Errorf("the log has %d bytes, fewer than %d, which the pipe may have taken", n, loggedBytes)
	}
}

// TestStopWhileLogIsNotRead: the process ends in time, and what was written until then
// are whole lines.
func TestStopWhileLogIsNotRead(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	before := len(p.log.String())
	resume := p.log.stall(t)
	visit(t, p)
	begun := time.Now()
	p.signal(syscall.SIGTERM)
	await(t, stopTimeout, "the end of the process", func() bool {
		return errors.Is(p.cmd.Process.Signal(syscall.Signal(0)), os.ErrProcessDone)
	})
	if took, most := time.Since(begun), 5*time.Second; took > most {
		t.Errorf("it took %v, more than %v", took, most)
	}

	resume()
	if code := p.awaitExit(stopTimeout); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if n := len(p.log.String()) - before; n == 0 || n > pipeTakes {
		t.Errorf("the pipe took %d bytes, so it was not full", n)
	}
	p.logged(t)
}

// TestLogReaderIsGone: the end of who reads the log is not ours.
func TestLogReaderIsGone(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.log.leave()
	c := p.login(t)
	wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
	await(t, logSettlesTime, "lines to be dropped", func() bool {
		_ = p.login(t).nc.Close()

		return p.metrics()["pgweir_log_lines_dropped_total"] > 0
	})
	_ = c.nc.Close()
	p.checkQuiet()
	p.signal(syscall.SIGTERM)
	if code := p.awaitExit(stopTimeout); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// visit lets clients come, one after another, ask, and go. Another one that stays is
// answered after each.
func visit(t *testing.T, p *pgweir) {
	t.Helper()
	stays := p.login(t)
	for range loggedClients - 1 {
		c := p.login(t)
		for _, c := range []*client{c, stays} {
			wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
		}
		c.send(terminateMessage())
		if got := c.rest(); len(got) != 1 || got[0] != closed {
			t.Fatalf("after a goodbye: got %q", got)
		}
	}
	stays.send(terminateMessage())
	stays.rest()
}

// logged counts the lines about clients by message. Any line that is not whole fails
// the test.
func (p *pgweir) logged(t *testing.T) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	for line := range strings.Lines(p.log.String()) {
		var entry struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("not a whole line: %q", line)
		}
		if strings.HasPrefix(entry.Msg, "client ") {
			counts[entry.Msg]++
		}
	}

	return counts
}
