package postgres_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/internal/skiptest"
)

func TestServerIsNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		skiptest.Skip(t, "only root drops its privileges")
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	c := pgtest.Cluster(t)
	children, err := c.Children()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range append(children, c.PID()) {
		for field, want := range map[string]string{"Uid": account.Uid, "Gid": account.Gid} {
			// Real, effective, saved and file system id.
			if got := status(t, pid, field); !slices.Equal(got, slices.Repeat([]string{want}, 4)) {
				t.Errorf("process %d has %s %v, want only %s", pid, field, got, want)
			}
		}
		if slices.Contains(status(t, pid, "Groups"), "0") {
			t.Errorf("process %d is in root's group", pid)
		}
	}
}

// status returns a field of /proc/PID/status.
func status(t *testing.T, pid int, field string) []string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if values, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.Fields(values)
		}
	}
	t.Fatalf("process %d has no status %s", pid, field)
	return nil
}

func TestGivenDirMustBeEnterable(t *testing.T) {
	if os.Geteuid() != 0 {
		skiptest.Skip(t, "only root runs the server as another user")
	}
	locked := newRoot(t)
	if err := os.Chmod(locked, 0o700); err != nil {
		t.Fatal(err)
	}
	o := postgres.Options{Binaries: pgtest.Binaries(t), Dir: filepath.Join(locked, "cluster")}
	_, err := postgres.Start(t.Context(), o)
	if want := "cannot be entered by uid"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}

	// A temporary directory goes elsewhere instead.
	t.Setenv("TMPDIR", locked)
	pgtest.Start(t)
}

func TestStopFreesSharedMemoryOfKilledServer(t *testing.T) {
	c := pgtest.Start(t)
	pid := c.PID()
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if n := sharedMemoryOf(t, pid); n == 0 {
		t.Fatal("a killed server leaves no shared memory: the test sees nothing")
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := sharedMemoryOf(t, pid); n != 0 {
		t.Errorf("%d shared memory segments are left", n)
	}
}

// sharedMemoryOf returns how many System V shared memory segments a process has made that still exist.
func sharedMemoryOf(t *testing.T, pid int) int {
	t.Helper()
	const creator = 4 // the column of cpid: key shmid perms size cpid ...
	table, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > creator && fields[creator] == strconv.Itoa(pid) {
			n++
		}
	}
	return n
}

func TestServerEndsWithItsParent(t *testing.T) {
	pgtest.Binaries(t)
	root := newTempRoot(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"=1")
	parent.Stderr = os.Stderr
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close() // Until then the parent lives, unless it is killed.
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}

	said, err := bufio.NewReader(stdout).ReadString('\n')
	running := pgtest.ProcessesIn(t, root)
	if killErr := parent.Process.Kill(); killErr != nil {
		t.Fatal(killErr)
	}
	_ = parent.Wait() // It was killed.
	t.Cleanup(func() { killProcesses(t, pgtest.ProcessesIn(t, root)) })
	if err != nil || len(running) == 0 {
		t.Fatalf("no server was started: %q, %v", said, err)
	}
	eventually(t, "the server is gone", func() bool { return len(pgtest.ProcessesIn(t, root)) == 0 })
}

// killProcesses ends what a failed test would leave running.
func killProcesses(t *testing.T, pids []string) {
	t.Helper()
	for _, text := range pids {
		if pid, err := strconv.Atoi(text); err == nil {
			_ = syscall.Kill(pid, syscall.SIGQUIT)
		}
	}
}

func TestParseStat(t *testing.T) {
	tests := []struct {
		name, stat string
		want       [2]int
	}{
		{"plain", "42 (postgres) S 7 42 42 0 -1", [2]int{42, 7}},
		{"blanks and parentheses in the name", "42 (a) R 1 (b) S 7 42", [2]int{42, 7}},
		{"empty", "", [2]int{}},
		{"cut short", "42 (postgres) S", [2]int{}},
		{"no number", "x (postgres) S y", [2]int{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pid, parent := postgres.ParseStat([]byte(tt.stat))
			if diff := cmp.Diff(tt.want, [2]int{pid, parent}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
