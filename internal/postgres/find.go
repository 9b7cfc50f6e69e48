package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNotFound is returned by FindBinaries when this machine has no PostgreSQL server. The text says how to get one.
var ErrNotFound = errors.New("no PostgreSQL server found; install one (Debian, Ubuntu: apt-get install postgresql; " +
	"Fedora: dnf install postgresql-server; macOS: brew install postgresql) " +
	"or set " + bindirVariable + " to the directory that holds postgres and initdb")

const (
	// bindirVariable names the environment variable that overrides the search.
	bindirVariable = "PGWEIR_PG_BINDIR"

	// debianBindirs is where Debian and Ubuntu keep the programs of each major version. They are not on PATH there.
	debianBindirs = "/usr/lib/postgresql/*/bin"
)

// Binaries says where PostgreSQL's programs are. The zero value means that they have not been looked for.
type Binaries struct {
	Dir     string // holds at least postgres and initdb
	Psql    string // path of psql; "": not installed
	Pgbench string // path of pgbench; "": not installed
}

// FindBinaries looks for PostgreSQL's programs: in $PGWEIR_PG_BINDIR alone if that is set, else where pg_config says,
// in Debian's directories with the newest version first, and on PATH. The error is ErrNotFound, or says what is missing
// in $PGWEIR_PG_BINDIR.
func FindBinaries() (Binaries, error) {
	if dir := os.Getenv(bindirVariable); dir != "" {
		if !hasServer(dir) {
			return Binaries{}, fmt.Errorf("%s=%s: no executable postgres and initdb there", bindirVariable, dir)
		}
		return binariesIn(dir), nil
	}

	for _, candidate := range []func() []string{configuredDir, debianDirs, pathDir} {
		for _, dir := range candidate() {
			if hasServer(dir) {
				return binariesIn(dir), nil
			}
		}
	}
	return Binaries{}, ErrNotFound
}

// configuredDir returns the directory that pg_config names. There may be no server in it: Debian installs pg_config
// with the client library.
func configuredDir() []string {
	out, err := exec.Command("pg_config", "--bindir").Output()
	if err != nil {
		return nil
	}
	return []string{strings.TrimSpace(string(out))}
}

// debianDirs returns Debian's directories, the newest version first.
func debianDirs() []string {
	dirs, err := filepath.Glob(debianBindirs)
	if err != nil {
		panic("bug: " + err.Error()) // The pattern is a constant.
	}
	slices.SortFunc(dirs, newerFirst)
	return dirs
}

// newerFirst orders directories named .../VERSION/bin.
func newerFirst(a, b string) int {
	return cmp.Compare(versionOf(b), versionOf(a))
}

// versionOf returns the version in .../VERSION/bin, 0 if it is not a number. Versions before 10 look like 9.6.
func versionOf(dir string) float64 {
	version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
	if err != nil {
		return 0
	}
	return version
}

// pathDir returns the directory of the postgres on PATH.
func pathDir() []string {
	path, err := exec.LookPath("postgres")
	if err != nil {
		return nil
	}
	return []string{filepath.Dir(path)}
}

// hasServer reports whether dir holds what a cluster cannot do without.
func hasServer(dir string) bool {
	return isExecutable(filepath.Join(dir, "postgres")) && isExecutable(filepath.Join(dir, "initdb"))
}

// isExecutable reports whether path is a file that somebody may execute.
func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// binariesIn returns the programs in dir. The clients may be elsewhere on PATH: some systems package them apart.
func binariesIn(dir string) Binaries {
	return Binaries{Dir: dir, Psql: client(dir, "psql"), Pgbench: client(dir, "pgbench")}
}

// client returns the path of a client program, "" if it is not installed.
func client(dir, name string) string {
	if path := filepath.Join(dir, name); isExecutable(path) {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}
