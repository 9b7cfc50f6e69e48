package integration

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// The roles of the authentication tests. How PostgreSQL asks each for its password is
// said in pg_hba.conf, what pgweir knows of it in its own configuration.
const (
	rolePlain    = "knows_plain"    // PostgreSQL: SCRAM; pgweir: plain, in [users]
	roleMD5      = "knows_md5"      // PostgreSQL: MD5; pgweir: the hash, in auth_file
	roleVerifier = "knows_verifier" // PostgreSQL: SCRAM; pgweir: the same verifier, in auth_file
	roleClear    = "asked_in_clear" // PostgreSQL: plain; pgweir: plain, in auth_file
	roleTrusted  = "trusted"        // PostgreSQL: trust; pgweir: plain, in [users]
	roleRotated  = "rotated"        // pgweir has another password than PostgreSQL
)

// password is that of all of them.
const password = `it's "secret"`

// startAuthCluster starts a PostgreSQL with those roles.
func startAuthCluster(t *testing.T) *postgres.Cluster {
	t.Helper()
	c := pgtest.Start(t, postgres.Options{HBA: []string{
		"host all " + roleTrusted + " 127.0.0.1/32 trust",
		"host all " + roleClear + " 127.0.0.1/32 password",
		"host all " + roleMD5 + " 127.0.0.1/32 md5",
		"host all all 127.0.0.1/32 scram-sha-256",
		"local all all scram-sha-256",
	}})
	sql := "SET password_encryption = 'md5';\n" + createRole(roleMD5) + "SET password_encryption = 'scram-sha-256';\n"
	for _, role := range []string{rolePlain, roleVerifier, roleClear, roleTrusted, roleRotated} {
		sql += createRole(role)
	}
	if err := c.Exec(t.Context(), "postgres", sql); err != nil {
		t.Fatal(err)
	}

	return c
}

// createRole returns the statement that makes a role.
func createRole(name string) string {
	return fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s';\n", name, strings.ReplaceAll(password, "'", "''"))
}

// authOptions return what pgweir knows of the roles.
func authOptions(t *testing.T, c *postgres.Cluster, method string) options {
	t.Helper()
	ctx := context.Background()
	conn := direct(t, c, "postgres")
	defer conn.Close(ctx)
	var verifier string
	sql := "SELECT rolpassword FROM pg_authid WHERE rolname = $1"
	if err := conn.QueryRow(ctx, sql, roleVerifier).Scan(&verifier); err != nil {
		t.Fatal(err)
	}
	quoted := strings.ReplaceAll(password, `"`, `""`)
	file := filepath.Join(t.TempDir(), "userlist.txt")
	list := fmt.Sprintf("; as PgBouncer has it\n\"%s\" \"md5%x\"\n\"%s\" \"%s\"\n\"%s\" \"%s\"\n",
		roleMD5, md5.Sum([]byte(password+roleMD5)), roleVerifier, verifier, roleClear, quoted)
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}

	return options{
		cluster:  c,
		settings: table{"auth_type": method, "auth_file": file},
		databases: map[string]table{
			"app":    serverOf(c, table{"dbname": "postgres"}),
			"absent": serverOf(c),
			"forced": serverOf(c, table{"dbname": "postgres", "user": rolePlain, "password": password}),
			"socket": serverOf(c, table{"dbname": "postgres", "host": c.SocketDir}),
		},
		users: map[string]table{
			rolePlain: {"password": password}, roleTrusted: {"password": password},
			roleRotated: {"password": "yesterday's"},
		},
	}
}

// attempt logs in with a password and returns the name PostgreSQL knows the session
// by, or the error.
func attempt(ctx context.Context, p *pgweir, database, user, password string, more ...string) (string, error) {
	config, err := pgx.ParseConfig(p.userURL(user, "", database) + "&" + strings.Join(more, "&"))
	if err != nil {
		return "", err
	}
	config.Password = password
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var name string
	err = conn.QueryRow(ctx, "SELECT current_user").Scan(&name)

	return name, err
}

