package pool

import (
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// Options of one pool.
type Options struct {
	// Network and Address are where PostgreSQL listens, as for net.Dial.
	Network, Address string
	// Login is who to log in as, and to which database.
	Login wire.LoginParams

	// Size is how many servers there may be.
	Size int
	// MinSize is how many are kept open, once the first has been needed.
	MinSize int
	// Reserve is how many more than Size there may be while a client has
	// waited for longer than ReserveTimeout. 0 of either: none.
	Reserve        int
	ReserveTimeout time.Duration

	// MaxDatabase and MaxUser bound the servers of all pools with the same
	// database or user together. 0: no bound.
	MaxDatabase, MaxUser int

	// RoundRobin has each use take the server that was idle for the longest time,
	// rather than for the shortest.
	RoundRobin bool

	// ConnectTimeout bounds opening a server, login included. 0: no limit.
	ConnectTimeout time.Duration
	// LoginRetry is the longest pause after failed attempts to open one.
	LoginRetry time.Duration
	// IdleTimeout closes servers that were idle for so long; 0: never.
	IdleTimeout time.Duration
	// Lifetime closes servers that are older, when they are idle; 0: each is used once.
	Lifetime time.Duration
	// CancelTimeout bounds the wait for a cancel request to be confirmed. 0: no limit.
	CancelTimeout time.Duration
	// TCP are the options of connections to PostgreSQL.
	TCP reactor.TCPOptions
}
