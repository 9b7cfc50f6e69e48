package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// readyTimeout is how long a pooler may take from its start until it answers a login.
const readyTimeout = 10 * time.Second

// readyPoll is the pause between two tries to log in to a pooler that is starting.
const readyPoll = 20 * time.Millisecond

// program is a pooler that is installed: what can be started.
type program struct {
	name    string
	path    string
	version string // as it names itself
	// configure returns the text of a configuration file.
	configure func(poolSettings) string
	// arguments returns the command line that makes it serve from that file.
	arguments func(configPath string) []string
}

// poolSettings says how a pooler shall be set up. Both contestants of a scenario get the same.
type poolSettings struct {
	poolSize   int
	maxClients int
	authType   string // trust or scram-sha-256
	loops      int    // pgweir's event loops; 0: its default. PgBouncer always has one.
	noStats    bool   // pgweir measures no statements

	port       int    // where it listens, on loopback
	serverPort int    // where PostgreSQL listens, on loopback
	authFile   string // in the format of PgBouncer's userlist.txt
}

// pooler is one running pooler process.
type pooler struct {
	*process
	name string
	port int
}

// startPooler starts a program with a configuration of its own and waits until it answers. The caller must stop it.
func (b *lab) startPooler(ctx context.Context, prog *program, s poolSettings) (*pooler, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s.port, s.serverPort, s.authFile = port, b.serverPort, b.authFile
	config := filepath.Join(b.dir, prog.name+".conf")
	if err := os.WriteFile(config, []byte(prog.configure(s)), 0o644); err != nil {
		return nil, err
	}
	log := filepath.Join(b.dir, prog.name+".log")
	proc, err := startProcess(prog.path, prog.arguments(config), b.unprivileged, log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", prog.name, err)
	}
	p := &pooler{process: proc, name: prog.name, port: port}
	if err := p.awaitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w\nits log ends:\n%s", prog.name, err, p.logTail()), p.stop())
	}
	return p, nil
}

// awaitReady tries to log in until the pooler answers, be it only to ask for a password.
func (p *pooler) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		c, err := dialClient(ctx, p.port)
		if err == nil {
			return c.close()
		}
		if errors.Is(err, errNeedsPassword) {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("it ended: %v", p.err)
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", errors.Join(ctx.Err(), err))
		case <-time.After(readyPoll):
		}
	}
}

// freePort returns a TCP port of the loopback interface that is free now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// findPgBouncer returns the pgbouncer on PATH, or nil if there is none. Debian keeps it in /usr/sbin, which is not on
// everybody's PATH.
func findPgBouncer(ctx context.Context) *program {
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil {
		return nil
	}
	return &program{
		name: "pgbouncer", path: path, version: firstLine(ctx, path, "--version"),
		configure: pgbouncerConfig,
		arguments: func(config string) []string { return []string{config} },
	}
}

// pgweirProgram returns the pgweir at path.
func pgweirProgram(ctx context.Context, path string) *program {
	return &program{
		name: "pgweir", path: path, version: firstLine(ctx, path, "version"),
		configure: pgweirConfig,
		arguments: func(config string) []string { return []string{"serve", "-c", config} },
	}
}

// buildPgWeir compiles pgweir into dir and returns the path of the binary.
func buildPgWeir(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "pgweir")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/pgweir/pgweir/cmd/pgweir")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build pgweir: %w\n%s", err, output)
	}
	return path, nil
}

// firstLine runs a command and returns the first line it prints, "unknown" if it cannot.
func firstLine(ctx context.Context, path string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	output, err := exec.CommandContext(ctx, path, args...).Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	if err != nil || line == "" {
		return "unknown"
	}
	return line
}

// pgbouncerConfig returns a pgbouncer.ini. What it does not set is PgBouncer's default; log_stats is off because a line
// a minute is no part of the work that is compared.
func pgbouncerConfig(s poolSettings) string {
	return iniFile(
		"[databases]",
		benchDatabase+" = host="+loopback+" port="+strconv.Itoa(s.serverPort)+" dbname="+benchDatabase,
		"[pgbouncer]",
		"listen_addr = "+loopback,
		"listen_port = "+strconv.Itoa(s.port),
		"unix_socket_dir =",
		"pool_mode = transaction",
		"default_pool_size = "+strconv.Itoa(s.poolSize),
		"max_client_conn = "+strconv.Itoa(s.maxClients),
		"auth_type = "+s.authType,
		"auth_file = "+s.authFile,
		"log_connections = 0",
		"log_disconnections = 0",
		"log_stats = 0",
	)
}

// pgweirConfig returns a pgweir.toml that says the same.
func pgweirConfig(s poolSettings) string {
	return iniFile(
		"[pgweir]",
		"listen_addr = "+strconv.Quote(loopback),
		"listen_port = "+strconv.Itoa(s.port),
		`unix_socket_dir = ""`,
		`http_listen = ""`,
		`pool_mode = "transaction"`,
		"default_pool_size = "+strconv.Itoa(s.poolSize),
		"max_client_conn = "+strconv.Itoa(s.maxClients),
		"auth_type = "+strconv.Quote(s.authType),
		"auth_file = "+strconv.Quote(s.authFile),
		"loops = "+strconv.Itoa(s.loops),
		"log_connections = false",
		"log_disconnections = false",
		"[stats]",
		"enabled = "+strconv.FormatBool(!s.noStats),
		"[databases."+benchDatabase+"]",
		"host = "+strconv.Quote(loopback),
		"port = "+strconv.Itoa(s.serverPort),
		"dbname = "+strconv.Quote(benchDatabase),
	)
}

// iniFile joins the lines of a configuration file.
func iniFile(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
