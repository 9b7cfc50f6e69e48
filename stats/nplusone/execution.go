package nplusone

import (
	"hash/maphash"
	"time"
)

// An Execution is one statement that is complete. Only Statement, Client and At must be
// set.
type Execution struct {
	Statement  *Statement
	Client     *Client
	Tags       *Tags // nil if the statement has none
	Parameters Parameters
	// Sketcher has seen the result; nil if nobody has looked.
	Sketcher *Sketcher

	At   time.Duration // when it was complete
	Exec time.Duration // how long the server took
	// Gap is the application's time: from the ReadyForQuery before to the first message
	// of the statement; 0 if there was none, or if the statement was pipelined.
	Gap  time.Duration
	Rows uint64

	Pipelined     bool // it came before the ReadyForQuery of the one before, or without a Sync
	InTransaction bool // a transaction is open behind it: the ReadyForQuery says T
	Failed        bool // with an error, or cancelled: it is no repeat of anything
	Ignored       bool // its text says so, see Ignored and IsProbe
}

// An Origin is whose statements they are. Make it with [NewOrigin].
type Origin struct {
	Database    string `json:"database"`
	User        string `json:"user"`
	Application string `json:"application"` // application_name

	hash uint64 // tells databases and applications apart
}

// NewOrigin returns the origin of an application's statements, which all its clients may
// share.
func NewOrigin(database, user, application string) *Origin {
	return &Origin{
		Database: database, User: user, Application: application,
		hash: maphash.Comparable(seed, [2]string{database, application}),
	}
}

// A Client is what a loop knows of a client. Origin must be set, and may change between
// statements, as application_name does; the rest is the detector's.
type Client struct {
	Origin *Origin

	episode *episode
	gaps    time.Duration // moving average of the gaps; 0 at first
	tx      uint64        // counts transactions, and statements outside
	open    bool          // a transaction is open
	inside  bool          // it was so when the statement came that is being booked
}

// Tags are what an application says of a statement in comments. A set is not changed
// any more once it is used.
type Tags struct {
	// Request is the id of the trace, of the request or of the job, whatever there is.
	Request            string
	Route              string
	Controller, Action string
	Framework          string // or the driver of the framework
}

// Where is the place in the application, which findings are reported under: the route,
// or what it consists of; "" if that is not known.
func (t *Tags) Where() string {
	switch {
	case t.Route != "":
		return t.Route
	case t.Controller != "" && t.Action != "":
		return t.Controller + "#" + t.Action
	}

	return t.Controller
}

// sameRoute reports whether two statements may be of one request, as far as tags that
// both have tell.
func (t *Tags) sameRoute(other *Tags) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }

	return t == other || t == nil || other == nil || !differ(t.Route, other.Route) &&
		!differ(t.Controller, other.Controller) && !differ(t.Action, other.Action)
}

// transaction follows the client's transactions. It reports whether the statement is a
// ROLLBACK of none, which pools send to make sure.
func (c *Client) transaction(x *Execution) (idle bool) {
	idle = x.Statement.has(rolls) && !c.open && !x.InTransaction
	c.inside = c.open
	if !c.open {
		c.tx++
	}
	c.open = x.InTransaction

	return idle
}

// Gaps: what is longer than eight times the usual is a pause in which the application
// had nothing to do for this request.
const (
	firstGap = 50 * time.Millisecond
	minGap   = 25 * time.Millisecond
	maxGap   = 500 * time.Millisecond
)

// pause reports whether a gap is one between requests, and learns from it. No gap
// teaches more than the bound that it was measured by.
func (c *Client) pause(gap time.Duration) bool {
	if c.gaps == 0 {
		c.gaps = firstGap / 8
	}
	bound := min(max(8*c.gaps, minGap), maxGap)
	c.gaps += (min(gap, bound) - c.gaps) / 8

	return gap > bound
}
