package clients

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/integration/clienttest"
	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// A suite is the tests that a module ships.
type suite struct {
	name     string
	list     string   // of exceptions, in testdata
	module   string   // its path
	packages []string // the folders with tests that use PostgreSQL
	quick    []string // those of them that are run without -all
	hba      []string // of pg_hba.conf; nil: SCRAM for everybody
	roles    string   // SQL that is run once
	database string   // its name
	setup    string   // SQL that is run in it
	users    map[string]string
	// environment returns the variables with which the suite is told where to go.
	environment func(r route) []string
}

// suites returns the suites. lib/pq has two ways to send parameters.
func suites() []suite {
	list := []suite{pgxSuite(), pqSuite("pq", "0")}
	if *all {
		list = append(list, pqSuite("pq, binary parameters", "1"))
	}

	return list
}

// pgxSuite returns the tests of pgx. What they need is written in its
// testsetup/postgresql_setup.sql and scripts/lib/test_targets.rb.
func pgxSuite() suite {
	const password = "secret"

	return suite{
		name:     "pgx",
		list:     "pgx",
		module:   "github.com/jackc/pgx/v5",
		packages: []string{".", "pgconn", "pgtype", "pgtype/zeronull", "pgxpool", "stdlib", "tracelog", "multitracer"},
		quick:    []string{".", "stdlib"},
		roles: "CREATE ROLE pgx_scram SUPERUSER LOGIN PASSWORD '" + password + "';" +
			`CREATE ROLE " tricky, ' } "" \\ test user " SUPERUSER LOGIN;`,
		database: "pgx_test",
		setup:    "CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE DOMAIN uint64 AS numeric(20,0);",
		users:    map[string]string{"pgx_scram": password},
		environment: func(r route) []string {
			common := " port=" + strconv.Itoa(r.port) + " user=pgx_scram password=" + password + " dbname=pgx_test"
			tcp := "host=" + r.host + common + " sslmode=disable"

			return []string{
				"PGX_TEST_DATABASE=" + tcp,
				"PGX_TEST_TCP_CONN_STRING=" + tcp,
				"PGX_TEST_SCRAM_PASSWORD_CONN_STRING=" + tcp,
				"PGX_TEST_PGBOUNCER_CONN_STRING=" + tcp,
				"PGX_TEST_UNIX_SOCKET_CONN_STRING=host=" + r.socketDir + common,
			}
		},
	}
}

// pqSuite returns the tests of lib/pq. What they need is written in its
// testdata/postgres. binary is 1 if parameters shall be sent with the statement, in
// binary, rather than after its description has come.
func pqSuite(name, binary string) suite {
	const password = "wordpass"

	return suite{
		name:     name,
		list:     "pq",
		module:   "github.com/lib/pq",
		packages: []string{".", "hstore"},
		quick:    []string{".", "hstore"},
		hba: []string{
			"host all pqgomd5 all md5", "host all pqgopassword all password", "local all all scram-sha-256",
			"hostnossl all pqgossl all reject", "hostnossl all pqgosslcert all reject", "host all all all scram-sha-256",
		},
		roles: `CREATE ROLE pqgo SUPERUSER LOGIN PASSWORD 'wordpass';
			CREATE ROLE pqgopassword LOGIN PASSWORD 'wordpass';
			CREATE ROLE pqgoscram LOGIN PASSWORD 'wordpass';
			CREATE ROLE pqgossl LOGIN;
			CREATE ROLE pqgosslcert LOGIN;
			CREATE ROLE pqgomd5 LOGIN;
			UPDATE pg_authid SET rolpassword = 'md5' || md5('wordpasspqgomd5') WHERE rolname = 'pqgomd5';`,
		database: "pqgo",
		users: map[string]string{
			"pqgo": password, "pqgopassword": password, "pqgoscram": password, "pqgomd5": password,
		},
		environment: func(r route) []string {
			return []string{
				"PGHOST=" + r.host, "PGPORT=" + strconv.Itoa(r.port), "PGUSER=pqgo", "PGPASSWORD=" + password,
				"PGDATABASE=pqgo", "PGSSLMODE=disable", "PQTEST_BINARY_PARAMETERS=" + binary,
			}
		},
	}
}

