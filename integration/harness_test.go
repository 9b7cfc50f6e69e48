package integration

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/pgweir/pgweir/integration/clienttest"
	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// A table is one table of the configuration file.
type table = map[string]any

// options say what pgweir start starts. With the zero value any database of the
// shared cluster can be had, with its superuser and without a password.
type options struct {
	cluster   *postgres.Cluster // nil: the shared one
	settings  table             // of [pgweir], over the harness's own
	stats     table             // of [stats]
	databases map[string]table  // nil: "*", with the cluster's address
	users     map[string]table  // nil: the cluster's superuser
	build     *clienttest.Build // nil: with the race detector
	crowd     int               // how many clients are busy at a time; 0: some
	// clientsStay is set when clients are still there at the end, on purpose.
	clientsStay bool
}

// A pgweir is a running pgweir.
type pgweir struct {
	t       testing.TB
	options options
	cluster *postgres.Cluster
	cmd     *exec.Cmd
	log     *logOutput
	db      string // a database of its own in the cluster
	addr    string // for clients
	httpURL string
	base    resources     // before the first client
	ended   chan struct{} // closed once the process has ended
	stopped bool          // by the test itself
}

// The patience of the harness, on a busy machine.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
	quiesceTime  = 10 * time.Second
)

// start starts pgweir, waits until it is ready, and stops it at the end of the test.
func start(t testing.TB, o options) *pgweir {
	t.Helper()
	if o.cluster == nil {
		o.cluster = pgtest.Cluster(t)
	}
	if o.crowd == 0 {
		o.crowd = 40
	}
	if o.build == nil {
		o.build = &raceBuild
	}
	p := &pgweir{t: t, options: o, cluster: o.cluster, log: new(logOutput), ended: make(chan struct{})}
	p.db = p.newDatabase()
	file := filepath.Join(t.TempDir(), "pgweir.toml")
	writeConfig(t, file, configOf(o))
	p.cmd = exec.Command(o.build.Binary(t), "serve", "-c", file)
	p.cmd.Stderr = p.log
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else the race detector sleeps for 1 s at exit
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process, which the cleanup waits for
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(p.stop)
	p.addr = p.awaitLog("listening", "addr")
	p.httpURL = p.awaitLog("metrics and health", "url")
	p.base = p.resources()

	return p
}

// configOf returns the contents of the configuration file.
func configOf(o options) table {
	settings := table{
		"listen_port": 0,
		"http_listen": "127.0.0.1:0",
		"auth_type":   "trust",
		"log_format":  "json",
		"loops":       2,
	}
	maps.Copy(settings, o.settings)
	databases, users := o.databases, o.users
	if databases == nil {
		databases = map[string]table{"*": serverOf(o.cluster)}
	}
	if users == nil {
		users = map[string]table{o.cluster.User: {"password": o.cluster.Password}}
	}

	all := table{"pgweir": settings, "databases": databases, "users": users}
	if o.stats != nil {
		all["stats"] = o.stats
	}

	return all
}

// serverOf returns an entry of [databases] for a cluster, with more settings.
func serverOf(c *postgres.Cluster, more ...table) table {
	entry := table{"host": c.Host, "port": c.Port}
	for _, m := range more {
		maps.Copy(entry, m)
	}

	return entry
}

// writeConfig writes a configuration file.
func writeConfig(t testing.TB, path string, content table) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := toml.NewEncoder(f).Encode(content); err != nil {
		t.Fatal(err)
	}
}

// awaitLog waits for a line of the log and returns one of its fields.
func (p *pgweir) awaitLog(message, field string) string {
	p.t.Helper()
	var value string
	await(p.t, startTimeout, "the line "+message, func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("pgweir has ended: %v; its log:\n%s", p.cmd.ProcessState, p.log)
		default:
		}
		line, ok := p.log.Find(message)
		if ok {
			value, _ = line[field].(string)
		}

		return ok
	})

	return value
}

// signal sends a signal to pgweir.
func (p *pgweir) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// awaitExit waits until pgweir has ended and returns its exit code.
func (p *pgweir) awaitExit(limit time.Duration) int {
	p.t.Helper()
	p.stopped = true
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.signal(syscall.SIGQUIT) // the stacks go to the log
		<-p.ended
		p.t.Fatalf("pgweir is still running after %v; its log:\n%s", limit, p.log)
	}

	return p.cmd.ProcessState.ExitCode()
}

// stop ends pgweir in an orderly way and checks that it leaves nothing behind: no
// descriptor or goroutine once its clients are gone, no connection in PostgreSQL
// once it has ended itself, no data race, panic or error in its log.
func (p *pgweir) stop() {
	defer func() {
		if p.t.Failed() {
			p.t.Logf("end of pgweir's log:\n%s", p.log.Tail())
		}
	}()
	if !p.stopped {
		if !p.options.clientsStay {
			p.checkQuiet()
		}
		p.signal(syscall.SIGTERM)
		if code := p.awaitExit(stopTimeout); code != 0 {
			p.t.Errorf("exit code %d after SIGTERM", code)
		}
	}
	for _, line := range p.log.Alarming() {
		p.t.Errorf("in the log: %s", line)
	}
	p.checkServersGone()
}

// checkServersGone checks that PostgreSQL has no connection of pgweir left.
func (p *pgweir) checkServersGone() {
	await(p.t, quiesceTime, "the end of pgweir's connections to PostgreSQL", func() bool {
		return p.backends("true") == 0
	})
}

// await waits until ok returns true. Whoever calls it must be the test's goroutine.
func await(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	const pause = 5 * time.Millisecond
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for deadline := time.Now().Add(limit); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}
