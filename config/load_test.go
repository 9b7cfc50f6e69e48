package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// ignoreOrigins compares what is set, not where from.
var ignoreOrigins = cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()}

// withoutWarnings leaves out the warnings too, which depend on the permissions of
// the checked-out files.
var withoutWarnings = cmp.Options{ignoreOrigins, cmpopts.IgnoreFields(Config{}, "Warnings")}

func TestLoadGoodFiles(t *testing.T) {
	database := Database{
		Host: "127.0.0.1", Port: 5432,
		MinPoolSize: Inherit, ReservePoolSize: Inherit, MaxDBConnections: Inherit,
	}
	tests := []struct {
		file string
		want func(c *Config) // makes it out of the defaults
	}{
		{"minimal.good.toml", func(c *Config) {
			c.Pgweir.AuthType = AuthTrust
			c.Databases["*"] = database
		}},
		{"everything.good.toml", func(c *Config) {
			c.Pgweir.ListenAddr = []string{"127.0.0.1", "::1", "*"}
			c.Pgweir.ListenPort = 0
			c.Pgweir.UnixSocketDir = "/tmp"
			c.Pgweir.UnixSocketMode = 0o700
			c.Pgweir.HTTPListen = ""
			c.Pgweir.PoolMode = PoolSession
			c.Pgweir.DefaultPoolSize = 5
			c.Pgweir.MinPoolSize = 5
			c.Pgweir.QueryTimeout = 30 * time.Second
			c.Pgweir.QueryWaitTimeout = 1500 * time.Millisecond
			c.Pgweir.ClientIdleTimeout = 90 * time.Minute
			c.Pgweir.IdleTransactionTimeout = 250 * time.Millisecond
			c.Pgweir.ServerLifetime = 0
			c.Pgweir.ServerIdleTimeout = 0
			c.Pgweir.TCPUserTimeout = 30 * time.Second
			c.Pgweir.TCPKeepidle = time.Minute
			c.Pgweir.LogConnections = false
			c.Pgweir.MaxDBConnections = 50

			shop := database
			shop.Host, shop.Port, shop.DBName = "/var/run/postgresql", 5433, "shop"
			shop.User, shop.Password = "owner", "p"
			c.Databases["my shop"] = shop

			other := database
			other.Host, other.PoolSize, other.MinPoolSize = "db.internal", 7, 0
			other.MaxDBConnections, other.PoolMode = 0, PoolStatement
			c.Databases["*"] = other

			c.Users["o'neil"] = User{
				Password: "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
				PoolSize: 2, MaxUserConnections: 3,
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			got, err := Load(Source{Path: filepath.Join("testdata", tt.file)})
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			tt.want(want)
			if diff := cmp.Diff(want, got, withoutWarnings); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLoadBadFiles holds every message of every bad file: NAME.bad.txt has those of
// NAME.bad.toml, one to a line.
func TestLoadBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, err := Load(Source{Path: file})
			var problems Problems
			if !errors.As(err, &problems) || cfg != nil {
				t.Fatalf("Load = %v, %v, want Problems alone", cfg, err)
			}

			got := problems.Error() + "\n"
			golden := strings.TrimSuffix(file, ".toml") + ".txt"
			if *update {
				writeFile(t, golden, got, 0o644)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("the password is in the message:\n%s", got)
			}
		})
	}
}

func TestLoadUnreadable(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.toml"), "cannot be read: no such file or directory; config.toml.example"},
		{"directory", dir, "cannot be read: is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(Source{Path: tt.path})
			if err == nil || !strings.HasPrefix(err.Error(), tt.path+": "+tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Load = %v, want the one problem %q", err, tt.want)
			}
		})
	}
}

// TestLoadNothing holds that without any source the missing database is the
// problem, beside the missing users.
func TestLoadNothing(t *testing.T) {
	_, err := Load(Source{})
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("Load = %v", err)
	}
	var paths []string
	for _, p := range problems {
		paths = append(paths, p.Path)
	}
	if diff := cmp.Diff([]string{"pgweir.auth_type", "databases"}, paths); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPrecedence holds that defaults, file, environment and flags are laid over
// each other in this order, and that Values says so.
func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pgweir.toml")
	writeFile(t, file, `
[pgweir]
auth_type = "trust"
listen_port = 1
max_client_conn = 1
loops = 1
[databases.shop]
port = 1
pool_size = 1
`, 0o600)
	cfg, err := Load(Source{
		Path:  file,
		Env:   []string{"PGWEIR_LISTEN_PORT=2", "PGWEIR_MAX_CLIENT_CONN=2", "PGWEIR_DATABASES_SHOP_PORT=2", "HOME=/"},
		Flags: map[string]string{"listen_port": "3", "pgweir.log_level": "debug", "databases.shop.dbname": "s"},
	})
	if err != nil {
		t.Fatal(err)
	}

	type value struct {
		text   string
		origin Origin
	}
	got := map[string]value{}
	for v := range cfg.Values() {
		got[v.Path(v.Entry)] = value{v.Text, v.Origin}
	}
	want := map[string]value{
		"pgweir.pool_mode":         {"transaction", OriginDefault},
		"pgweir.loops":             {"1", OriginFile},
		"pgweir.max_client_conn":   {"2", OriginEnv},
		"pgweir.listen_port":       {"3", OriginFlag},
		"pgweir.log_level":         {"debug", OriginFlag},
		"databases.shop.pool_size": {"1", OriginFile},
		"databases.shop.port":      {"2", OriginEnv},
		"databases.shop.dbname":    {"s", OriginFlag},
		"databases.shop.host":      {"127.0.0.1", OriginDefault},
	}
	for path, w := range want {
		if got[path] != w {
			t.Errorf("%s = %+v, want %+v", path, got[path], w)
		}
	}
}

