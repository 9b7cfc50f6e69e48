package integration

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pgweir/pgweir/integration/clienttest"
)

// logOutput collects what pgweir writes. It takes it from a pipe, which it may stop to do.
type logOutput struct {
	clienttest.Log

	mu   sync.Mutex    // guards the following
	wait chan struct{} // takes nothing until it is closed; nil: takes all
	gone bool          // takes nothing any more, and closes the pipe
}

// stall makes it take nothing until resume is called, or the test ends.
func (l *logOutput) stall(t testing.TB) (resume func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := make(chan struct{})
	l.wait = wait
	resume = sync.OnceFunc(func() { close(wait) })
	t.Cleanup(resume)

	return resume
}

// leave makes it close the pipe when the next line comes.
func (l *logOutput) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
}

// state returns whether it takes anything.
func (l *logOutput) state() (wait chan struct{}, gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.wait, l.gone
}

// Write implements io.Writer. It is called by one goroutine.
func (l *logOutput) Write(p []byte) (int, error) {
	if wait, _ := l.state(); wait != nil {
		<-wait
	}
	if _, gone := l.state(); gone {
		return 0, io.ErrClosedPipe
	}

	return l.Log.Write(p)
}

// resources are what a process holds.
type resources struct {
	descriptors, goroutines int
}

// resources returns what pgweir holds.
func (p *pgweir) resources() resources {
	p.t.Helper()
	r := resources{descriptors: p.descriptors()} // before the scrape, which needs one

	r.goroutines = int(p.metrics()["go_goroutines"])

	return r
}

// descriptors returns how many descriptors pgweir has open.
func (p *pgweir) descriptors() int {
	p.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}

	return len(entries)
}

// resident returns how much memory pgweir has, in bytes.
func (p *pgweir) resident() int {
	p.t.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		p.t.Fatal(err)
	}

	return pages * os.Getpagesize()
}

// keptTasks is how many idle tasks each loop keeps, goroutines to the runtime
// (keepTasks of package reactor).
const keptTasks = 128

// checkQuiet checks that, now that the clients are gone, pgweir holds what it did
// before the first of them, and its idle servers.
func (p *pgweir) checkQuiet() {
	p.t.Helper()
	var m metrics
	var now resources
	defer func() {
		if p.t.Failed() {
			p.t.Logf("clients %v, logins %v, active servers %v, idle %v; before: %+v, now: %+v",
				m["pgweir_clients"], m["pgweir_logins_in_progress"], m.sum("pgweir_pool_servers", `state="active"`),
				m.sum("pgweir_pool_servers", `state="idle"`), p.base, now)
		}
	}()
	tasks := min(p.options.crowd, 2*keptTasks)
	await(p.t, quiesceTime, "pgweir to be as at its start", func() bool {
		now, m = p.resources(), p.metrics()
		servers := int(m.sum("pgweir_pool_servers", ""))

		return m["pgweir_clients"] == 0 && m["pgweir_logins_in_progress"] == 0 &&
			m.sum("pgweir_pool_servers", `state="active"`) == 0 &&
			m["pgweir_panics_recovered_total"] == 0 &&
			now.descriptors <= p.base.descriptors+servers && now.goroutines <= p.base.goroutines+tasks
	})
}

// metrics are the samples of a scrape, by name and labels as they are written.
type metrics map[string]float64

// sum adds up the samples of a metric whose labels contain a text.
func (m metrics) sum(name, label string) float64 {
	total := 0.0
	for key, value := range m {
		if strings.HasPrefix(key, name+"{") && strings.Contains(key, label) {
			total += value
		}
	}

	return total
}

// metrics scrapes pgweir.
func (p *pgweir) metrics() metrics {
	p.t.Helper()
	status, body := p.get("/metrics")
	if status != 200 {
		p.t.Fatalf("GET /metrics: status %d: %s", status, body)
	}

	return parseMetrics(p.t, body)
}

// parseMetrics parses Prometheus' text format.
func parseMetrics(t testing.TB, body string) metrics {
	t.Helper()
	m := make(metrics)
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("metric %q: %v", line, err)
		}
		m[line[:at]] = value
	}

	return m
}
