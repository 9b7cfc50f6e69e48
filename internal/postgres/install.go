package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// aptPackage is Debian's and Ubuntu's metapackage: the newest server and its client programs.
	aptPackage = "postgresql"

	// installLock is a file that one of several processes locks while it installs. Only root can write there.
	installLock = "/run/pgweir-install.lock"

	// lockInterval is the time between two attempts to lock that file.
	lockInterval = 100 * time.Millisecond

	// aptGrace is how long apt-get may take to end after an interrupt before it is killed.
	aptGrace = 30 * time.Second

	// clusterDefaults is a drop-in for Debian's createcluster.conf, see pg_createcluster(1).
	clusterDefaults = "/etc/postgresql-common/createcluster.d/pgweir.conf"
)

// Ensure returns the programs that FindBinaries finds, after installing them with Install if there are none. What it
// is about to do it says on w.
func Ensure(ctx context.Context, w io.Writer) (Binaries, error) {
	if err := awaitInstallation(ctx, installLock); err != nil {
		return Binaries{}, err
	}
	binaries, err := FindBinaries()
	if !errors.Is(err, ErrNotFound) {
		return binaries, err
	}
	if err := Install(ctx, w); err != nil {
		return Binaries{}, err
	}
	return FindBinaries()
}

// Install installs Debian's PostgreSQL, without a running server, where there is apt-get and we are root. Elsewhere the
// error says what to do instead. Several processes may call it at once: one installs while the others wait.
func Install(ctx context.Context, w io.Writer) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return ErrNotFound
	}
	if os.Geteuid() != rootUID {
		return fmt.Errorf("%w; to install it here, type: "+
			"sudo apt-get update && sudo apt-get install --no-install-recommends %s", ErrNotFound, aptPackage)
	}

	unlock, err := lockFile(ctx, installLock)
	if err != nil {
		return fmt.Errorf("wait for another installation: %w", err)
	}
	defer func() { _ = unlock() }()

	if _, err := FindBinaries(); err == nil {
		return nil // The process that had the lock has installed it.
	}
	fmt.Fprintln(w, "PostgreSQL is not installed: installing Debian's package", aptPackage)
	return installWithoutCluster(ctx, clusterDefaults)
}

// awaitInstallation waits while another process holds the lock to install: what it has unpacked so far would be found,
// and not work. Without a file there was no installation since the machine started.
func awaitInstallation(ctx context.Context, lock string) error {
	if _, err := os.Stat(lock); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := lockFile(ctx, lock)
	if errors.Is(err, fs.ErrPermission) {
		return nil // We are not root; root's business does not keep us waiting.
	}
	if err != nil {
		return fmt.Errorf("wait for another installation: %w", err)
	}
	return unlock()
}

// installWithoutCluster runs apt-get. The package would make a cluster and start it on port 5432, which nobody asked
// for; defaults is the drop-in that keeps it from that. It is there only meanwhile, so that the administrator's next
// PostgreSQL gets its cluster as usual.
func installWithoutCluster(ctx context.Context, defaults string) (err error) {
	if err := os.MkdirAll(filepath.Dir(defaults), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(defaults, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(defaults)) }()

	if err := aptGet(ctx, "update"); err != nil {
		return err
	}
	return aptGet(ctx, "install", "--yes", "--no-install-recommends", aptPackage)
}

// aptGet runs apt-get, asking nothing and waiting for other package managers. Its output is in the error.
func aptGet(ctx context.Context, args ...string) error {
	const lockWait = "DPkg::Lock::Timeout=300" // in seconds
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"--quiet", "--option", lockWait}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	// Killed, it would leave the package database in need of repair.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = aptGrace
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s\napt-get %s: %w", out, strings.Join(args, " "), err)
	}
	return nil
}

// lockFile locks the file at path, made if necessary, against other processes. It waits until ctx ends. The lock ends
// with unlock, or with this process. The file stays: if it were removed, two processes could lock two of the same name.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, privateFile)
	if err != nil {
		return nil, err
	}
	ticker := time.NewTicker(lockInterval)
	defer ticker.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if err != syscall.EWOULDBLOCK {
			f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
}
