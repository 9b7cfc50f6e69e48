package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/config"
)

// settings returns settings in which no two numbers are alike. The auth file exists.
func settings(t *testing.T) poolSettings {
	t.Helper()
	authFile := filepath.Join(t.TempDir(), "userlist.txt")
	if err := os.WriteFile(authFile, []byte(`"bench" "bench"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return poolSettings{
		poolSize: 21, maxClients: 1001, authType: "scram-sha-256", loops: 2, noStats: true,
		port: 6433, serverPort: 5433, authFile: authFile,
	}
}

// TestPgweirConfig checks that pgweir understands what the bench writes, and understands it as it is meant.
func TestPgweirConfig(t *testing.T) {
	s := settings(t)
	path := filepath.Join(t.TempDir(), "pgweir.toml")
	if err := os.WriteFile(path, []byte(pgweirConfig(s)), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Source{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	got := poolSettings{
		poolSize: cfg.Pgweir.DefaultPoolSize, maxClients: cfg.Pgweir.MaxClientConn,
		authType: string(cfg.Pgweir.AuthType), loops: cfg.Pgweir.Loops,
		noStats: !cfg.Stats.Enabled,
		port:    cfg.Pgweir.ListenPort, serverPort: cfg.Databases[benchDatabase].Port, authFile: cfg.Pgweir.AuthFile,
	}
	if diff := cmp.Diff(s, got, cmp.AllowUnexported(poolSettings{})); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if cfg.Pgweir.LogConnections || cfg.Pgweir.LogDisconnections {
		t.Error("pgweir would log connections")
	}
}

func TestPgbouncerConfig(t *testing.T) {
	s := settings(t)
	got := strings.Split(pgbouncerConfig(s), "\n")
	for _, line := range []string{
		"bench = host=127.0.0.1 port=5433 dbname=bench", "listen_port = 6433", "default_pool_size = 21",
		"max_client_conn = 1001", "auth_type = scram-sha-256", "auth_file = " + s.authFile,
		"pool_mode = transaction", "log_connections = 0", "log_disconnections = 0",
	} {
		if !slices.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, strings.Join(got, "\n"))
		}
	}
}

func TestWithoutSettings(t *testing.T) {
	got := withoutSettings([]string{"HOME=/root", "PGWEIR_LISTEN_PORT=1", "PGWEIRD=x"})
	if diff := cmp.Diff([]string{"HOME=/root", "PGWEIRD=x"}, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}
