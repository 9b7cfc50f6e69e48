package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/integration/clienttest"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// A program uses one driver or framework as applications do: transactions, prepared
// statements, arrays, JSON, COPY, errors, timeouts, a small migration. It gets
// DATABASE_URL, checks the answers itself, and ends with an exit code and a clear line
// when one is wrong.
type program struct {
	name string
	// command returns how it is run, after it has installed what the program needs.
	command func(t testing.TB) []string
}

// programs returns the programs that need Go alone, and the others with -all.
func programs() []program {
	list := []program{
		{"pgx", goProgram("pgx")},
		{"lib/pq", goProgram("pq")},
		{"GORM", goProgram("gorm")},
	}
	if *all {
		list = append(list, pythonPrograms()...)
		list = append(list, nodePrograms()...)
		list = append(list,
			program{"pgjdbc", javaProgram},
			program{"psql", shellProgram("psql.sh")},
			program{"pg_dump, restore", shellProgram("dump.sh")},
			program{"pgbench", shellProgram("pgbench.sh")},
		)
	}

	return list
}

// programTimeout is how long one program may take on one route.
const programTimeout = 3 * time.Minute

// The role and database of the programs.
const (
	appUser     = "app"
	appPassword = "secret"
)

// TestPrograms runs each program on each route.
func TestPrograms(t *testing.T) {
	c := pgtest.Start(t)
	execSQL(t, c, "postgres", "CREATE ROLE app LOGIN PASSWORD '"+appPassword+"'")
	passwords := map[string]string{appUser: appPassword}
	ways := make(map[string]route)
	for _, name := range routes() {
		ways[name] = openRoute(t, name, c, passwords)
	}
	for _, p := range programs() {
		t.Run(p.name, func(t *testing.T) {
			command := p.command(t)
			for _, name := range routes() {
				execSQL(t, c, "postgres", "DROP DATABASE IF EXISTS app WITH (FORCE)")
				execSQL(t, c, "postgres", "CREATE DATABASE app OWNER app")
				began := time.Now()
				out, err := runProgram(t, command, ways[name])
				ledger.book(p.name, name, time.Since(began), err == nil, "")
				if err != nil {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			}
		})
	}
}

// runProgram runs a program on a route. It returns what it prints.
func runProgram(t testing.TB, command []string, r route) (string, error) {
	t.Helper()
	var out strings.Builder
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+r.url(appUser, appPassword, "app"), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	timer := time.AfterFunc(programTimeout, func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	defer timer.Stop()
	err := cmd.Run()

	return out.String(), err
}

// goProgram builds a program of the module in go.
func goProgram(name string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		t.Helper()

		return clienttest.Go(t, name)
	}
}

// pythonPrograms are run in a virtual environment with the packages of
// requirements.txt.
func pythonPrograms() []program {
	command := func(file string) func(testing.TB) []string {
		return func(t testing.TB) []string {
			t.Helper()

			return clienttest.Python(t, "python", file)
		}
	}

	return []program{
		{"psycopg 3", command("psycopg3.py")},
		{"asyncpg", command("asyncpg_client.py")},
		{"SQLAlchemy, psycopg", command("sqlalchemy_psycopg.py")},
		{"SQLAlchemy, asyncpg", command("sqlalchemy_asyncpg.py")},
		{"Django", command("django_client.py")},
	}
}

// nodePrograms are run with the packages of package-lock.json.
func nodePrograms() []program {
	command := func(file string) func(testing.TB) []string {
		return func(t testing.TB) []string {
			t.Helper()

			return clienttest.Node(t, "node", file)
		}
	}

	return []program{
		{"node-postgres", command("pg.mjs")},
		{"postgres.js", command("postgres.mjs")},
		{"TypeORM", command("typeorm.mjs")},
	}
}

// javaProgram is built by Maven, with the driver that pom.xml names.
func javaProgram(t testing.TB) []string {
	t.Helper()

	return clienttest.Maven(t, "java", "Client")
}

// shellProgram is a script around PostgreSQL's own programs.
func shellProgram(file string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		t.Helper()
		for _, name := range []string{"psql", "pg_dump", "pgbench"} {
			clienttest.Need(t, name, "postgresql postgresql-client")
		}

		return []string{"bash", filepath.Join("sql", file)}
	}
}
