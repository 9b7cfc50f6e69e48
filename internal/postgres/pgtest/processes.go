package pgtest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// ProcessesIn returns the processes whose working directory is below root; PostgreSQL's is its data directory. It finds
// them on Linux only.
func ProcessesIn(t testing.TB, root string) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return nil
	}
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, root+"/") {
			pids = append(pids, filepath.Base(filepath.Dir(link)))
		}
	}
	return pids
}
