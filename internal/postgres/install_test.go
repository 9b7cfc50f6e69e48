package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeAptGet puts an apt-get on PATH that writes its last argument and the drop-in to a file and ends with status. It
// returns the path of the drop-in and a function that returns what was written.
func fakeAptGet(t *testing.T, status string) (dropIn string, calls func() string) {
	t.Helper()
	bin := t.TempDir()
	dropIn = filepath.Join(t.TempDir(), "createcluster.d", "pgweir.conf")
	record := filepath.Join(t.TempDir(), "calls")
	t.Setenv("DROP_IN", dropIn)
	t.Setenv("RECORD", record)
	writeScript(t, filepath.Join(bin, "apt-get"),
		`for last; do :; done; echo "$DEBIAN_FRONTEND $last: $(cat "$DROP_IN")" >>"$RECORD"; echo bad news; exit `+status)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return dropIn, func() string {
		text, err := os.ReadFile(record)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestInstallWithoutCluster(t *testing.T) {
	dropIn, calls := fakeAptGet(t, "0")
	if err := installWithoutCluster(t.Context(), dropIn); err != nil {
		t.Fatal(err)
	}
	const want = "noninteractive update: create_main_cluster = false\n" +
		"noninteractive postgresql: create_main_cluster = false\n"
	if got := calls(); got != want {
		t.Errorf("apt-get was called with\n%swant\n%s", got, want)
	}
	if _, err := os.Stat(dropIn); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the drop-in is left (%v)", err)
	}
}

func TestInstallFails(t *testing.T) {
	dropIn, calls := fakeAptGet(t, "3")
	err := installWithoutCluster(t.Context(), dropIn)
	if err == nil || !strings.Contains(err.Error(), "bad news\n\napt-get update: exit status 3") {
		t.Errorf("got error %v, want one with the output and the status", err)
	}
	if got := strings.Count(calls(), "\n"); got != 1 {
		t.Errorf("apt-get was called %d times, want 1", got)
	}
	if _, err := os.Stat(dropIn); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the drop-in is left (%v)", err)
	}
}

func TestInstallWithoutAptGet(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var said strings.Builder
	if err := Install(t.Context(), &said); !errors.Is(err, ErrNotFound) {
		t.Errorf("got error %v, want %v", err, ErrNotFound)
	}
	if said.Len() > 0 {
		t.Errorf("nothing is installed, and it says %q", &said)
	}
}

func TestEnsureFindsWhatIsThere(t *testing.T) {
	dir := fakeBindir(t, "postgres", "initdb")
	t.Setenv(bindirVariable, dir)
	var said strings.Builder
	got, err := Ensure(t.Context(), &said)
	if err != nil || got.Dir != dir || said.Len() > 0 {
		t.Errorf("got %v, %v, and it says %q", got, err, &said)
	}
}

func TestEnsureDoesNotInstallOverMistake(t *testing.T) {
	t.Setenv(bindirVariable, "/nonexistent")
	var said strings.Builder
	if _, err := Ensure(t.Context(), &said); err == nil || errors.Is(err, ErrNotFound) || said.Len() > 0 {
		t.Errorf("got error %v, and it says %q", err, &said)
	}
}

func TestLockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lockFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}

	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := lockFile(short, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a locked file: got error %v, want %v", err, context.DeadlineExceeded)
	}

	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = lockFile(t.Context(), path)
	if err != nil {
		t.Fatalf("an unlocked file: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

func TestAwaitInstallation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if err := awaitInstallation(t.Context(), path); err != nil {
		t.Errorf("nobody has ever installed: %v", err)
	}

	unlock, err := lockFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := awaitInstallation(short, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("somebody installs: got error %v, want %v", err, context.DeadlineExceeded)
	}

	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := awaitInstallation(t.Context(), path); err != nil {
		t.Errorf("the installation has ended: %v", err)
	}
}
