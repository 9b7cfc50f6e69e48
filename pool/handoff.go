package pool

import (
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
)

// enqueue makes t a waiter. If another loop has an idle server it is sent for; else
// t stands in the queue, and the pool grows if it may. mu is held.
func (p *Pool) enqueue(t *reactor.Task) *waiter {
	w := p.spare
	if w != nil {
		p.spare, w.next = w.next, nil
	} else {
		w = new(waiter)
	}
	w.task, w.since = t, t.Loop().Now()
	if s := p.takeForeign(t.Loop()); s != nil {
		p.send(s, w)

		return w
	}
	p.waiting.push(w)
	p.grow()

	return w
}

// takeForeign takes an idle server of another loop than l off the shelf, or nil. mu
// is held.
func (p *Pool) takeForeign(l *reactor.Loop) *Server {
	if p.idleN == 0 {
		return nil
	}
	for i, shelf := range p.idle {
		if i != l.Index() && len(shelf) > 0 {
			s := shelf[len(shelf)-1]
			p.unshelve(s, len(shelf)-1)

			return s
		}
	}

	return nil
}

// await suspends until w has a server, is refused, or gives up.
func (p *Pool) await(w *waiter, deadline time.Duration, c Client) (*Server, time.Duration, error) {
	loop := w.task.Loop()
	for {
		w.task.Wait(deadline)
		interrupted := c.Interrupted()

		p.mu.Lock()
		s, err := w.server, w.err
		waited := loop.Now() - w.since
		switch {
		case s != nil || err != nil:
		case interrupted != nil:
			err = interrupted
		case deadline != 0 && loop.Now() >= deadline:
			err = &WaitTimeoutError{Waited: waited, Cause: p.lastErr}
		default:
			p.mu.Unlock()

			continue
		}
		p.dismiss(w)
		p.mu.Unlock()

		return s, waited, err
	}
}

// dismiss ends w's wait. If a server is on its way to it, that will find nobody. mu
// is held.
func (p *Pool) dismiss(w *waiter) {
	if w.queued {
		p.waiting.remove(w)
	} else if w.server == nil && w.err == nil {
		w.left = true

		return
	}
	*w = waiter{next: p.spare}
	p.spare = w
}

// send moves s from its loop to that of w, by way of both loops' inboxes.
func (p *Pool) send(s *Server, w *waiter) {
	from, to := s.loop, w.task.Loop()
	from.Post(func() {
		from.Detach(s.Conn)
		to.Post(func() { p.arrive(s, w, to) })
	})
}

// arrive ends the way of s to w, on w's loop.
func (p *Pool) arrive(s *Server, w *waiter, loop *reactor.Loop) {
	err := loop.Attach(s.Conn, s)
	p.mu.Lock()
	defer p.mu.Unlock()
	s.loop = loop
	switch {
	case err != nil || s.Conn.Pending():
		// It spoke on the way: most likely that was its end. The task
		// asks for the next one, before all who came later.
		p.destroy(s, ReasonServerEOF)
		p.requeue(w)
	case w.left:
		p.pass(s, loop.Now())
	default:
		w.server = s
		w.task.Wake()
	}
}

// requeue puts a waiter whose server got lost on the way at the head of the queue.
// mu is held.
func (p *Pool) requeue(w *waiter) {
	switch {
	case w.left:
	case p.closed:
		w.err = ErrClosed
		w.task.Wake()
	default:
		p.waiting.pushFirst(w)
		p.grow()
	}
}
