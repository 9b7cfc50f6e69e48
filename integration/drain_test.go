package integration

import (
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestDrain stops pgweir under load. Transactions end as they should; each client is
// told why it is closed, outside a transaction.
func TestDrain(t *testing.T) {
	t.Parallel()
	const clients = 24
	p := start(t, options{settings: table{"default_pool_size": 4}})
	atRest, holder := p.login(t), p.login(t)
	wantLines(t, holder.query("BEGIN"), "C BEGIN", "Z T")
	var load sync.WaitGroup
	var transactions atomic.Int64
	for i := range clients {
		c := p.login(t)
		load.Go(func() {
			if failure := transactUntilClosed(c, i, &transactions); failure != "" {
				t.Error(failure)
			}
		})
	}
	await(t, patience, "some transactions", func() bool { return transactions.Load() > 10*clients })
	if status, body := p.get("/readyz"); status != 200 {
		t.Errorf("before the drain: /readyz is %d: %s", status, body)
	}

	p.signal(syscall.SIGTERM)
	await(t, patience, "/readyz to say no", func() bool { status, _ := p.get("/readyz"); return status == 503 })
	if status, body := p.get("/livez"); status != 200 {
		t.Errorf("while draining: /livez is %d: %s", status, body)
	}
	load.Wait() // one transaction is still open, which does not keep the others
	atRest.expect(t, "E FATAL 57P01", closed)
	if nc, err := net.Dial("tcp", p.addr); err == nil {
		_ = nc.Close()
		t.Error("while draining: somebody listens")
	}

	wantLines(t, holder.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z T")
	wantLines(t, holder.query("COMMIT"), "C COMMIT", "Z I")
	holder.expect(t, "E FATAL 57P01", closed)
	if code := p.awaitExit(stopTimeout); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// transactUntilClosed runs one transaction after another until the connection is
// closed. It returns what went wrong.
func transactUntilClosed(c *client, id int, transactions *atomic.Int64) string {
	for n := 0; ; n++ {
		if got := c.query("BEGIN"); !slices.Equal(got, []string{"C BEGIN", "Z T"}) {
			if !slices.Equal(got, []string{"E FATAL 57P01", closed}) {
				return fmt.Sprintf("client %d: got %q at the begin of a transaction", id, got)
			}

			return ""
		}
		token := fmt.Sprintf("%d-%d", id, n)
		got := append(c.query("SELECT '"+token+"' AS t"), c.query("COMMIT")...)
		if want := []string{"T t", "D " + token, "C SELECT 1", "Z T", "C COMMIT", "Z I"}; !slices.Equal(got, want) {
			return fmt.Sprintf("client %d: got %q in a transaction, want %q", id, got, want)
		}
		transactions.Add(1)
	}
}

// TestStop stops pgweir while clients are in the middle of something that does not
// end by itself.
func TestStop(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		timeout  string // shutdown_timeout
		signals  []os.Signal
		least    time.Duration // that it takes
		most     time.Duration
		wantCode int
	}{
		{"shutdown_timeout", "1s", []os.Signal{syscall.SIGTERM}, time.Second, 8 * time.Second, 1},
		{"no shutdown_timeout", "0", []os.Signal{syscall.SIGTERM}, 0, 5 * time.Second, 0},
		{"SIGINT", "60s", []os.Signal{syscall.SIGINT}, 0, 5 * time.Second, 0},
		{"second SIGTERM", "60s", []os.Signal{syscall.SIGTERM, syscall.SIGTERM}, 0, 5 * time.Second, 0},
		{"SIGINT after SIGTERM", "60s", []os.Signal{syscall.SIGTERM, syscall.SIGINT}, 0, 5 * time.Second, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, options{settings: table{"default_pool_size": 2, "shutdown_timeout": tt.timeout}})
			atRest, holder, busy, queued := p.login(t), p.login(t), p.login(t), p.login(t)
			wantLines(t, holder.query("BEGIN"), "C BEGIN", "Z T")
			busy.send(messages("SELECT pg_sleep(600)")...)
			p.awaitSleep()
			queued.send(messages("SELECT 1")...)
			await(t, patience, "the client to be queued", func() bool { return p.waiting() == 1 })

			begun := time.Now()
			for _, s := range tt.signals {
				p.signal(s)
				if len(tt.signals) > 1 {
					await(t, patience, "the signal to have its effect", func() bool { return p.draining() })
				}
			}
			code := p.awaitExit(stopTimeout)
			if took := time.Since(begun); took < tt.least || took > tt.most {
				t.Errorf("it took %v, want %v to %v", took, tt.least, tt.most)
			}
			if code != tt.wantCode {
				t.Errorf("exit code %d, want %d", code, tt.wantCode)
			}
			for name, c := range map[string]*client{"at rest": atRest, "in a transaction": holder, "queued": queued} {
				if got := c.rest(); !slices.Equal(got, []string{"E FATAL 57P01", closed}) {
					t.Errorf("client %s: got %q", name, got)
				}
			}
			if got := busy.rest(); len(got) < 2 || !slices.Equal(got[len(got)-2:], []string{"E FATAL 57P01", closed}) {
				t.Errorf("client with a query: got %q", got)
			}
		})
	}
}

// draining reports whether pgweir has said that it shuts down, or has ended.
func (p *pgweir) draining() bool {
	_, said := p.log.Find("shutting down")

	return said
}

// TestStopWithStalledReader stops pgweir at once while a client takes nothing of a
// large result.
func TestStopWithStalledReader(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	c := p.login(t)
	c.send(messages("SELECT repeat('x', 1000000) FROM generate_series(1, 1000)")...)
	await(t, patience, "PostgreSQL to be held up by the client", func() bool {
		return p.backends("wait_event = 'ClientWrite'") == 1
	})
	begun := time.Now()
	p.signal(syscall.SIGINT)
	if code := p.awaitExit(stopTimeout); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}
