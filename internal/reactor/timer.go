package reactor

import "time"

// A Timer calls a function on its loop once its time has come. The zero value
// with a function set by [Loop.NewTimer] is stopped.
//
// A timer that is put off again and again, as an idle timeout is, costs one store
// each time: the heap is corrected only when its old time comes.
type Timer struct {
	fire  func()
	due   time.Duration // when to fire; 0 while stopped
	key   time.Duration // the time it is filed under, never later than due
	index int           // place in the heap, or notFiled
}

// notFiled marks a timer that is not in the heap.
const notFiled = -1

// NewTimer returns a stopped timer that will call fire on l.
func (l *Loop) NewTimer(fire func()) *Timer {
	return &Timer{fire: fire, index: notFiled}
}

// Reset makes t fire at the time due of the loop's clock, instead of when it was
// set before.
func (l *Loop) Reset(t *Timer, due time.Duration) {
	t.due = due
	switch {
	case t.index == notFiled:
		t.key = due
		l.timers.push(t)
	case due < t.key:
		t.key = due
		l.timers.up(t.index)
	}
}

// Stop keeps t from firing. Stopping a stopped timer does nothing.
func (t *Timer) Stop() {
	t.due = 0
}

// Drop stops t and takes it out of its loop at once, for a timer whose owner
// goes away or moves to another loop.
func (l *Loop) Drop(t *Timer) {
	t.due = 0
	if t.index != notFiled {
		l.timers.remove(t.index)
	}
}

// fireTimers calls every timer that is due at now.
func (l *Loop) fireTimers(now time.Duration) {
	for len(l.timers) > 0 && l.timers[0].key <= now {
		t := l.timers[0]
		l.timers.remove(0)
		switch {
		case t.due == 0:
		case t.due <= now:
			t.due = 0
			l.guard(t.fire)
		default:
			t.key = t.due
			l.timers.push(t)
		}
	}
}

// timerHeap is a binary heap of timers, the earliest key first. Each timer knows
// its place.
type timerHeap []*Timer

// push files t under its key.
func (h *timerHeap) push(t *Timer) {
	t.index = len(*h)
	*h = append(*h, t)
	h.up(t.index)
}

// remove takes the timer at place i out.
func (h *timerHeap) remove(i int) {
	old := *h
	last := len(old) - 1
	old[i].index = notFiled
	if i != last {
		old[i] = old[last]
		old[i].index = i
	}
	old[last] = nil
	*h = old[:last]
	if i != last {
		h.down(i)
		h.up(i)
	}
}

// up moves the timer at place i towards the root until its parent is not later.
func (h timerHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if h[parent].key <= h[i].key {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

// down moves the timer at place i towards the leaves until no child is earlier.
func (h timerHeap) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].key < h[least].key {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

// swap exchanges two places.
func (h timerHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
