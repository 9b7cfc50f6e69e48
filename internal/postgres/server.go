package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a server may take until it takes connections. Usually it is a fraction of a second, but a
	// killed server's log may have to be replayed first, and the machine may be busy.
	startTimeout = time.Minute

	// probeInterval is the time between two attempts to connect to a server that starts.
	probeInterval = 10 * time.Millisecond

	// portAttempts is how often a server is started on another port when its port turns out to be taken.
	portAttempts = 5

	// Ports are chosen from firstPort up to, without, endPort: below those that the systems give to outgoing connections
	// (from 32768 on Linux, ip(7); from 49152 on BSD and macOS). On one of those a client that keeps trying to reconnect
	// to a stopped server sooner or later connects to itself, and holds the port when the server returns.
	firstPort = 15000
	endPort   = 30000
)

// errNotRunning is returned by what needs a running server.
var errNotRunning = errors.New("postgres is not running")

// errPortTaken is returned when a server cannot listen on its port.
var errPortTaken = errors.New("port is in use")

// StopMode is how a server is shut down.
type StopMode int

// The modes of pg_ctl stop.
const (
	Fast      StopMode = iota // rolls back open transactions, clients get error 57P01
	Immediate                 // drops everything, clients get a warning; the next start recovers from the log
)

// signal returns what asks the postmaster for m, see pmdie in postmaster.c.
func (m StopMode) signal() syscall.Signal {
	if m == Immediate {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}

// StartServer starts the server again, on the same port and with the data it had, and waits until it takes connections.
// It does nothing if the server is running.
func (c *Cluster) StartServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return errNotRunning
	}
	if c.server.running() {
		return nil
	}
	return c.launch(ctx)
}

// StopServer shuts the server down and waits until all its processes are gone. The data stays. When ctx ends first the
// server is stopped by force.
func (c *Cluster) StopServer(ctx context.Context, mode StopMode) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopServer(ctx, mode)
}

// stopServer is StopServer; mu is held.
func (c *Cluster) stopServer(ctx context.Context, mode StopMode) error {
	if c.server == nil {
		return nil
	}
	return c.server.shutdown(ctx, mode)
}

// Restart is StopServer, fast, and StartServer.
func (c *Cluster) Restart(ctx context.Context) error {
	if err := c.StopServer(ctx, Fast); err != nil {
		return err
	}
	return c.StartServer(ctx)
}

// Kill ends all of the server's processes with SIGKILL and waits until they are gone, as if the machine had crashed.
// The data stays, and StartServer recovers it, except for transactions committed less than a second ago: commits are
// asynchronous unless Options.Settings says otherwise.
func (c *Cluster) Kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.server.running() {
		return nil
	}
	return c.server.kill()
}

// Signal sends sig to the postmaster. SIGSTOP and SIGCONT go to all of the server's processes: it freezes, with its
// connections open, and thaws.
func (c *Cluster) Signal(sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.server.running() {
		return errNotRunning
	}
	switch sig {
	case syscall.SIGSTOP:
		return c.server.freeze()
	case syscall.SIGCONT:
		return c.server.thaw()
	default:
		return c.server.signal(sig)
	}
}

// startOnPort starts the new cluster's server on port, 0: on a free one. Another program may take a free port before
// the server does; then it tries another.
func (c *Cluster) startOnPort(ctx context.Context, port int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if port != 0 {
		c.Port = port
		return c.launch(ctx)
	}

	var err error
	for range portAttempts {
		if c.Port, err = freePort(); err != nil {
			return err
		}
		if err = c.launch(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// freePort returns a port that nobody listened on just now.
func freePort() (int, error) {
	var err error
	for range 100 { // Far more than needed, unless something else is wrong.
		port := firstPort + rand.IntN(endPort-firstPort)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

// launch starts the server and waits until it takes connections. After an error nothing runs. mu is held.
func (c *Cluster) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	logStart, err := c.logSize()
	if err != nil {
		return err
	}
	if c.server, err = startProcess(c.command()); err != nil {
		c.server = nil
		return fmt.Errorf("start postgres: %w", err)
	}
	if err = c.awaitReady(ctx); err == nil {
		return nil
	}

	stopErr := c.server.quit()
	log := c.logFrom(logStart)
	if strings.Contains(log, "Address already in use") { // strerror's text for EADDRINUSE in the C locale.
		err = errPortTaken
	}
	return errors.Join(fmt.Errorf("start postgres on port %d: %w; its log ends:\n%s", c.Port, err, log), stopErr)
}

// command returns the command that runs the server. Port and socket are not in postgresql.conf because the port is
// known only now.
func (c *Cluster) command() *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.binaries.Dir, "postgres"),
		"-D", c.dataDir(), "-p", strconv.Itoa(c.Port), "-k", c.SocketDir)
	cmd.Dir = c.dir
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = c.log, c.log
	cmd.SysProcAttr = childAttributes(c.account)
	return cmd
}

// awaitReady waits until the server takes connections, has ended, or ctx ends.
func (c *Cluster) awaitReady(ctx context.Context) error {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for {
		probeErr := probe(ctx, c.socketPath(), c.User)
		if probeErr == nil {
			return nil
		}
		select {
		case <-c.server.done:
			return fmt.Errorf("it ended: %w", c.server.ending())
		case <-ctx.Done():
			return fmt.Errorf("not ready (%w): %w", probeErr, ctx.Err())
		case <-ticker.C:
		}
	}
}