// TestSuites runs the suites on each route. What passes directly must pass, unless
// testdata says why it cannot; and what is listed there must fail.
func TestSuites(t *testing.T) {
	for _, s := range suites() {
		t.Run(s.name, func(t *testing.T) { runSuite(t, s) })
	}
}

// runSuite runs one suite on each route.
func runSuite(t *testing.T, s suite) {
	if !*all {
		s.packages = s.quick
	}
	c := pgtest.Start(t, postgres.Options{HBA: s.hba})
	execSQL(t, c, "postgres", s.roles)
	bin := s.build(t)
	excepted := readExceptions(t, s.list)
	var want outcomes
	for _, name := range routes() {
		if name == session && !*all {
			continue // transaction mode is where a pooler can go wrong
		}
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			got := bin.run(t, name, c, excepted)
			took := time.Since(began)
			if name == direct {
				want = got
				t.Logf("%d tests pass directly, %d fail, %d are skipped, in %s; not ours:\n%s",
					got.count("pass"), got.count("fail"), got.count("skip"), seconds(took), strings.Join(got.failed(), "\n"))
				ledger.book(s.name+"'s own tests", name, took, true, fmt.Sprintf("(%d)", got.count("pass")))

				return
			}
			excepted.check(t, name, want, got)
			ledger.book(s.name+"'s own tests", name, took, !t.Failed(), fmt.Sprintf("(%d)", got.count("pass")))
		})
	}
}

// execSQL runs SQL in PostgreSQL directly.
func execSQL(t testing.TB, c *postgres.Cluster, database, sql string) {
	t.Helper()
	if err := c.Exec(t.Context(), database, sql); err != nil {
		t.Fatal(err)
	}
}

// binaries are a suite's compiled tests.
type binaries struct {
	suite  suite
	source string   // a copy of the module
	tests  []string // the program for each of suite.packages
}

// build copies the module and compiles its tests.
func (s suite) build(t testing.TB) binaries {
	t.Helper()
	b := binaries{suite: s, source: filepath.Join(t.TempDir(), s.list)}
	if err := os.CopyFS(b.source, os.DirFS(moduleDir(t, s.module))); err != nil {
		t.Fatal(err)
	}
	for i, pkg := range s.packages {
		program := filepath.Join(b.source, "tests"+strconv.Itoa(i))
		// -trimpath: so that the build cache knows it the next time, in another folder.
		clienttest.Run(t, b.source, nil, "go", "test", "-c", "-trimpath", "-o", program, "./"+pkg)
		b.tests = append(b.tests, program)
	}

	return b
}

// moduleDir returns where the module cache has a module, in the version that our Go
// programs use.
func moduleDir(t testing.TB, module string) string {
	t.Helper()
	out := clienttest.Run(t, "go", nil, "go", "mod", "download", "-json", module)
	var m struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &m); err != nil || m.Dir == "" {
		t.Fatalf("go mod download %s: %v: %s", module, err, out)
	}

	return m.Dir
}

// packageTimeout is how long the tests of one package may take.
const packageTimeout = 5 * time.Minute

// run runs the tests on a route, each package by itself. Those that fail are run once
// more, one at a time: some have deadlines of their own of 50 ms, in which they may not
// even get a server while others have all of them.
func (b binaries) run(t testing.TB, name string, c *postgres.Cluster, x exceptions) outcomes {
	t.Helper()
	// FORCE: what the tests of the last route have left is not waited for.
	execSQL(t, c, "postgres", "DROP DATABASE IF EXISTS "+b.suite.database+" WITH (FORCE)")
	execSQL(t, c, "postgres", "CREATE DATABASE "+b.suite.database)
	execSQL(t, c, b.suite.database, b.suite.setup)
	r := openRoute(t, name, c, b.suite.users)
	all := make(outcomes)
	for i, pkg := range b.suite.packages {
		began := time.Now()
		skip := "-test.skip=" + x.skipped(name, pkg)
		all.read(t, b.test(t, r, i, skip))
		if again := all.failedIn(pkg); len(again) > 0 {
			all.read(t, b.test(t, r, i, skip, "-test.parallel=1", "-test.run=^("+strings.Join(again, "|")+")$"))
		}
		t.Logf("%s: %s", pkg, seconds(time.Since(began)))
	}

	return all
}

