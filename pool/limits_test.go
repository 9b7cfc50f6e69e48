package pool

import (
	"fmt"
	"testing"
	"time"
)

func TestReserve(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.Reserve, o.ReserveTimeout = 1, 5*time.Second })
	holder := r.holder(p)
	first, second := r.client(p, 0, 0), r.client(p, 0, 0)
	for range 4 {
		r.step(time.Second)
		first.waiting()
		r.wantStat(p, 1, 0, 2)
	}
	r.step(time.Second + janitorPeriod)
	first.served()
	r.step(time.Minute)
	second.waiting()
	r.wantStat(p, 2, 0, 1)
	first.release()
	second.use()
	holder.release()
}

func TestReserveIsNeverUsed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(o *Options){
		"no reserve": func(o *Options) { o.ReserveTimeout = time.Second },
		"no timeout": func(o *Options) { o.Reserve = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, p := newPool(t, 1, change)
			holder := r.holder(p)
			c := r.client(p, 0, 0)
			for range 10 {
				r.step(time.Minute)
			}
			c.waiting()
			r.wantStat(p, 1, 0, 1)
			holder.release()
			c.use()
		})
	}
}

// TestMinSize checks that the minimum is kept open once a server has been needed
// and as long as somebody uses the pool.
func TestMinSize(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 2, func(o *Options) { o.Size, o.MinSize, o.IdleTimeout = 5, 3, time.Minute })
	r.step(time.Minute)
	r.wantStat(p, 0, 0, 0)
	c := r.holder(p)
	c.release()
	r.eventually("the minimum", func() bool { return p.Stat().Idle == 3 })
	r.step(2 * time.Minute)
	r.wantStat(p, 3, 3, 0)
	r.wantClosed(p, ReasonIdle, 0)

	c = r.holder(p)
	c.part(func(s *Server) { p.Destroy(s, ReasonLink) })
	r.eventually("the minimum again", func() bool { return p.Stat().Idle == 3 })
}

// TestSharedLimits checks that pools which share a limit keep it together, and that
// an idle server of one gives way to a client of the other.
func TestSharedLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		other  Key
		change func(o *Options)
	}{
		"database": {Key{"shop", "alice"}, func(o *Options) { o.Size, o.MaxDatabase = 5, 2 }},
		"user":     {Key{"stock", "bob"}, func(o *Options) { o.Size, o.MaxUser = 5, 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 2)
			p, other := r.pool(test.change), r.poolOf(test.other, test.change)
			mine := []*client{r.client(p, 0, 0), r.client(p, 1, 0), r.client(p, 0, 0)}
			mine[0].served()
			mine[1].served()
			mine[2].waiting()
			theirs := r.client(other, 1, 0)
			r.step(10 * time.Second)
			theirs.waiting()
			r.wantStat(p, 2, 0, 1)
			r.wantStat(other, 0, 0, 1)

			mine[0].release() // to the third one
			mine[2].served()
			theirs.waiting()
			mine[2].release() // idle, until the other pool asks again
			r.step(janitorPeriod)
			theirs.served()
			r.wantClosed(p, ReasonEvicted, 1)
			r.wantStat(p, 1, 0, 0)

			last := r.client(p, 0, 0)
			last.waiting()
			theirs.part(func(s *Server) { other.Destroy(s, ReasonLink) })
			last.use()
			mine[1].release()
			r.wantStat(p, 2, 2, 0)
			r.wantStat(other, 0, 0, 0)
		})
	}
}

