package stats

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// A PoolID stands for a database and a user. 0 stands for all that found no place.
type PoolID uint32

// A RouteID stands for a place in an application. 0 says that it is not known.
type RouteID uint32

// otherRoute stands for all routes that found no place.
const otherRoute RouteID = 1

// OtherName is what everything without a place of its own is called.
const OtherName = "__other__"

// How many names there may be. Those of routes come from clients, who can make up any
// number: who comes later than the first 100 is in OtherName, until the process ends.
// Pools are the operator's; with a wildcard database there may be many of them.
const (
	maxPools  = 256
	maxRoutes = 100
	maxName   = 200 // bytes of a route's name
)

// A RouteCount is how often a route has called.
type RouteCount struct {
	Route RouteID
	Calls uint64
}

// names gives numbers to pools and routes, for good. It may be used from any goroutine.
type names struct {
	mu        sync.Mutex
	pools     []poolName // by PoolID
	poolIDs   map[poolName]PoolID
	routes    []string // by RouteID
	routeIDs  map[string]RouteID
	full      atomic.Bool            // of routes: who is not known need not ask
	slowAfter [maxPools]atomic.Int64 // nanoseconds, by PoolID
}

// A poolName is a database and a user, as clients name them.
type poolName struct {
	database, user string
}

// init makes the names of those without one.
func (n *names) init() {
	other := poolName{OtherName, OtherName}
	n.pools, n.poolIDs = []poolName{other}, map[poolName]PoolID{other: 0}
	n.routes, n.routeIDs = []string{"", OtherName}, map[string]RouteID{"": 0, OtherName: otherRoute}
}

// pool returns the number of a pool, and sets from when on its statements are slow.
func (n *names) pool(database, user string, slow time.Duration) PoolID {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := poolName{database, user}
	id, ok := n.poolIDs[name]
	if !ok {
		if len(n.pools) == maxPools {
			return 0
		}
		id = PoolID(len(n.pools))
		n.pools, n.poolIDs[name] = append(n.pools, name), id
	}
	n.slowAfter[id].Store(int64(slow))

	return id
}

// poolName returns the name of a pool.
func (n *names) poolName(id PoolID) poolName {
	n.mu.Lock()
	defer n.mu.Unlock()

	return n.pools[id]
}

// route returns the number of a route. The name is not kept.
func (n *names) route(name string) RouteID {
	n.mu.Lock()
	defer n.mu.Unlock()
	id, ok := n.routeIDs[name]
	switch {
	case ok:
		return id
	case n.full.Load():
		return otherRoute
	}
	id = RouteID(len(n.routes))
	name = strings.Clone(name)
	n.routes, n.routeIDs[name] = append(n.routes, name), id
	n.full.Store(len(n.routes) == maxRoutes+2)

	return id
}

// allRoutes returns a copy of the numbers of routes.
func (n *names) allRoutes() map[string]RouteID {
	n.mu.Lock()
	defer n.mu.Unlock()

	return maps.Clone(n.routeIDs)
}

// routeName returns the name of a route.
func (n *names) routeName(id RouteID) string {
	n.mu.Lock()
	defer n.mu.Unlock()

	return n.routes[id]
}

// tidy makes a name fit to be shown: it is UTF-8, without control characters, and not
// longer than limit bytes. It returns s itself if it is so already.
func tidy(s string, limit int) string {
	s = strings.ToValidUTF8(shorten(s, limit), "�") // which may be longer
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return ' '
		}

		return r
	}, s)

	return shorten(s, limit)
}

// shorten cuts what is longer than limit bytes, between characters if it is UTF-8.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit - len("…")
	for back := 0; back < utf8.UTFMax && !utf8.RuneStart(s[cut]); back++ {
		cut--
	}

	return s[:cut] + "…"
}