// test runs tests of the suite's i-th package and returns the output of test2json.
func (b binaries) test(t testing.TB, r route, i int, flags ...string) []byte {
	t.Helper()
	pkg := b.suite.packages[i]
	args := []string{"tool", "test2json", "-p", pkg, b.tests[i], "-test.v=test2json", "-test.timeout=" + packageTimeout.String()}
	cmd := exec.CommandContext(t.Context(), "go", append(args, flags...)...)
	cmd.Dir = filepath.Join(b.source, pkg)
	cmd.Env = append(os.Environ(), b.suite.environment(r)...)
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Fatalf("the tests of %s: %v", pkg, err)
	}

	return out
}

// outcomes are the results of tests, by the path of the package from its module and
// the name.
type outcomes map[string]outcome

// ofTempDir finds in the name of a test what is different each time.
var ofTempDir = regexp.MustCompile(`\d{5,}`)

// An outcome is how one test ended.
type outcome struct {
	action string // pass, fail or skip
	output string
}

// read adds the output of test2json. A test that has not ended has failed.
func (o outcomes) read(t testing.TB, text []byte) {
	t.Helper()
	for line := range strings.Lines(string(text)) {
		var e struct{ Action, Package, Test, Output string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		name := ofTempDir.ReplaceAllString(strings.TrimSuffix(e.Package+" "+e.Test, " "), "N")
		one := o[name]
		switch e.Action {
		case "run", "start":
			one.action = "fail"
		case "pass", "fail", "skip":
			one.action = e.Action
		case "output":
			one.output += e.Output
		}
		o[name] = one
	}
}

// has reports whether there is such a test.
func (o outcomes) has(like func(name string) bool) bool {
	for name := range o {
		if like(name) {
			return true
		}
	}

	return false
}

// count returns how many tests ended in a way, packages and tests with tests in them
// not counted.
func (o outcomes) count(action string) int {
	n := 0
	for name, one := range o {
		if one.action == action && strings.Contains(name, " ") && !o.hasInside(name, func(outcome) bool { return true }) {
			n++
		}
	}

	return n
}

// hasInside reports whether there is a subtest like that.
func (o outcomes) hasInside(name string, like func(outcome) bool) bool {
	for other, one := range o {
		inside := strings.HasPrefix(other, name+"/") || !strings.Contains(name, " ") && strings.HasPrefix(other, name+" ")
		if inside && like(one) {
			return true
		}
	}

	return false
}

// failedIn returns the tests of a package that have failed, without those inside them.
func (o outcomes) failedIn(pkg string) []string {
	var names []string
	for name, one := range o {
		test, ok := strings.CutPrefix(name, pkg+" ")
		if ok && one.action == "fail" && !strings.Contains(test, "/") {
			names = append(names, regexp.QuoteMeta(test))
		}
	}
	slices.Sort(names)

	return names
}

// failed returns the tests that have failed themselves, rather than one inside them.
func (o outcomes) failed() []string {
	var names []string
	for name, one := range o {
		if one.action == "fail" && !o.hasInside(name, func(other outcome) bool { return other.action == "fail" }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)

	return names
}

// lost returns the tests that pass in o but not in got, without those that only fail
// because tests inside them do.
func (o outcomes) lost(got outcomes) []string {
	var names []string
	for name, one := range o {
		failed := func(other outcome) bool { return other.action == "fail" }
		if one.action == "pass" && got[name].action != "pass" && !got.hasInside(name, failed) {
			names = append(names, name)
		}
	}
	slices.Sort(names)

	return names
}
