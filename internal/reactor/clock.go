package reactor

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Clock is where loops read the time. The zero value follows the system's
// monotonic clock; one made by [NewSteppedClock] stands still until it is told
// to step, so that tests of long timeouts take no time.
//
// Its methods may be called from any goroutine.
type Clock struct {
	stepped bool
	at      atomic.Int64 // nanoseconds; only when stepped

	mu    sync.Mutex // guards the following
	loops []*Loop    // woken by Step
}

// start is the origin of the system clock's readings. Only differences of
// readings mean anything.
var start = time.Now()

// NewSteppedClock returns a clock that moves by [Clock.Step] alone.
func NewSteppedClock() *Clock {
	c := &Clock{stepped: true}
	c.at.Store(int64(time.Hour)) // away from 0, which means "no deadline"

	return c
}

// Now is the time since an arbitrary moment in the past. It never goes back and
// ignores changes of the wall clock.
func (c *Clock) Now() time.Duration {
	if c.stepped {
		return time.Duration(c.at.Load())
	}

	return time.Since(start)
}

// Step moves a stepped clock forward and wakes every loop that reads it, so that
// the timers which fell due fire at once.
func (c *Clock) Step(d time.Duration) {
	if !c.stepped {
		panic("bug: Step on the system clock")
	}
	c.at.Add(int64(d))

	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.loops {
		l.Post(func() {})
	}
}

// watch makes l one of the loops that Step wakes.
func (c *Clock) watch(l *Loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loops = append(c.loops, l)
}