// TestEvictionIsToThePoint checks that no idle server is closed which does not count
// against the limit that binds.
func TestEvictionIsToThePoint(t *testing.T) {
	t.Parallel()
	sameUser, sameDatabase := Key{"stock", "bob"}, Key{"shop", "alice"}
	for name, test := range map[string]struct {
		busy, idle Key
		change     func(o *Options)
	}{
		"the user's":     {sameUser, sameDatabase, func(o *Options) { o.MaxUser, o.MaxDatabase = 1, 10 }},
		"the database's": {sameDatabase, sameUser, func(o *Options) { o.MaxUser, o.MaxDatabase = 10, 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1)
			p, busy, idle := r.pool(test.change), r.poolOf(test.busy, test.change), r.poolOf(test.idle, test.change)
			holder, other := r.client(busy, 0, 0), r.client(idle, 0, 0)
			holder.served()
			other.use()
			c := r.client(p, 0, 0)
			r.step(10 * time.Second)
			c.waiting()
			r.wantStat(idle, 1, 1, 0)
			holder.part(func(s *Server) { busy.Destroy(s, ReasonLink) })
			c.use()
		})
	}
}

// TestFreedPlaceIsPassedOn checks that a place which comes free under a limit goes from
// pool to pool until all have been served, and does not get lost on one whose clients
// have given up.
func TestFreedPlaceIsPassedOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	limited := func(o *Options) { o.MaxDatabase = 1 }
	p := r.pool(limited)
	holder := r.holder(p)
	waiting := make(map[*client]bool)
	for i := range 10 {
		other := r.poolOf(Key{"shop", fmt.Sprint("user", i)}, limited)
		waiting[r.client(other, 0, 0)] = true
		hasty := r.client(r.poolOf(Key{"shop", fmt.Sprint("hasty", i)}, limited), 0, 1)
		r.step(1) // far from janitorPeriod, all in all
		hasty.refused()
	}
	for len(waiting) > 0 {
		holder.part(func(s *Server) { holder.pool.Destroy(s, ReasonLink) })
		r.eventually("the next one has the place", func() bool {
			for c := range waiting {
				if len(c.got) > 0 {
					holder = c
				}
			}

			return waiting[holder]
		})
		holder.served()
		delete(waiting, holder)
	}
	holder.release()
}

// TestUnrelatedPools checks that limits bind no pool with another database and user.
func TestUnrelatedPools(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	limited := func(o *Options) { o.MaxDatabase, o.MaxUser = 1, 1 }
	p := r.pool(limited)
	other := r.poolOf(Key{"stock", "alice"}, limited)
	mine, theirs := r.client(p, 0, 0), r.client(other, 0, 0)
	mine.served()
	theirs.served()
	mine.release()
	theirs.release()
}

// TestMinimumGivesWay checks that a pool which is below its minimum does not snatch
// the place that it has just made for another pool's client.
func TestMinimumGivesWay(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.Size, o.MinSize, o.MaxDatabase = 2, 2, 2 })
	other := r.poolOf(Key{"shop", "alice"}, func(o *Options) { o.MaxDatabase = 2 })
	c := r.holder(p)
	c.release()
	r.eventually("the minimum", func() bool { return p.Stat().Idle == 2 })
	theirs := r.holder(other)
	if n := r.postgres.loginCount(); n != 3 {
		t.Errorf("%d logins, want 3", n)
	}
	theirs.release()
}

// TestUnusedPoolIsForgotten checks that a pool without servers and users goes away,
// and that its key gets a new one.
func TestUnusedPoolIsForgotten(t *testing.T) {
	t.Parallel()
	r, p := newPool(t, 1, func(o *Options) { o.IdleTimeout = time.Minute })
	c := r.holder(p)
	c.release()
	p.Leave()
	r.step(30 * time.Second)
	if p.Gone() || len(r.pools.All()) != 1 {
		t.Fatal("it is gone although it has a server")
	}
	r.step(time.Minute)
	r.wantClosed(p, ReasonIdle, 1)
	r.step(janitorPeriod)
	if !p.Gone() || len(r.pools.All()) != 0 || len(r.pools.byDB) != 0 || len(r.pools.byUser) != 0 {
		t.Error("it is not forgotten")
	}
	again := r.pool(nil)
	if again == p || again.Gone() || again.Key() != p.Key() {
		t.Error("no new pool in its place")
	}
}
