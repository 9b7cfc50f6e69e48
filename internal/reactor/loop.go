package reactor

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a loop. The zero value is usable.
type Options struct {
	// Clock is where the loop reads the time. Nil: the system's clock.
	Clock *Clock
	// Panicked is told of a panic in a handler, task, timer or posted function;
	// the loop goes on. Nil: the panic is passed on and ends the process.
	Panicked func(err error)
}

// A Loop is one event loop. Make it with [NewLoop], give it a goroutine with Run.
type Loop struct {
	options Options
	index   int // in its group
	clock   *Clock
	poll    poller
	now     time.Duration // of this round
	stopped bool

	conns    []*Conn // by descriptor
	ready    []*Conn // with events of this round
	runnable []*Task // to be resumed this round
	idle     []*Task // for reuse
	tasks    int     // in progress
	timers   timerHeap
	buffers  buffers
	load     load

	asleep atomic.Bool // in, or on the way into, a wait that Post must interrupt
	mu     sync.Mutex  // guards the following; held for a few instructions
	inbox  []func()
	spare  []func() // the inbox's other half
	done   bool     // Run has returned: nobody reads the inbox any more
}

// NewLoop makes a loop. It holds descriptors until it has Run and been stopped.
func NewLoop(o Options) (*Loop, error) {
	if o.Clock == nil {
		o.Clock = new(Clock)
	}
	l := &Loop{options: o, clock: o.Clock}
	if err := l.poll.open(); err != nil {
		return nil, fmt.Errorf("open poller: %w", err)
	}
	l.now = l.clock.Now()
	l.load.begin(l.now)
	l.clock.watch(l)

	return l, nil
}

// Run turns the loop until Stop. Connections that are still attached then are
// closed by their owners, not by the loop.
func (l *Loop) Run() {
	for !l.stopped {
		l.turn()
	}
	for _, t := range l.idle {
		t.end()
	}
	l.mu.Lock()
	l.done = true
	l.mu.Unlock()
	l.poll.close()
}

// Stop makes Run return once the current round is over. Tasks in progress must
// have ended. It may be called from any goroutine.
func (l *Loop) Stop() {
	l.Post(func() { l.stopped = true })
}

// Post runs f on the loop, soon. It never blocks and may be called from any
// goroutine; functions run in the order posted. After Run has returned f is
// dropped.
func (l *Loop) Post(f func()) {
	l.mu.Lock()
	if l.done {
		l.mu.Unlock()

		return
	}
	l.inbox = append(l.inbox, f)
	wake := l.asleep.Swap(false)
	if wake {
		l.poll.wake() // under mu: Run closes the poller only after done is set
	}
	l.mu.Unlock()
}

// Now is the time at which this round of the loop began: exact enough for
// timeouts, and free. [Loop.Clock] has the exact time.
func (l *Loop) Now() time.Duration {
	return l.now
}

// Index is the loop's place in its group. It may be called from any goroutine.
func (l *Loop) Index() int {
	return l.index
}

// Clock is the loop's clock. It may be called from any goroutine.
func (l *Loop) Clock() *Clock {
	return l.clock
}

// AfterFunc calls f on the loop after d, and returns a function that keeps it
// from doing so. Both may be called from any goroutine.
func (l *Loop) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := l.NewTimer(f)
	due := l.clock.Now() + d
	l.Post(func() { l.Reset(t, due) })

	return func() { l.Post(func() { l.Drop(t) }) }
}

// Attach makes c the loop's own. handler hears of its events while it is at rest.
func (l *Loop) Attach(c *Conn, handler Handler) error {
	c.handler = handler
	c.loop = l
	c.want = atRest
	for len(l.conns) <= c.fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[c.fd] = c

	return l.arm(c, atRest)
}

// atRest is what the handler of a connection at rest hears of.
const atRest = Readable | Hangup

// Detach takes c off the loop, so that another can attach it.
func (l *Loop) Detach(c *Conn) {
	_ = l.arm(c, 0)
	l.forget(c)
	c.ready = 0
	if c.listed {
		c.listed = false
		l.ready[slices.Index(l.ready, c)] = nil
	}
}

