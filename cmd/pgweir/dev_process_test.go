package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// waitLimit is how long a test waits for what takes a second or two on a machine
// that has nothing else to do.
const waitLimit = 2 * time.Minute

// A devProcess is `pgweir dev` in a process group of its own, as on a terminal,
// with all that it makes in one directory.
type devProcess struct {
	cmd    *exec.Cmd
	root   string
	lines  chan string // of its stdout; closed at its end
	stderr *bytes.Buffer
	seen   strings.Builder // the lines read so far
}

// startDev starts `pgweir dev` as account (nil: ourselves) on free ports, with env
// added to the environment.
func startDev(t *testing.T, account *syscall.Credential, env ...string) *devProcess {
	t.Helper()
	root := newRoot(t)
	p := &devProcess{
		cmd:    exec.Command(copyBinary(t), "dev", "--set", "listen_port=0", "--set", "http_listen=127.0.0.1:0"),
		root:   root,
		lines:  make(chan string, 100), // more than it prints
		stderr: new(bytes.Buffer),
	}
	p.cmd.Dir = "/"
	p.cmd.Env = append(os.Environ(), actAsPgweir+"=1", "TMPDIR="+root, databaseURLVariable+"=")
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account, Setpgid: true}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil { // the test has failed before its end
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	go p.scan(stdout) // ends with the process

	return p
}

// scan reads what the process prints.
func (p *devProcess) scan(r io.Reader) {
	defer close(p.lines)
	for s := bufio.NewScanner(r); s.Scan(); {
		p.lines <- s.Text()
	}
}

// await returns the rest of the next line that begins with prefix, but for blanks.
func (p *devProcess) await(t *testing.T, prefix string) string {
	t.Helper()
	timeout := time.After(waitLimit)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("it ended without a line %q:\n%s%s", prefix, p.seen.String(), p.stderr)
			}
			p.seen.WriteString(line + "\n")
			if rest, found := strings.CutPrefix(strings.TrimSpace(line), prefix); found {
				return strings.TrimSpace(rest)
			}
		case <-timeout:
			t.Fatalf("no line %q in %s", prefix, waitLimit)
		}
	}
}

// interrupt sends a signal to all of the process's group, as a terminal does.
func (p *devProcess) interrupt(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
}

// mustEnd waits for the end of the process, and fails the test if its exit code is
// another or it has left something behind.
func (p *devProcess) mustEnd(t *testing.T, code int) {
	t.Helper()
	kill := time.AfterFunc(waitLimit, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	for line := range p.lines {
		p.seen.WriteString(line + "\n")
	}
	_ = p.cmd.Wait() // the exit code says it
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d; it says:\n%s%s", got, code, p.seen.String(), p.stderr)
	}
	entries, err := os.ReadDir(p.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("%s is left in the temporary directory", entry.Name())
	}
	if pids := pgtest.ProcessesIn(t, p.root); len(pids) > 0 {
		t.Errorf("processes are left: %v", pids)
	}
}

// newRoot returns a directory that other users may write to, unlike t.TempDir's.
func newRoot(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "pgweir-dev-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}

	return root
}

// copyBinary copies the test binary to where other users may execute it.
func copyBinary(t *testing.T) string {
	t.Helper()
	src, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(newRoot(t), "pgweir")
	if err := os.WriteFile(dst, b, 0o755); err != nil {
		t.Fatal(err)
	}

	return dst
}
