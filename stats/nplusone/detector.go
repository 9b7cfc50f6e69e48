package nplusone

import (
	"sync/atomic"
	"time"
)

// Options are what a Group is made of.
type Options struct {
	Rules Rules
	// Loops is how many detectors there will be, 1 if it is 0. They share Memory with
	// each other and with what is tagged.
	Loops int
	// Memory is how many bytes the episodes may take together; 0 is 64 MB.
	Memory int
	// Start is the moment at which At of an Execution is 0.
	Start time.Time
	// Log is told of a finding when it was seen for the 1st, 10th, 100th and 1000th time,
	// on the loop that saw it. It must not block, and must not call Findings. nil for
	// nobody.
	Log func(Finding)
	// Ended is told of each episode that has ended as a request does: with a pause or by
	// its tags, rather than by a limit. It is called like Log; nil for nobody.
	Ended func(Request)
}

// A Request is an episode that has ended.
type Request struct {
	Origin     *Origin
	Tags       *Tags // nil: it had none
	Statements uint64
	Distinct   uint64        // statements that differ; beyond 16 some may count twice
	Took       time.Duration // from the beginning of the first to the answer to the last
	// Certain: where it begins and ends is known, as it has an id or is one transaction.
	Certain bool
}

// defaultMemory is the limit for all episodes together, in bytes.
const defaultMemory = 64 << 20

// A Group is what the detectors of a process share.
type Group struct {
	// Findings are what was found.
	Findings *Findings

	rules    Rules
	ended    func(Request)
	memory   int // of one detector
	requests requests
	evicted  atomic.Uint64
	bytes    atomic.Int64 // of the episodes of all loops and requests
	without  evidence
}

// evidence is what a test can do without, to see what it is good for. The zero value
// uses all.
type evidence struct {
	tags, provenance, rounds bool
}

// New returns a group without detectors.
func New(o Options) *Group {
	memory := o.Memory
	if memory == 0 {
		memory = defaultMemory
	}
	g := &Group{
		Findings: newFindings(o.Start, o.Log),
		rules:    o.Rules,
		ended:    o.Ended,
		memory:   memory / 2 / max(o.Loops, 1),
	}
	g.requests.init(g, memory/2)

	return g
}

// Statement returns what stands for a statement in executions. The slices of d are kept
// and must not change.
func (g *Group) Statement(d Description) *Statement {
	if d.Tables == nil {
		d.Tables = []string{} // as it is in JSON
	}
	s := &Statement{Description: d, traits: traitsOf(d)}
	if g.rules.ignores(&d) {
		s.traits |= quiet
	}

	return s
}

// Sweep ends the tagged episodes that were not heard of for 5 s. It is to be called
// about every second by one loop, or by any goroutine.
func (g *Group) Sweep(now time.Duration) {
	g.requests.sweep(now, requestRest)
}

// Close ends all tagged episodes: nothing more will come.
func (g *Group) Close() {
	g.requests.sweep(1<<62, 0)
}

// Evicted is how many episodes ended early for lack of room.
func (g *Group) Evicted() uint64 {
	return g.evicted.Load()
}

// Memory is how many bytes all episodes take, those in store included. It may be called
// from any goroutine.
func (g *Group) Memory() int {
	return int(g.bytes.Load())
}

// A Detector sees the statements of one loop and belongs to it.
type Detector struct {
	group    *Group
	episodes episodes
}

// Detector returns a new detector of the group.
func (g *Group) Detector() *Detector {
	return &Detector{group: g, episodes: episodes{group: g, limit: g.memory}}
}

// Book takes in a statement that is complete. It keeps x no longer than the call, but
// for its pointers.
func (d *Detector) Book(x *Execution) {
	c, st := x.Client, x.Statement
	idle := c.transaction(x)
	switch {
	case x.Failed || x.Ignored:
		x.Sketcher.take()
	case idle || st.has(marker):
		d.Disconnect(c)
	case st.Kind == Transaction || st.has(quiet) && st.Kind != Session:
	case x.Tags != nil && x.Tags.Request != "" && !d.group.without.tags:
		d.group.requests.book(x)
	default:
		d.episode(x).book(x)
	}
}

// episode returns the client's own episode, a new one if what was there has ended.
func (d *Detector) episode(x *Execution) *episode {
	c := x.Client
	pause := c.pause(x.Gap) && !c.inside // no request begins inside a transaction
	e := c.episode
	if e != nil && (pause || e.full(x.At) || !e.tags.sameRoute(x.Tags)) {
		e.cut = !pause && e.full(x.At)
		d.episodes.end(e)
		e = nil
	}
	if e != nil {
		d.episodes.touch(e)

		return e
	}
	e = d.episodes.newEpisode(x)
	e.client, c.episode = c, e

	return e
}

// Disconnect ends the client's own episode: the client is gone, or begins anew.
func (d *Detector) Disconnect(c *Client) {
	if c.episode != nil {
		d.episodes.end(c.episode)
	}
}

// Sweep ends the episodes of clients that have paused for longer than any request would.
// The loop should call it about every second.
func (d *Detector) Sweep(now time.Duration) {
	d.episodes.rest(now, maxGap)
}

// Close ends all episodes of the loop's clients.
func (d *Detector) Close() {
	d.episodes.rest(1<<62, 0)
}

// Memory is how many bytes the episodes of the loop take, those in store included.
func (d *Detector) Memory() int {
	return d.episodes.bytes
}
