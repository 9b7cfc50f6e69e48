package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/wire"
)

// Cancel asks PostgreSQL to cancel what s is doing. It is called by the task that
// has acquired s, and returns at once. From then on s is given to nobody until
// PostgreSQL has confirmed that the request has had its effect, so that it can
// hit no other client's query; if that does not come in time s is closed. Then done
// is called, on the loop that s was on; nil: nobody needs to know.
//
// Requests are bounded by twice the pool's size, as in PgBouncer; what is beyond
// is dropped and reported as false, and done is not called.
func (p *Pool) Cancel(s *Server, done func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.canceling >= 2*(p.options.Size+p.options.Reserve) {
		return false
	}
	p.canceling++
	p.counts.Cancels++
	s.cancels++
	loop := s.loop
	p.pools.goroutines.Go(func() {
		err := p.sendCancel(s.Welcome)
		loop.Post(func() {
			p.cancelDone(s, err)
			if done != nil {
				done()
			}
		})
	})

	return true
}

// sendCancel delivers the request and waits until PostgreSQL closes the
// connection, by when the signal has been sent (src/backend/postmaster: the
// process that handles the request ends after it has).
func (p *Pool) sendCancel(w *wire.Welcome) error {
	ctx, cancel := p.within(context.Background(), p.options.CancelTimeout, errCancelTimeout)
	defer cancel()

	nc, err := p.dial(ctx)
	if err != nil {
		return fmt.Errorf("connect for cancel: %w", err)
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })()
	if _, err := nc.Write(wire.AppendCancelRequest(nil, w.PID, w.Secret)); err != nil {
		return fmt.Errorf("send cancel: %w", err)
	}
	// The answer is the end of the connection, with or without a reset.
	if _, err := io.Copy(io.Discard, nc); err != nil && context.Cause(ctx) != nil {
		return fmt.Errorf("confirm cancel: %w", context.Cause(ctx))
	}

	return nil
}

// errCancelTimeout is the cause when cancel_wait_timeout has passed.
var errCancelTimeout = errors.New("cancel_wait_timeout")

// cancelDone ends a cancel, on the server's loop. A server that was released
// meanwhile goes on its way.
func (p *Pool) cancelDone(s *Server, err error) {
	if err != nil {
		p.log.Warn("cancel request failed", zap.Stringer("pool", p.key), zap.Error(err))
	}
	p.mu.Lock()
	p.canceling--
	s.cancels--
	s.doomed = s.doomed || err != nil
	ready := s.state == canceling && s.cancels == 0
	p.mu.Unlock()
	switch {
	case !ready:
	case s.doomed:
		p.Destroy(s, ReasonCancel)
	default:
		p.Release(s)
	}
}
