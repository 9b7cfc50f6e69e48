package clients

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pgweir/pgweir/integration/clienttest"
	"github.com/pgweir/pgweir/internal/postgres"
)

// The routes to PostgreSQL, in the order in which they are tried: what does not work
// directly says nothing about pgweir.
const (
	direct      = "direct"
	session     = "session"
	transaction = "transaction"
)

// routes returns the routes in that order.
func routes() []string { return []string{direct, session, transaction} }

// A route is one way to PostgreSQL.
type route struct {
	name      string // one of the routes
	host      string // an IP address
	port      int
	socketDir string // of the unix socket at the same port
}

// url returns the connection string of a database.
func (r route) url(user, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort(r.host, strconv.Itoa(r.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}

	return u.String()
}

// The servers of a pool. In transaction mode they are few, and used in turn; in session
// mode each client needs one.
const (
	transactionPool = 3
	sessionPool     = 60
)

// openRoute returns a route to a cluster, for the users with these passwords. What it
// starts it stops at the end of the test.
func openRoute(t testing.TB, name string, c *postgres.Cluster, passwords map[string]string) route {
	t.Helper()
	if name == direct {
		return route{name: name, host: c.Host, port: c.Port, socketDir: c.SocketDir}
	}
	dir := t.TempDir()
	p := clienttest.Start(t, &pgweirBuild, configOf(name, dir, c, passwords))
	// Drivers name the socket by the port, which pgweir did not know when it made it.
	if err := os.Symlink(".s.PGSQL.0", filepath.Join(dir, ".s.PGSQL."+strconv.Itoa(p.Port))); err != nil {
		t.Fatal(err)
	}

	return route{name: name, host: "127.0.0.1", port: p.Port, socketDir: dir}
}

// configOf returns the contents of the configuration file for a route.
func configOf(name, dir string, c *postgres.Cluster, passwords map[string]string) map[string]any {
	settings := map[string]any{
		"pool_mode":          name,
		"default_pool_size":  sessionPool,
		"listen_port":        0,
		"unix_socket_dir":    dir,
		"http_listen":        "",
		"log_format":         "json",
		"log_connections":    false,
		"log_disconnections": false,
		"loops":              2,
		"query_wait_timeout": "30s",
		// Some tests leave a transaction open for good.
		"idle_transaction_timeout": "5s",
	}
	if name == transaction {
		settings["default_pool_size"] = transactionPool
		settings["server_round_robin"] = true
	}
	users := make(map[string]any)
	for user, password := range passwords {
		users[user] = map[string]any{"password": password}
	}

	return map[string]any{
		"pgweir":    settings,
		"databases": map[string]any{"*": map[string]any{"host": c.Host, "port": c.Port}},
		"users":     users,
	}
}

// seconds formats a duration for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
