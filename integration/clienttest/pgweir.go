package clienttest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// A Pgweir is a running pgweir.
type Pgweir struct {
	Port int  // for clients, on 127.0.0.1
	Log  *Log // JSON, if the configuration says so, which Start and Await need

	cmd   *exec.Cmd
	ended chan struct{} // closed once the process has ended
}

// The patience with pgweir, on a busy machine.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 40 * time.Second // more than the drain may take
)

// Start starts pgweir with a configuration, waits until it listens, and stops it at the
// end of the test. No client may make it log an error.
func Start(t testing.TB, b *Build, config map[string]any) *Pgweir {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pgweir.toml")
	writeConfig(t, file, config)
	p := &Pgweir{Log: new(Log), ended: make(chan struct{})}
	p.cmd = exec.Command(b.Binary(t), "serve", "-c", file)
	p.cmd.Stderr = p.Log
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else the race detector sleeps for 1 s at exit
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process, which stop waits for
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.stop(t) })
	p.Port = portOf(t, p.Await(t, "listening", "addr"))

	return p
}

// writeConfig writes a configuration file.
func writeConfig(t testing.TB, path string, content map[string]any) {
	t.Helper()
	text, err := toml.Marshal(content)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// portOf returns the port of an address.
func portOf(t testing.TB, addr string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// Await waits for a line of the log and returns one of its fields.
func (p *Pgweir) Await(t testing.TB, message, field string) string {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); <-ticker.C {
		if line, ok := p.Log.Find(message); ok {
			value, _ := line[field].(string)

			return value
		}
		select {
		case <-p.ended:
			t.Fatalf("pgweir has ended: %v; its log:\n%s", p.cmd.ProcessState, p.Log)
		default:
		}
	}
	t.Fatalf("no line %q after %v; the log:\n%s", message, startTimeout, p.Log)

	return ""
}

// stop ends pgweir in an orderly way.
func (p *Pgweir) stop(t testing.TB) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // the stacks go to the log
		<-p.ended
		t.Errorf("pgweir was still running after %v", stopTimeout)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("pgweir: exit code %d after SIGTERM", code)
	}
	for _, line := range p.Log.Alarming() {
		t.Errorf("in pgweir's log: %s", line)
	}
	if t.Failed() {
		t.Logf("end of pgweir's log:\n%s", p.Log.Tail())
	}
}
