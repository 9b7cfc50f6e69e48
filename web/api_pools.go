package web

import (
	"net/http"
	"time"

	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/proxy"
)

// poolsJSON is /api/pools.
type poolsJSON struct {
	At    time.Time  `json:"at"`
	Pools []poolJSON `json:"pools"`
}

// poolJSON is one pool.
type poolJSON struct {
	Database       string  `json:"database"`
	User           string  `json:"user"`
	Mode           string  `json:"mode"`
	Clients        int     `json:"clients"`
	ClientsWaiting int     `json:"clients_waiting"`
	Size           int     `json:"size"`
	ServersActive  int     `json:"servers_active"`
	ServersIdle    int     `json:"servers_idle"`
	ServersLogin   int     `json:"servers_login"`
	Utilisation    float64 `json:"utilisation_percent"`
	WaitingMaxMS   float64 `json:"waiting_max_ms"`
	Transactions   uint64  `json:"transactions"`
	Queries        uint64  `json:"queries"`
	ReceivedBytes  uint64  `json:"received_bytes"`
	SentBytes      uint64  `json:"sent_bytes"`
	WaitMS         float64 `json:"wait_ms"`
	UseMS          float64 `json:"use_ms"`
	LastError      string  `json:"last_error"`
}

// pools answers /api/pools.
func (a *api) pools(w http.ResponseWriter, _ *http.Request) {
	routes := make(map[pool.Key]proxy.RouteStat)
	for _, r := range a.sources.Proxy.Stat().Routes {
		routes[r.Key] = r
	}
	answer := poolsJSON{At: time.Now(), Pools: []poolJSON{}}
	for _, p := range a.sources.Pools.All() {
		s := p.Stat()
		answer.Pools = append(answer.Pools, poolOf(&s, routes[s.Key]))
	}
	sendJSON(w, answer)
}

// poolOf makes one pool's JSON.
func poolOf(s *pool.Stat, r proxy.RouteStat) poolJSON {
	j := poolJSON{
		Database: label(s.Key.Database), User: label(s.Key.User), Mode: r.Mode,
		Clients: s.Clients, ClientsWaiting: s.Waiting, Size: s.Size,
		ServersActive: s.InUse(), ServersIdle: s.Idle, ServersLogin: s.Opening,
		Utilisation: 100 * float64(s.InUse()) / float64(s.Size), WaitingMaxMS: ms(s.MaxWait),
		Transactions: r.Transactions, Queries: r.Queries, ReceivedBytes: r.FromClients, SentBytes: r.ToClients,
		WaitMS: ms(r.Wait.Sum), UseMS: ms(r.Transaction.Sum),
	}
	if s.LastErr != nil {
		j.LastError = s.LastErr.Error()
	}

	return j
}
