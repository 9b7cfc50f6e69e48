package clienttest

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"
)

// A Build is the program under test, built when first asked for. It may be shared by
// tests that run at the same time.
type Build struct {
	Path  string   // where it is put; to be set
	Flags []string // of go build, such as -race

	once sync.Once
	err  error
}

// Binary returns the path of the program.
func (b *Build) Binary(t testing.TB) string {
	t.Helper()
	b.once.Do(func() {
		args := append([]string{"build", "-o", b.Path}, b.Flags...)
		out, err := exec.Command("go", append(args, "github.com/pgweir/pgweir/cmd/pgweir")...).CombinedOutput()
		if err != nil {
			b.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}

	return b.Path
}
