package integration

import (
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// TestServersGoneSilent has the connections of idle servers get lost without a word, as
// a firewall does that forgets them. Whoever comes next waits for one check, not for one a
// server, and nobody gets an error.
func TestServersGoneSilent(t *testing.T) {
	t.Parallel()
	const servers = 4
	cluster := pgtest.Cluster(t)
	n := startNetwork(t, cluster)
	p := start(t, options{
		settings:  table{"default_pool_size": servers, "server_check_delay": "500ms"},
		databases: map[string]table{"*": serverOf(cluster, table{"port": portOf(n.listener)})},
	})
	var clients []*client
	for range servers {
		c := p.login(t)
		wantLines(t, c.query("BEGIN"), "C BEGIN", "Z T")
		clients = append(clients, c)
	}
	for _, c := range clients {
		wantLines(t, c.query("COMMIT"), "C COMMIT", "Z I")
	}
	wantServers(t, p, servers, 0)
	time.Sleep(time.Second) // longer than server_check_delay
	wantLines(t, clients[0].query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
	wantServers(t, p, servers, 0) // all is well

	n.each((*pair).lose)
	t.Cleanup(func() { n.each((*pair).reset) }) // else PostgreSQL never hears of it
	time.Sleep(time.Second)
	began := time.Now()
	wantLines(t, clients[1].query("SELECT 2 AS a"), "T a", "D 2", "C SELECT 1", "Z I")
	if took := time.Since(began); took < 4*time.Second || took > 9*time.Second {
		t.Errorf("the first client waited %v, want one check of 5 s", took)
	}
	began = time.Now()
	for _, c := range clients {
		wantLines(t, c.query("SELECT 3 AS a"), "T a", "D 3", "C SELECT 1", "Z I")
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the others waited %v", took)
	}
	wantServers(t, p, 1, servers)
	if line, ok := p.log.Find("server check failed"); !ok || line["closed_as_well"] != float64(servers-1) {
		t.Errorf("logged: %v", line)
	}
}

// wantServers checks how many servers are idle, and how many were closed for their check.
func wantServers(t *testing.T, p *pgweir, idle, closed float64) {
	t.Helper()
	await(t, quiesceTime, "the servers to be idle", func() bool {
		m := p.metrics()
		return m.sum("pgweir_pool_servers", `state="idle"`) == idle &&
			m.sum("pgweir_server_closes_total", `reason="server_check"`) == closed
	})
}
