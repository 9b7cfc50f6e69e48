package config

import (
	"io/fs"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"
)

// AnyDatabase is the name of the [databases] entry that serves every database
// name without an entry of its own, as in PgBouncer.
const AnyDatabase = "*"

// Inherit is the value of an entry's limit that was not set and is therefore
// taken from [pgweir]. It is not 0 because there 0 is a value of its own: a
// database may well ask for no limit where the others have one.
const Inherit = -1

// Config is everything that can be set. Besides the values as they were given
// it answers, by [Config.Database] and [Config.Pool], which of them are in force.
type Config struct {
	Pgweir    Pgweir
	Stats     Stats
	Databases map[string]Database // by the name clients ask for; AnyDatabase: all others
	Users     map[string]User     // by role name

	// Warnings are the things that do not stop pgweir but should not stay as
	// they are, such as a password file that everybody can read. One sentence
	// each, for the log.
	Warnings []string

	origins map[string]origin // by Setting.Path; no entry: the default
}

// Pgweir is the table [pgweir]: the settings of the process, and the defaults of
// every database and user. What each one means, its unit and what its zero means
// is said in its row of the settings table (table.go), and only there.
type Pgweir struct {
	ListenAddr     []string // without port; empty: no TCP; "*": every interface
	ListenPort     int
	UnixSocketDir  string
	UnixSocketMode fs.FileMode
	HTTPListen     string

	AuthType AuthType
	AuthFile string

	PoolMode              PoolMode
	DefaultPoolSize       int
	MinPoolSize           int
	ReservePoolSize       int
	ReservePoolTimeout    time.Duration
	MaxClientConn         int
	MaxPreparedStatements int
	MaxDBConnections      int
	MaxUserConnections    int
	ServerResetQuery      string

	Paranoid bool
	On       Policies

	QueryWaitTimeout       time.Duration
	ClientLoginTimeout     time.Duration
	ClientIdleTimeout      time.Duration
	IdleTransactionTimeout time.Duration
	QueryTimeout           time.Duration
	ClientWriteTimeout     time.Duration
	CancelWaitTimeout      time.Duration

	ServerConnectTimeout time.Duration
	ServerIdleTimeout    time.Duration
	ServerLifetime       time.Duration
	ServerLoginRetry     time.Duration
	ServerCheckQuery     string // EmptyQuery: one without a statement; empty: no check
	ServerCheckDelay     time.Duration
	ServerRoundRobin     bool

	TCPKeepalive   bool
	TCPKeepidle    time.Duration
	TCPKeepintvl   time.Duration
	TCPKeepcnt     int
	TCPUserTimeout time.Duration

	LogFormat         LogFormat
	LogLevel          string
	LogConnections    bool
	LogDisconnections bool

	Loops           int
	ShutdownTimeout time.Duration
}

// Database is one entry of [databases]: where the servers of a database are, and
// what differs from [pgweir] for its pools.
type Database struct {
	Host     string // host name, address, or the directory of a unix socket
	Port     int
	DBName   string // after Load only empty in AnyDatabase: the name the client asked for
	User     string // forces the server's user; empty: the client's
	Password Secret // the password of User; also when it came from PasswordFile

	PasswordFile string

	PoolSize         int      // 0: DefaultPoolSize
	MinPoolSize      int      // Inherit: as in Pgweir
	ReservePoolSize  int      // Inherit: as in Pgweir
	MaxDBConnections int      // Inherit: as in Pgweir
	PoolMode         PoolMode // "": as in Pgweir
	On               Policies // "": as in Pgweir

	SlowStatement time.Duration // 0: as in Stats
}

// User is one entry of [users]: a role that may log in, and what differs for its
// pools. A limit set for a user wins over the same limit of a database.
type User struct {
	Password     Secret // plain, or a SCRAM or md5 verifier; also when it came from PasswordFile
	PasswordFile string

	PoolSize           int      // 0: as the database says
	PoolMode           PoolMode // "": as the database says
	MaxUserConnections int      // Inherit: as in Pgweir

	SlowStatement time.Duration // 0: as the database says
}

// PoolMode says for how long a client keeps a server.
type PoolMode string

// The pool modes, with PgBouncer's names.
const (
	PoolTransaction PoolMode = "transaction"
	PoolSession     PoolMode = "session"
	PoolStatement   PoolMode = "statement"
)

