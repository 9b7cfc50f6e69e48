package integration

import (
	"strings"
	"testing"
	"time"
)

// TestSlowReaders has one client stop to read its result for good and another read on
// slowly. With client_write_timeout the first loses its server to who waits for it, and the
// second reads to its end.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1, "client_write_timeout": "2s"}})
	stalled, waiting := p.login(t), p.login(t)
	stalled.send(messages("SELECT repeat('x', 1000000) FROM generate_series(1, 1000)")...)
	stalled.expect(t, "T repeat")
	await(t, patience, "PostgreSQL to be held up by the client", func() bool {
		return p.backends("wait_event = 'ClientWrite'") == 1
	})
	began := time.Now()
	wantLines(t, waiting.query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the next client has waited %v for the server", took)
	}
	await(t, goneTime, "the end of the query that nobody reads", func() bool { return p.backends("state <> 'idle'") == 0 })
	await(t, 15*time.Second, "the log to say why", func() bool {
		line, ok := p.log.Find("client disconnected")
		if !ok {
			return false
		}
		reason, _ := line["reason"].(string)

		return strings.Contains(reason, "client_write_timeout")
	})

	const rows, width = 60, 500_000
	waiting.send(messages("SELECT repeat('x', 500000) AS v FROM generate_series(1, 60)")...)
	waiting.expect(t, "T v")
	began = time.Now()
	for range rows { // some 5 MB/s
		if got := waiting.receive(); len(got) != len("D ")+width {
			t.Fatalf("got %.60q (%d bytes) after %v", got, len(got), time.Since(began))
		}
		time.Sleep(100 * time.Millisecond)
	}
	waiting.expect(t, "C SELECT 60", "Z I")
}
