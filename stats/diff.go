package stats

// Diff returns what was booked between an older report and r. What began anew since, as
// figures were reset or a statement came back, counts from there. Statements without
// calls in between are left out. What cannot be told for a part of the time is that of
// r: the shortest and longest time, the trend, the last slow sample.
func (r *Report) Diff(old *Report) *Report {
	d := *r
	if !r.Since.Equal(old.Since) {
		return &d
	}
	d.Since, d.Statements, d.Requests, d.Slow = old.At, nil, nil, nil
	d.Admitted -= old.Admitted
	d.Evicted -= old.Evicted
	d.diffStatements(r.Statements, old.Statements)
	d.diffRequests(r.Requests, old.Requests)
	for _, s := range r.Slow {
		if s.At.After(old.At) {
			d.Slow = append(d.Slow, s)
		}
	}

	return &d
}

// statementKey tells statements of a report apart.
type statementKey struct {
	database, user string
	fingerprint    Fingerprint
}

// key is the statement's.
func (s *Statement) key() statementKey {
	return statementKey{s.Database, s.User, s.Fingerprint}
}

// diffStatements fills in the statements.
func (r *Report) diffStatements(now, before []Statement) {
	old := make(map[statementKey]*Statement, len(before))
	for i := range before {
		old[before[i].key()] = &before[i]
	}
	for _, s := range now {
		if o, ok := old[s.key()]; ok && o.Since.Equal(s.Since) {
			s.sub(&o.Figures)
			s.subNamed(o)
		}
		if s.Calls > 0 {
			r.Statements = append(r.Statements, s)
		}
	}
}

// subNamed takes away earlier counts of what has names.
func (s *Statement) subNamed(o *Statement) {
	routes, classes := s.TopRoutes, s.ErrorClass
	s.TopRoutes, s.ErrorClass = nil, nil
	for _, r := range routes {
		for _, before := range o.TopRoutes {
			if before.Route == r.Route {
				r.Calls -= min(before.Calls, r.Calls)
			}
		}
		if r.Calls > 0 {
			s.TopRoutes = append(s.TopRoutes, r)
		}
	}
	for _, c := range classes {
		for _, before := range o.ErrorClass {
			if before.Class == c.Class {
				c.Count -= min(before.Count, c.Count)
			}
		}
		if c.Count > 0 {
			s.ErrorClass = append(s.ErrorClass, c)
		}
	}
}

// diffRequests fills in the requests.
func (r *Report) diffRequests(now, before []PoolRequests) {
	for _, p := range now {
		for i := range before {
			if o := &before[i]; o.Database == p.Database && o.User == p.User {
				p.sub(&o.RequestFigures)
			}
		}
		if p.Requests > 0 {
			r.Requests = append(r.Requests, p)
		}
	}
}

// sub takes away what o holds, which f held at an earlier time.
func (f *RequestFigures) sub(o *RequestFigures) {
	f.Requests -= o.Requests
	f.Statements -= o.Statements
	f.Distinct -= o.Distinct
	f.OverTarget -= o.OverTarget
	f.TooMany -= o.TooMany
	f.TooLong -= o.TooLong
	for i, n := range o.Sizes {
		f.Sizes[i] -= n
	}
	f.Took.sub(&o.Took)
}
