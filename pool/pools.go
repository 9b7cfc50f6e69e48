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
	byDB   map[string]*quota
	byUser map[string]*quota

	janitor *reactor.Timer
}

// A quota counts the servers that several pools have together.
type quota struct {
	used    int
	starved map[*Pool]bool // were refused and want to hear of a free place
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

// take counts one more server of p against the limits that span pools. It is
// false if one binds; p hears when that changes.
func (ps *Pools) take(p *Pool) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	db, user := ps.quotas(p)
	if full(db, p.options.MaxDatabase, p) || full(user, p.options.MaxUser, p) {
		ps.home().Post(func() { ps.evictFor(p) })

		return false
	}
	db.used++
	user.used++

	return true
}

// full reports whether the quota leaves no room, and remembers who asked.
func full(q *quota, limit int, p *Pool) bool {
	if limit == 0 || q.used < limit {
		return false
	}
	q.starved[p] = true

	return true
}

// quotas returns what counts for p. mu is held.
func (ps *Pools) quotas(p *Pool) (db, user *quota) {
	return quotaOf(ps.byDB, p.key.Database), quotaOf(ps.byUser, p.key.User)
}

// quotaOf returns the quota of that name, making it if need be.
func quotaOf(quotas map[string]*quota, name string) *quota {
	q := quotas[name]
	if q == nil {
		q = &quota{starved: make(map[*Pool]bool)}
		quotas[name] = q
	}

	return q
}

// freed takes a server of p off the limits, and lets those try again that they
// held back.
func (ps *Pools) freed(p *Pool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	db, user := ps.quotas(p)
	for _, q := range []*quota{db, user} {
		q.used--
		for waiting := range q.starved {
			delete(q.starved, waiting)
			ps.home().Post(waiting.tryGrow)
		}
	}
}

// evictFor closes an idle server of another pool which shares a limit with p.
func (ps *Pools) evictFor(p *Pool) {
	for _, other := range ps.All() {
		sharesDB := p.options.MaxDatabase > 0 && other.key.Database == p.key.Database
		sharesUser := p.options.MaxUser > 0 && other.key.User == p.key.User
		if other != p && (sharesDB || sharesUser) && other.closeIdle(1, ReasonEvicted) > 0 {
			return
		}
	}
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
		ps.goroutines.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close pools: %w", context.Cause(ctx))
	}
}

// close closes one pool and waits until all its servers are gone.
func (p *Pool) close() {
	p.mu.Lock()
	p.closed = true
	p.refuse(ErrClosed)
	p.answer(ErrClosed)
	p.mu.Unlock()
	p.closeIdle(len(p.idle)+p.options.Size+p.options.Reserve, ReasonShutdown)
	p.resources.Close()
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
		p.tryGrow()
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
			ps.forgetQuotas(p)
		}
		ps.mu.Unlock()
		p.mu.Unlock()
	}
}

// forgetQuotas drops the counts that no server stands behind. mu is held.
func (ps *Pools) forgetQuotas(p *Pool) {
	db, user := ps.quotas(p)
	delete(db.starved, p)
	delete(user.starved, p)
	if db.used == 0 {
		delete(ps.byDB, p.key.Database)
	}
	if user.used == 0 {
		delete(ps.byUser, p.key.User)
	}
}
