package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// maxOpening is how many servers a pool opens at a time, one once an attempt has
// failed. PgBouncer opens one; a few fill an empty pool faster without a storm of
// logins on PostgreSQL.
const maxOpening = 4

// firstRetry is the pause after the first failed round of attempts to open a server.
// It doubles with each, up to Options.LoginRetry.
const firstRetry = 50 * time.Millisecond

// grow opens servers while somebody waits for one, or the minimum is not reached,
// and limits allow. mu is held.
func (p *Pool) grow() {
	for p.wantsMore() && p.mayOpen() {
		p.total++
		p.opening++
		round := p.failures
		p.pools.goroutines.Go(func() { p.open(round) })
	}
}

// wantsMore reports whether a server should be opened, apart from all limits. mu is
// held.
func (p *Pool) wantsMore() bool {
	if p.opening < p.asked() {
		return true
	}
	inUse := p.welcome != nil && p.users.Load() > 0

	return inUse && p.total < p.options.MinSize
}

// asked is how many servers somebody waits for. mu is held.
func (p *Pool) asked() int {
	return p.waiting.n + min(len(p.askers), 1)
}

// mayOpen reports whether a server may be opened now. If so the limits that span
// pools have counted it. mu is held.
func (p *Pool) mayOpen() bool {
	return !p.closed && p.opening < p.openLimit() &&
		p.total < p.limit() && p.clock().Now() >= p.retryAt &&
		p.pools.take(p)
}

// openLimit is how many servers may be opened at a time: while attempts fail a
// single one finds out whether PostgreSQL is back. mu is held.
func (p *Pool) openLimit() int {
	if p.failures > 0 {
		return 1
	}

	return maxOpening
}

// limit is how many servers there may be at this moment: the reserve counts once the
// first waiter has waited for long enough. mu is held.
func (p *Pool) limit() int {
	o := &p.options
	if o.Reserve > 0 && o.ReserveTimeout > 0 && p.waiting.first != nil &&
		p.clock().Now()-p.waiting.first.since >= o.ReserveTimeout {
		return o.Size + o.Reserve
	}

	return o.Size
}

// clock is where the pool reads the time.
func (p *Pool) clock() *reactor.Clock {
	return p.pools.home().Clock()
}

// open opens one server and brings it to its loop. round is the number of failures
// before the attempt.
func (p *Pool) open(round int) {
	// The constructor keeps its own deadline; puddle must not lose interest
	// before it, else it would keep the server to itself.
	resource, err := p.resources.Acquire(context.Background())
	if err != nil {
		p.openFailed(err, round)

		return
	}
	s := resource.Value()
	s.resource = resource
	loop := p.loopForNew()
	loop.Post(func() { p.join(s, loop) })
}

// construct is puddle's constructor: it connects and logs in.
func (p *Pool) construct(ctx context.Context) (*Server, error) {
	ctx, cancel := p.within(ctx, p.options.ConnectTimeout, errConnectTimeout)
	defer cancel()

	s, err := p.connect(ctx)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}

		return nil, &OpenError{Address: p.options.Address, Err: err}
	}

	return s, nil
}

// within returns a context that is canceled after the time limit of the loops' clock, if
// that is not 0, with cause. cancel ends it before.
func (p *Pool) within(ctx context.Context, limit time.Duration, cause error) (_ context.Context, cancel func()) {
	ctx, end := context.WithCancelCause(ctx)
	stop := func() {}
	if limit > 0 {
		stop = p.pools.home().AfterFunc(limit, func() { end(cause) })
	}

	return ctx, func() {
		stop()
		end(nil)
	}
}

// errConnectTimeout is the cause when server_connect_timeout has passed.
var errConnectTimeout = errors.New("server_connect_timeout")

// connect dials, logs in, and takes the connection out of the runtime's hands.
func (p *Pool) connect(ctx context.Context) (*Server, error) {
	nc, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	unwatch := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	stream := wire.NewLoginConn(nc, make([]byte, wire.LoginBuffer))
	welcome, err := wire.Login(stream, p.options.Login)
	unwatch()
	if err == nil && len(stream.Buffered()) > 0 {
		err = errors.New("server went on speaking after it was ready")
	}
	if err != nil {
		_ = nc.Close()

		return nil, err
	}
	conn, err := reactor.HandOver(nc)
	if err != nil {
		return nil, fmt.Errorf("hand over: %w", err)
	}
	if err := conn.SetTCP(p.options.TCP); err != nil {
		conn.Close()

		return nil, fmt.Errorf("set TCP options: %w", err)
	}
	s := &Server{Conn: conn, Welcome: welcome, pool: p}
	s.expires = p.clock().Now() + p.options.Lifetime - spread(p.options.Lifetime)

	return s, nil
}

