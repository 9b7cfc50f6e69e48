package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/wire"
)

// Slow statements are explained, if that is asked for: their normalised text is planned
// as a prepared statement is, without values, in a session of its own that can change
// nothing. Nothing is executed, and as there are no values none are told of.

// A plan is asked for once in a while of each statement, and for a few at a time: more of
// them nobody would read.
const (
	explainAgain  = 10 * time.Minute
	maxExplaining = 16   // that wait
	maxExplained  = 1000 // that are remembered
)

// An explainer explains slow statements, one after the other, in a goroutine of its own.
type explainer struct {
	log     *zap.Logger
	timeout time.Duration
	queue   chan explanation

	mu     sync.Mutex // guards the following
	lately map[stats.Fingerprint]time.Time
}

// An explanation is a statement that is to be explained.
type explanation struct {
	pool *pool.Pool
	slow stats.Slow
}

// newExplainer returns one that runs until done is closed. timeout is for each
// statement.
func newExplainer(log *zap.Logger, timeout time.Duration) *explainer {
	return &explainer{
		log: log, timeout: timeout, queue: make(chan explanation, maxExplaining),
		lately: make(map[stats.Fingerprint]time.Time),
	}
}

// offer has a statement explained, unless it was of late, or too many wait. It does not
// block.
func (x *explainer) offer(p *pool.Pool, s *stats.Slow) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at, ok := x.lately[s.Fingerprint]; ok && s.At.Sub(at) < explainAgain {
		return
	}
	select {
	case x.queue <- explanation{p, *s}:
	default:
		return
	}
	if len(x.lately) >= maxExplained {
		clear(x.lately)
	}
	x.lately[s.Fingerprint] = s.At
}

// run explains what is offered until done is closed.
func (x *explainer) run(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case e := <-x.queue:
			x.explain(e)
		}
	}
}

// explain explains one statement and writes a log line.
func (x *explainer) explain(e explanation) {
	ctx, cancel := context.WithTimeout(context.Background(), x.timeout)
	defer cancel()
	var plan []string
	err := e.pool.Aside(ctx, func(rw io.ReadWriter) (err error) {
		plan, err = explain(rw, e.slow.Text.Normalised, x.timeout)

		return err
	})
	log := x.log.With(
		zap.String("database", e.slow.Database), zap.String("user", e.slow.User),
		zap.Stringer("fingerprint", e.slow.Fingerprint), zap.String("query", e.slow.Text.Normalised),
	)
	if err != nil {
		log.Info("slow statement cannot be explained", zap.Error(err))

		return
	}
	log.Info("plan of a slow statement", zap.String("plan", strings.Join(plan, "\n")))
}

// errManyParameters is for statements that nobody should plan without their values.
var errManyParameters = errors.New("more than 100 values")

// explain has a statement planned without its values. Each statement of it is a Query of
// its own, so that the text is one statement and stands where only one can.
func explain(rw io.ReadWriter, text string, timeout time.Duration) (plan []string, err error) {
	for _, sql := range []string{
		"BEGIN READ ONLY",
		fmt.Sprintf("SET LOCAL statement_timeout = %d", timeout.Milliseconds()),
		"SET LOCAL plan_cache_mode = force_generic_plan",
		"PREPARE pgweir_explained AS " + text,
	} {
		if _, err := wire.Ask(rw, sql); err != nil {
			return nil, err
		}
	}
	values, err := wire.Ask(rw, "SELECT x FROM pg_prepared_statements, unnest(parameter_types) AS x"+
		" WHERE name = 'pgweir_explained'")
	if err != nil {
		return nil, err
	}
	if len(values) > 100 {
		return nil, errManyParameters
	}
	execute := "EXPLAIN EXECUTE pgweir_explained"
	if n := len(values); n > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}

	return wire.Ask(rw, execute)
}

// Slow implements [meter.Observer]: it has a slow statement explained, if that is asked
// for.
func (s *session) Slow(slow *stats.Slow) {
	if x := s.proxy.explainer; x != nil {
		x.offer(s.route.pool, slow)
	}
}
