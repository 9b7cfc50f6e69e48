package pool

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/puddle/v2"
	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/wire"
)

// A Key names a pool: what its clients call the database, and who they are.
type Key struct {
	Database, User string
}

// String is for logs.
func (k Key) String() string {
	return k.Database + "/" + k.User
}

// A Pool is the servers of one key. Make it with [Pools.Get].
type Pool struct {
	key     Key
	options Options
	pools   *Pools
	log     *zap.Logger

	db, user *quota // what its servers count against; their fields are guarded by pools.mu

	// resources owns the servers: how many there may be, how one is made, and
	// that each is accounted for when the pool closes. Which of the idle ones
	// is next is decided here, by loop, so to puddle all are acquired until
	// they are destroyed. See docs/adr/0003-puddle-and-our-queue.md.
	resources *puddle.Pool[*Server]

	users atomic.Int64 // sessions that refer to the pool

	mu        sync.Mutex  // guards the following; see the lock order in docs/architecture.md
	idle      [][]*Server // by loop; the last of a slice was used last
	idleN     int
	total     int // open or being opened
	opening   int
	waiting   queue
	spare     *waiter // for reuse, linked by next
	canceling int     // cancel requests on their way
	closed    bool
	welcome   *wire.Welcome
	askers    []chan error // logins that wait for the first welcome
	failures  int          // rounds of attempts to open in a row that failed
	retryAt   time.Duration
	lastErr   error
	counts    Counts
}

// Key names the pool.
func (p *Pool) Key() Key {
	return p.key
}

// A Client is whom a task acquires a server for.
type Client interface {
	// Interrupted returns the reason to give up waiting, or nil. It is asked
	// whenever the task wakes.
	Interrupted() error
	// Suits reports whether an idle server is as the client needs it. It is asked
	// with the pool's mutex held.
	Suits(s *Server) bool
}

// Acquire returns a server for t and its client: an idle one, preferably of the task's
// own loop and one that suits, or the next that is released or opened once all who came
// before have theirs. It gives up at the time deadline (0: never) with a
// [*WaitTimeoutError], or when c says so, with its error. waited is how long that took.
// It may wait.
func (p *Pool) Acquire(t *reactor.Task, deadline time.Duration, c Client) (s *Server, waited time.Duration, err error) {
	p.mu.Lock()
	if s := p.takeIdle(t.Loop(), c); s != nil {
		p.mu.Unlock()

		return s, 0, nil
	}
	if err := p.refusal(); err != nil {
		p.mu.Unlock()

		return nil, 0, err
	}
	w := p.enqueue(t)
	p.mu.Unlock()

	return p.await(w, deadline, c)
}

// refusal is why it would be of no use to wait for a server: the pool is closed, or
// PostgreSQL has just said that it will not have this user in this database. mu is
// held.
func (p *Pool) refusal() error {
	switch {
	case p.closed:
		return ErrClosed
	case p.total == 0 && p.failing() && hopeless(p.lastErr):
		return p.lastErr
	}

	return nil
}

// chooseFrom is among how many idle servers one that suits is looked for: enough where
// clients differ in a few ways, and soon done.
const chooseFrom = 8

// takeIdle takes an idle server of the loop off the shelf, or nil: one that suits, else
// the one that was used last; with RoundRobin the one that was used first. One that has
// something to say is left to its handler: most likely that is its end. mu is held.
func (p *Pool) takeIdle(l *reactor.Loop, c Client) *Server {
	shelf := p.idle[l.Index()]
	best, seen := -1, 0
	for n := range shelf {
		i := len(shelf) - 1 - n
		if p.options.RoundRobin {
			i = n
		}
		if shelf[i].Conn.Ready(reactor.Readable) {
			continue
		}
		seen++
		suits := p.options.RoundRobin || c.Suits(shelf[i])
		if best < 0 || suits {
			best = i
		}
		if suits || seen == chooseFrom {
			break
		}
	}
	if best < 0 {
		return nil
	}
	s := shelf[best]
	p.unshelve(s, best)

	return s
}

// unshelve takes the i-th idle server of its loop off the shelf. mu is held.
func (p *Pool) unshelve(s *Server, i int) {
	n := s.loop.Index()
	p.idle[n] = slices.Delete(p.idle[n], i, i+1)
	p.idleN--
	s.state = acquired
}

// Release gives a server back, outside a transaction and owing nothing. It goes
// to the first waiter, else it is idle.
func (p *Pool) Release(s *Server) {
	now := s.loop.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case s.cancels > 0:
		s.state = canceling // until the last one is confirmed
	case s.doomed:
		p.destroy(s, ReasonCancel)
	case p.expired(s, now):
		p.destroy(s, ReasonLifetime)
	default:
		p.pass(s, now)
	}
}

// expired reports whether s has lived long enough.
func (p *Pool) expired(s *Server, now time.Duration) bool {
	return now >= s.expires
}

// pass hands s to the first waiter, or puts it on the shelf. In a pool that has been
// closed nobody waits and nothing stays. mu is held.
func (p *Pool) pass(s *Server, now time.Duration) {
	if p.closed {
		p.destroy(s, ReasonShutdown)

		return
	}
	s.state, s.idleSince = acquired, now
	w := p.waiting.pop()
	switch {
	case w == nil:
		s.state = idle
		i := s.loop.Index()
		p.idle[i] = append(p.idle[i], s)
		p.idleN++
	case w.task.Loop() == s.loop:
		w.server = s
		w.task.Wake()
	default:
		p.send(s, w)
	}
}

// takeForCheck takes s off the shelf, for its handler. It is false if s is on its
// way to a task.
func (p *Pool) takeForCheck(s *Server) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s.state {
	case idle:
		p.unshelve(s, slices.Index(p.idle[s.loop.Index()], s))

		return true
	case canceling:
		return true
	default:
		return false
	}
}

// Destroy closes a server instead of giving it back.
func (p *Pool) Destroy(s *Server, why Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.destroy(s, why)
}

// destroy closes s, on its loop, and opens another one if somebody waits for it. The
// slot is free once puddle has let go of it. mu is held.
func (p *Pool) destroy(s *Server, why Reason) {
	s.state = gone
	s.close()
	p.counts.Closed[why]++
	p.total--
	s.resource.Destroy()
	p.pools.freed(p)
	p.grow()
}
