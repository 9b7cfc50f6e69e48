package stats

import (
	"context"
	"time"
)

// Options are how [Statements] are kept. The zero value is good.
type Options struct {
	Tracked  int // statements that have figures of their own; 0: 2000
	Slow     SlowRules
	Requests RequestRules
	Now      func() time.Time // nil: time.Now
}

// Statements are the figures of all statements. Each loop books into its own [Shard];
// whoever reads asks each loop, by a posted function, to hand over what it has booked
// since the last time, and adds that up. So booking needs neither lock nor atomic, and
// a loop is held up for a swap of pointers however many statements there are. Methods
// may be called from any goroutine, but those that take a context not from a loop's.
//
// Between readers a shard's figures wait in the shard, where they lose nothing but
// time: the trend is exact to the interval of [Statements.Collect], and what is an
// outlier is known as of the last one. So somebody calls it every few seconds.
type Statements struct {
	names  names
	shards []*handle
	handed chan handed   // room for one of each shard: no loop ever waits
	gate   chan struct{} // holds one while somebody reads; guards what is below
	total  registry

	requests requests
}

// A handle is what readers know of a shard.
type handle struct {
	shard *Shard
	post  func(func())
	spare *delta // nil while the loop has been asked, and has not answered
}

// handed is a loop's answer.
type handed struct {
	from *handle
	*delta
}

// NewStatements returns the figures of as many loops as there are functions, each of
// which runs what it is given on its loop, soon, without waiting for it.
func NewStatements(o Options, posts ...func(func())) *Statements {
	o.Tracked = orDefault(o.Tracked, 2000)
	o.Slow, o.Requests = o.Slow.withDefaults(), o.Requests.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Statements{handed: make(chan handed, len(posts)), gate: make(chan struct{}, 1)}
	s.names.init()
	s.total.init(o)
	s.requests = requests{
		rules: o.Requests, now: o.Now, byPool: make(map[poolName]*RequestFigures), rate: rate{perSecond: warningsPerSecond},
	}
	for _, post := range posts {
		s.shards = append(s.shards, &handle{
			shard: newShard(&s.names, o, len(posts)), post: post, spare: newDelta(o.Tracked),
		})
	}

	return s
}

// newShard returns one of so many shards.
func newShard(n *names, o Options, shards int) *Shard {
	s := &Shard{
		names: n, rules: o.Slow, now: o.Now, delta: newDelta(o.Tracked),
		routes:   make(map[string]RouteID),
		slowRate: rate{perSecond: max(float64(o.Slow.PerSecond)/float64(shards), 1)},
	}
	s.table.init(o.Tracked)

	return s
}

// Shard returns the shard of the loop whose function was the i-th.
func (s *Statements) Shard(i int) *Shard {
	return s.shards[i].shard
}

// Pool returns the number of a pool, for executions. Its statements are slow after a
// time of its own; 0: as the rules say; negative: never. It is for when the pool is
// made or its settings change, and takes a lock.
func (s *Statements) Pool(database, user string, slow time.Duration) PoolID {
	return s.names.pool(tidy(database, maxName), tidy(user, maxName), slow)
}

// answerTime is how long a loop has to hand over. One that does not turn, or has
// stopped, is left out, and made up for the next time.
const answerTime = time.Second

// Collect adds up what the loops have booked.
func (s *Statements) Collect(ctx context.Context) {
	s.gate <- struct{}{}
	defer func() { <-s.gate }()
	s.collect(ctx)
}

// collect is Collect for who is past the gate.
func (s *Statements) collect(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	for _, h := range s.shards {
		h.ask(s.handed, s.total.usual, s.total.lacksTexts)
	}
	for ctx.Err() == nil && s.waiting() {
		select {
		case d := <-s.handed:
			s.total.merge(d.delta)
			d.clear()
			d.from.spare = d.delta
		case <-ctx.Done():
		}
	}
	s.total.settle()
}

// ask has the loop hand over, unless it has been asked.
func (h *handle) ask(answers chan<- handed, usual map[Key]time.Duration, lacksTexts bool) {
	empty := h.spare
	if empty == nil {
		return
	}
	h.spare = nil
	h.post(func() { answers <- handed{h, h.shard.handOver(empty, usual, lacksTexts)} })
}

// waiting reports whether a loop has yet to answer.
func (s *Statements) waiting() bool {
	for _, h := range s.shards {
		if h.spare == nil {
			return true
		}
	}

	return false
}

// Snapshot collects, and returns a copy of all there is.
func (s *Statements) Snapshot(ctx context.Context) *Report {
	s.gate <- struct{}{}
	defer func() { <-s.gate }()
	s.collect(ctx)
	r := s.total.report(&s.names)
	r.Requests = s.requests.list()

	return r
}

// Reset forgets all figures, of what was booked before it is called. What is tracked
// stays tracked.
func (s *Statements) Reset(ctx context.Context) {
	s.gate <- struct{}{}
	defer func() { <-s.gate }()
	s.collect(ctx)
	s.total.reset()
	s.requests.reset()
}
