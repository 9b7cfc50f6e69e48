package clienttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// RunTests runs the tests of a package that uses those builds, and removes them and the
// PostgreSQL that the tests share. It returns the exit code.
func RunTests(m *testing.M, builds ...*Build) int {
	dir, err := os.MkdirTemp("", "pgweir-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)

		return 1
	}
	defer os.RemoveAll(dir)
	for i, b := range builds {
		b.path = filepath.Join(dir, "pgweir-"+strconv.Itoa(i))
	}

	return pgtest.Main(m)
}

// A Build is the program under test, built when first asked for. It may be shared by
// tests that run at the same time, in [RunTests].
type Build struct {
	Flags []string // of go build, such as -race

	path string // where it is put
	once sync.Once
	err  error
}

// Binary returns the path of the program.
func (b *Build) Binary(t testing.TB) string {
	t.Helper()
	b.once.Do(func() {
		args := append([]string{"build", "-o", b.path}, b.Flags...)
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
