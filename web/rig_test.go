package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap/zaptest"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/proxy"
	"github.com/pgweir/pgweir/web"
)

// TestMain stops the PostgreSQL that the tests share.
func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// patience bounds everything that a test waits for. It is far more than anything
// takes.
const patience = 20 * time.Second

// What the rig says of itself.
const (
	rigVersion    = "v1.2.3"
	rigLogDropped = 7
)

// A rig is a proxy in front of a PostgreSQL, with pages about it. The clock of its
// loops stands still unless the test steps it.
type rig struct {
	t       *testing.T
	user    string // who clients log in as
	clock   *reactor.Clock
	loops   *reactor.Group
	pools   *pool.Pools
	meter   *meter.Meter
	proxy   *proxy.Proxy
	addr    string // for clients
	pages   string // their URL, without a path
	serving chan error
}

// newRig puts a pooler together as the command does, in front of a cluster. It does not
// serve clients yet.
func newRig(t *testing.T, cluster *postgres.Cluster) *rig {
	t.Helper()
	return newRigAt(t, cluster.URL("postgres"))
}

// newRigAt is newRig in front of all databases of the server that a URL names.
func newRigAt(t *testing.T, databaseURL string) *rig {
	t.Helper()
	server, err := url.Parse(databaseURL)
	must(t, err)
	r := &rig{t: t, user: server.User.Username(), clock: reactor.NewSteppedClock(), serving: make(chan error, 1)}
	flags := map[string]string{"auth_type": "trust", "default_pool_size": "3", "server_login_retry": "1s"}
	for _, database := range []string{"*", strings.TrimPrefix(server.Path, "/")} {
		flags["databases."+database+".user"] = r.user
		flags["databases."+database+".password"], _ = server.User.Password()
	}
	cfg, err := config.Load(config.Source{DatabaseURL: databaseURL, Flags: flags})
	must(t, err)
	log := zaptest.NewLogger(t)
	r.loops, err = reactor.StartGroup(2, reactor.Options{Clock: r.clock, Panicked: func(err error) { t.Error(err) }})
	must(t, err)
	t.Cleanup(r.loops.Stop)
	r.pools = pool.New(r.loops, log)
	t.Cleanup(func() { must(t, r.pools.Close(context.Background())) })
	r.meter = meter.New(meter.Options{
		Posts: []func(func()){r.loops.Loops()[0].Post, r.loops.Loops()[1].Post}, Now: r.clock.Now, Log: log,
	})
	r.proxy, err = proxy.New(proxy.Options{Config: cfg, Loops: r.loops, Pools: r.pools, Meter: r.meter, Log: log})
	must(t, err)
	t.Cleanup(r.proxy.Close)
	r.servePages(web.NewServer(web.Sources{
		Proxy: r.proxy, Pools: r.pools, Loops: r.loops, Version: rigVersion, Log: log,
		Meter:      r.meter,
		LogDropped: func() uint64 { return rigLogDropped },
	}))

	return r
}

// servePages serves the pages until the end of the test.
func (r *rig) servePages(s *http.Server) {
	r.t.Helper()
	l := listen(r.t)
	r.pages = "http://" + l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	r.t.Cleanup(func() {
		must(r.t, s.Close())
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			r.t.Errorf("pages: Serve returned %v", err)
		}
	})
}

// serve serves clients until the end of the test, and returns when it does.
func (r *rig) serve() {
	r.t.Helper()
	l := listen(r.t)
	r.addr = l.Addr().String()
	go func() { r.serving <- r.proxy.Serve(l) }()
	r.t.Cleanup(func() {
		r.proxy.Close()
		if err := <-r.serving; !errors.Is(err, proxy.ErrClosed) {
			r.t.Errorf("Serve returned %v", err)
		}
	})
	r.await("the proxy to listen", r.proxy.Ready)
}

// connect logs a client in to a database, until the end of the test.
func (r *rig) connect(database string) (*pgx.Conn, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	cfg, err := pgx.ParseConfig("postgres://" + r.addr + "/?sslmode=disable")
	must(r.t, err)
	cfg.User, cfg.Database = r.user, database
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err == nil {
		r.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	}

	return conn, err
}

// query logs a client in and runs a simple query. The client stays.
func (r *rig) query(sql string) *pgx.Conn {
	r.t.Helper()
	conn, err := r.connect("postgres")
	must(r.t, err)
	_, err = conn.PgConn().Exec(r.t.Context(), sql).ReadAll()
	must(r.t, err)

	return conn
}

// A page is an answer to an HTTP request.
type page struct {
	status int
	header http.Header
	body   string
}

// get fetches a page.
func (r *rig) get(path string) page {
	r.t.Helper()
	return r.do(http.MethodGet, path)
}

// do makes an HTTP request.
func (r *rig) do(method, path string) page {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.pages+path, http.NoBody)
	must(r.t, err)
	resp, err := http.DefaultClient.Do(request)
	must(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(r.t, err)

	return page{status: resp.StatusCode, header: resp.Header, body: string(body)}
}

// await waits until a condition holds.
func (r *rig) await(what string, holds func() bool) {
	r.t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-ticker.C {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// listen listens on a free port.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)

	return l
}

// must ends the test if there is an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
