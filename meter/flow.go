package meter

import (
	"time"

	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// A Flow is what a client and its server say to each other, as far as it is about
// statements. Its user tells of messages in their order, and, of the server's, of none
// but those that answer what it has told of. It allocates for portals with names, and as
// long as pipelines grow. The zero value measures nothing, until Begin.
type Flow struct {
	loop     *Loop // nil: nothing is measured
	client   *Client
	observer Observer // nil: nobody

	asks    asks
	unnamed portal
	portals map[string]portal
	paused  []execution // portals of which some rows were fetched
	busy    bool        // something was asked since the last ReadyForQuery

	sketcher nplusone.Sketcher
	looks    looks
	sketched bool   // sketcher has the result that is being answered, or is complete
	codes    []byte // memory for those of formats

	sample  []byte        // the values of the Query that comes next, if samples are kept
	in, out uint64        // bytes of what is asked next, and of what is answered
	rows    uint64        // of what is answered
	since   time.Duration // the end of what was answered before

	last     execution // it is complete, but what comes behind it is not known
	complete bool      // there is one
}

// looks is whether the rows of a result are looked into.
type looks uint8

// What is known of that.
const (
	undecided looks = iota
	looking
	notLooking
)

// Timing is when something was asked.
type Timing struct {
	At      time.Duration // when it goes to the server
	Arrived time.Duration // when it came from the client
	Wait    time.Duration // for a server, in between; 0 if it had one
}

// An Observer is told of what is out of the ordinary in a flow, on its loop. It must not
// block.
type Observer interface {
	// Slow tells of a slow statement that reads, and whose text is known whole. It is valid
	// until Slow returns.
	Slow(s *stats.Slow)
}

// Begin begins to measure what a client says from now on. o may be nil.
func (f *Flow) Begin(l *Loop, c *Client, o Observer) {
	f.loop, f.client, f.observer = l, c, o
}

// End ends measuring. What the flow has used it keeps for the next client.
func (f *Flow) End() {
	f.Drop()
	f.loop, f.client, f.observer = nil, nil, nil
	f.last = execution{sample: f.last.sample[:0]}
}

// Drop forgets what is not answered, as it will not be, and books what is complete. The
// next server begins with nothing.
func (f *Flow) Drop() {
	if f.loop == nil {
		return
	}
	f.settle(false)
	f.dropPortals()
	f.asks.reset()
	f.unnamed, f.busy = portal{}, false
	f.in, f.out, f.rows = 0, 0, 0
	f.looks, f.sketched = undecided, false
}

// Sent counts bytes of the client's on the way to its server. It comes before what the
// bytes say.
func (f *Flow) Sent(n int) {
	f.in += uint64(n)
}

// Query tells of a Query on the way to the server.
func (f *Flow) Query(t *Text, when Timing) {
	if f.loop == nil {
		return
	}
	a := f.ask(when)
	a.text = *t
	a.sample = append(a.sample, f.sample...)
	f.sample = f.sample[:0]
	a.pipelined = a.pipelined || len(t.more) > 0
}

// ask begins something that is asked.
func (f *Flow) ask(when Timing) *ask {
	a := f.asks.push()
	a.at, a.wait, a.in, a.pipelined, a.gap = when.At, when.Wait, f.in, f.busy, -1
	if !f.busy && f.client.answered != 0 {
		a.gap = max(when.Arrived-f.client.answered, 0)
	}
	f.in, f.busy = 0, true

	return a
}

// Describe tells of a Describe of a statement on the way to the server; nil if it is not
// known.
func (f *Flow) Describe(s *Statement) {
	if f.loop == nil {
		return
	}
	a := f.asks.push()
	a.describes, a.portal.statement = true, s
}

// Takes tells of a ParameterDescription.
func (f *Flow) Takes(body []byte) {
	f.More()
	if f.asks.n == 0 {
		return
	}
	if a := f.asks.first(); a.describes && a.portal.statement != nil {
		a.portal.statement.takes(body)
	}
}

// Described tells of a RowDescription: of a Query, of a portal, or of a statement.
func (f *Flow) Described(body []byte) {
	f.More()
	if f.asks.n == 0 { // the portal is described, and nothing of it asked for yet
		if s := f.unnamed.statement; s != nil {
			s.describe(body)
		}

		return
	}
	a := f.asks.first()
	if s := a.portal.statement; s != nil {
		s.describe(body)
	}
	if !a.describes {
		f.start(body, nil)
	}
}

// start decides whether rows are looked into that have that description. formats are
// those of the Bind; nil: the description tells.
func (f *Flow) start(description, formats []byte) {
	f.looks = notLooking
	t := f.asks.first().current()
	if t.shape != nil && t.shape.statement != nil && f.sketcher.Start(t.shape.statement, description, formats) {
		f.looks, f.sketched = looking, true
	}
}

// Looks reports whether the next row is to be there whole when it is told of.
func (f *Flow) Looks() bool {
	return f.looks != notLooking && f.asks.n > 0
}

// Row tells of a DataRow of what is being answered. size is that of the frame, body what
// is there of its content.
func (f *Flow) Row(size int, body []byte) {
	f.rows++
	f.out += uint64(size)
	if f.looks != notLooking {
		f.look(body)
	}
}

// look takes a row in, if it is one of a result that is looked into.
func (f *Flow) look(body []byte) {
	if f.asks.n == 0 {
		return
	}
	f.More()
	if f.looks == undecided {
		f.expect()
	}
	if f.looks == looking {
		f.sketcher.Row(body)
		if !f.sketcher.Wants() {
			f.looks = notLooking // any more
		}
	}
}

// expect decides whether rows are looked into that nobody has described now: those of
// a portal whose statement was described before.
func (f *Flow) expect() {
	f.looks = notLooking
	p := &f.asks.first().portal
	if p.statement == nil {
		return
	}
	if columns := p.statement.columns.Load(); columns != nil {
		f.codes = p.formats.append(f.codes[:0])
		f.start(*columns, f.codes)
	}
}

// Answered counts bytes of an answer for the client, but for those of DataRows.
func (f *Flow) Answered(n int) {
	f.out += uint64(n)
}

// Pending is how many answers are waited for.
func (f *Flow) Pending() int {
	return f.asks.n
}
