package meter

import (
	"time"

	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// A Loop is what one event loop books with. It belongs to it. A nil Loop measures
// nothing.
type Loop struct {
	meter    *Meter
	shard    *stats.Shard
	detector *nplusone.Detector // nil: no loops are looked for

	shapes  recent[sqltext.ID, *shape]
	origins recent[nplusone.Origin, *nplusone.Origin]
	tagged  []sqltext.Tag // memory for the tags of one statement
}

// keepOrigins is how many applications a loop knows at least.
const keepOrigins = 256

// newLoop returns the i-th loop of a meter.
func newLoop(m *Meter, i int) *Loop {
	l := &Loop{meter: m, shard: m.Statements.Shard(i)}
	l.shapes.keep, l.origins.keep = keepShapes, keepOrigins
	l.tagged = make([]sqltext.Tag, 0, 16)
	if m.group != nil {
		l.detector = m.group.Detector()
	}

	return l
}

// A Client is what is known of a client as the source of statements. The zero value is
// one of which nothing is measured.
type Client struct {
	detected nplusone.Client
	pool     stats.PoolID
	answered time.Duration // when it got its last ReadyForQuery; 0: it has had none
}

// Connect begins to measure what a client does. pool is that of
// [stats.Statements.Pool].
func (l *Loop) Connect(c *Client, pool stats.PoolID, database, user, application string) {
	if l == nil {
		return
	}
	c.pool = pool
	l.identify(c, database, user, application)
}

// Rename takes in that a client's application has another name now.
func (l *Loop) Rename(c *Client, application string) {
	if l == nil {
		return
	}
	if o := c.detected.Origin; o.Application != application {
		l.identify(c, o.Database, o.User, application)
	}
}

// identify gives a client the origin that it shares with others of its application.
func (l *Loop) identify(c *Client, database, user, application string) {
	key := nplusone.Origin{Database: database, User: user, Application: application}
	o, ok := l.origins.get(key)
	if !ok {
		o = nplusone.NewOrigin(database, user, application)
		l.origins.put(key, o)
	}
	c.detected.Origin = o
}

// Disconnect ends what is open of a client.
func (l *Loop) Disconnect(c *Client) {
	if l != nil && l.detector != nil {
		l.detector.Disconnect(&c.detected)
	}
}
