package integration

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// listenLocal listens on a free port.
func listenLocal(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	return l
}

// portOf is the port that l listens on.
func portOf(l net.Listener) int {
	return l.Addr().(*net.TCPAddr).Port
}

// psql runs psql through pgweir.
func (p *pgweir) psql(t testing.TB, sslMode, sql string) (string, error) {
	t.Helper()
	path := pgtest.Binaries(t).Psql
	if path == "" {
		pgtest.Require(t, errors.New("psql is not installed"))
	}
	host, port, _ := net.SplitHostPort(p.addr)
	cmd := exec.Command(path, "-X", "-A", "-t", "-w", "-c", sql, fmt.Sprintf(
		"host=%s port=%s user=%s password=%s dbname=%s sslmode=%s",
		host, port, p.cluster.User, p.cluster.Password, p.db, sslMode,
	))
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PGCONNECT_TIMEOUT=20")
	out, err := cmd.CombinedOutput()

	return strings.TrimSpace(string(out)), err
}

func TestPsql(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"auth_type": "scram-sha-256"}})
	for _, mode := range []string{"disable", "prefer"} { // prefer asks for TLS, hears no, and goes on
		if out, err := p.psql(t, mode, "SELECT 6 * 7"); err != nil || out != "42" {
			t.Errorf("sslmode=%s: got %q, %v", mode, out, err)
		}
	}
	out, err := p.psql(t, "require", "SELECT 1")
	if err == nil || !strings.Contains(out, "server does not support SSL, but SSL was required") {
		t.Errorf("sslmode=require: got %q, %v", out, err)
	}
}

func TestEncryptionRequests(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	ssl, gss := encode(&pgproto3.SSLRequest{}), encode(&pgproto3.GSSEncRequest{})
	tests := []struct {
		name     string
		requests [][]byte
	}{
		{"ssl", [][]byte{ssl}},
		{"gss", [][]byte{gss}},
		{"gss then ssl", [][]byte{gss, ssl}},
		{"ssl then gss", [][]byte{ssl, gss}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := p.dial(t)
			for _, request := range tt.requests {
				c.write(request)
				var answer [1]byte
				if _, err := c.nc.Read(answer[:]); err != nil || answer[0] != 'N' {
					t.Fatalf("got %q, %v, want N", answer, err)
				}
			}
			c.startup(p.cluster.User, p.db)
			if answer := c.answer(); answer[len(answer)-1] != "Z I" {
				t.Fatalf("login: got %q", answer)
			}
			wantLines(t, c.query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
		})
	}
	t.Run("twice", func(t *testing.T) {
		c := p.dial(t)
		c.write(ssl)
		_, _ = c.nc.Read(make([]byte, 1))
		c.write(ssl)
		c.expect(t, "E FATAL 0A000", closed)
	})
	t.Run("bytes behind the request", func(t *testing.T) {
		c := p.dial(t)
		c.write(append(ssl, encode(&pgproto3.Query{String: "SELECT 1"})...))
		c.expect(t, "E FATAL 08P01", closed)
	})
}

func TestProtocolVersions(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	tests := []struct {
		minor     uint32
		option    string
		want      string // the first message
		secretLen int
	}{
		{0, "", "AuthenticationOk", 4},
		{0, "_pq_.x", "v 30000 [_pq_.x]", 4},
		{1, "", "v 30000 []", 4},
		{2, "", "AuthenticationOk", 32},
		{2, "_pq_.x", "v 30002 [_pq_.x]", 32},
		{3, "", "v 30002 []", 32},
		{9999, "_pq_.test_protocol_negotiation", "v 30002 [_pq_.test_protocol_negotiation]", 32},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("3.%d%s", tt.minor, tt.option), func(t *testing.T) {
			c := p.dial(t)
			parameters := map[string]string{"user": p.cluster.User, "database": p.db}
			if tt.option != "" {
				parameters[tt.option] = ""
			}
			c.send(&pgproto3.StartupMessage{ProtocolVersion: 3<<16 | tt.minor, Parameters: parameters})
			answer := c.answer()
			if answer[0] != tt.want || answer[len(answer)-1] != "Z I" {
				t.Fatalf("got %q, want it to begin with %q", answer, tt.want)
			}
			if n := len(c.key.SecretKey); n != tt.secretLen {
				t.Errorf("the cancel key has %d bytes, want %d", n, tt.secretLen)
			}
			wantLines(t, c.query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
		})
	}
}