// sqlState is the SQLSTATE of an error; empty if it has none.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}

	return ""
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	c := startAuthCluster(t)
	all := []string{rolePlain, roleMD5, roleVerifier, roleClear, roleTrusted}
	// Of these pgweir learns no password that PostgreSQL takes.
	refused := map[string]string{"trust": roleVerifier, "scram-sha-256": roleMD5}
	for _, method := range []string{"trust", "plain", "md5", "scram-sha-256"} {
		t.Run(method, func(t *testing.T) {
			p := start(t, authOptions(t, c, method))
			for _, role := range all {
				name, err := attempt(t.Context(), p, "app", role, password)
				switch {
				case role == refused[method]:
					if sqlState(err) == "" {
						t.Errorf("%s: got %q, %v, want an error with a SQLSTATE", role, name, err)
					}
				case err != nil || name != role:
					t.Errorf("%s: got %q, %v", role, name, err)
				}
			}
			testRefusals(t, p, method)
		})
	}
}

// testRefusals tests who does not get in, and why.
func testRefusals(t *testing.T, p *pgweir, method string) {
	t.Helper()
	type refusal struct{ database, user, password, code string }
	refusals := []refusal{
		{"app", "nobody", password, "28P01"},
		{"nowhere", rolePlain, password, "3D000"},
		{"absent", rolePlain, password, "3D000"}, // says PostgreSQL
		{"app", roleRotated, "yesterday's", "28P01"},
	}
	if method != "trust" {
		refusals = append(refusals, refusal{"app", rolePlain, "wrong", "28P01"},
			refusal{"app", roleMD5, "wrong", "28P01"}, refusal{"app", roleVerifier, "wrong", "28P01"},
			refusal{"nowhere", rolePlain, "wrong", "28P01"}) // authentication comes first
	}
	for _, r := range refusals {
		_, err := attempt(t.Context(), p, r.database, r.user, r.password)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != r.code || pg.Severity != "FATAL" {
			t.Errorf("%+v: got %v", r, err)

			continue
		}
		if want := fmt.Sprintf(`password authentication failed for user "%s"`, r.user); r.code == "28P01" && pg.Message != want {
			t.Errorf("%+v: got message %q, want %q", r, pg.Message, want)
		}
	}
	// Those who may are not disturbed by those who may not.
	if name, err := attempt(t.Context(), p, "app", rolePlain, password); err != nil || name != rolePlain {
		t.Errorf("afterwards: got %q, %v", name, err)
	}
}

// TestWaysIn logs in by a forced user, unix sockets and the newer protocol.
func TestWaysIn(t *testing.T) {
	t.Parallel()
	c := startAuthCluster(t)
	o := authOptions(t, c, "scram-sha-256")
	o.settings["unix_socket_dir"] = t.TempDir()
	o.settings["listen_port"] = freePort(t)
	p := start(t, o)
	t.Run("forced user", func(t *testing.T) {
		if name, err := attempt(t.Context(), p, "forced", roleTrusted, password); err != nil || name != rolePlain {
			t.Errorf("got %q, %v, want %s", name, err, rolePlain)
		}
	})
	t.Run("unix sockets on both sides", func(t *testing.T) {
		host := fmt.Sprintf("host=%s&port=%d", o.settings["unix_socket_dir"], o.settings["listen_port"])
		for _, role := range []string{rolePlain, roleVerifier} {
			if name, err := attempt(t.Context(), p, "socket", role, password, host); err != nil || name != role {
				t.Errorf("%s: got %q, %v", role, name, err)
			}
		}
		if _, err := attempt(t.Context(), p, "socket", rolePlain, "wrong", host); sqlState(err) != "28P01" {
			t.Errorf("wrong password: got %v", err)
		}
	})
	t.Run("protocol 3.2", func(t *testing.T) {
		if name, err := attempt(t.Context(), p, "app", rolePlain, password, "max_protocol_version=3.2"); err != nil || name != rolePlain {
			t.Errorf("got %q, %v", name, err)
		}
	})
}

// freePort returns a TCP port that nobody listened on just now.
func freePort(t testing.TB) int {
	t.Helper()
	l := listenLocal(t)
	defer l.Close()

	return portOf(l)
}
