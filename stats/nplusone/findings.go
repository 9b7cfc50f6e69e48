package nplusone

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Limits of what is kept.
const (
	maxFindings = 1000
	maxRoutes   = 100  // that are counted by name
	maxCounters = 4096 // of all labels together
)

// otherRoute stands for the routes beyond the first 100, and for databases when there
// are too many counters.
const otherRoute = "__other__"

// Findings are what the detectors of a group have found. They may be used from any
// goroutine; the lock is taken when an episode ends in which there was something.
type Findings struct {
	start time.Time
	log   func(Finding)

	mu       sync.Mutex
	byKey    map[key]*Finding
	counters map[Label]uint64
	routes   map[string]bool
}

// A key says which findings are the same.
type key struct {
	kind, where   string // where: the route, or the application
	child, parent Fingerprint
}

// key returns the key of a finding. The database is not part of it: in a test it has
// another name than in production.
func (f *Finding) key() key {
	k := key{kind: f.Kind, where: f.Route, child: f.Child.Fingerprint}
	if k.where == "" {
		k.where = "application " + f.Origin.Application
	}
	if f.Parent != nil {
		k.parent = f.Parent.Fingerprint
	}

	return k
}

// A Label is what occurrences are counted by.
type Label struct {
	Database, Kind string
	Confidence     Confidence
	Route          string // "__other__" for those beyond the first 100
}

// newFindings returns findings without any.
func newFindings(start time.Time, log func(Finding)) *Findings {
	return &Findings{
		start: start, log: log,
		byKey: make(map[key]*Finding), counters: make(map[Label]uint64), routes: make(map[string]bool),
	}
}

// add adds an occurrence, and tells the log if it is one of those that are logged.
// explain is asked for the texts of a finding that is new, or for which there is more
// evidence than before; it is called with the lock held.
func (l *Findings) add(f Finding, explain func(*Finding)) {
	l.mu.Lock()
	l.count(&f)
	known := l.byKey[f.key()]
	if known == nil {
		l.makeRoom()
		known = new(f)
		explain(known)
		l.byKey[f.key()] = known
	} else if known.merge(&f) {
		explain(known)
	}
	seen := l.dated(known)
	l.mu.Unlock()
	if l.log != nil && logged(seen.Occurrences) {
		l.log(seen)
	}
}

// logged reports whether the occurrence of that number is logged.
func logged(n uint64) bool {
	return n == 1 || n == 10 || n == 100 || n == 1000
}

// makeRoom drops the tenth of the findings that was not seen for longest, if there are
// too many. mu is held.
func (l *Findings) makeRoom() {
	if len(l.byKey) < maxFindings {
		return
	}
	type aged struct {
		key  key
		last time.Duration
	}
	all := make([]aged, 0, len(l.byKey))
	for k, f := range l.byKey {
		all = append(all, aged{k, f.last})
	}
	slices.SortFunc(all, func(a, b aged) int { return cmp.Compare(a.last, b.last) })
	for _, a := range all[:maxFindings/10] {
		delete(l.byKey, a.key)
	}
}

// count counts an occurrence. mu is held.
func (l *Findings) count(f *Finding) {
	label := Label{Database: f.Origin.Database, Kind: f.Kind, Confidence: f.Confidence, Route: f.Route}
	if !l.routes[f.Route] {
		if len(l.routes) < maxRoutes {
			l.routes[f.Route] = true
		} else {
			label.Route = otherRoute
		}
	}
	if _, known := l.counters[label]; !known && len(l.counters) >= maxCounters {
		label.Database, label.Route = otherRoute, otherRoute
	}
	l.counters[label]++
}

// dated returns a copy with the times at which it was seen. mu is held.
func (l *Findings) dated(f *Finding) Finding {
	seen := *f
	seen.FirstSeen, seen.LastSeen = l.start.Add(f.first), l.start.Add(f.last)

	return seen
}

// Counts returns how often what was found, since the start.
func (l *Findings) Counts() map[Label]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()

	return maps.Clone(l.counters)
}

// List returns what was found, the costliest first.
func (l *Findings) List() []Finding {
	l.mu.Lock()
	list := make([]Finding, 0, len(l.byKey))
	for _, f := range l.byKey {
		list = append(list, l.dated(f))
	}
	l.mu.Unlock()
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.ExecMS+b.GapMS, a.ExecMS+a.GapMS), compareKeys(a.key(), b.key()))
	})

	return list
}

// Reset forgets what was found. Counts go on: they are since the start.
func (l *Findings) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.byKey)
}

// compareKeys puts keys in an order that does not depend on costs.
func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.where, b.where), cmp.Compare(a.kind, b.kind),
		cmp.Compare(a.child, b.child), cmp.Compare(a.parent, b.parent))
}

// WriteJSON writes the list.
func (l *Findings) WriteJSON(w io.Writer) error {
	b, err := MarshalList(l.List())
	if err != nil {
		return err
	}
	_, err = w.Write(b)

	return err
}
