// Package integration tests pgweir as its users meet it: the built program, real
// clients, a real PostgreSQL. Nothing imports it.
//
// Each test starts a pgweir of its own with [start], which checks at the end that
// the program has left nothing behind: see [pgweir.stop].
package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run runs the tests and removes the programs that they have built.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pgweir-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)

		return 1
	}
	defer os.RemoveAll(dir)
	raceBuild.path = filepath.Join(dir, "pgweir-race")
	plainBuild.path = filepath.Join(dir, "pgweir")

	return pgtest.Main(m)
}

// The programs under test, built when first asked for. They are this package's only
// state: TestMain and the tests have nothing else in common that could hold them.
var (
	raceBuild  = build{flags: []string{"-race"}}
	plainBuild build // for what the race detector distorts: memory
)

// A build is the program, built once with some flags.
type build struct {
	flags []string
	path  string
	once  sync.Once
	err   error
}

// binary returns the path of the program.
func (b *build) binary(t testing.TB) string {
	t.Helper()
	b.once.Do(func() {
		args := append([]string{"build", "-o", b.path}, b.flags...)
		out, err := exec.Command("go", append(args, "github.com/pgweir/pgweir/cmd/pgweir")...).CombinedOutput()
		if err != nil {
			b.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}

	return b.path
}
