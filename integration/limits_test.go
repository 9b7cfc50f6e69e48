package integration

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

func TestMaxClientConn(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"max_client_conn": 2, "default_pool_size": 1}})
	first, second := p.login(t), p.login(t)
	for range 3 {
		c := p.dial(t)
		c.startup(p.cluster.User, p.db)
		wantLines(t, c.rest(), "E FATAL 53300", closed)
	}
	// Who is in can still cancel what it does, which takes another connection.
	first.send(messages("SELECT pg_sleep(600)")...)
	p.awaitSleep()
	if err := p.cancelRequest(first.key); err != nil {
		t.Fatal(err)
	}
	first.expect(t, "T pg_sleep", "E ERROR 57014", "Z I")

	second.send(terminateMessage())
	wantLines(t, second.rest(), closed)
	await(t, patience, "a place", func() bool { return p.metrics()["pgweir_clients"] == 1 })
	wantLines(t, p.login(t).query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
}

// TestQueryWaitTimeout has clients wait for a server in vain. They are told, and go
// on when there is one.
func TestQueryWaitTimeout(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1, "query_wait_timeout": "300ms"}})
	holder, simple, extended, function := p.login(t), p.login(t), p.login(t), p.login(t)
	wantLines(t, holder.query("BEGIN"), "C BEGIN", "Z T")

	begun := time.Now()
	simple.send(messages("SELECT 1 AS one")...)
	// All up to the Sync is discarded, as after any error.
	extended.send(messages(statement("SELECT 1"), statement("SELECT 2"), "SELECT 3", syncMessage())...)
	function.send(&pgproto3.FunctionCall{Function: 177, Arguments: [][]byte{[]byte("2"), []byte("3")}})
	for _, c := range []*client{simple, extended, function} {
		c.expect(t, "E ERROR 53300", "Z I")
	}
	if took := time.Since(begun); took < 300*time.Millisecond || took > 5*time.Second {
		t.Errorf("told after %v, want 300ms and a little", took)
	}
	extended.send(syncMessage(), flushMessage(), syncMessage()) // that needs no server
	extended.expect(t, "Z I", "Z I")

	wantLines(t, holder.query("COMMIT"), "C COMMIT", "Z I")
	for _, c := range []*client{simple, extended, function} {
		wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
	}
	m := p.metrics()
	if n := m[`pgweir_client_errors_total{sqlstate="53300"}`]; n != 3 {
		t.Errorf("%v errors 53300 were counted, want 3", n)
	}
}

// TestPoolSize has many clients work at a time. There are never more servers than the
// pool may have.
func TestPoolSize(t *testing.T) {
	t.Parallel()
	const size, clients = 3, 20
	p := start(t, options{settings: table{"default_pool_size": size}})
	var load sync.WaitGroup
	stop := make(chan struct{})
	for range clients {
		c := p.login(t)
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := c.query("SELECT pg_sleep(0.005)"); len(got) != 4 {
					t.Errorf("got %q", got)

					return
				}
			}
		})
	}
	most := 0
	for until := time.Now().Add(time.Second); time.Now().Before(until); {
		most = max(most, p.backends("true"))
	}
	close(stop)
	load.Wait()
	if most != size {
		t.Errorf("there were up to %d servers, want %d", most, size)
	}
}

// TestMinPoolSize keeps servers open that nobody needs.
func TestMinPoolSize(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 5, "min_pool_size": 3, "server_idle_timeout": "1s"}})
	c := p.login(t)
	await(t, patience, "the minimum", func() bool { return p.backends("true") == 3 })

	var held []*client
	for range 5 {
		holder := p.login(t)
		wantLines(t, holder.query("BEGIN"), "C BEGIN", "Z T")
		held = append(held, holder)
	}
	if n := p.backends("true"); n != 5 {
		t.Errorf("there are %d servers, want 5", n)
	}
	for _, holder := range held {
		wantLines(t, holder.query("COMMIT"), "C COMMIT", "Z I")
	}
	await(t, patience, "the end of those that are idle too long", func() bool { return p.backends("true") == 3 })
	wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
}

// TestReserve has a client wait until the pool uses its reserve.
func TestReserve(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{
		"default_pool_size": 1, "reserve_pool_size": 1, "reserve_pool_timeout": "500ms", "query_wait_timeout": "3s",
	}})
	holder, second, third := p.login(t), p.login(t), p.login(t)
	wantLines(t, holder.query("BEGIN"), "C BEGIN", "Z T")
	begun := time.Now()
	wantLines(t, second.query("BEGIN"), "C BEGIN", "Z T")
	if took := time.Since(begun); took < 500*time.Millisecond || took > 2900*time.Millisecond {
		t.Errorf("the reserve was used after %v, want 500ms and a little", took)
	}
	wantLines(t, third.query("SELECT 1"), "E ERROR 53300", "Z I")
	if n := p.backends("true"); n != 2 {
		t.Errorf("there are %d servers, want 2", n)
	}
	wantLines(t, holder.query("COMMIT"), "C COMMIT", "Z I")
	wantLines(t, third.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
}

// newRole makes a role that may log in, with the cluster's password.
func newRole(t *testing.T) string {
	t.Helper()
	c := pgtest.Cluster(t)
	role := "role_" + strings.ToLower(rand.Text()[:12])
	if err := c.Exec(t.Context(), "postgres", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", role, c.Password)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Exec(context.Background(), "postgres", "DROP ROLE "+role); err != nil {
			t.Errorf("drop role: %v", err)
		}
	})

	return role
}

// TestMaxConnections has two pools share a limit of one server. An idle server of the
// one makes room for the other; one that is in use is waited for.
func TestMaxConnections(t *testing.T) {
	t.Parallel()
	role, second := newRole(t), pgtest.NewDatabase(t)
	cluster := pgtest.Cluster(t)
	users := map[string]table{cluster.User: {"password": cluster.Password}, role: {"password": cluster.Password}}
	tests := []struct {
		setting      string
		user, dbname string // of the other pool; "": the same
	}{
		{"max_db_connections", role, ""},
		{"max_user_connections", "", second},
	}
	for _, tt := range tests {
		t.Run(tt.setting, func(t *testing.T) {
			p := start(t, options{users: users, settings: table{tt.setting: 1, "query_wait_timeout": "3s"}})
			loginOther := func() *client {
				c := p.dial(t)
				c.startup(cmp.Or(tt.user, cluster.User), cmp.Or(tt.dbname, p.db))
				if answer := c.answer(); answer[len(answer)-1] != "Z I" {
					t.Fatalf("login: got %q", answer)
				}

				return c
			}
			one, other := p.login(t), loginOther()
			for range 3 {
				for _, c := range []*client{one, other} {
					wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
				}
			}
			wantLines(t, one.query("BEGIN"), "C BEGIN", "Z T")
			wantLines(t, other.query("SELECT 1"), "E ERROR 53300", "Z I")
			other.send(messages("SELECT 2 AS two")...)
			await(t, patience, "the client to be queued", func() bool { return p.waiting() == 1 })
			wantLines(t, one.query("COMMIT"), "C COMMIT", "Z I")
			other.expect(t, "T two", "D 2", "C SELECT 1", "Z I")
			if evicted := p.metrics().sum("pgweir_server_closes_total", `reason="evicted"`); evicted < 5 {
				t.Errorf("%v servers were closed for the other pool, want 5 at least", evicted)
			}
		})
	}
}
