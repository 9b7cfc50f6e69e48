package stats

import (
	"cmp"
	"slices"
	"time"
)

// A Report is a copy of all figures at a moment. It is its reader's own.
type Report struct {
	At         time.Time
	Since      time.Time // figures count from then on
	Statements []Statement
	Requests   []PoolRequests
	Slow       []Slow // the last ones, the newest last
	Tracked    int    // how many statements may have figures of their own
	Admitted   uint64 // statements that got them, loops counted one by one
	Evicted    uint64 // of those, that lost them to others
}

// A Statement is what is known of one statement of one pool.
type Statement struct {
	Database, User string
	Fingerprint    Fingerprint
	Text           Text // empty if there was none, as for what is not a statement
	Since          time.Time
	Figures
	Trend      []TrendPoint // of the last ten minutes, the oldest first; minutes without calls are not there
	TopRoutes  []NamedRoute // at most three
	LastRoute  string       // of the last slow sample
	ErrorClass []NamedClass
}

// A NamedRoute is a route that calls a statement, with an estimate of how often, see
// [Figures].
type NamedRoute struct {
	Route string
	Calls uint64
}

// A NamedClass is how many errors had SQLSTATEs that begin with two characters, or with
// none that is counted by itself.
type NamedClass struct {
	Class string
	Count uint64
}

// PoolRequests is what is known of the requests of one pool.
type PoolRequests struct {
	Database, User string
	RequestFigures
}

// report copies all there is.
func (r *registry) report(n *names) *Report {
	now := r.now()
	rep := &Report{
		At: now, Since: r.since, Slow: slices.Clone(r.slow),
		Tracked: r.tracked, Admitted: r.admitted, Evicted: r.evicted,
		Statements: make([]Statement, 0, len(r.entries)),
	}
	for _, e := range r.entries {
		rep.Statements = append(rep.Statements, e.statement(r, n, now))
	}
	slices.SortFunc(rep.Statements, compareKeys)

	return rep
}

// compareKeys orders by database, user and fingerprint.
func compareKeys(a, b Statement) int {
	return cmp.Or(
		cmp.Compare(a.Database, b.Database), cmp.Compare(a.User, b.User), cmp.Compare(a.Fingerprint, b.Fingerprint),
	)
}

// statement copies an entry.
func (e *entry) statement(r *registry, n *names, now time.Time) Statement {
	pool := n.poolName(e.key.Pool)
	s := Statement{
		Database: pool.database, User: pool.user, Fingerprint: e.key.Fingerprint, Text: r.texts[e.key.Fingerprint],
		Since: e.since, Figures: e.Figures, LastRoute: n.routeName(e.Last.Route),
	}
	minute := now.Unix() / 60
	for m := minute - trendMinutes + 1; m <= minute; m++ {
		if p := e.trend[m%trendMinutes]; p.Minute == m {
			s.Trend = append(s.Trend, p)
		}
	}
	s.name(n)

	return s
}

// shownRoutes is how many of the routes in the sketch are shown.
const shownRoutes = 3

// name fills in what has names.
func (s *Statement) name(n *names) {
	for _, r := range s.Routes {
		if r.Calls > 0 {
			s.TopRoutes = append(s.TopRoutes, NamedRoute{n.routeName(r.Route), r.Calls})
		}
	}
	slices.SortFunc(s.TopRoutes, func(a, b NamedRoute) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Route, b.Route))
	})
	s.TopRoutes = s.TopRoutes[:min(len(s.TopRoutes), shownRoutes)]
	for _, c := range s.Classes {
		if c.Count > 0 {
			s.ErrorClass = append(s.ErrorClass, NamedClass{string(c.Class[:]), c.Count})
		}
	}
	slices.SortFunc(s.ErrorClass, func(a, b NamedClass) int { return cmp.Compare(a.Class, b.Class) })
	if s.OtherClasses > 0 {
		s.ErrorClass = append(s.ErrorClass, NamedClass{OtherName, s.OtherClasses})
	}
}
