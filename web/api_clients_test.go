package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// A clientsPage is what the tests look at of /api/clients.
type clientsPage struct {
	Matching int
	Clients  []struct {
		ID                    uint64
		Database, User, State string
		Addr                  string
		ApplicationName       string `json:"application_name"`
		Connected, Since      time.Time
		StateMS               float64 `json:"state_ms"`
		Server                *struct {
			PID    uint32
			Since  time.Time
			HeldMS float64 `json:"held_ms"`
		}
		Pinned *struct {
			Since    time.Time
			PinnedMS float64 `json:"pinned_ms"`
			Reasons  []struct{ Kind, Name string }
		}
	}
}

// TestClients reads who is there, and who keeps a server and why.
func TestClients(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	var page clientsPage
	r.decode("/api/clients", &page)
	if page.Matching != 0 || page.Clients == nil {
		t.Errorf("without clients: %+v, want an empty list", page)
	}
	r.query("SELECT 1")
	pinned := r.query("LISTEN orders")
	_, err := pinned.Exec(t.Context(), "SET application_name = 'billing'")
	must(t, err)
	r.query("BEGIN")
	r.await("PostgreSQL to be asked", func() bool {
		r.decode("/api/clients?pinned=true", &page)
		return page.Matching == 1 && page.Clients[0].ApplicationName == "billing" && page.Clients[0].State == "idle"
	})
	r.clock.Step(90 * time.Second)
	r.decode("/api/clients?pinned=true", &page)
	c := page.Clients[0]
	addr := pinned.PgConn().Conn().LocalAddr().String()
	if c.Database != "postgres" || c.User != r.user || c.ApplicationName != "billing" || c.Addr != addr || c.State != "idle" {
		t.Errorf("%+v", c)
	}
	if c.Pinned == nil || len(c.Pinned.Reasons) != 1 || c.Pinned.Reasons[0].Kind != "LISTEN" || c.Pinned.Reasons[0].Name != "orders" ||
		c.Pinned.PinnedMS < 90_000 {
		t.Errorf("pinned: %+v", c.Pinned)
	}
	if c.Server == nil || c.Server.PID == 0 || c.Server.HeldMS < 90_000 || c.StateMS < 90_000 {
		t.Errorf("server: %+v, %v ms in its state", c.Server, c.StateMS)
	}

	r.decode("/api/clients", &page)
	states := make(map[string]int)
	for _, c := range page.Clients {
		states[c.State]++
	}
	if page.Matching != 3 || states["idle"] != 2 || states["idle in transaction"] != 1 {
		t.Errorf("%d clients: %v", page.Matching, states)
	}
	if first := page.Clients[0]; first.Server != nil || first.Pinned != nil {
		t.Errorf("a client at rest has %+v, %+v", first.Server, first.Pinned)
	}
	r.decode("/api/clients?limit=2&pinned=false", &page)
	if page.Matching != 3 || len(page.Clients) != 2 {
		t.Errorf("%d match, %d are listed", page.Matching, len(page.Clients))
	}
	for _, bad := range []string{"pinned=perhaps", "limit=0", "limit=10001"} {
		if p := r.get("/api/clients?" + bad); p.status != http.StatusBadRequest {
			t.Errorf("%s: status %d", bad, p.status)
		}
	}
}
