package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListenAddresses(t *testing.T) {
	tests := []struct {
		name  string
		hosts []string
		want  []string
	}{
		{"none", nil, nil},
		{"default", Default().Pgweir.ListenAddr, []string{"127.0.0.1:6432"}},
		{"all", []string{"*"}, []string{":6432"}},
		{"several", []string{"::1", "localhost"}, []string{"[::1]:6432", "localhost:6432"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Default().Pgweir
			p.ListenAddr = tt.hosts
			if diff := cmp.Diff(tt.want, p.ListenAddresses()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// poolConfig is a configuration in which everything is set at every level.
func poolConfig(t testing.TB) *Config {
	t.Helper()
	l := newLoader()
	l.parse("pools.toml", []byte(`
[pgweir]
auth_type = "trust"
default_pool_size = 20
min_pool_size = 5
reserve_pool_size = 2
max_db_connections = 100
max_user_connections = 50
[databases.plain]
[databases.own]
dbname = "other"
pool_size = 10
min_pool_size = 8
reserve_pool_size = 0
max_db_connections = 0
pool_mode = "session"
[databases."*"]
host = "elsewhere"
pool_size = 30
[users.small]
pool_size = 3
pool_mode = "statement"
max_user_connections = 0
`))
	cfg, err := l.finish()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestPool(t *testing.T) {
	cfg := poolConfig(t)
	pins := cfg.Pgweir.On
	tests := []struct {
		database, user string
		want           Pool
	}{
		{"plain", "anybody", Pool{PoolTransaction, 20, 5, 2, 100, 50, pins}},
		{"plain", "small", Pool{PoolStatement, 3, 3, 2, 100, 0, pins}},
		{"own", "anybody", Pool{PoolSession, 10, 8, 0, 0, 50, pins}},
		{"own", "small", Pool{PoolStatement, 3, 3, 0, 0, 0, pins}},
		{"unlisted", "anybody", Pool{PoolTransaction, 30, 5, 2, 100, 50, pins}},
	}
	for _, tt := range tests {
		t.Run(tt.database+"/"+tt.user, func(t *testing.T) {
			got, ok := cfg.Pool(tt.database, tt.user)
			if !ok {
				t.Fatal("no pool")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDatabase(t *testing.T) {
	cfg := poolConfig(t)
	tests := []struct{ name, wantHost, wantDBName string }{
		{"plain", "127.0.0.1", "plain"},
		{"own", "127.0.0.1", "other"},
		{"unlisted", "elsewhere", "unlisted"},
		{"*", "elsewhere", "*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, ok := cfg.Database(tt.name)
			if !ok || db.Host != tt.wantHost || db.DBName != tt.wantDBName {
				t.Errorf("Database = %+v, %v; want host %s, dbname %s", db, ok, tt.wantHost, tt.wantDBName)
			}
		})
	}
}

func TestUnknownDatabase(t *testing.T) {
	cfg := Default()
	if _, ok := cfg.Database("shop"); ok {
		t.Error("Database found shop in no databases")
	}
	if _, ok := cfg.Pool("shop", "app"); ok {
		t.Error("Pool found shop in no databases")
	}
}

// TestDefaultsAreNotShared holds that nobody can change the defaults of others.
func TestDefaultsAreNotShared(t *testing.T) {
	Default().Pgweir.ListenAddr[0] = "changed"
	if got := Default().Pgweir.ListenAddr[0]; got != "127.0.0.1" {
		t.Errorf("the default is now %s", got)
	}
}

func TestProblemString(t *testing.T) {
	tests := []struct {
		problem Problem
		want    string
	}{
		{Problem{Message: "m"}, "m"},
		{Problem{Path: "p", Message: "m", Suggestion: "s"}, "p: m; s"},
		{Problem{File: "f", Path: "p", Message: "m"}, "f: p: m"},
		{Problem{File: "f", Line: 3, Path: "p", Message: "m"}, "f:3: p: m"},
		{Problem{File: "f", Line: 3, Col: 9, Message: "m"}, "f:3:9: m"},
	}
	for _, tt := range tests {
		if got := tt.problem.String(); got != tt.want {
			t.Errorf("String = %q, want %q", got, tt.want)
		}
	}
}

// TestPolicies: a database says what becomes of leftovers where it differs from [pgweir].
func TestPolicies(t *testing.T) {
	l := newLoader()
	l.parse("policies.toml", []byte(`
[pgweir]
auth_type = "trust"
on_listen = "reject"
[databases.own]
on_load = "ignore"
on_listen = "pin"
[databases.other]
[users.anybody]
`))
	cfg, err := l.finish()
	if err != nil {
		t.Fatal(err)
	}
	own, _ := cfg.Pool("own", "anybody")
	other, _ := cfg.Pool("other", "anybody")
	if own.On[LeftoverListen] != PolicyPin || own.On[LeftoverLoad] != PolicyIgnore || own.On[LeftoverPrepare] != PolicyPin {
		t.Errorf("own: %q", own.On)
	}
	if other.On[LeftoverListen] != PolicyReject || other.On[LeftoverLoad] != PolicyPin {
		t.Errorf("other: %q", other.On)
	}
}
