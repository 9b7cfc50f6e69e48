package integration

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// trustingCluster starts a PostgreSQL that asks nobody for a password, so that a raw
// client can speak to it as well as to pgweir.
func trustingCluster(t *testing.T) *postgres.Cluster {
	t.Helper()
	return pgtest.Start(t, postgres.Options{HBA: []string{"local all all trust", "host all all 127.0.0.1/32 trust"}})
}

// TestPostgresRestarts stops PostgreSQL under load and starts it again. Clients in the
// middle of something are told and closed; those at rest or in the queue notice at
// most that it takes longer.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]postgres.StopMode{"fast": postgres.Fast, "immediate": postgres.Immediate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := trustingCluster(t)
			p := start(t, options{cluster: cluster, settings: table{"default_pool_size": 3, "server_login_retry": "1s"}})
			atRest, holder, queued := p.login(t), p.login(t), p.login(t)
			wantLines(t, atRest.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
			load := startLoad(t, p, 12)
			await(t, patience, "some transactions", func() bool { return load.done.Load() > 100 })
			wantLines(t, holder.query("BEGIN"), "C BEGIN", "Z T")

			if err := cluster.StopServer(t.Context(), mode); err != nil {
				t.Fatal(err)
			}
			if got := holder.rest(); !endsFatally(got) {
				t.Errorf("client in a transaction: got %q, want one FATAL", got)
			}
			queued.send(messages("SELECT 2 AS two")...)
			await(t, patience, "clients to be queued", func() bool { return p.waiting() > 0 })
			await(t, patience, "/readyz to say no", func() bool { status, _ := p.get("/readyz"); return status == 503 })
			newcomer := p.login(t) // what PostgreSQL would say is known
			newcomer.send(messages("SELECT 3 AS three")...)

			if err := cluster.StartServer(t.Context()); err != nil {
				t.Fatal(err)
			}
			queued.expect(t, "T two", "D 2", "C SELECT 1", "Z I")
			newcomer.expect(t, "T three", "D 3", "C SELECT 1", "Z I")
			wantLines(t, atRest.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
			before := load.done.Load()
			await(t, patience, "more transactions", func() bool { return load.done.Load() > before+100 })
			load.stop()
			if status, body := p.get("/readyz"); status != 200 {
				t.Errorf("afterwards: /readyz is %d: %s", status, body)
			}
		})
	}
}

// endsFatally reports whether a transcript is one FATAL, after a notice or the head of
// a result perhaps, and the end.
func endsFatally(lines []string) bool {
	lines = slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		return strings.HasPrefix(line, "N ") || strings.HasPrefix(line, "T ")
	})

	return len(lines) == 2 && strings.HasPrefix(lines[0], "E FATAL ") && lines[1] == closed
}

// A load is clients that run transactions, and come back when they are closed.
type load struct {
	done  atomic.Int64 // transactions
	ended chan struct{}
	group sync.WaitGroup
	once  sync.Once
}

// startLoad starts clients. They end with stop, or the test.
func startLoad(t *testing.T, p *pgweir, clients int) *load {
	t.Helper()
	l := &load{ended: make(chan struct{})}
	for i := range clients {
		l.group.Go(func() {
			for n := 0; !l.over(); n++ {
				if failure := l.session(p, i); failure != "" {
					t.Error(failure)

					return
				}
			}
		})
	}
	t.Cleanup(l.stop)

	return l
}

// stop ends the clients.
func (l *load) stop() {
	l.once.Do(func() { close(l.ended) })
	l.group.Wait()
}

// over reports whether the clients are to end.
func (l *load) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// session is one client until it is closed. It returns what went wrong: anything but
// right answers, and one FATAL in the end.
func (l *load) session(p *pgweir, id int) string {
	nc, err := net.Dial("tcp", p.addr)
	if err != nil {
		return err.Error()
	}
	defer nc.Close()
	c := newClient(nc)
	c.startup(p.cluster.User, p.db)
	if got := c.answer(); got[len(got)-1] != "Z I" {
		return fmt.Sprintf("client %d: login: got %q", id, got)
	}
	for n := 0; !l.over(); n++ {
		token := strconv.Itoa(id) + "-" + strconv.Itoa(n)
		rounds := [][]string{
			{"BEGIN", "C BEGIN", "Z T"},
			{"SELECT '" + token + "' AS t", "T t", "D " + token, "C SELECT 1", "Z T"},
			{"COMMIT", "C COMMIT", "Z I"},
		}
		for _, round := range rounds {
			got := c.query(round[0])
			switch {
			case slices.Equal(got, round[1:]):
			case endsFatally(got):
				return ""
			default:
				return fmt.Sprintf("client %d: %s: got %q", id, round[0], got)
			}
		}
		l.done.Add(1)
	}

	return ""
}

