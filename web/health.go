package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pgweir/pgweir/pool"
)

// health answers the health checks. Three tiers: is the process alive, does it take
// clients, and how is everything.
type health struct {
	sources Sources
}

// turnTimeout is how long a loop may take to come round before it counts as stuck.
// A round takes less than a millisecond.
const turnTimeout = 2 * time.Second

// live says whether the loops turn. It does not depend on PostgreSQL: restarting
// pgweir would not help that.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	if stuck := h.stuckLoops(); stuck > 0 {
		say(w, false, "%d event loops do not turn\n", stuck)

		return
	}
	say(w, true, "ok\n")
}

// stuckLoops counts the loops that do not come round in time.
func (h *health) stuckLoops() int {
	loops := h.sources.Loops.Loops()
	turned := make(chan struct{}, len(loops))
	for _, l := range loops {
		l.Post(func() { turned <- struct{}{} })
	}
	timeout := time.After(turnTimeout)
	for n := range loops {
		select {
		case <-turned:
		case <-timeout:
			return len(loops) - n
		}
	}

	return 0
}

// ready says whether new clients are welcome. It is false from the moment of
// SIGTERM on, so that load balancers send no more; and while no pool that is in use
// can reach PostgreSQL.
func (h *health) ready(w http.ResponseWriter, _ *http.Request) {
	if !h.sources.Proxy.Ready() {
		say(w, false, "not listening, or shutting down\n")

		return
	}
	if down := h.unreachable(); down != "" {
		say(w, false, "%s\n", down)

		return
	}
	say(w, true, "ok\n")
}

// unreachable says why no pool has a server although one is asked for; empty if one
// has, or none is.
func (h *health) unreachable() string {
	why := ""
	for _, p := range h.sources.Pools.All() {
		s := p.Stat()
		if s.LastErr == nil || s.InUse()+s.Idle > 0 {
			return ""
		}
		why = fmt.Sprintf("pool %s: %v", s.Key, s.LastErr)
	}

	return why
}

// health describes everything, for a person; its status is that of live.
func (h *health) health(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	stuck := h.stuckLoops()
	fmt.Fprintf(&b, "pgweir %s\n", h.sources.Version)
	fmt.Fprintf(&b, "loops: %d, of which stuck: %d\n", len(h.sources.Loops.Loops()), stuck)
	st := h.sources.Proxy.Stat()
	fmt.Fprintf(&b, "clients: %d, at login: %d\n", st.Clients, st.Logins)
	for _, p := range sorted(h.sources.Pools.All()) {
		writePool(&b, p.Stat())
	}
	say(w, stuck == 0, "%s", b.String())
}

// writePool describes one pool.
func writePool(b *strings.Builder, s pool.Stat) {
	fmt.Fprintf(b, "pool %s: %d of %d servers in use, %d idle, %d clients, %d waiting (longest %.1fs)",
		s.Key, s.InUse(), s.Size, s.Idle, s.Clients, s.Waiting, s.MaxWait.Seconds())
	if s.LastErr != nil {
		fmt.Fprintf(b, "; last error: %v", s.LastErr)
	}
	b.WriteByte('\n')
}

// sorted sorts pools by name.
func sorted(pools []*pool.Pool) []*pool.Pool {
	slices.SortFunc(pools, func(a, b *pool.Pool) int {
		return strings.Compare(a.Key().String(), b.Key().String())
	})

	return pools
}
