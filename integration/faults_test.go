package integration

import (
	"flag"
	"runtime"
	"slices"
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

// long asks for the long form of tests.
var long = flag.Bool("long", false, "have things fail for minutes")

// What a client may be told when its server is lost, and when it does not react.
var (
	lostServer  = []string{"E FATAL 57P01", "E FATAL 57P02", "E FATAL 08006", "E FATAL 08007"}
	stuckServer = []string{"E FATAL 57014", "E ERROR 57014", "E FATAL 08006", "E FATAL 08007"}
)

// stuckTime is how long something does not react: longer than query_timeout and
// cancel_wait_timeout of a lab together.
const stuckTime = 3500 * time.Millisecond

// A lab is what faults are tried on: a PostgreSQL, a network to it, pgweir.
type lab struct {
	*pgweir
	network *network
}

// newLab starts one. Its timeouts are short, but far longer than anything takes that
// works.
func newLab(t *testing.T, settings table) *lab {
	cluster := pgtest.Start(t, postgres.Options{
		HBA:      []string{"local all all trust", "host all all 127.0.0.1/32 trust"},
		Settings: map[string]string{"synchronous_commit": "on"},
	})
	n := startNetwork(t, cluster)
	all := table{
		"default_pool_size": 4, "query_timeout": "2s", "cancel_wait_timeout": "1s", "server_connect_timeout": "1s",
		"server_login_retry": "300ms", "query_wait_timeout": "25s",
		"server_check_delay": "1ms", // so that many are checked
	}
	for k, v := range settings {
		all[k] = v
	}
	p := start(t, options{
		cluster: cluster, settings: all,
		databases: map[string]table{"*": serverOf(cluster, table{"port": portOf(n.listener)})},
	})

	return &lab{pgweir: p, network: n}
}

// A fault is something that fails while clients work.
type fault struct {
	name    string
	allowed []string // what clients may be told; nil: they must not notice
	slow    bool     // only in the long form
	cause   func(t *testing.T, l *lab)
}

// faults returns all of them.
func faults() []fault {
	return []fault{
		{"backends are terminated", lostServer, false, repeatedly(10, func(_ *testing.T, l *lab) { killBackends(l.pgweir) })},
		{"a backend is killed", lostServer, false, func(t *testing.T, l *lab) { l.signalBackend(t, syscall.SIGKILL) }},
		{"a backend is frozen", stuckServer, false, func(t *testing.T, l *lab) {
			pid := l.signalBackend(t, syscall.SIGSTOP)
			defer syscall.Kill(pid, syscall.SIGCONT)
			time.Sleep(stuckTime)
		}},
		{"PostgreSQL is killed", lostServer, false, func(t *testing.T, l *lab) {
			must(t, l.cluster.Kill())
			must(t, l.cluster.StartServer(t.Context()))
		}},
		{"PostgreSQL restarts", lostServer, true, func(t *testing.T, l *lab) { must(t, l.cluster.Restart(t.Context())) }},
		{"PostgreSQL is frozen", stuckServer, true, func(t *testing.T, l *lab) {
			must(t, l.cluster.Signal(syscall.SIGSTOP))
			time.Sleep(stuckTime)
			must(t, l.cluster.Signal(syscall.SIGCONT))
		}},
		{"connections are reset", lostServer, false, repeatedly(5, func(_ *testing.T, l *lab) { l.network.each((*pair).reset) })},
		{"connections are closed", lostServer, false, repeatedly(5, func(_ *testing.T, l *lab) { l.network.each((*pair).halfClose) })},
		{"the network is silent for long", stuckServer, false, func(_ *testing.T, l *lab) { l.network.silence(stuckTime) }},
		{"the network is silent for a moment", nil, false, repeatedly(3, func(_ *testing.T, l *lab) {
			l.network.silence(200 * time.Millisecond)
		})},
		{"the network is slow and cuts everything in pieces", nil, false, func(_ *testing.T, l *lab) {
			l.network.delay.Store(int64(time.Millisecond))
			l.network.piece.Store(7)
			time.Sleep(time.Second)
			l.network.delay.Store(0)
			l.network.piece.Store(0)
		}},
		{"clients vanish", nil, false, repeatedly(10, vanishAll)},
		{"cancel requests have wrong keys", nil, false, repeatedly(3, guessKeys)},
	}
}

// repeatedly causes a fault again and again, with pauses in which clients come back.
func repeatedly(n int, cause func(*testing.T, *lab)) func(*testing.T, *lab) {
	return func(t *testing.T, l *lab) {
		for range n {
			cause(t, l)
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// must fails the test because of an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signalBackend sends a signal to a backend that does something for pgweir, if there is
// one, and returns its pid.
func (l *lab) signalBackend(t *testing.T, s syscall.Signal) int {
	t.Helper()
	pid := ask[int](l.pgweir, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name <> $1"+
		" AND backend_type = 'client backend' ORDER BY state = 'idle' LIMIT 1", testApplication)
	must(t, syscall.Kill(pid, s))

	return pid
}

// vanishAll has clients leave, in the middle of different things or behind them, with all
// they have made in their sessions.
func vanishAll(t *testing.T, l *lab) {
	for _, sql := range []string{
		"SET work_mem = '5MB'; CREATE TEMP TABLE account (id int); SELECT pg_advisory_lock(1)",
		"BEGIN; SET ROLE pg_monitor; SET app.owner = 'somebody'", "BEGIN; SELECT txid_current()", "BEGIN; SELECT 1/0",
	} {
		for _, answered := range []bool{true, false} {
			c := l.login(t)
			c.send(messages(sql)...)
			if answered {
				c.answer()
			}
			c.reset()
		}
	}
	for _, sql := range []string{
		"SELECT pg_sleep(600)", "COPY transfer FROM STDIN", "SELECT repeat('x', 1000) FROM generate_series(1, 100000)",
	} {
		c := l.login(t)
		c.send(messages(sql)...)
		c.reset()
	}
}

// guessKeys sends cancel requests with keys that nobody has.
func guessKeys(t *testing.T, l *lab) {
	for i := range 20 {
		key := pgproto3.BackendKeyData{ProcessID: uint32(i), SecretKey: []byte{1, 2, 3, byte(i)}}
		must(t, l.cancelRequest(key))
	}
}

// TestFaults has everything fail, one after another, while clients work and check all that
// they get. Afterwards they work as before. The counters never go back.
func TestFaults(t *testing.T) {
	l := newLab(t, nil)
	rounds := 1
	if *long {
		rounds = 5
	}
	for range rounds {
		for _, f := range faults() {
			if *long || !f.slow {
				t.Run(f.name, func(t *testing.T) { l.suffer(t, f) })
			}
		}
	}
}

// suffer causes a fault under load.
func (l *lab) suffer(t *testing.T, f fault) {
	before := l.metrics()
	load := startCheckedLoad(t, l.pgweir, 12, f.allowed...)
	load.progress(t, 100)
	f.cause(t, l)
	load.progress(t, 100)
	load.finish(t)
	if f.allowed == nil && load.failed.Load() > 0 {
		t.Errorf("%d sessions were ended", load.failed.Load())
	}
	after := l.metrics()
	for name, value := range before {
		if strings.Contains(name, "_total") && after[name] < value {
			t.Errorf("%s was %v and is %v", name, value, after[name])
		}
	}
}

// TestStarvation gives pgweir one processor, and others want it too. Everything takes
// longer, but no timeout strikes.
func TestStarvation(t *testing.T) {
	t.Setenv("GOMAXPROCS", "1")
	l := newLab(t, table{"query_timeout": "8s", "idle_transaction_timeout": "8s", "client_idle_timeout": "20s"})
	var stop atomic.Bool
	var neighbours sync.WaitGroup
	for range runtime.NumCPU() {
		neighbours.Go(func() {
			for !stop.Load() {
			}
		})
	}
	defer neighbours.Wait()
	defer stop.Store(true)
	load := startCheckedLoad(t, l.pgweir, 12)
	load.progress(t, 150)
	if *long {
		time.Sleep(20 * time.Second)
	}
	load.finish(t)
}

// TestKilled kills pgweir under load. PostgreSQL undoes what was not committed, and the
// next pgweir has the port at once.
func TestKilled(t *testing.T) {
	t.Parallel()
	cluster := trustingCluster(t)
	free := listenLocal(t)
	_ = free.Close()
	settings := table{"default_pool_size": 3, "listen_port": portOf(free)}
	p := start(t, options{cluster: cluster, settings: settings, clientsStay: true})
	holder := p.login(t)
	load := startCheckedLoad(t, p, 8, closed)
	load.progress(t, 50)
	wantLines(t, holder.query("BEGIN; INSERT INTO transfer VALUES ('never')"), "C BEGIN", "C INSERT 0 1", "Z T")
	p.signal(syscall.SIGKILL)
	p.stopped = true
	<-p.ended
	holder.expect(t, closed)
	load.remember(&load.refused, "never")
	load.finish(t)

	next := start(t, options{cluster: cluster, settings: settings})
	if next.addr != p.addr {
		t.Errorf("the next one is at %s, not at %s", next.addr, p.addr)
	}
	wantLines(t, next.login(t).query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
}

// TestServerDiesInCopy ends a server in the middle of a COPY. Of a COPY FROM nothing is
// there.
func TestServerDiesInCopy(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("CREATE TABLE copied (x text)")
	in := p.login(t)
	in.send(messages("COPY copied FROM STDIN")...)
	in.expect(t, "CopyInResponse")
	in.send(&pgproto3.CopyData{Data: []byte("1\n2\n")})
	killBackends(p)
	if got := in.rest(); !endsFatally(got) {
		t.Errorf("in COPY FROM: got %q, want one FATAL", got)
	}
	out := p.login(t)
	out.send(messages("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 1000000)) TO STDOUT")...)
	out.expect(t, "CopyOutResponse")
	killBackends(p)
	got := slices.DeleteFunc(out.rest(), func(line string) bool { return strings.HasPrefix(line, "d ") })
	// PostgreSQL ends in the middle of a message if nobody takes it: then there is no place
	// for an error.
	if !endsFatally(got) && !slices.Equal(got, []string{closed}) {
		t.Errorf("in COPY TO: got %q behind the data, want one FATAL or the end", got)
	}
	wantLines(t, p.login(t).query("SELECT count(*) FROM copied"), "T count", "D 0", "C SELECT 1", "Z I")
}

// TestFairShares has ten clients for each server. Nobody fails, and nobody gets much less
// than the others.
func TestFairShares(t *testing.T) {
	const clients, servers = 40, 4
	p := start(t, options{settings: table{"default_pool_size": servers}})
	var group sync.WaitGroup
	shares := make([]int, clients)
	stop := make(chan struct{})
	for i := range clients {
		c := p.login(t)
		group.Go(func() {
			for ; ; shares[i]++ {
				select {
				case <-stop:
					return
				default:
				}
				if got := c.query("SELECT 1 AS one FROM pg_sleep(0.001)"); len(got) != 4 {
					t.Errorf("client %d: got %q", i, got)

					return
				}
			}
		})
	}
	time.Sleep(2 * time.Second)
	if p.waiting() == 0 {
		t.Error("nobody waits for a server")
	}
	close(stop)
	group.Wait()
	total, least := 0, shares[0]
	for _, n := range shares {
		total, least = total+n, min(least, n)
	}
	if least*clients*10 < total*7 {
		t.Errorf("the client that got least got %d of %d answers, less than 0.7 of its share", least, total)
	}
	if n := p.metrics().sum("pgweir_pool_max_wait_seconds", ""); n != 0 {
		t.Errorf("somebody has been waiting for %v s, it is said", n)
	}
}
