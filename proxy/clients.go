package proxy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
)

// A ClientState is what a client is doing, in the words of PostgreSQL's
// pg_stat_activity where it has them.
type ClientState string

// The states of a client.
const (
	ClientActive  ClientState = "active"              // its server has something to do for it
	ClientWaiting ClientState = "waiting"             // for a server
	ClientInTx    ClientState = "idle in transaction" // it has a server, and its turn has come
	ClientIdle    ClientState = "idle"                // none of these
)

// A Client is a snapshot of a client that is logged in.
type Client struct {
	ID              uint64 // as in the log
	Key             pool.Key
	ApplicationName string
	Addr            string // its address and port; "unix": it came by a unix socket
	Connected       time.Time
	State           ClientState
	Since           time.Time // when that began; if it is active, its present statement
	// ServerPID is the process of the server that it has; 0: it has none.
	ServerPID   uint32
	ServerSince time.Time // from when on it has that; zero: it has none
	// Pinned says why it keeps its server outside transactions; empty: it does not.
	Pinned      []PinReason
	PinnedSince time.Time // zero: it is not pinned
}

// A ClientQuery says which clients are asked for.
type ClientQuery struct {
	// Pinned leaves out those that do not keep their server outside transactions.
	Pinned bool
	// Limit is how many are told of at most; those that have been there for longest.
	Limit int
}

// A ClientList is the answer to a ClientQuery.
type ClientList struct {
	Matching int // how many there are, told of or not
	Clients  []Client
}

// Clients asks the loops about their clients. It is an error if one does not answer
// before ctx ends.
func (p *Proxy) Clients(ctx context.Context, q ClientQuery) (*ClientList, error) {
	rolls := p.callRolls(q)
	answers := make(chan *roll, len(rolls))
	for _, r := range rolls {
		r.answers = answers
		r.loop.Post(r.call)
	}
	list := new(ClientList)
	for range rolls {
		select {
		case r := <-answers:
			list.Matching += r.matching
			list.Clients = append(list.Clients, r.clients...)
		case <-ctx.Done():
			return nil, fmt.Errorf("ask the event loops about clients: %w", context.Cause(ctx))
		}
	}
	slices.SortFunc(list.Clients, func(a, b Client) int { return cmp.Compare(a.ID, b.ID) })
	list.Clients = list.Clients[:min(q.Limit, len(list.Clients))]

	return list, nil
}

// callRolls makes a roll for each loop that has sessions.
func (p *Proxy) callRolls(q ClientQuery) map[*reactor.Loop]*roll {
	all := p.allSessions()
	slices.SortFunc(all, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	rolls := make(map[*reactor.Loop]*roll)
	for _, s := range all {
		r := rolls[s.loop]
		if r == nil {
			r = &roll{query: q, loop: s.loop}
			rolls[s.loop] = r
		}
		r.sessions = append(r.sessions, s)
	}

	return rolls
}

// A roll is one loop's part of a ClientQuery. It belongs to the loop until it is
// answered.
type roll struct {
	query    ClientQuery
	loop     *reactor.Loop
	sessions []*session // to be looked at, the oldest first
	matching int
	clients  []Client
	answers  chan<- *roll // with room for it
}

// rollStep is how many sessions a loop looks at before it does what else there is to do:
// about a tenth of a millisecond's worth.
const rollStep = 200

// call looks at the next sessions, and goes on with the rest in the loop's next round.
func (r *roll) call() {
	n := min(rollStep, len(r.sessions))
	origin := time.Now().Add(-r.loop.Clock().Now())
	for _, s := range r.sessions[:n] {
		r.look(s, origin)
	}
	r.sessions = r.sessions[n:]
	if len(r.sessions) > 0 {
		r.loop.Post(r.call)

		return
	}
	r.answers <- r
}

// look takes in one session. origin is the time at which the loop's clock was 0.
func (r *roll) look(s *session, origin time.Time) {
	if !s.begun || s.ended || r.query.Pinned && s.pinned == nil {
		return
	}
	r.matching++
	if len(r.clients) < r.query.Limit {
		r.clients = append(r.clients, s.snapshot(origin))
	}
}

// snapshot describes the session as it is now. It is called on its loop.
func (s *session) snapshot(origin time.Time) Client {
	state, since := s.state()
	c := Client{
		ID: s.id, Key: s.route.pool.Key(), Addr: address(s.addr).String(), Connected: origin.Add(s.connected),
		State: state, Since: origin.Add(since), ApplicationName: s.application(),
	}
	if k := s.link; k != nil && k.server != nil {
		c.ServerPID, c.ServerSince = k.server.Welcome.PID, origin.Add(k.began)
	}
	if s.pinned != nil {
		c.Pinned, c.PinnedSince = s.pinned.reasons, origin.Add(s.pinned.since)
	}

	return c
}

// state is what the client is doing, and since when.
func (s *session) state() (state ClientState, since time.Duration) {
	k := s.link
	switch {
	case k == nil:
		return ClientIdle, s.rested
	case k.parked:
		return ClientWaiting, k.since
	case k.server == nil, k.owed.settled():
		return ClientIdle, k.since
	case k.owed.idle():
		return ClientInTx, k.since
	}

	return ClientActive, k.since
}
