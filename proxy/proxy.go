package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// ErrClosed is returned by Serve after Shutdown or Close.
var ErrClosed = errors.New("proxy closed")

// Options of a Proxy. All must be set but Meter.
type Options struct {
	Config *config.Config
	// Users are the secrets of those who may log in, by name.
	Users map[string]wire.Secret
	Loops *reactor.Group
	Pools *pool.Pools
	// Meter measures the statements that pass, of the same loops; nil: nobody does.
	Meter *meter.Meter
	Log   *zap.Logger
}

// A Proxy accepts clients and serves them. Make it with [New]. Its methods may be
// called from any goroutine.
type Proxy struct {
	config    *config.Config
	users     map[string]wire.Secret
	method    wire.Method
	loops     *reactor.Group
	pools     *pool.Pools
	meter     *meter.Meter // nil: nothing is measured
	log       *zap.Logger
	workers   []*worker  // by loop
	explainer *explainer // nil: slow statements are not explained
	mockKey   []byte     // of the authentication of users that do not exist

	goroutines sync.WaitGroup // work of logins that would hold up a loop
	clients    atomic.Int64   // logged in or about to be
	nextID     atomic.Uint64
	catalog    atomic.Uint64 // counted up when a client may have changed a catalog of PostgreSQL's
	counters   counters
	guesses    guesses // of cancel keys

	mu        sync.Mutex // guards the following; a pool's may be taken while it is held
	listeners map[*listener]struct{}
	logins    map[*login]struct{}
	sessions  map[uint32]*session // by the cancel key's pid
	routes    map[pool.Key]*route
	draining  bool
	ended     chan struct{} // closed when draining and the last session has ended

	janitor *reactor.Timer
}

// New returns a proxy that serves nobody yet.
func New(o Options) (*Proxy, error) {
	method, err := wire.ParseMethod(string(o.Config.Pgweir.AuthType))
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		config:    o.Config,
		users:     o.Users,
		method:    method,
		loops:     o.Loops,
		pools:     o.Pools,
		meter:     o.Meter,
		log:       o.Log,
		mockKey:   make([]byte, 32),
		listeners: make(map[*listener]struct{}),
		logins:    make(map[*login]struct{}),
		sessions:  make(map[uint32]*session),
		routes:    make(map[pool.Key]*route),
		ended:     make(chan struct{}),
	}
	_, _ = rand.Read(p.mockKey) // never fails
	for _, l := range o.Loops.Loops() {
		p.workers = append(p.workers, newWorker(l, o.Meter))
	}
	if s := &o.Config.Stats; o.Meter != nil && s.ExplainSlow {
		p.explainer = newExplainer(o.Log, s.ExplainTimeout)
		p.goroutines.Go(func() { p.explainer.run(p.ended) })
	}
	p.janitor = p.home().NewTimer(p.clean)
	p.home().Post(p.scheduleJanitor)

	return p, nil
}

// home is the loop that runs what belongs to no client in particular.
func (p *Proxy) home() *reactor.Loop {
	return p.loops.Loops()[0]
}

// Serve accepts clients on nl until Shutdown or Close, and then returns ErrClosed.
// It owns nl and closes it. It always returns a non-nil error.
func (p *Proxy) Serve(nl net.Listener) error {
	l, err := newListener(p, nl)
	if err != nil {
		return fmt.Errorf("serve on %s: %w", nl.Addr(), err)
	}
	if !p.addListener(l) {
		l.close()

		return ErrClosed
	}

	return l.run()
}

// addListener notes a listener to close at the end. It is false at the end.
func (p *Proxy) addListener(l *listener) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return false
	}
	p.listeners[l] = struct{}{}

	return true
}

// isDraining reports whether Shutdown or Close was called.
func (p *Proxy) isDraining() bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.draining
}

// extraLogins is how many connections beyond max_client_conn may be at login at a
// time: those who want to cancel a query, and those who are told that there are
// too many.
const extraLogins = 100

// accepted starts a login, unless there are too many at a time. It runs on the home
// loop.
func (p *Proxy) accepted(c *reactor.Conn, from netip.AddrPort) {
	l := &login{proxy: p, loop: p.loops.Pick(), conn: c, addr: from}
	p.mu.Lock()
	refused := p.draining || len(p.logins) >= p.config.Pgweir.MaxClientConn+extraLogins
	if !refused {
		p.logins[l] = struct{}{}
	}
	p.mu.Unlock()
	if refused {
		p.counters.Refused.Add(1)
		c.Close()

		return
	}
	if l.loop == p.home() {
		l.begin()
	} else {
		l.loop.Post(l.begin)
	}
}

// Shutdown ends the proxy gracefully: it stops accepting, closes each client once
// it is outside a transaction, and returns when none is left. When ctx ends before
// that, those who are left are closed at once, and its error is returned.
func (p *Proxy) Shutdown(ctx context.Context) error {
	p.stopAccepting()
	for _, s := range p.allSessions() {
		s.post(s.drain)
	}
	select {
	case <-p.ended:
		p.goroutines.Wait()

		return nil
	case <-ctx.Done():
		p.Close()

		return fmt.Errorf("drain clients: %w", context.Cause(ctx))
	}
}

// Close ends the proxy at once: every client is told and closed, whatever it is
// doing.
func (p *Proxy) Close() {
	p.stopAccepting()
	for _, s := range p.allSessions() {
		s.post(func() { s.kill(errShutdown) })
	}
	<-p.ended
	p.goroutines.Wait()
}

// stopAccepting closes the listeners and breaks off logins.
func (p *Proxy) stopAccepting() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return
	}
	p.draining = true
	for l := range p.listeners {
		l.close()
	}
	for l := range p.logins {
		l.loop.Post(func() { l.kill(errShutdown) })
	}
	p.checkEnded()
	p.home().Post(func() { p.home().Drop(p.janitor) })
}

// panicked counts and logs a panic that was survived.
func (p *Proxy) panicked(v any) {
	p.counters.Panics.Add(1)
	p.log.Error("panic", zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
}

// address prints the address of a client.
type address netip.AddrPort

// String implements [fmt.Stringer].
func (a address) String() string {
	if addr := netip.AddrPort(a); addr.IsValid() {
		return addr.String()
	}

	return "unix"
}

// janitorPeriod is how often routes are checked.
const janitorPeriod = time.Second

// scheduleJanitor sets the next clean.
func (p *Proxy) scheduleJanitor() {
	p.home().Reset(p.janitor, p.home().Now()+janitorPeriod)
}

// clean forgets the routes of pools that are gone.
func (p *Proxy) clean() {
	p.scheduleJanitor()
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, r := range p.routes {
		if r.pool.Gone() {
			delete(p.routes, key)
		}
	}
}
