package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/internal/wirescript"
)

// wireScripts is where the scripts are.
const wireScripts = "testdata/wire"

// A configuration is a way to reach PostgreSQL through pgweir.
type configuration struct {
	name   string
	pgweir *pgweir
	// database returns the name that a script asks for in a lane.
	database func(l *lane, s *wirescript.Script) string
	pieces   bool // the client's bytes are cut in small pieces
	// resident is a client of a lane whose pool rotates: each transaction is on
	// another server than the one before. Nil: it does not.
	resident func(l *lane) *client
}

// A lane is where one script is played at a time.
type lane struct {
	database string
	direct   *pgx.Conn // to PostgreSQL itself
	// rotation and pieces are clients that stay in the pools that rotate, of the
	// configurations of these names: without any a pool would not keep its servers.
	rotation, pieces *client
}

// A stage has what the scripts are played with.
type stage struct {
	cluster        *postgres.Cluster
	version        int // PostgreSQL's major one
	configurations []configuration
	lanes          chan *lane // those that are free
}

// TestWireScripts plays each script against PostgreSQL and, in several configurations,
// through pgweir. What the clients receive is the same, or a file beside the script
// says what is not, and why.
func TestWireScripts(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	t.Run("all", func(t *testing.T) { // returns when all have been played
		for _, s := range readScripts(t) {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				st.play(t, s)
			})
		}
	})
}

// newStage starts a pgweir with pools of all kinds, and another one whose pools rotate.
func newStage(t *testing.T) *stage {
	t.Helper()
	const lanes = 4
	st := &stage{cluster: pgtest.Cluster(t), lanes: make(chan *lane, lanes)}
	plain, rotating := make(map[string]table), make(map[string]table)
	var all []*lane
	for range lanes {
		l := &lane{database: pgtest.NewDatabase(t)}
		l.direct = direct(t, st.cluster, l.database)
		t.Cleanup(func() { _ = l.direct.Close(context.Background()) })
		all = append(all, l)
		name := table{"dbname": l.database}
		rotating[l.database+"_rotation"] = serverOf(st.cluster, name)
		rotating[l.database+"_pieces"] = serverOf(st.cluster, name)
		plain[l.database+"_session"] = serverOf(st.cluster, name, table{"pool_mode": "session"})
		for n := 1; n <= mostServers; n++ {
			plain[withServers(l, n)] = serverOf(st.cluster, name, table{"pool_size": n})
		}
	}
	few := start(t, options{databases: plain})
	rotation := start(t, options{databases: rotating, settings: table{
		"loops":              1, // servers take turns on each loop by itself
		"server_round_robin": true, "max_prepared_statements": 3, "default_pool_size": mostServers, "min_pool_size": mostServers,
	}})
	st.configurations = configurations(few, rotation)
	for _, l := range all {
		l.rotation = rotation.loginTo(t, l.database+"_rotation")
		l.pieces = rotation.loginTo(t, l.database+"_pieces")
		st.lanes <- l
	}
	st.version = ask[int](few, "SELECT current_setting('server_version_num')::int / 10000")

	return st
}

// mostServers is how many servers a script may need, and how many there are to rotate.
const mostServers = 3

// withServers is the name of a lane's database in whose pool there are so many servers.
func withServers(l *lane, n int) string { return fmt.Sprintf("%s_%d", l.database, n) }

// configurations returns all of them. One with TLS, when there is TLS, belongs here.
func configurations(few, rotation *pgweir) []configuration {
	one := func(l *lane, s *wirescript.Script) string { return withServers(l, s.Servers) }
	named := func(suffix string) func(*lane, *wirescript.Script) string {
		return func(l *lane, _ *wirescript.Script) string { return l.database + "_" + suffix }
	}

	return []configuration{
		{name: "session", pgweir: few, database: named("session")},
		{name: "one", pgweir: few, database: one}, // one server, or as few as the script can do with
		{
			name: "rotation", pgweir: rotation, database: named("rotation"),
			resident: func(l *lane) *client { return l.rotation },
		},
		{
			name: "pieces", pgweir: rotation, database: named("pieces"), pieces: true,
			resident: func(l *lane) *client { return l.pieces },
		},
	}
}

// readScripts reads all scripts.
func readScripts(t *testing.T) []*wirescript.Script {
	t.Helper()
	scripts, err := wirescript.ReadDir(wireScripts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		if s.Servers > mostServers {
			t.Fatalf("%s needs %d servers, there are %d", s.Name, s.Servers, mostServers)
		}
	}

	return scripts
}

// play plays a script in all configurations.
func (st *stage) play(t *testing.T, s *wirescript.Script) {
	l := <-st.lanes
	defer func() { st.lanes <- l }()
	want, err := s.Play(st.oracle(t, l))
	if err != nil {
		t.Fatalf("against PostgreSQL itself: %v; the transcript:\n%s", err, want)
	}
	for _, c := range st.configurations {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.Play(st.through(t, c, l, s))
			if err != nil {
				t.Errorf("%v", err)
			}
			if complaint := s.Judge(want, got, c.name, st.version); complaint != "" {
				t.Error(complaint)
			}
		})
	}
}

// oracle returns PostgreSQL itself, as the target of a script.
func (st *stage) oracle(t testing.TB, l *lane) wirescript.Target {
	t.Helper()
	l.clean(t)

	return wirescript.Target{
		Dial: st.dialDirect, User: st.cluster.User, Database: l.database,
		Direct: st.dialDirect, DirectUser: st.cluster.User, DirectDatabase: l.database, Oracle: true,
	}
}

// dialDirect opens a connection to PostgreSQL, where the superuser needs no password.
func (st *stage) dialDirect() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(st.cluster.SocketDir, fmt.Sprintf(".s.PGSQL.%d", st.cluster.Port)))
}

// through returns pgweir in a configuration, as the target of a script.
func (st *stage) through(t testing.TB, c configuration, l *lane, s *wirescript.Script) wirescript.Target {
	t.Helper()
	l.clean(t)
	if c.resident != nil {
		awaitRotation(t, c.resident(l))
	}
	target := wirescript.Target{
		Dial: func() (net.Conn, error) { return net.Dial("tcp", c.pgweir.addr) },
		User: st.cluster.User, Database: c.database(l, s),
		Direct: st.dialDirect, DirectUser: st.cluster.User, DirectDatabase: l.database,
	}
	if c.pieces {
		target.Send = wirescript.Pieces(rand.New(rand.NewPCG(1, 0)))
	}

	return target
}

// clean gives a script the database that it expects: see README.md of the scripts.
func (l *lane) clean(t testing.TB) {
	t.Helper()
	_, err := l.direct.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public; "+
		"CREATE TABLE t (id int PRIMARY KEY, x text); "+
		"CREATE TABLE d (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
	if err != nil {
		t.Fatal(err)
	}
}

// awaitRotation waits until a pool has all its servers, each of which it uses in turn.
func awaitRotation(t testing.TB, c *client) {
	t.Helper()
	await(t, patience, "the pool to rotate", func() bool {
		var pids []string
		for range mostServers {
			pids = append(pids, value(c.query("SELECT pg_backend_pid()")))
		}
		slices.Sort(pids)

		return len(slices.Compact(pids)) == mostServers
	})
}

// TestEveryExplanationHasAScript finds explanations that nobody reads.
func TestEveryExplanationHasAScript(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(wireScripts, "*.diff"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		script := strings.TrimSuffix(file, ".diff") + ".script"
		if _, err := os.Stat(script); err != nil {
			t.Errorf("%s is beside no script: %v", file, err)
		}
	}
}
