package pool

// A quota counts the servers that several pools have together.
type quota struct {
	used    int
	starved map[*Pool]bool // somebody waits for a server that the quota leaves no room for
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
	db, user := ps.quotas(p)
	full := db.full(p.options.MaxDatabase) || user.full(p.options.MaxUser)
	switch {
	case p.asked() == 0:
		if full || len(db.starved)+len(user.starved) > 0 {
			return false
		}
	case full:
		db.starve(p, p.options.MaxDatabase)
		user.starve(p, p.options.MaxUser)
		ps.home().Post(func() { ps.evictFor(p) })

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
	db, user := ps.quotas(p)
	for _, q := range []*quota{db, user} {
		q.used--
		for starved := range q.starved {
			ps.home().Post(func() { ps.retry(starved) })
		}
	}
}

// retry lets p try again to open a server.
func (ps *Pools) retry(p *Pool) {
	ps.mu.Lock()
	db, user := ps.quotas(p)
	delete(db.starved, p) // until it is refused again
	delete(user.starved, p)
	ps.mu.Unlock()
	p.tryGrow()
}

// evictFor closes an idle server of another pool which counts against a quota that
// p is starved by.
func (ps *Pools) evictFor(p *Pool) {
	ps.mu.Lock()
	db, user := ps.quotas(p)
	byDB, byUser := db.starved[p], user.starved[p]
	ps.mu.Unlock()
	for _, other := range ps.All() {
		shared := byDB && other.key.Database == p.key.Database || byUser && other.key.User == p.key.User
		if other != p && shared && other.closeIdle(1, ReasonEvicted) > 0 {
			return
		}
	}
}

// quotas returns what counts for p. mu is held.
func (ps *Pools) quotas(p *Pool) (db, user *quota) {
	return quotaOf(ps.byDB, p.key.Database), quotaOf(ps.byUser, p.key.User)
}

// quotaOf returns the quota of that name, making it if need be.
func quotaOf(quotas map[string]*quota, name string) *quota {
	q := quotas[name]
	if q == nil {
		q = &quota{starved: make(map[*Pool]bool)}
		quotas[name] = q
	}

	return q
}

// forgetQuotas drops the counts that no server stands behind. mu is held.
func (ps *Pools) forgetQuotas(p *Pool) {
	db, user := ps.quotas(p)
	delete(db.starved, p)
	delete(user.starved, p)
	if db.used == 0 {
		delete(ps.byDB, p.key.Database)
	}
	if user.used == 0 {
		delete(ps.byUser, p.key.User)
	}
}
