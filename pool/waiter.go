package pool

import (
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
)

// A waiter is a task that waits for a server. Its fields are guarded by the
// pool's mutex.
type waiter struct {
	task  *reactor.Task
	since time.Duration

	server *Server // granted, and registered with the task's loop
	err    error   // refused
	queued bool    // in the queue
	left   bool    // the task has given up while a server was on its way

	prev, next *waiter
}

// queue is a FIFO of waiters. The zero value is empty.
type queue struct {
	first, last *waiter
	n           int
}

// push appends w.
func (q *queue) push(w *waiter) {
	w.queued = true
	w.prev = q.last
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
}

// pushFirst puts w at the head.
func (q *queue) pushFirst(w *waiter) {
	w.queued = true
	w.next = q.first
	if q.first == nil {
		q.last = w
	} else {
		q.first.prev = w
	}
	q.first = w
	q.n++
}

// remove takes w out, wherever it stands.
func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	q.n--
}

// pop takes the first waiter out; nil if there is none.
func (q *queue) pop() *waiter {
	w := q.first
	if w != nil {
		q.remove(w)
	}

	return w
}
