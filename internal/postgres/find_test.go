package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeBindir returns a directory with executable files of the given names.
func fakeBindir(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		writeScript(t, filepath.Join(dir, name), "exit 1")
	}
	return dir
}

// writeScript writes a shell script.
func writeScript(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestFindBinaries(t *testing.T) {
	full := fakeBindir(t, "postgres", "initdb", "psql", "pgbench")
	server := fakeBindir(t, "postgres", "initdb")
	clients := fakeBindir(t, "psql", "pgbench")
	configured := fakeBindir(t)
	writeScript(t, filepath.Join(configured, "pg_config"), "[ $1 = --bindir ] && echo "+full)

	all := Binaries{Dir: full, Psql: filepath.Join(full, "psql"), Pgbench: filepath.Join(full, "pgbench")}
	tests := []struct {
		name, bindir string
		path         []string
		want         Binaries
	}{
		{"named by the environment", full, nil, all},
		{"the environment comes first", server, []string{configured}, Binaries{Dir: server}},
		{"named by pg_config", "", []string{configured, server}, all},
		{"clients elsewhere", server, []string{clients}, Binaries{
			Dir: server, Psql: filepath.Join(clients, "psql"), Pgbench: filepath.Join(clients, "pgbench"),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(bindirVariable, tt.bindir)
			t.Setenv("PATH", strings.Join(tt.path, string(os.PathListSeparator)))
			got, err := FindBinaries()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindBinariesInNamedDirOnly(t *testing.T) {
	full := fakeBindir(t, "postgres", "initdb")
	notExecutable := fakeBindir(t, "postgres")
	if err := os.WriteFile(filepath.Join(notExecutable, "initdb"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", full)
	for _, dir := range []string{fakeBindir(t), fakeBindir(t, "postgres"), notExecutable, "/nonexistent"} {
		t.Setenv(bindirVariable, dir)
		if got, err := FindBinaries(); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v, %v, want an error that names %s", got, err, dir)
		}
	}
}

// TestCandidatesWithoutServer holds that a pg_config without a server, as Debian's libpq-dev brings it, is no find.
func TestCandidatesWithoutServer(t *testing.T) {
	dir := fakeBindir(t, "psql")
	writeScript(t, filepath.Join(dir, "pg_config"), "echo "+dir)
	t.Setenv("PATH", dir)
	t.Setenv(bindirVariable, "")

	if diff := cmp.Diff([]string{dir}, configuredDir()); diff != "" {
		t.Fatal(diff)
	}
	if got, err := FindBinaries(); got.Dir == dir || (err != nil && !errors.Is(err, ErrNotFound)) {
		t.Errorf("got %v, %v", got, err)
	}
	if got := pathDir(); got != nil {
		t.Errorf("PATH has no postgres, got %v", got)
	}
}

func TestNewerFirst(t *testing.T) {
	dirs := []string{"/usr/lib/postgresql/9.6/bin", "/x/15/bin", "/x/junk/bin", "/x/17/bin", "/x/9.5/bin", "/x/16/bin"}
	slices.SortFunc(dirs, newerFirst)
	want := []string{"/x/17/bin", "/x/16/bin", "/x/15/bin", "/usr/lib/postgresql/9.6/bin", "/x/9.5/bin", "/x/junk/bin"}
	if diff := cmp.Diff(want, dirs); diff != "" {
		t.Error(diff)
	}
}
