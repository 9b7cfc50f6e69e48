package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/wire"
)

// connect returns a connection that is closed when the test ends.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })

	return conn
}

func TestDev(t *testing.T) {
	pgtest.Binaries(t)
	unprivileged, err := postgres.UnprivilegedUser()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		account *syscall.Credential
		signal  syscall.Signal
	}{
		{"Ctrl-C", nil, syscall.SIGINT},
		{"closed terminal", nil, syscall.SIGHUP},
		{"SIGTERM, not as root", unprivileged, syscall.SIGTERM}, // nil again if we are not root
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startDev(t, tt.account)
			url := p.await(t, "URL")
			if want := "psql '" + url + "'"; p.await(t, "psql") != want {
				t.Errorf("there is no line to paste: %s", want)
			}
			awaitStatus(t, p.await(t, "metrics"), http.StatusOK)

			var orders int
			resting := connect(t, url)
			if err := resting.QueryRow(t.Context(), "SELECT count(*) FROM orders").Scan(&orders); err != nil || orders == 0 {
				t.Errorf("the sample has %d orders, error %v", orders, err)
			}
			p.interrupt(t, tt.signal)
			mustBeToldOfShutdown(t, resting)
			p.mustEnd(t, exitOK)
		})
	}
}

// awaitStatus waits until a web page answers with a status.
func awaitStatus(t *testing.T, url string, want int) {
	t.Helper()
	timeout := time.After(waitLimit)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == want {
			return
		}
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("%s still answers %s", url, resp.Status)
		}
	}
}

// mustBeToldOfShutdown fails the test unless the next thing that a client at rest
// hears is that pgweir ends. If PostgreSQL had been first it would say so in other
// words.
func mustBeToldOfShutdown(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	_, err := conn.WaitForNotification(ctx)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != wire.CodeAdminShutdown || !strings.Contains(pg.Message, "pgweir") {
		t.Errorf("the client hears %v", err)
	}
}

func TestDevLetsATransactionEnd(t *testing.T) {
	pgtest.Binaries(t)
	p := startDev(t, nil)
	conn := connect(t, p.await(t, "URL"))
	ready := strings.Replace(p.await(t, "metrics"), "/metrics", "/readyz", 1)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.interrupt(t, syscall.SIGTERM)
	awaitStatus(t, ready, http.StatusServiceUnavailable)
	if _, err := tx.Exec(t.Context(), "UPDATE products SET stock = 0 WHERE id = 1"); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	p.mustEnd(t, exitOK)
}

func TestDevInterruptedWhileStarting(t *testing.T) {
	pgtest.Binaries(t)
	p := startDev(t, nil)
	p.await(t, "Starting")
	p.interrupt(t, syscall.SIGINT)
	p.mustEnd(t, exitFailure)
}

func TestDevFrontsDatabaseURL(t *testing.T) {
	c := pgtest.Cluster(t)
	database := pgtest.NewDatabase(t)
	p := startDev(t, nil, databaseURLVariable+"="+c.URL(database))
	target := p.await(t, "URL")
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, shown := u.User.Password(); shown {
		t.Errorf("the password is shown: %s", target)
	}
	u.User = url.UserPassword(c.User, c.Password)

	var got string
	conn := connect(t, u.String())
	if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&got); err != nil || got != database {
		t.Errorf("connected to %q, want %q; error %v", got, database, err)
	}
	p.interrupt(t, syscall.SIGINT)
	p.mustEnd(t, exitOK)
	if strings.Contains(p.seen.String()+p.stderr.String(), c.Password) {
		t.Error("the password is in what it prints")
	}
}

func TestDevSaysWhichAddressIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	t.Setenv(databaseURLVariable, "postgres://app:app@127.0.0.1:1/shop") // nobody is asked
	tests := []struct {
		name, listenPort, httpListen, want string
	}{
		{"clients", strconv.Itoa(port), "", fmt.Sprintf("--set listen_port=%d", port+1)},
		{"HTTP", "0", taken.Addr().String(), "--set http_listen="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := pgweir(t, "dev",
				"--set", "listen_port="+tt.listenPort, "--set", "http_listen="+tt.httpListen)
			if code != exitFailure || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, stderr %q; want %q", code, stderr, tt.want)
			}
		})
	}
}

func TestDevRefusesBadSettings(t *testing.T) {
	t.Setenv(databaseURLVariable, "postgres://app:app@127.0.0.1:1/shop")
	if code, _, stderr := pgweir(t, "dev", "--set", "pool_modus=session"); code != exitConfig {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestClientURL(t *testing.T) {
	cfg, err := config.FromDatabaseURL("postgres://j%40ne:secret@10.0.0.1/s%2Fhop")
	if err != nil {
		t.Fatal(err)
	}
	const want = "postgres://j%40ne@127.0.0.1:6432/s%2Fhop"
	tests := []struct {
		name      string
		throwaway bool
		addr      net.Addr
		want      string
	}{
		{"loopback", false, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6432}, want},
		{"all interfaces", false, &net.TCPAddr{IP: net.IPv6unspecified, Port: 6432}, want},
		{"IPv6", false, &net.TCPAddr{IP: net.IPv6loopback, Port: 6432}, "postgres://j%40ne@[::1]:6432/s%2Fhop"},
		{
			"unix", false, &net.UnixAddr{Name: "/run/pgweir/.s.PGSQL.6432"},
			"postgres://j%40ne@/s%2Fhop?host=%2Frun%2Fpgweir&port=6432",
		},
		{
			"throwaway", true, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6432},
			"postgres://app:app@127.0.0.1:6432/s%2Fhop",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &dev{throwaway: tt.throwaway}
			got := d.clientURL(&app{config: cfg, listeners: []net.Listener{fakeListener{addr: tt.addr}}})
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if tt.throwaway {
				return
			}
			if _, err := pgx.ParseConfig(got); err != nil {
				t.Errorf("a driver does not read it: %v", err)
			}
		})
	}
}

// A fakeListener is a listener of which only the address is of interest.
type fakeListener struct {
	net.Listener
	addr net.Addr
}

func (l fakeListener) Addr() net.Addr { return l.addr }

func TestInstallPostgres(t *testing.T) {
	pgtest.Binaries(t)
	code, stdout, stderr := pgweir(t, "dev", "-install-postgres")
	if code != exitOK || stdout+stderr != "" {
		t.Errorf("exit code %d, output %q, where PostgreSQL is installed", code, stdout+stderr)
	}
	t.Setenv("PGWEIR_PG_BINDIR", os.TempDir())
	if code, _, stderr := pgweir(t, "dev", "-install-postgres"); code != exitFailure {
		t.Errorf("exit code %d without PostgreSQL: %s", code, stderr)
	}
}