// TestPostgresDownAtLogin has nobody know yet what PostgreSQL would say to a client.
func TestPostgresDownAtLogin(t *testing.T) {
	t.Parallel()
	cluster := trustingCluster(t)
	p := start(t, options{cluster: cluster, settings: table{"server_login_retry": "500ms"}})
	if err := cluster.StopServer(t.Context(), postgres.Fast); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c := p.dial(t)
		c.startup(cluster.User, p.db)
		wantLines(t, c.rest(), "E FATAL 57P03", closed)
	}
	if err := cluster.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, 5*time.Second, "a login", func() bool {
		c := p.dial(t)
		defer c.nc.Close()
		c.startup(cluster.User, p.db)
		got := c.answer()

		return got[len(got)-1] == "Z I"
	})
}

// A relay stands between pgweir and PostgreSQL, and says at will that PostgreSQL
// cannot be had yet.
type relay struct {
	listener net.Listener
	target   string
	starting atomic.Int64 // so many connections are told 57P03
	refused  atomic.Int64 // so many were
	group    sync.WaitGroup
}

// startRelay starts a relay, until the end of the test.
func startRelay(t *testing.T, c *postgres.Cluster) *relay {
	t.Helper()
	r := &relay{listener: listenLocal(t), target: net.JoinHostPort(c.Host, strconv.Itoa(c.Port))}
	r.group.Go(func() {
		for {
			nc, err := r.listener.Accept()
			if err != nil {
				return
			}
			r.group.Go(func() { r.serve(nc) })
		}
	})
	t.Cleanup(func() {
		_ = r.listener.Close()
		r.group.Wait()
	})

	return r
}

// serve relays one connection to its end, or refuses it.
func (r *relay) serve(nc net.Conn) {
	defer nc.Close()
	if r.starting.Add(-1) >= 0 {
		r.refused.Add(1)
		_, _ = nc.Read(make([]byte, 1024))
		e := pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P03", Message: "the database system is starting up"}
		b, _ := e.Encode(nil)
		_, _ = nc.Write(b)

		return
	}
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer server.Close()
	var up sync.WaitGroup
	up.Go(func() { _, _ = io.Copy(server, nc); _ = server.(*net.TCPConn).CloseWrite() })
	_, _ = io.Copy(nc, server)
	_ = nc.(*net.TCPConn).CloseWrite()
	up.Wait()
}

// TestPostgresStarting has PostgreSQL say that it is still starting. A client waits
// for it.
func TestPostgresStarting(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Cluster(t)
	r := startRelay(t, cluster)
	p := start(t, options{
		settings:  table{"default_pool_size": 1, "server_login_retry": "500ms"},
		databases: map[string]table{"*": serverOf(cluster, table{"port": portOf(r.listener)})},
	})
	c := p.login(t)
	r.starting.Store(3)
	killBackends(p)
	await(t, goneTime, "the server to be gone", func() bool { return p.backends("true") == 0 })
	wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
	if n := r.refused.Load(); n != 3 {
		t.Errorf("%d connections were refused, want 3", n)
	}
}

// TestBackendCrashes kills a backend the hard way, upon which PostgreSQL ends all
// others and starts anew.
func TestBackendCrashes(t *testing.T) {
	t.Parallel()
	cluster := trustingCluster(t)
	p := start(t, options{cluster: cluster, settings: table{"default_pool_size": 3, "server_login_retry": "500ms"}})
	idle, inTx, busy := p.login(t), p.login(t), p.login(t)
	pid, err := strconv.Atoi(value(idle.query("SELECT pg_backend_pid()")))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, inTx.query("BEGIN"), "C BEGIN", "Z T")
	busy.send(messages("SELECT pg_sleep(600)")...)
	p.awaitSleep()

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*client{"in a transaction": inTx, "with a query": busy} {
		if got := c.rest(); !endsFatally(got) {
			t.Errorf("client %s: got %q, want one FATAL", name, got)
		}
	}
	wantLines(t, idle.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
}