// TestRefusedIsNotComparedWith holds that a value that was refused is one problem,
// not also one of every setting that is compared with it.
func TestRefusedIsNotComparedWith(t *testing.T) {
	l := newLoader()
	l.parse("x.toml", []byte(`[pgweir]
auth_type = "trust"
default_pool_size = "50"
min_pool_size = 30
[databases.a]
`))
	_, err := l.finish()
	want := `x.toml:3: pgweir.default_pool_size: expected an integer of at least 1, got the string "50"`
	if err == nil || err.Error() != want {
		t.Errorf("finish = %v, want only %s", err, want)
	}
}

func TestFlagProblems(t *testing.T) {
	tests := []struct{ name, flag, text, want string }{
		{"unknown", "listen_prt", "1", "--listen_prt: unknown setting; did you mean listen_port?"},
		{"unknown table", "database.a.port", "1", "--database.a.port: unknown setting; did you mean databases?"},
		{"unknown key", "databases.a.prt", "1", "--databases.a.prt: unknown setting; did you mean port?"},
		{
			"no entry", "databases.b.port", "1",
			"--databases.b.port: there is no [databases.b]; add it to the file; a flag only changes what is there",
		},
		{
			"no entry named", "databases.port", "1",
			`--databases.port: there is no [databases.""]; add it to the file; a flag only changes what is there`,
		},
		{"value", "listen_port", "x", `--listen_port: expected an integer from 0 to 65535, got the string "x"`},
		{
			"entry of a single table", "pgweir.a.loops", "1",
			"--pgweir.a.loops: there is no [pgweir.a]; add it to the file; a flag only changes what is there",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoader()
			l.parse("x.toml", []byte("[pgweir]\nauth_type = \"trust\"\n[databases.a]\n"))
			l.readFlags(map[string]string{tt.flag: tt.text})
			_, err := l.finish()
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestFlagEntryWithDots holds that only the first and the last dot separate.
func TestFlagEntryWithDots(t *testing.T) {
	l := newLoader()
	l.parse("x.toml", []byte("[pgweir]\nauth_type = \"trust\"\n[databases.\"a.b.c\"]\n"))
	l.readFlags(map[string]string{"databases.a.b.c.port": "7"})
	cfg, err := l.finish()
	if err != nil || cfg.Databases["a.b.c"].Port != 7 {
		t.Errorf("finish = %+v, %v", cfg, err)
	}
}

func TestAuthFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "userlist.txt")
	writeFile(t, file, `"app" "secret"`, 0o600)
	shared := filepath.Join(dir, "shared.txt")
	writeFile(t, shared, `"app" "secret"`, 0o644)

	tests := []struct{ name, path, wantErr, wantWarning string }{
		{"there", file, "", ""},
		{"shared", shared, "", "pgweir.auth_file: the file can be read by others " +
			"than its owner (mode 0644): chmod 600 " + shared},
		{"missing", filepath.Join(dir, "none"), "there is no file " + filepath.Join(dir, "none"), ""},
		{"directory", dir, dir + " is a directory", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoader()
			l.parse("x.toml", []byte("[databases.a]\n"))
			l.readEnv([]string{"PGWEIR_AUTH_FILE=" + tt.path})
			cfg, err := l.finish()
			if tt.wantErr != "" {
				if want := "pgweir.auth_file: " + tt.wantErr; err == nil || err.Error() != want {
					t.Errorf("finish = %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(cfg.Warnings, "\n"); got != tt.wantWarning {
				t.Errorf("warnings %q, want %q", got, tt.wantWarning)
			}
		})
	}
}

// TestUserWithoutPassword holds that one user who cannot log in is a warning while
// another one can.
func TestUserWithoutPassword(t *testing.T) {
	l := newLoader()
	l.parse("x.toml", []byte("[databases.a]\n[users.app]\npassword = \"p\"\n[users.lost]\npool_size = 1\n"))
	cfg, err := l.finish()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"[users.lost] has no password and there is no auth_file: this user cannot log in"}
	if diff := cmp.Diff(want, cfg.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestSecretsInSharedFile holds that a file with passwords that others can read is
// warned of, and one without is not.
func TestSecretsInSharedFile(t *testing.T) {
	const head = "[pgweir]\nauth_type = \"trust\"\n[databases.a]\n"
	tests := []struct {
		name, users string
		mode        fs.FileMode
		want        int
	}{
		{"secret, private", "[users.u]\npassword = \"p\"\n", 0o600, 0},
		{"secret, group", "[users.u]\npassword = \"p\"\n", 0o640, 1},
		{"secret, everybody", "[users.u]\npassword = \"p\"\n", 0o604, 1},
		{"no secret, everybody", "[users.u]\npool_size = 1\n", 0o644, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pgweir.toml")
			writeFile(t, file, head+tt.users, tt.mode)
			cfg, err := Load(Source{Path: file})
			if err != nil {
				t.Fatal(err)
			}
			if len(cfg.Warnings) != tt.want {
				t.Errorf("warnings %q, want %d", cfg.Warnings, tt.want)
			}
		})
	}
}
