// Package skiptest lets a test be skipped so that somebody learns of it. A skipped test checks nothing, and go test says
// so only with -v: of a package that passes it shows nothing else either.
package skiptest

import (
	"fmt"
	"io"
	"os"
	"testing"
)

// FileVariable names the environment variable that says which file gets a line for each skipped test. Make test shows
// that file in the end. Without the variable the lines go to standard error.
const FileVariable = "SKIPPED_TESTS"

// Skip skips a test, and says why where it is read. It does not return.
func Skip(t testing.TB, why any) {
	t.Helper()
	if err := note(fmt.Sprintf("%s is skipped: %v\n", t.Name(), why)); err != nil {
		t.Fatalf("say that the test is skipped: %v", err)
	}
	t.Skip(why)
}

// UnderRace skips a test of what things cost if the race detector is on. Make test runs such tests without it, too.
func UnderRace(t testing.TB) {
	t.Helper()
	if raceEnabled {
		Skip(t, "the race detector allocates, and takes time, itself")
	}
}

// note writes a line. Other test binaries append to the file at the same time, so it is one write.
func note(line string) error {
	path := os.Getenv(FileVariable)
	if path == "" {
		_, err := io.WriteString(os.Stderr, line)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.WriteString(f, line)
	return err
}
