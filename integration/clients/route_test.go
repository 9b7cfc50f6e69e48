package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

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
	file := filepath.Join(dir, "pgweir.toml")
	writeConfig(t, file, configOf(name, dir, c, passwords))
	p := startPgweir(t, file)
	// Drivers name the socket by the port, which pgweir did not know when it made it.
	if err := os.Symlink(".s.PGSQL.0", filepath.Join(dir, ".s.PGSQL."+strconv.Itoa(p.port))); err != nil {
		t.Fatal(err)
	}

	return route{name: name, host: "127.0.0.1", port: p.port, socketDir: dir}
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

// writeConfig writes a configuration file.
func writeConfig(t testing.TB, path string, content map[string]any) {
	t.Helper()
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(content); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A pgweir is a running pgweir.
type pgweir struct {
	cmd   *exec.Cmd
	log   *logOutput
	ended chan struct{} // closed once the process has ended
	port  int
}

// The patience with pgweir, on a busy machine.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 40 * time.Second // more than the drain may take
)

// startPgweir starts pgweir and waits until it listens.
func startPgweir(t testing.TB, file string) *pgweir {
	t.Helper()
	p := &pgweir{log: new(logOutput), ended: make(chan struct{})}
	p.cmd = exec.Command(pgweirBuild.binary(t), "serve", "-c", file)
	p.cmd.Stderr = p.log
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else the race detector sleeps for 1 s at exit
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process, which stop waits for
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.stop(t) })
	p.port = p.awaitPort(t)

	return p
}

// awaitPort waits until pgweir has told the port that it listens on.
func (p *pgweir) awaitPort(t testing.TB) int {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); <-ticker.C {
		if port := p.log.port(); port != 0 {
			return port
		}
		select {
		case <-p.ended:
			t.Fatalf("pgweir has ended: %v; its log:\n%s", p.cmd.ProcessState, p.log)
		default:
		}
	}
	t.Fatalf("pgweir does not listen after %v; its log:\n%s", startTimeout, p.log)

	return 0
}

// stop ends pgweir in an orderly way. No client may make it log an error.
func (p *pgweir) stop(t testing.TB) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // the stacks go to the log
		<-p.ended
		t.Errorf("pgweir was still running after %v", stopTimeout)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("pgweir: exit code %d after SIGTERM", code)
	}
	for _, line := range p.log.alarming() {
		t.Errorf("in pgweir's log: %s", line)
	}
	if t.Failed() {
		t.Logf("end of pgweir's log:\n%s", p.log.tail())
	}
}

// logOutput collects what pgweir writes, JSON lines but for the race detector and a
// crash.
type logOutput struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logOutput) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.Write(p)
}

// String returns all that was written.
func (l *logOutput) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.String()
}

// tail returns the end of it.
func (l *logOutput) tail() string {
	const limit = 4 << 10
	s := l.String()

	return s[max(0, len(s)-limit):]
}

// port returns the TCP port that pgweir says it listens on, or 0.
func (l *logOutput) port() int {
	for line := range strings.Lines(l.String()) {
		var fields struct{ Msg, Addr string }
		if json.Unmarshal([]byte(line), &fields) != nil || fields.Msg != "listening" {
			continue
		}
		_, port, err := net.SplitHostPort(fields.Addr)
		if n, atoiErr := strconv.Atoi(port); err == nil && atoiErr == nil {
			return n
		}
	}

	return 0
}

// alarming returns the lines that no client should cause.
func (l *logOutput) alarming() []string {
	var lines []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, "DATA RACE") || strings.Contains(line, "panic") ||
			strings.Contains(line, `"level":"error"`) {
			lines = append(lines, line)
		}
	}

	return lines
}

// seconds formats a duration for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