// AuthType says how clients prove who they are.
type AuthType string

// The ways to authenticate a client, with PgBouncer's names.
const (
	AuthTrust AuthType = "trust"
	AuthPlain AuthType = "plain"
	AuthMD5   AuthType = "md5"
	AuthSCRAM AuthType = "scram-sha-256"
)

// LogFormat says how log lines look.
type LogFormat string

// The log formats.
const (
	LogAuto    LogFormat = "auto" // console on a terminal, JSON elsewhere
	LogConsole LogFormat = "console"
	LogJSON    LogFormat = "json"
)

// Default returns the settings as they are when nothing is set: no databases and
// no users, and everything else as the table says.
func Default() *Config {
	c := &Config{
		Databases: make(map[string]Database),
		Users:     make(map[string]User),
		origins:   make(map[string]origin),
	}
	for _, sec := range sections() {
		if !sec.named {
			sec.reset(sec.get(c, ""))
		}
	}
	return c
}

// ListenAddresses returns the TCP addresses to listen on as host:port, ready for
// net.Listen; none when TCP is off.
func (p *Pgweir) ListenAddresses() []string {
	port := strconv.Itoa(p.ListenPort)
	var addrs []string
	for _, host := range p.ListenAddr {
		if host == "*" {
			host = ""
		}
		addrs = append(addrs, net.JoinHostPort(host, port))
	}
	return addrs
}

// Database returns the entry that serves clients asking for the database name,
// with everything it inherits filled in: its own entry, else that of AnyDatabase.
// It reports false when there is neither.
func (c *Config) Database(name string) (Database, bool) {
	db, ok := c.Databases[name]
	if !ok {
		if db, ok = c.Databases[AnyDatabase]; !ok {
			return Database{}, false
		}
	}

	if db.DBName == "" {
		db.DBName = name
	}
	if db.PoolSize == 0 {
		db.PoolSize = c.Pgweir.DefaultPoolSize
	}
	if db.PoolMode == "" {
		db.PoolMode = c.Pgweir.PoolMode
	}
	db.On.inherit(c.Pgweir.On)
	inherit(&db.MinPoolSize, c.Pgweir.MinPoolSize)
	inherit(&db.ReservePoolSize, c.Pgweir.ReservePoolSize)
	inherit(&db.MaxDBConnections, c.Pgweir.MaxDBConnections)
	return db, true
}

// Pool is what is in force for the pool of one database and one user.
type Pool struct {
	Mode        PoolMode
	Size        int // servers, at least 1
	MinSize     int // servers kept open, at most Size
	ReserveSize int // servers beyond Size for clients that wait long; 0: none

	MaxDBConnections   int // servers of the database, all pools together; 0: no limit
	MaxUserConnections int // servers of the user, all pools together; 0: no limit

	On Policies // what becomes of what clients leave in a session
}

// Pool returns what is in force for the pool of a database and a user: what is
// set for the user, else for the database, else in [pgweir]. The user needs no
// entry. It reports false when no entry serves the database.
func (c *Config) Pool(database, user string) (Pool, bool) {
	db, ok := c.Database(database)
	if !ok {
		return Pool{}, false
	}

	p := Pool{
		Mode:               db.PoolMode,
		Size:               db.PoolSize,
		ReserveSize:        db.ReservePoolSize,
		MaxDBConnections:   db.MaxDBConnections,
		MaxUserConnections: c.Pgweir.MaxUserConnections,
		On:                 db.On,
	}
	if u, ok := c.Users[user]; ok {
		u.override(&p)
	}
	p.MinSize = min(db.MinPoolSize, p.Size)
	return p, true
}

// override puts what is set for the user over what the database says.
func (u User) override(p *Pool) {
	if u.PoolMode != "" {
		p.Mode = u.PoolMode
	}
	if u.PoolSize != 0 {
		p.Size = u.PoolSize
	}
	if u.MaxUserConnections != Inherit {
		p.MaxUserConnections = u.MaxUserConnections
	}
}

// inherit replaces an unset limit by the one of [pgweir].
func inherit(limit *int, from int) {
	if *limit == Inherit {
		*limit = from
	}
}

// sortedKeys returns the names of a table's entries in order, so that problems,
// warnings and listings do not change from run to run.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