// dial makes the connection that connect logs in on.
func (p *Pool) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1} // set after the hand-over, where wanted

	return d.DialContext(ctx, p.options.Network, p.options.Address)
}

// spread is a random tenth of a lifetime, so that servers opened together are not
// closed together.
func spread(lifetime time.Duration) time.Duration {
	return time.Duration(rand.Int64N(int64(lifetime/10) + 1))
}

// loopForNew chooses the loop for a new server: that of the first waiter, whom it
// will most likely serve.
func (p *Pool) loopForNew() *reactor.Loop {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.waiting.first; w != nil {
		return w.task.Loop()
	}

	return p.pools.loops.Pick()
}

// join makes a newly opened server one of the pool, on its loop.
func (p *Pool) join(s *Server, loop *reactor.Loop) {
	err := loop.Attach(s.Conn, s)
	p.mu.Lock()
	defer p.mu.Unlock()
	s.loop = loop
	p.opening--
	p.failures, p.retryAt, p.lastErr = 0, 0, nil
	p.counts.Opened++
	p.welcome = s.Welcome
	p.answer(nil)
	if err != nil {
		p.destroy(s, ReasonServerError)
	} else {
		p.pass(s, loop.Now())
	}
	p.grow()
}

// openFailed books a failed attempt to open a server. Clients go on waiting, up
// to query_wait_timeout, unless it is hopeless. Of the attempts that were made
// together, in one round, the first to fail sets the pause.
func (p *Pool) openFailed(err error, round int) {
	p.mu.Lock()
	p.opening--
	p.total--
	p.pools.freed(p)
	p.lastErr = err
	p.counts.OpenFailed++
	p.answer(err)
	if hopeless(err) {
		p.refuse(err)
	}
	if !p.closed && round == p.failures {
		p.backOff()
	}
	p.grow() // if the pause was over before the last of its round
	closed, failures, pause := p.closed, p.failures, p.retryAt-p.clock().Now()
	p.mu.Unlock()
	if !closed {
		p.log.Warn("server connection failed", zap.Stringer("pool", p.key),
			zap.Error(err), zap.Int("failures", failures), zap.Duration("retry_in", max(pause, 0)))
	}
}

// backOff sets the pause before the next attempt: doubling, with a random half so
// that many pgweirs do not come back at once. mu is held.
func (p *Pool) backOff() {
	pause := min(firstRetry<<min(p.failures, 20), p.options.LoginRetry)
	pause = pause/2 + rand.N(pause/2+1)
	p.failures++
	p.retryAt = p.clock().Now() + pause
	p.pools.home().AfterFunc(pause, p.tryGrow)
}

// tryGrow is grow for those who do not hold mu.
func (p *Pool) tryGrow() {
	p.mu.Lock()
	p.grow()
	p.mu.Unlock()
}

// refuse tells all who wait that there will be no server. Each hears of it on its
// own loop. mu is held.
func (p *Pool) refuse(err error) {
	for w := p.waiting.pop(); w != nil; w = p.waiting.pop() {
		w.err = err
		task := w.task
		task.Loop().Post(task.Wake)
	}
}

// answer tells the logins that wait for the first welcome how the attempt went. mu
// is held.
func (p *Pool) answer(err error) {
	for _, asker := range p.askers {
		asker <- err // has room for one
	}
	p.askers = nil
}

// Welcome returns what PostgreSQL says to those who log in to this pool's
// database. The first call opens a server for that; if PostgreSQL cannot be
// reached, or refuses, its error is returned without waiting for a better day. It
// must not be called on a loop.
func (p *Pool) Welcome(ctx context.Context) (*wire.Welcome, error) {
	p.mu.Lock()
	if p.welcome != nil || p.closed || p.failing() {
		defer p.mu.Unlock()
		switch {
		case p.welcome != nil:
			return p.welcome, nil
		case p.closed:
			return nil, ErrClosed
		}

		return nil, p.lastErr
	}
	asker := make(chan error, 1)
	p.askers = append(p.askers, asker)
	p.grow()
	p.mu.Unlock()

	select {
	case err := <-asker:
		if err != nil {
			return nil, err
		}

		return p.Welcome(ctx)
	case <-ctx.Done():
		p.stopAsking(asker)

		return nil, context.Cause(ctx)
	}
}

// stopAsking forgets a login that waits for the first welcome no more.
func (p *Pool) stopAsking(asker chan error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.askers = slices.DeleteFunc(p.askers, func(other chan error) bool { return other == asker })
}

// KnownWelcome returns what Welcome does, if no server has to be opened for it; else
// nil. It may be called on a loop.
func (p *Pool) KnownWelcome() *wire.Welcome {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.welcome
}

// failing reports whether the pool waits before its next attempt to open a server,
// the last one having failed. mu is held.
func (p *Pool) failing() bool {
	return p.lastErr != nil && p.clock().Now() < p.retryAt
}
