package proxy

import (
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/wire"
)

// A route is what all sessions of one (database, user) share.
type route struct {
	pool     *pool.Pool
	mode     config.PoolMode
	policies config.Policies // of what clients leave in a session
	rejects  bool            // one of these is reject
	tallies  []stats.Tally   // by loop
	figures  stats.PoolID    // of its statements

	statements statements // that its clients have prepared

	lastSettings atomic.Pointer[wire.Parameters] // of the last login
}

// share returns settings in the memory of the last login's, if they are the same,
// as those of one application's clients mostly are.
func (r *route) share(settings wire.Parameters) wire.Parameters {
	if last := r.lastSettings.Load(); last != nil && last.Equal(settings) {
		return *last
	}
	r.lastSettings.Store(&settings)

	return settings
}

// route returns the way to a database for a user. The caller uses its pool until
// [pool.Pool.Leave]. The error is for the client.
func (p *Proxy) route(database, user string, own wire.Credentials) (*route, error) {
	db, ok := p.config.Database(database)
	if !ok {
		return nil, wire.Fatalf(wire.CodeInvalidCatalogName, "database \"%s\" does not exist", database).
			WithHint("Add [databases.NAME] to pgweir's configuration, or [databases.\"*\"] for all.")
	}
	limits, _ := p.config.Pool(database, user)

	p.mu.Lock()
	defer p.mu.Unlock()
	key := pool.Key{Database: database, User: user}
	servers, err := p.pools.Get(key, func() pool.Options {
		return p.poolOptions(db, limits, loginParams(db, user, own))
	})
	if err != nil {
		return nil, err
	}
	r := p.routes[key]
	if r == nil || r.pool != servers {
		r = &route{pool: servers, mode: limits.Mode, policies: limits.On, tallies: make([]stats.Tally, len(p.workers))}
		if p.meter != nil {
			r.figures = p.meter.Statements.Pool(database, user, slowAfter(p.config.SlowStatement(database, user)))
		}
		r.rejects = r.mode != config.PoolSession && r.policies.Any(config.PolicyReject)
		p.routes[key] = r
	}

	return r, nil
}

// slowAfter translates slow_statement, whose 0 means that no statement is slow.
func slowAfter(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}

	return d
}

// loginParams says who pgweir logs in to PostgreSQL as: the user that the database's
// entry forces, else the client's.
func loginParams(db config.Database, user string, own wire.Credentials) wire.LoginParams {
	params := wire.LoginParams{User: user, Database: db.DBName, Credentials: own}
	if db.User != "" {
		params.User = db.User
		secret, _ := wire.ParseSecret(db.Password.Reveal()) // one that cannot be read serves as none
		params.Credentials = wire.CredentialsFromSecret(secret)
	}

	return params
}

// poolOptions translates settings for a pool.
func (p *Proxy) poolOptions(db config.Database, limits config.Pool, login wire.LoginParams) pool.Options {
	g := &p.config.Pgweir
	network, address := serverAddress(db)

	return pool.Options{
		Network:        network,
		Address:        address,
		Login:          login,
		Size:           limits.Size,
		MinSize:        limits.MinSize,
		Reserve:        limits.ReserveSize,
		ReserveTimeout: g.ReservePoolTimeout,
		MaxDatabase:    limits.MaxDBConnections,
		MaxUser:        limits.MaxUserConnections,
		RoundRobin:     g.ServerRoundRobin,
		ConnectTimeout: g.ServerConnectTimeout,
		LoginRetry:     g.ServerLoginRetry,
		IdleTimeout:    g.ServerIdleTimeout,
		Lifetime:       g.ServerLifetime,
		CancelTimeout:  g.CancelWaitTimeout,
		TCP:            tcpOptions(g),
	}
}

// serverAddress is where a database's PostgreSQL listens, as for net.Dial.
func serverAddress(db config.Database) (network, address string) {
	port := strconv.Itoa(db.Port)
	if filepath.IsAbs(db.Host) {
		return "unix", filepath.Join(db.Host, ".s.PGSQL."+port)
	}

	return "tcp", net.JoinHostPort(db.Host, port)
}

// tcpOptions translates the tcp_* settings.
func tcpOptions(g *config.Pgweir) reactor.TCPOptions {
	return reactor.TCPOptions{
		KeepAlive:   g.TCPKeepalive,
		Idle:        g.TCPKeepidle,
		Interval:    g.TCPKeepintvl,
		Count:       g.TCPKeepcnt,
		UserTimeout: g.TCPUserTimeout,
	}
}
