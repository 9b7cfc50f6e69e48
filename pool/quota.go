package pool

import "slices"

// A quota counts the servers that all pools of one database, or one user, have
// together.
type quota struct {
	pools   int
	used    int            // servers, open or being opened
	starved map[*Pool]bool // somebody waits for a server that the quota leaves no room for
}

// join counts one more pool against the quota of that name, making it if need be.
func join(quotas map[string]*quota, name string) *quota {
	q := quotas[name]
	if q == nil {
		q = &quota{starved: make(map[*Pool]bool)}
		quotas[name] = q
	}
	q.pools++

	return q
}

// leave ends what join began for p.
func leave(quotas map[string]*quota, name string, p *Pool) {
	q := quotas[name]
	delete(q.starved, p)
	q.pools--
	if q.pools == 0 {
		delete(quotas, name)
	}
}

// full reports whether there is no room under limit; 0: there always is.
func (q *quota) full(limit int) bool {
	return limit != 0 && q.used >= limit
}

// starve remembers that p has asked in vain, if that is because of this quota.
func (q *quota) starve(p *Pool, limit int) {
	if q.full(limit) {
		q.starved[p] = true
	}
}

// take counts one more server of p against the limits that span pools. It is
// false if one binds. Then a pool whose clients wait hears when that changes, and
// another pool's idle server is closed for it. One that only wants its minimum
// stands back, also behind all who wait.
func (ps *Pools) take(p *Pool) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	db, user := p.db, p.user
	full := db.full(p.options.MaxDatabase) || user.full(p.options.MaxUser)
	switch {
	case p.asked() == 0:
		if full || len(db.starved)+len(user.starved) > 0 {
			return false
		}
	case full:
		db.starve(p, p.options.MaxDatabase)
		user.starve(p, p.options.MaxUser)
		ps.askForRoom(p)

		return false
	}
	db.used++
	user.used++

	return true
}

// freed takes a server of p off the limits, and lets those try again that they
// held back.
func (ps *Pools) freed(p *Pool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, q := range [...]*quota{p.db, p.user} {
		q.used--
		if len(q.starved) > 0 {
			ps.home().Post(func() { ps.feed(q) })
		}
	}
}

// feed lets pools that q has held back try again, until one is refused: the rest
// would be as well.
func (ps *Pools) feed(q *quota) {
	for p := ps.anyStarved(q); p != nil; p = ps.anyStarved(q) {
		ps.retry(p)
		if ps.starves(q, p) {
			return
		}
	}
}

// anyStarved returns a pool that q holds back, or nil.
func (ps *Pools) anyStarved(q *quota) *Pool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for p := range q.starved {
		return p
	}

	return nil
}

// starves reports whether q holds p back.
func (ps *Pools) starves(q *quota, p *Pool) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()

	return q.starved[p]
}

// retry lets p try again to open a server.
func (ps *Pools) retry(p *Pool) {
	ps.mu.Lock()
	delete(p.db.starved, p) // until it is refused again
	delete(p.user.starved, p)
	ps.mu.Unlock()
	p.tryGrow()
}

// askForRoom has idle servers of other pools closed, one for each time that p asks.
// All who ask in a round are seen to together: to look at the pools takes a while if
// there are thousands. mu is held.
func (ps *Pools) askForRoom(p *Pool) {
	if len(ps.asking) == 0 {
		ps.home().Post(ps.evict)
	}
	ps.asking = append(ps.asking, p)
}

// evict sees to those who have asked for room.
func (ps *Pools) evict() {
	ps.mu.Lock()
	asking := ps.asking
	ps.asking = nil
	ps.mu.Unlock()
	donors := slices.DeleteFunc(ps.All(), func(p *Pool) bool { return !p.hasIdle() })
	for _, p := range asking {
		ps.evictFor(p, donors)
	}
}

// evictFor closes an idle server of another pool, one of donors, which counts against
// a quota that p is starved by.
func (ps *Pools) evictFor(p *Pool, donors []*Pool) {
	ps.mu.Lock()
	byDB, byUser := p.db.starved[p], p.user.starved[p]
	ps.mu.Unlock()
	for _, other := range donors {
		shared := byDB && other.db == p.db || byUser && other.user == p.user
		if other != p && shared && other.closeIdle(1, ReasonEvicted) > 0 {
			return
		}
	}
}
