package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/pgweir/pgweir/proxy"
)

// defaultClients is how many clients are told of if nothing else is asked for.
const defaultClients = 1000

// clientsJSON is /api/clients.
type clientsJSON struct {
	At       time.Time    `json:"at"`
	Matching int          `json:"matching"`
	Clients  []clientJSON `json:"clients"`
}

// clientJSON is one client.
type clientJSON struct {
	ID              uint64      `json:"id"`
	Database        string      `json:"database"`
	User            string      `json:"user"`
	ApplicationName string      `json:"application_name"`
	Addr            string      `json:"addr"`
	Connected       time.Time   `json:"connected"`
	State           string      `json:"state"`
	Since           time.Time   `json:"since"`
	StateMS         float64     `json:"state_ms"`
	Server          *serverJSON `json:"server"`
	Pinned          *pinnedJSON `json:"pinned"`
}

// serverJSON is the server that a client has.
type serverJSON struct {
	PID    uint32    `json:"pid"`
	Since  time.Time `json:"since"`
	HeldMS float64   `json:"held_ms"`
}

// pinnedJSON is that a client keeps its server.
type pinnedJSON struct {
	Since    time.Time    `json:"since"`
	PinnedMS float64      `json:"pinned_ms"`
	Reasons  []reasonJSON `json:"reasons"`
}

// reasonJSON is why.
type reasonJSON struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// clients answers /api/clients.
func (a *api) clients(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	pinned, err := strconv.ParseBool(cmp.Or(query.Get("pinned"), "false"))
	if err != nil {
		sendError(w, http.StatusBadRequest, "pinned must be true or false")

		return
	}
	limit, ok := limitOf(w, query, defaultClients)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), turnTimeout)
	defer cancel()
	list, err := a.sources.Proxy.Clients(ctx, proxy.ClientQuery{Pinned: pinned, Limit: limit})
	if err != nil {
		sendError(w, http.StatusServiceUnavailable, err.Error())

		return
	}
	answer := clientsJSON{At: time.Now(), Matching: list.Matching, Clients: []clientJSON{}}
	for i := range list.Clients {
		answer.Clients = append(answer.Clients, clientOf(&list.Clients[i], answer.At))
	}
	sendJSON(w, answer)
}

// clientOf makes one client's JSON, as of a time.
func clientOf(c *proxy.Client, at time.Time) clientJSON {
	j := clientJSON{
		ID: c.ID, Database: label(c.Key.Database), User: label(c.Key.User), ApplicationName: label(c.ApplicationName),
		Addr: c.Addr, Connected: c.Connected, State: string(c.State), Since: c.Since, StateMS: ms(at.Sub(c.Since)),
	}
	if c.ServerPID != 0 {
		j.Server = &serverJSON{PID: c.ServerPID, Since: c.ServerSince, HeldMS: ms(at.Sub(c.ServerSince))}
	}
	if len(c.Pinned) > 0 {
		j.Pinned = &pinnedJSON{Since: c.PinnedSince, PinnedMS: ms(at.Sub(c.PinnedSince))}
		for _, reason := range c.Pinned {
			j.Pinned.Reasons = append(j.Pinned.Reasons, reasonJSON{reason.Kind, label(reason.Name)})
		}
	}

	return j
}
