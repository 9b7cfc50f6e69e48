package reactor

import (
	"sync/atomic"
	"time"
)

// loadWindow is the time over which a loop's load is measured: short enough to
// notice a burst of clients, long enough to mean something.
const loadWindow = 100 * time.Millisecond

// load measures which part of its time a loop works rather than waits.
type load struct {
	since  time.Duration // beginning of the window
	woke   time.Duration // when the last wait ended
	worked time.Duration // in this window, up to the last wait
	paused bool          // waiting

	share atomic.Uint64 // of the last full window, in thousandths
	total atomic.Int64  // all time worked, in nanoseconds
}

// begin starts measuring.
func (b *load) begin(now time.Duration) {
	b.since, b.woke = now, now
}

// pause notes that the loop is about to wait.
func (b *load) pause(now time.Duration) {
	worked := now - b.woke
	b.paused = true
	b.worked += worked
	b.total.Store(b.total.Load() + int64(worked))
}

// resume notes that a wait has ended, if there was one, and closes the window if
// it is full.
func (b *load) resume(now time.Duration) {
	if !b.paused {
		return
	}
	b.paused = false
	b.woke = now
	window := now - b.since
	if window < loadWindow {
		return
	}
	b.share.Store(uint64(1000 * b.worked / window))
	b.since, b.worked = now, 0
}

// Load is the share of its time that the loop has worked of late, from 0 to 1. It
// may be called from any goroutine.
func (l *Loop) Load() float64 {
	return float64(l.load.share.Load()) / 1000
}

// Busy is all the time that the loop has worked. It may be called from any
// goroutine.
func (l *Loop) Busy() time.Duration {
	return time.Duration(l.load.total.Load())
}
