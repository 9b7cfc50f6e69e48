package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long a child may take to end after SIGTERM before it is killed.
const stopGrace = 5 * time.Second

// logTailBytes is how much of a child's log goes into an error about it.
const logTailBytes = 2 << 10

// process is a child of ours that writes its log to a file and runs until it is stopped.
type process struct {
	cmd     *exec.Cmd
	logPath string
	exited  chan struct{} // closed once the child has been reaped
	err     error         // how it ended; read it only after exited is closed
}

// startProcess starts path with args as the given OS user (nil: our own), its output going to logPath.
func startProcess(path string, args []string, as *syscall.Credential, logPath string) (*process, error) {
	log, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer log.Close() // The child has its own descriptor.

	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = withoutSettings(os.Environ())
	cmd.SysProcAttr = childAttributes(as)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, logPath: logPath, exited: make(chan struct{})}
	go p.reap()
	return p, nil
}

// withoutSettings returns an environment without pgweir's settings: a pooler's configuration file alone shall count.
func withoutSettings(environment []string) []string {
	return slices.DeleteFunc(environment, func(variable string) bool { return strings.HasPrefix(variable, "PGWEIR_") })
}

// reap runs as a goroutine: it stops when the child has ended and is waited for by stop.
func (p *process) reap() {
	p.err = p.cmd.Wait()
	close(p.exited)
}

// pid returns the child's process id.
func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the child and waits until it is gone: politely first, with SIGKILL after stopGrace. Stopping a child that
// has ended already is no error.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		<-p.exited // The signal found it reaped, so this does not wait.
		return nil
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopGrace):
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.exited // SIGKILL cannot be ignored.
	return fmt.Errorf("%s did not end within %v of SIGTERM and was killed", p.cmd.Path, stopGrace)
}

// logTail returns the end of what the child has written, for an error message.
func (p *process) logTail() string {
	text, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-logTailBytes):])
}
