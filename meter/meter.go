package meter

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// Options are how statements are measured. Posts and Now must be set.
type Options struct {
	// Posts has a function for each loop, which runs what it is given on its loop, soon,
	// without waiting for it.
	Posts []func(func())
	// Now is the clock of the loops. It may be called from any goroutine.
	Now func() time.Duration
	// Log gets the slow statements, the loops in the traffic and the requests that need
	// too much; nil: nobody does. It must not block.
	Log *zap.Logger

	Stats stats.Options
	// SlowParameters: slow statements are told of with their values, which may be secret.
	SlowParameters bool
	// NoNPlusOne: loops of an application, seen in its traffic, are not looked for.
	NoNPlusOne bool
	Rules      nplusone.Rules
	// Memory is how many bytes the search for loops may take; 0: 64 MB.
	Memory int
}

// A Meter measures the statements of a process. Make it with [New].
type Meter struct {
	// Statements are the figures of all statements.
	Statements *stats.Statements
	// Findings are the loops in the traffic that were found; nil if they are not looked
	// for.
	Findings *nplusone.Findings

	options Options
	group   *nplusone.Group // nil: no loops are looked for
	shapes  shapes
	unread  *shape // of texts that are too long
	loops   []*Loop
}

// New returns a meter that has measured nothing.
func New(o Options) *Meter {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	m := &Meter{options: o, Statements: stats.NewStatements(o.Stats, o.Posts...)}
	if !o.NoNPlusOne {
		m.group = nplusone.New(nplusone.Options{
			Rules: o.Rules, Loops: len(o.Posts), Memory: o.Memory, Start: time.Now().Add(-o.Now()),
			Log: m.logFinding, Ended: m.ended,
		})
		m.Findings = m.group.Findings
	}
	m.shapes.recent.keep = keepShapes
	m.unread = &shape{fingerprint: stats.Other}
	if m.group != nil {
		m.unread.statement = m.group.Statement(nplusone.Description{Kind: nplusone.Session, Text: "..."})
	}
	for i := range o.Posts {
		m.loops = append(m.loops, newLoop(m, i))
	}

	return m
}

// Loop returns what the loop books with whose function was the i-th.
func (m *Meter) Loop(i int) *Loop {
	return m.loops[i]
}

// How often is looked after what is open, and added up what the loops have booked.
const (
	sweepPeriod   = time.Second
	collectPeriod = 5 * time.Second
)

// Run looks after what is open until ctx ends: it ends the episodes of which nothing more
// is heard, and adds up what the loops have booked. Exactly one goroutine is to run it.
func (m *Meter) Run(ctx context.Context) {
	sweep, collect := time.NewTicker(sweepPeriod), time.NewTicker(collectPeriod)
	defer sweep.Stop()
	defer collect.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			m.sweep()
		case <-collect.C:
			m.Statements.Collect(ctx)
		}
	}
}

// EndRequests ends all that is open, as if nothing more came, so that what was found in
// it is told of. It must not be called on a loop.
func (m *Meter) EndRequests(ctx context.Context) {
	if m.group == nil {
		return
	}
	done := make(chan struct{}, len(m.loops))
	for i, post := range m.options.Posts {
		post(func() {
			m.loops[i].detector.Close()
			done <- struct{}{}
		})
	}
	for range m.loops {
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
	m.group.Close()
}

// Reset forgets all figures and findings. It must not be called on a loop.
func (m *Meter) Reset(ctx context.Context) {
	m.EndRequests(ctx)
	m.Statements.Reset(ctx)
	if m.Findings != nil {
		m.Findings.Reset()
	}
}

// Evicted is how many requests were judged before their end, for lack of memory.
func (m *Meter) Evicted() uint64 {
	if m.group == nil {
		return 0
	}

	return m.group.Evicted()
}

// NPlusOneMemory is how many bytes the search for loops takes.
func (m *Meter) NPlusOneMemory() int {
	if m.group == nil {
		return 0
	}

	return m.group.Memory()
}

// ended takes in the end of a request. It runs on any loop, or in Run.
func (m *Meter) ended(r nplusone.Request) {
	one := stats.Request{
		Database: r.Origin.Database, User: r.Origin.User,
		Statements: r.Statements, Distinct: r.Distinct, Took: r.Took, Certain: r.Certain,
	}
	if r.Tags != nil {
		one.Route = r.Tags.Where()
	}
	if w, warn := m.Statements.BookRequest(&one); warn {
		m.logRequest(w)
	}
}

// sweep ends the episodes of which nothing more is heard.
func (m *Meter) sweep() {
	if m.group == nil {
		return
	}
	for i, post := range m.options.Posts {
		post(func() { m.loops[i].detector.Sweep(m.options.Now()) })
	}
	m.group.Sweep(m.options.Now())
}
