package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// envFile has the entries that the tests of the environment look for.
const envFile = `
[pgweir]
auth_type = "trust"
[databases.shop]
[databases.shop_min]
[databases."my-shop"]
[databases.My_Other]
[databases."*"]
[users.app]
`

// loadEnv lays the environment over envFile.
func loadEnv(env ...string) (*Config, error) {
	l := newLoader()
	l.parse("env.toml", []byte(envFile))
	l.readEnv(env)
	return l.finish()
}

func TestEnv(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		want func(c *Config)
	}{
		{"string", []string{"PGWEIR_LOG_FORMAT=json"}, func(c *Config) { c.Pgweir.LogFormat = LogJSON }},
		{"integer", []string{"PGWEIR_LISTEN_PORT=7000"}, func(c *Config) { c.Pgweir.ListenPort = 7000 }},
		{"bare seconds", []string{"PGWEIR_QUERY_TIMEOUT=30"}, func(c *Config) { c.Pgweir.QueryTimeout = 30 * time.Second }},
		{"fraction", []string{"PGWEIR_QUERY_TIMEOUT=1.5"}, func(c *Config) {
			c.Pgweir.QueryTimeout = 1500 * time.Millisecond
		}},
		{"duration", []string{"PGWEIR_QUERY_TIMEOUT=1m30s"}, func(c *Config) { c.Pgweir.QueryTimeout = 90 * time.Second }},
		{"off", []string{"PGWEIR_LOG_CONNECTIONS=off"}, func(c *Config) { c.Pgweir.LogConnections = false }},
		{"zero", []string{"PGWEIR_TCP_KEEPALIVE=0"}, func(c *Config) { c.Pgweir.TCPKeepalive = false }},
		{"mode", []string{"PGWEIR_UNIX_SOCKET_MODE=0770"}, func(c *Config) { c.Pgweir.UnixSocketMode = 0o770 }},
		{"list", []string{"PGWEIR_LISTEN_ADDR=127.0.0.1, ::1"}, func(c *Config) {
			c.Pgweir.ListenAddr = []string{"127.0.0.1", "::1"}
		}},
		{"empty is a value", []string{"PGWEIR_LISTEN_ADDR=", "PGWEIR_UNIX_SOCKET_DIR=/tmp"}, func(c *Config) {
			c.Pgweir.ListenAddr, c.Pgweir.UnixSocketDir = nil, "/tmp"
		}},
		{"equals sign", []string{"PGWEIR_SERVER_RESET_QUERY=SET a=b"}, func(c *Config) {
			c.Pgweir.ServerResetQuery = "SET a=b"
		}},
		{"last one counts", []string{"PGWEIR_LOOPS=1", "PGWEIR_LOOPS=2"}, func(c *Config) { c.Pgweir.Loops = 2 }},
		{"not ours", []string{"PGUSER=x", "pgweir_loops=9", "PGWEIR", "=C:=x"}, func(*Config) {}},
		{"the file's path", []string{"PGWEIR_CONFIG=/etc/pgweir.toml"}, func(*Config) {}},
		{"kubernetes service", []string{
			"PGWEIR_PORT=tcp://10.0.0.1:6432", "PGWEIR_SERVICE_HOST=10.0.0.1", "PGWEIR_PORT_6432_TCP_ADDR=10.0.0.1",
		}, func(*Config) {}},
		{"database", []string{"PGWEIR_DATABASES_SHOP_HOST=db1"}, func(c *Config) { setHost(c, "shop", "db1") }},
		{"hyphen", []string{"PGWEIR_DATABASES_MY_SHOP_HOST=db1"}, func(c *Config) { setHost(c, "my-shop", "db1") }},
		{"capitals", []string{"PGWEIR_DATABASES_MY_OTHER_HOST=db1"}, func(c *Config) { setHost(c, "My_Other", "db1") }},
		{"any", []string{"PGWEIR_DATABASES___HOST=db1"}, func(c *Config) { setHost(c, "*", "db1") }},
		{"user", []string{"PGWEIR_USERS_APP_PASSWORD=a=b c"}, func(c *Config) {
			c.Users["app"] = User{Password: "a=b c", MaxUserConnections: Inherit}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := loadEnv(tt.env...)
			if err != nil {
				t.Fatal(err)
			}
			want, err := loadEnv()
			if err != nil {
				t.Fatal(err)
			}
			tt.want(want)
			if diff := cmp.Diff(want, got, ignoreOrigins); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// setHost changes the host of an entry.
func setHost(c *Config, name, host string) {
	db := c.Databases[name]
	db.Host = host
	c.Databases[name] = db
}

func TestEnvProblems(t *testing.T) {
	tests := []struct{ name, env, want string }{
		{
			"unknown", "PGWEIR_LISTEN_PRT=1",
			"PGWEIR_LISTEN_PRT: no setting has this variable; did you mean PGWEIR_LISTEN_PORT?",
		},
		{"far off", "PGWEIR_COLOUR=1", "PGWEIR_COLOUR: no setting has this variable"},
		{"PgBouncer's", "PGWEIR_AUTH_QUERY=x", "PGWEIR_AUTH_QUERY: no setting has this variable; " +
			"not supported yet: list users in [users.NAME] or auth_file"},
		{"small letters", "PGWEIR_loops=1", "PGWEIR_loops: no setting has this variable; did you mean PGWEIR_LOOPS?"},
		{"value", "PGWEIR_LOOPS=many", `PGWEIR_LOOPS: expected an integer from 0 to 1024, got the string "many"`},
		{"empty integer", "PGWEIR_LOOPS=", `PGWEIR_LOOPS: expected an integer from 0 to 1024, got the string ""`},
		{
			"boolean", "PGWEIR_LOG_CONNECTIONS=maybe",
			`PGWEIR_LOG_CONNECTIONS: expected true or false, got the string "maybe"`,
		},
		{"duration", "PGWEIR_QUERY_TIMEOUT=-1", `PGWEIR_QUERY_TIMEOUT: expected 0 or a duration from 1ms to 10 years, ` +
			`such as "30s", "1m30s" or a number of seconds, got -1`},
		{
			"no such entry", "PGWEIR_DATABASES_SHPO_HOST=x",
			"PGWEIR_DATABASES_SHPO_HOST: no entry of [databases] has this name; " +
				"add it to the file; the environment only changes what is there",
		},
		{
			"no such key", "PGWEIR_DATABASES_SHOP_HOTS=x",
			"PGWEIR_DATABASES_SHOP_HOTS: no setting of [databases] has this variable",
		},
		{"ambiguous", "PGWEIR_DATABASES_SHOP_MIN_POOL_SIZE=1", "PGWEIR_DATABASES_SHOP_MIN_POOL_SIZE: could mean " +
			"databases.shop.min_pool_size or databases.shop_min.pool_size; set it in the file"},
		{"secret", "PGWEIR_USERS_APP_PASSWORD=hunter2\x00", "PGWEIR_USERS_APP_PASSWORD: must not contain a NUL byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadEnv(tt.env)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}
