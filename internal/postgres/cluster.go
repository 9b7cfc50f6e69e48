package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// loopback is the one address that clusters listen on.
const loopback = "127.0.0.1"

// Options says what cluster Start makes. The zero value is good for a first try.
type Options struct {
	// Binaries are the programs to use; zero: those that FindBinaries finds.
	Binaries Binaries

	// Dir is an absent or empty directory that Stop leaves behind. "": a temporary one, which Stop removes.
	Dir string

	// Port is the TCP port; 0: a free one.
	Port int

	// Settings are lines of postgresql.conf, name to unquoted value. They override this package's own, which trade
	// durability for speed.
	Settings map[string]string

	// HBA are the lines of pg_hba.conf; nil: SCRAM for everybody, on TCP and the socket. In front of them there always
	// is one that lets SuperUser in on the socket without a password: Exec and the wait for the server need it. Only the
	// OS user that the server runs as, and root, can reach the socket.
	HBA []string

	// SuperUser is the role that owns the cluster; "": postgres.
	SuperUser string

	// Password is that role's; "": a random one.
	Password string
}

// withDefaults returns o with everything filled in that can be known beforehand.
func (o Options) withDefaults() (Options, error) {
	o.SuperUser = cmp.Or(o.SuperUser, "postgres")
	o.Password = cmp.Or(o.Password, rand.Text())
	if o.Binaries != (Binaries{}) {
		return o, nil
	}
	var err error
	o.Binaries, err = FindBinaries()
	return o, err
}

// Cluster is a PostgreSQL of our own. It owns its processes and its directory until Stop. Its methods may be called by
// several goroutines.
type Cluster struct {
	// How to reach the server. None of this changes, also when the server is started again.
	Host      string // an IP address
	Port      int
	SocketDir string // of the unix socket
	User      string // the superuser
	Password  string // the superuser's

	binaries  Binaries
	account   *syscall.Credential // whom the server runs as; nil: ourselves
	dir       string              // holds the data directory, the socket and the log
	temporary []string            // the directories that Stop removes
	log       *os.File            // what the server writes; open from start to Stop

	// mu guards the following, and makes those wait for each other that start or stop the server.
	mu      sync.Mutex
	server  *process // the last one started; nil: none yet
	stopped bool     // by Stop: nothing is left of the cluster
}

// Start makes a cluster, starts its server and waits until it takes connections. ctx limits only that: the cluster
// lives until Stop. When Start returns an error, nothing is left running and no temporary directory is left behind.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	account, err := UnprivilegedUser()
	if err != nil {
		return nil, err
	}

	c := &Cluster{Host: loopback, User: o.SuperUser, Password: o.Password, binaries: o.Binaries, account: account}
	if err := c.create(ctx, o); err != nil {
		return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// create makes the directories and the data in them, and starts the server.
func (c *Cluster) create(ctx context.Context, o Options) error {
	if err := c.makeDirs(o.Dir); err != nil {
		return err
	}
	if err := c.initialise(ctx); err != nil {
		return err
	}
	if err := c.configure(o.Settings, o.HBA); err != nil {
		return err
	}
	return c.startOnPort(ctx, o.Port)
}

// Stop shuts the server down, breaking its connections, waits until all its processes are gone and removes the
// cluster's directory if it is a temporary one. When ctx ends first the server is stopped by force. Further calls do
// nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil
	}
	c.stopped = true

	err := c.stopServer(ctx, Fast)
	c.freeSharedMemory(ctx)
	if c.log != nil {
		err = errors.Join(err, c.log.Close())
	}
	return errors.Join(err, c.removeDirs())
}

// freeSharedMemory frees what a killed server has left allocated in the kernel. Only PostgreSQL knows what that is, and
// frees it when it starts again. It is done as well as may be: the cluster goes away in any case.
func (c *Cluster) freeSharedMemory(ctx context.Context) {
	if c.server == nil || !c.endedUncleanly() {
		return
	}
	if err := c.launch(ctx); err == nil {
		_ = c.stopServer(ctx, Fast)
	}
}

// endedUncleanly reports whether the server is gone and has left its lock file behind.
func (c *Cluster) endedUncleanly() bool {
	_, err := os.Stat(filepath.Join(c.dataDir(), "postmaster.pid"))
	return !c.server.running() && !errors.Is(err, fs.ErrNotExist)
}

// removeDirs removes the temporary directories.
func (c *Cluster) removeDirs() error {
	var err error
	for _, dir := range c.temporary {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// URL returns the connection string of a database, over TCP as the superuser, with the password in it.
func (c *Cluster) URL(database string) string {
	return c.UserURL(c.User, c.Password, database)
}

// UserURL is like URL, as another user.
func (c *Cluster) UserURL(user, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort(c.Host, strconv.Itoa(c.Port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable", // The server has no certificate.
	}
	return u.String()
}

// SocketURL is like URL, over the unix socket.
func (c *Cluster) SocketURL(database string) string {
	socket := url.Values{"host": {c.SocketDir}, "port": {strconv.Itoa(c.Port)}}
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(c.User, c.Password),
		Path:     "/" + database,
		RawQuery: socket.Encode(),
	}
	return u.String()
}
