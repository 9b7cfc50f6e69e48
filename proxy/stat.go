package proxy

import (
	"errors"
	"io"
	"maps"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/wire"
)

// counters count what is rare.
type counters struct {
	AcceptErrors atomic.Uint64
	Refused      atomic.Uint64 // connections closed at once: too many logins at a time
	Panics       atomic.Uint64
	Cancels      atomic.Uint64 // requests from clients
	BadCancels   atomic.Uint64 // of those, with a key that nobody has
	Unheard      atomic.Uint64 // of those, not looked at: too many bad ones came from there
	Pinned       atomic.Int64  // clients that keep their server now

	mu     sync.Mutex        // guards the following
	errors map[string]uint64 // told to clients, by SQLSTATE
	pins   map[string]uint64 // how often a client began to keep its server, by reason
}

// countError counts an error of our own that a client is told.
func (p *Proxy) countError(e *wire.Error) {
	c := &p.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.errors == nil {
		c.errors = make(map[string]uint64)
	}
	c.errors[e.Code]++
}

// countRefusal counts and logs a login that came to nothing. One that never said
// anything is a probe of a load balancer: nobody wants to read of it.
func (p *Proxy) countRefusal(err error, l *login) {
	if errors.Is(err, io.EOF) && !l.started {
		return
	}
	if e := loginError(err); e != nil {
		p.countError(e)
	}
	fields := []zap.Field{zap.Stringer("addr", address(l.addr)), zap.Error(err)}
	var r refusal
	if errors.As(err, &r) {
		fields = append(fields, zap.String("database", r.start.Database), zap.String("user", r.start.User))
	}
	p.log.Warn("login failed", fields...)
}

// A Stat is a snapshot of the proxy.
type Stat struct {
	Clients      int // logged in
	Logins       int // in progress
	AcceptErrors uint64
	Refused      uint64
	Panics       uint64
	Cancels      uint64
	BadCancels   uint64
	Unheard      uint64            // cancel requests from where too many bad ones came from
	Errors       map[string]uint64 // told to clients, by SQLSTATE
	Pinned       int               // clients that keep their server outside transactions
	Pins         map[string]uint64 // how often that has begun, by reason
	Routes       []RouteStat
}

// A RouteStat is the traffic of one pool, all loops together.
type RouteStat struct {
	Key                    pool.Key
	Mode                   string
	Transactions, Queries  uint64
	FromClients, ToClients uint64 // bytes
	Wait, Transaction      stats.Snapshot
}

// Stat returns a snapshot.
func (p *Proxy) Stat() Stat {
	c := &p.counters
	s := Stat{
		AcceptErrors: c.AcceptErrors.Load(),
		Refused:      c.Refused.Load(),
		Panics:       c.Panics.Load(),
		Cancels:      c.Cancels.Load(),
		BadCancels:   c.BadCancels.Load(),
		Unheard:      c.Unheard.Load(),
		Pinned:       int(c.Pinned.Load()),
	}
	c.mu.Lock()
	s.Errors, s.Pins = maps.Clone(c.errors), maps.Clone(c.pins)
	c.mu.Unlock()

	p.mu.Lock()
	defer p.mu.Unlock()
	s.Clients, s.Logins = len(p.sessions), len(p.logins)
	for key, r := range p.routes {
		s.Routes = append(s.Routes, r.stat(key))
	}

	return s
}

// stat adds up what the loops have booked.
func (r *route) stat(key pool.Key) RouteStat {
	s := RouteStat{Key: key, Mode: string(r.mode)}
	for i := range r.tallies {
		t := &r.tallies[i]
		s.Transactions += t.Transactions.Load()
		s.Queries += t.Queries.Load()
		s.FromClients += t.FromClients.Load()
		s.ToClients += t.ToClients.Load()
		s.Wait.Add(&t.Wait)
		s.Transaction.Add(&t.Transaction)
	}

	return s
}

// Ready reports whether clients can come: the proxy is listening and not ending.
func (p *Proxy) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	return len(p.listeners) > 0 && !p.draining
}
