package postgres

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	// shortTemp is the temporary directory that every user can enter and whose name is short.
	shortTemp = "/tmp"

	// maxSocketPath is how long the path of a unix socket may be, in bytes. The kernel's limit is 107 on Linux
	// (unix(7)), 103 on BSD and macOS; clients add to it sometimes.
	maxSocketPath = 99

	// privateDir is the mode of directories that only their owner may enter; PostgreSQL insists on it for its data.
	privateDir = 0o700

	// privateFile is the mode of files that only their owner may read.
	privateFile = 0o600
)

// makeDirs makes the directories and the log file. They all belong to the user that the server runs as.
func (c *Cluster) makeDirs(dir string) error {
	var err error
	if dir == "" {
		c.dir, err = c.makeTemp(c.tempRoot())
	} else {
		c.dir, err = c.makeGiven(dir)
	}
	if err != nil {
		return err
	}
	if err := c.makePrivate(c.dataDir()); err != nil {
		return err
	}
	if err := c.makeSocketDir(); err != nil {
		return err
	}
	c.log, err = os.OpenFile(filepath.Join(c.dir, "log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, privateFile)
	return err
}

// makeTemp makes a directory in root that Stop removes.
func (c *Cluster) makeTemp(root string) (string, error) {
	dir, err := os.MkdirTemp(root, "pgweir-postgres-")
	if err != nil {
		return "", err
	}
	c.temporary = append(c.temporary, dir)
	return dir, chown(dir, c.account)
}

// tempRoot returns where temporary directories go: where the environment says, unless the server's user cannot get
// there.
func (c *Cluster) tempRoot() string {
	if root := os.TempDir(); mayEnter(root, c.account) {
		return root
	}
	return shortTemp
}

// makeGiven makes the directory that the caller named, unless it exists, and returns its absolute path.
func (c *Cluster) makeGiven(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		if err := c.makePrivate(dir); err != nil {
			return "", err
		}
	}
	if !mayEnter(dir, c.account) {
		return "", fmt.Errorf("directory %s cannot be entered by uid %d, which PostgreSQL runs as because root may not: "+
			"%w", dir, c.account.Uid, os.ErrPermission)
	}
	return dir, nil
}

// makePrivate makes a directory that only the server's user may enter.
func (c *Cluster) makePrivate(dir string) error {
	if err := os.Mkdir(dir, privateDir); err != nil {
		return err
	}
	return chown(dir, c.account)
}

// makeSocketDir makes the directory of the unix socket: inside the cluster's, unless that makes the path too long.
func (c *Cluster) makeSocketDir() error {
	c.SocketDir = filepath.Join(c.dir, "socket")
	if len(c.socketPath())+len("65535") <= maxSocketPath {
		return c.makePrivate(c.SocketDir)
	}
	var err error
	c.SocketDir, err = c.makeTemp(shortTemp)
	return err
}

// dataDir returns the path of the data directory.
func (c *Cluster) dataDir() string { return filepath.Join(c.dir, "data") }

// socketPath returns the path of the unix socket.
func (c *Cluster) socketPath() string {
	return filepath.Join(c.SocketDir, fmt.Sprintf(".s.PGSQL.%d", c.Port))
}

// initialise fills the data directory.
func (c *Cluster) initialise(ctx context.Context) error {
	passwordFile, err := c.writePassword()
	if err != nil {
		return err
	}
	defer os.Remove(passwordFile)

	out, err := c.initdb(ctx, passwordFile).CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("initdb: %w", ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, out)
	}
	return nil
}

// writePassword returns the path of a file with the superuser's password, for initdb. Only a file will do: an argument
// would show the password to everybody, and a pipe of root's cannot be reopened by another user.
func (c *Cluster) writePassword() (string, error) {
	path := filepath.Join(c.dir, "password")
	if err := os.WriteFile(path, []byte(c.Password+"\n"), privateFile); err != nil {
		return "", err
	}
	return path, chown(path, c.account)
}

// initdb returns the command that fills the data directory. When ctx ends it is killed, with the postgres that it runs.
func (c *Cluster) initdb(ctx context.Context, passwordFile string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.binaries.Dir, "initdb"),
		"--pgdata="+c.dataDir(), "--username="+c.User, "--pwfile="+passwordFile,
		"--auth-local=trust", "--auth-host=scram-sha-256", // The latter makes version 13 and older store SCRAM secrets.
		"--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.Dir = c.dir
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.account, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// defaultSettings returns the settings of a cluster that is thrown away.
func defaultSettings() map[string]string {
	return map[string]string{
		"listen_addresses": loopback,
		"max_connections":  "200",

		// The data need not survive the machine.
		"fsync":              "off",
		"full_page_writes":   "off",
		"synchronous_commit": "off",

		// Everything goes to our log file, which the server inherits.
		"logging_collector": "off",
		"log_destination":   "stderr",
		"log_line_prefix":   "%m [%p] %q%u@%d ",

		// Shared memory for parallel queries goes to files in the data directory, so that it goes away with that.
		"dynamic_shared_memory_type": "mmap",
	}
}

// configure appends to postgresql.conf, where the last line for a setting counts, and writes pg_hba.conf.
func (c *Cluster) configure(settings map[string]string, hba []string) error {
	all := defaultSettings()
	maps.Copy(all, settings)
	conf, err := os.OpenFile(filepath.Join(c.dataDir(), "postgresql.conf"), os.O_WRONLY|os.O_APPEND, privateFile)
	if err != nil {
		return err
	}
	defer conf.Close()
	if _, err := conf.WriteString(formatSettings(all)); err != nil {
		return err
	}
	// The file exists and keeps its owner.
	return os.WriteFile(filepath.Join(c.dataDir(), "pg_hba.conf"), []byte(formatHBA(c.User, hba)), privateFile)
}

// formatSettings returns settings as postgresql.conf has them, sorted by name.
func formatSettings(settings map[string]string) string {
	quote := strings.NewReplacer(`'`, `''`, `\`, `\\`)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, quote.Replace(settings[name]))
	}
	return b.String()
}

// formatHBA returns the contents of pg_hba.conf: the superuser's own line, and then lines or, if that is nil, the
// default ones.
func formatHBA(superUser string, lines []string) string {
	if lines == nil {
		lines = []string{
			"local all all scram-sha-256",
			"host all all " + loopback + "/32 scram-sha-256",
		}
	}
	own := fmt.Sprintf(`local all "%s" trust`, superUser)
	return own + "\n" + strings.Join(lines, "\n") + "\n"
}

// environment returns the environment of PostgreSQL's programs: ours without the variables that would point them to
// another server or data directory, and with messages in English.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "PG") })
	return append(env, "LC_ALL=C")
}
