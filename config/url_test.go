package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFromDatabaseURL(t *testing.T) {
	type want struct {
		host, dbname, user, password string
		port                         int
	}
	tests := []struct {
		name, url string
		want      want
	}{
		{"full", "postgres://app:secret@db.internal:5433/shop", want{"db.internal", "shop", "app", "secret", 5433}},
		{
			"scheme", "postgresql://app:secret@db.internal/shop?sslmode=prefer",
			want{"db.internal", "shop", "app", "secret", 5432},
		},
		{"encoded", "postgres://a%40b:p%2Fw%3A%23%25@h/my%20shop", want{"h", "my shop", "a@b", "p/w:#%", 5432}},
		{
			"socket", "postgres://app:secret@/shop?host=/var/run/postgresql&port=5434",
			want{"/var/run/postgresql", "shop", "app", "secret", 5434},
		},
		{
			"all in parameters", "postgres:///?user=app&password=a%26b&dbname=shop&host=h&port=1",
			want{"h", "shop", "app", "a&b", 1},
		},
		{"IPv6", "postgres://app:secret@[::1]:5433/shop", want{"::1", "shop", "app", "secret", 5433}},
		{"no host", "postgres://app:secret@/shop", want{"127.0.0.1", "shop", "app", "secret", 5432}},
		{"no database", "postgres://app:secret@h", want{"h", "app", "app", "secret", 5432}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := FromDatabaseURL(tt.url)
			if err != nil {
				t.Fatal(err)
			}

			expected := Default()
			db := Database{
				Host: tt.want.host, Port: tt.want.port,
				MinPoolSize: Inherit, ReservePoolSize: Inherit, MaxDBConnections: Inherit,
			}
			expected.Databases[AnyDatabase] = db
			db.DBName = tt.want.dbname
			expected.Databases[tt.want.dbname] = db
			expected.Users[tt.want.user] = User{Password: Secret(tt.want.password), MaxUserConnections: Inherit}
			if diff := cmp.Diff(expected, cfg, ignoreOrigins); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := cfg.Users[tt.want.user].Password.Reveal(); got != tt.want.password {
				t.Errorf("password %q, want %q", got, tt.want.password)
			}
		})
	}
}

// TestURLWithoutPassword holds that such a URL is of use: there is nothing to
// check clients by.
func TestURLWithoutPassword(t *testing.T) {
	cfg, err := FromDatabaseURL("postgres://postgres@localhost/shop?application_name=x&connect_timeout=5")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Pgweir.AuthType != AuthTrust {
		t.Errorf("auth_type = %s", cfg.Pgweir.AuthType)
	}
	want := []string{
		`DATABASE_URL: the parameter "application_name" is not used`,
		`DATABASE_URL: the parameter "connect_timeout" is not used`,
	}
	if diff := cmp.Diff(want, cfg.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestURLUnderEnvironment holds that the environment and flags win over a URL.
func TestURLUnderEnvironment(t *testing.T) {
	cfg, err := Load(Source{
		DatabaseURL: "postgres://app@localhost/shop",
		Env:         []string{"PGWEIR_DATABASES_SHOP_HOST=db2", "PGWEIR_USERS_APP_PASSWORD=p", "PGWEIR_AUTH_TYPE=md5"},
		Flags:       map[string]string{"listen_port": "0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Databases["shop"].Host; got != "db2" {
		t.Errorf("host = %s", got)
	}
	if cfg.Pgweir.AuthType != AuthMD5 || cfg.Users["app"].Password != "p" || cfg.Pgweir.ListenPort != 0 {
		t.Errorf("auth_type %s, users %v, port %d", cfg.Pgweir.AuthType, cfg.Users, cfg.Pgweir.ListenPort)
	}
}

func TestDatabaseURLProblems(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"not a URL", "host=localhost dbname=shop", "expected postgres://user:password@host:port/dbname"},
		{"other scheme", "mysql://app:hunter2@h/shop", "expected postgres://user:password@host:port/dbname"},
		{"bad escape", "postgres://app:hunter2%zz@h/shop", "percent-encoded"},
		{"unescaped", "postgres://app:#hunter2@h/shop", "percent-encoded"},
		{"cut short", "postgres://app:12/hunter2@h/shop", "percent-encoded"},
		{"bad parameter", "postgres://app@h/shop?password=hunter2%zz", "the parameters after the ?"},
		{"no user", "postgres://h/shop", "it names no user"},
		{"port", "postgres://app:hunter2@h:70000/shop", "the port is not an integer from 1 to 65535"},
		{"port parameter", "postgres://app:hunter2@h/shop?port=x", "the port is not an integer from 1 to 65535"},
		{"several hosts", "postgres://app:hunter2@h1,h2/shop", "the host is not one host name"},
		{"TLS", "postgres://app:hunter2@h/shop?sslmode=require", "sslmode=require needs TLS to the server"},
		{"unknown sslmode", "postgres://app:hunter2@h/shop?sslmode=hunter2", "sslmode is not one of"},
		{"NUL", "postgres://app:hunter2%00@h/shop", "must not contain a NUL byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := FromDatabaseURL(tt.url)
			if err == nil || !strings.HasPrefix(err.Error(), "DATABASE_URL: ") || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("FromDatabaseURL = %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error repeats the password, or has a second problem: %v", err)
			}
		})
	}
}