// forget drops the loop's references to c.
func (l *Loop) forget(c *Conn) {
	l.conns[c.fd] = nil
	c.loop = nil
}

// arm sees to it that the poller reports the events e of c. Reports that nobody
// wants any more are switched off only when they come (see dispatch), since most
// are wanted again before that.
func (l *Loop) arm(c *Conn, e Events) error {
	if e != 0 && c.armed&e == e {
		return nil
	}
	wanted := c.armed | e
	if e == 0 {
		wanted = 0
	}
	if wanted == c.armed {
		return nil
	}
	err := l.poll.set(c.fd, c.armed, wanted)
	c.armed = wanted

	return err
}

// turn is one round: wait for events, then tell everyone concerned.
func (l *Loop) turn() {
	l.collect(l.poll.wait(l.patience()))
	l.deliver()
	for i := 0; i < len(l.ready); i++ {
		c := l.ready[i]
		l.ready[i] = nil
		if c != nil { // nil: detached meanwhile
			l.dispatch(c)
		}
	}
	l.ready = l.ready[:0]
	l.fireTimers(l.now)
	l.resumeTasks()
}

// patience is how long the loop may wait for events: not at all when there is
// work, until the next timer, or for ever (negative).
func (l *Loop) patience() time.Duration {
	if len(l.runnable) > 0 || l.stopped {
		return 0
	}
	l.asleep.Store(true)
	l.mu.Lock()
	pending := len(l.inbox) > 0
	l.mu.Unlock()
	if pending {
		l.asleep.Store(false)

		return 0
	}
	now := l.clock.Now()
	l.load.pause(now)
	if len(l.timers) == 0 {
		return -1
	}

	return max(l.timers[0].key-now, 0)
}

// collect marks the connections of n reported events as ready, all of them
// before anybody acts: a server that has died is known as such before a client
// of the same round could be given it.
func (l *Loop) collect(n int) {
	l.asleep.Store(false)
	l.now = l.clock.Now()
	l.load.resume(l.now)
	for i := range n {
		fd, e, ok := l.poll.event(i)
		if !ok {
			continue
		}
		c := l.conns[fd]
		if c == nil {
			continue
		}
		c.ready |= e
		if !c.listed {
			c.listed = true
			l.ready = append(l.ready, c)
		}
	}
}

// deliver runs what was posted.
func (l *Loop) deliver() {
	l.mu.Lock()
	posts := l.inbox
	l.inbox, l.spare = l.spare[:0], posts
	l.mu.Unlock()
	for i, f := range posts {
		posts[i] = nil
		l.guard(f)
	}
}

// dispatch tells whoever c belongs to that it is ready. A report that nobody wants
// is switched off; it is asked for again by the next Wait that wants it.
func (l *Loop) dispatch(c *Conn) {
	c.listed = false
	switch {
	case c.loop != l:
	case c.ready&c.want == 0:
		l.disarm(c)
	case c.task == nil:
		l.guard(func() { c.handler.Ready(c) })
	default:
		c.task.resume()
	}
}

// disarm switches off the reports that have come and that nobody wants. A broken
// connection reports everything, so it is taken out altogether.
func (l *Loop) disarm(c *Conn) {
	keep := c.armed &^ c.ready
	if keep != c.armed && l.poll.set(c.fd, c.armed, keep) == nil {
		c.armed = keep
	}
}

// resumeTasks resumes the tasks that were woken. Those woken meanwhile wait for
// the next round.
func (l *Loop) resumeTasks() {
	n := len(l.runnable)
	for i := range n {
		t := l.runnable[i]
		l.runnable[i] = nil
		t.runnable = false
		if t.job != nil {
			t.resume()
		}
	}
	rest := copy(l.runnable, l.runnable[n:])
	clear(l.runnable[rest:])
	l.runnable = l.runnable[:rest]
}

// guard calls f and survives its panic.
func (l *Loop) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			l.panicked(v)
		}
	}()
	f()
}

// panicked passes a recovered panic on to the owner of the loop.
func (l *Loop) panicked(v any) {
	if l.options.Panicked == nil {
		panic(v)
	}
	l.options.Panicked(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
}
