package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	// quitGrace is how long a server may take to end after SIGQUIT before it is killed. The postmaster itself kills
	// what is left of its children after 5 s (SIGKILL_CHILDREN_AFTER_SECS in postmaster.c).
	quitGrace = 7 * time.Second

	// killGrace is how long the kernel may take to clear away killed processes.
	killGrace = 10 * time.Second
)

// errStillRunning is returned when not even SIGKILL ended a server in time.
var errStillRunning = errors.New("postgres is still running after SIGKILL")

// process is one run of the postmaster with everything that it has forked.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the postmaster and all its children are gone
	err  error         // how the postmaster ended, nil for exit status 0; valid once done is closed
}

// startProcess starts cmd. Its descriptors 3 and up must be unused.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.keep(started) // Stops when the server is gone; stopping methods wait for done.
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// keep starts the postmaster, reports on started whether that worked, and waits for the end of all its processes.
//
// It keeps its OS thread to itself all that time. The kernel sends the parent-death signal (see childAttributes) when
// the thread that forked the child ends, not the process: on a shared thread, which the Go runtime ends if it likes,
// the server could be shut down under us at any moment.
func (p *process) keep(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)

	alive, err := p.start()
	started <- err
	if err != nil {
		return
	}
	defer alive.Close()

	p.err = p.cmd.Wait()
	// The children outlive a killed postmaster for a moment. A new one refuses to start until they have left the shared
	// memory. We are not their parent and cannot wait for them, but they all have inherited the pipe's other end.
	_, _ = io.Copy(io.Discard, alive)
}

// start starts the command. The pipe that it returns reads as empty, and as ended once all processes are gone.
func (p *process) start() (*os.File, error) {
	alive, held, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer held.Close() // The child has its own descriptor.

	p.cmd.ExtraFiles = []*os.File{held}
	if err := p.cmd.Start(); err != nil {
		alive.Close()
		return nil, err
	}
	return alive, nil
}

// pid returns the postmaster's process id.
func (p *process) pid() int { return p.cmd.Process.Pid }

// running reports whether some of the server's processes are left.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ending returns how the postmaster ended; the server must be gone. It is never nil: that it has ended is the news.
func (p *process) ending() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// signal sends sig to the postmaster. That it has ended already is no error.
func (p *process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal postgres: %w", err)
	}
	return nil
}

// freeze stops all processes with SIGSTOP: the postmaster first, so that it forks nothing meanwhile.
func (p *process) freeze() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return p.signalChildren(syscall.SIGSTOP)
}

// thaw undoes freeze. It does nothing to a server that runs.
func (p *process) thaw() error {
	return errors.Join(p.signalChildren(syscall.SIGCONT), p.signal(syscall.SIGCONT))
}

// signalChildren sends sig to each process that the postmaster has forked. They cannot be reached at once, as a group:
// each makes itself a session leader (InitPostmasterChild in miscinit.c). Children that have lost their postmaster are
// not found any more; they end by themselves.
func (p *process) signalChildren(sig syscall.Signal) error {
	const onlyAsk = syscall.Signal(0)
	if errors.Is(p.cmd.Process.Signal(onlyAsk), os.ErrProcessDone) {
		return nil // Its id may be somebody else's by now.
	}
	pids, err := childrenOf(p.pid())
	if err != nil {
		return fmt.Errorf("list children of postgres: %w", err)
	}
	for _, pid := range pids {
		if killErr := syscall.Kill(pid, sig); killErr != nil && killErr != syscall.ESRCH {
			err = errors.Join(err, fmt.Errorf("signal process %d: %w", pid, killErr))
		}
	}
	return err
}

// shutdown asks the postmaster to end, as mode says, and waits for it. When ctx ends first it uses force and returns an
// error. Nothing is left running, except with errStillRunning.
func (p *process) shutdown(ctx context.Context, mode StopMode) error {
	if !p.running() {
		return nil
	}
	// A frozen process would never see the signal.
	if err := errors.Join(p.thaw(), p.signal(mode.signal())); err != nil {
		return errors.Join(err, p.kill())
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop postgres: %w", ctx.Err()), p.quit())
	}
}

// quit ends the server without a word to its clients, at the latest after quitGrace.
func (p *process) quit() error {
	if err := p.signal(Immediate.signal()); err != nil {
		return err
	}
	if p.gone(quitGrace) {
		return nil
	}
	return p.kill()
}

// kill ends all processes with SIGKILL and waits until they are gone. They are frozen first, so that no process is
// forked after the list of them was made, and none of their ids is reused before they are signalled.
func (p *process) kill() error {
	freezeErr := p.freeze()
	childErr := p.signalChildren(syscall.SIGKILL)
	err := errors.Join(freezeErr, childErr, p.signal(syscall.SIGKILL))
	if !p.gone(killGrace) {
		return errors.Join(err, errStillRunning)
	}
	return err
}

// gone waits until all processes are gone, for at most timeout, and reports whether they are.
func (p *process) gone(timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}
