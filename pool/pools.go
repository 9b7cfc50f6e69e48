package pool

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/puddle/v2"
	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
)

// Pools is all pools of a process, and the limits that span several of them.
type Pools struct {
	loops *reactor.Group
	log   *zap.Logger

	goroutines sync.WaitGroup // opening and cancelling

	mu     sync.Mutex // guards the following; taken while a Pool's mu is held, never before it
	pools  map[Key]*Pool
	closed bool
	byDB   map[string]*quota // of the databases that pools are of
	byUser map[string]*quota // likewise
	asking []*Pool           // those whose clients need another pool's place; some more than once

	janitor *reactor.Timer
}

// New returns an empty set of pools, whose servers will live on loops.
func New(loops *reactor.Group, log *zap.Logger) *Pools {
	ps := &Pools{
		loops:  loops,
		log:    log,
		pools:  make(map[Key]*Pool),
		byDB:   make(map[string]*quota),
		byUser: make(map[string]*quota),
	}
	ps.janitor = ps.home().NewTimer(ps.clean)
	ps.home().Post(ps.scheduleJanitor)

	return ps
}

// home is the loop that runs what belongs to no loop in particular.
func (ps *Pools) home() *reactor.Loop {
	return ps.loops.Loops()[0]
}

// Get returns the pool of that key, made from options if it does not exist, and
// counts its caller as a user of it until [Pool.Leave].
func (ps *Pools) Get(key Key, options func() Options) (*Pool, error) {
	ps.mu.Lock()
	p := ps.pools[key]
	if p == nil {
		var err error
		if p, err = ps.add(key, options()); err != nil {
			ps.mu.Unlock()

			return nil, err
		}
	}
	p.users.Add(1)
	ps.mu.Unlock()

	return p, nil
}

// add makes a pool. mu is held.
func (ps *Pools) add(key Key, o Options) (*Pool, error) {
	if ps.closed {
		return nil, ErrClosed
	}
	p := &Pool{
		key:     key,
		options: o,
		pools:   ps,
		log:     ps.log,
		idle:    make([][]*Server, len(ps.loops.Loops())),
	}
	p.counts.Closed = make(map[Reason]uint64)
	var err error
	p.resources, err = puddle.NewPool(&puddle.Config[*Server]{
		Constructor: p.construct,
		Destructor:  func(*Server) {}, // closed by its loop before that
		MaxSize:     int32(o.Size + o.Reserve),
	})
	if err != nil {
		return nil, fmt.Errorf("pool %s: %w", key, err)
	}
	ps.pools[key] = p
	p.db, p.user = join(ps.byDB, key.Database), join(ps.byUser, key.User)

	return p, nil
}

// Leave ends what Get began.
func (p *Pool) Leave() {
	p.users.Add(-1)
}

// All returns the pools there are, in no order.
func (ps *Pools) All() []*Pool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	all := make([]*Pool, 0, len(ps.pools))
	for _, p := range ps.pools {
		all = append(all, p)
	}

	return all
}

// Close closes all pools. Those who wait for a server are refused, servers in use
// are closed when they are released. It waits for them until ctx ends.
func (ps *Pools) Close(ctx context.Context) error {
	ps.mu.Lock()
	ps.closed = true
	ps.mu.Unlock()
	ps.home().Post(func() { ps.home().Drop(ps.janitor) })

	done := make(chan struct{})
	go func() { // ends when every server is closed
		defer close(done)
		for _, p := range ps.All() {
			p.close()
		}
		for _, p := range ps.All() {
			p.resources.Close() // when all its servers are gone
		}
		ps.goroutines.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close pools: %w", context.Cause(ctx))
	}
}

// close ends the service of one pool: servers that are in use are closed once they
// are released.
func (p *Pool) close() {
	p.mu.Lock()
	p.closed = true
	p.refuse(ErrClosed)
	p.answer(ErrClosed)
	p.mu.Unlock()
	p.closeIdle(p.options.Size+p.options.Reserve, ReasonShutdown)
}

// janitorPeriod is how often servers are checked for their age.
const janitorPeriod = time.Second

// scheduleJanitor sets the next clean.
func (ps *Pools) scheduleJanitor() {
	ps.home().Reset(ps.janitor, ps.home().Now()+janitorPeriod)
}

// clean closes servers that are too old or idle for too long, and pools that
// nobody uses any more.
func (ps *Pools) clean() {
	ps.scheduleJanitor()
	for _, p := range ps.All() {
		p.closeExpired()
		ps.retry(p)
	}
	ps.removeUnused()
}

// removeUnused forgets pools that have no servers and no users. Names under "*"
// are the clients' choice: their number must not grow without bound.
func (ps *Pools) removeUnused() {
	for _, p := range ps.All() {
		p.mu.Lock()
		ps.mu.Lock()
		if p.total == 0 && p.users.Load() == 0 {
			p.closed = true
			delete(ps.pools, p.key)
			leave(ps.byDB, p.key.Database, p)
			leave(ps.byUser, p.key.User, p)
		}
		ps.mu.Unlock()
		p.mu.Unlock()
	}
}
