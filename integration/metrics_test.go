package integration

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMetrics compares the figures with traffic that is known exactly.
func TestMetrics(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 2}})
	one, two, three := p.login(t), p.login(t), p.login(t)

	one.query("SELECT 1")
	one.send(messages(statement("SELECT 1"), syncMessage())...)
	one.answer()
	one.query("BEGIN") // one transaction with all that follows
	one.query("SELECT 1; SELECT 2")
	one.query("COMMIT")
	one.send(messages(syncMessage())...) // that needs no server
	one.answer()
	one.query("SELECT 1/0")
	for _, c := range []*client{one, two} { // both servers are in use
		wantLines(t, c.query("BEGIN"), "C BEGIN", "Z T")
	}
	three.send(messages("SELECT 3")...) // and one client waits
	await(t, patience, "the client to be queued", func() bool { return p.waiting() == 1 })
	wantMetrics(t, p, map[string]float64{
		"clients":                   3,
		"logins_in_progress":        0,
		"pool_clients{active}":      2,
		"pool_clients{waiting}":     1,
		"pool_clients{idle}":        0,
		"pool_servers{active}":      2,
		"pool_servers{idle}":        0,
		"pool_size":                 2,
		"pool_utilisation_ratio":    1,
		"server_opens_total":        2,
		"transactions_total":        4,
		"queries_total":             6,
		"client_wait_seconds_count": 6, // with those that are not over
		"server_use_seconds_count":  4,
	})
	if wait := p.metrics().sum("pgweir_pool_max_wait_seconds", ""); wait <= 0 || wait > 60 {
		t.Errorf("the first in the queue has waited %v s", wait)
	}

	wantLines(t, two.query("COMMIT"), "C COMMIT", "Z I")
	three.answer()
	killed := p.login(t)
	killBackends(p)
	wantLines(t, one.rest(), "E FATAL 57P01", closed)
	await(t, goneTime, "the servers to be gone", func() bool { return p.metrics().sum("pgweir_pool_servers", "") == 0 })
	killed.send(terminateMessage())
	killed.rest()
	wantMetrics(t, p, map[string]float64{
		"clients":                           2,
		"pool_clients{active}":              0,
		"pool_clients{waiting}":             0,
		"pool_clients{idle}":                2,
		"pool_servers{active}":              0,
		"pool_servers{idle}":                0,
		"server_opens_total":                2,
		"server_closes_total{link_broken}":  1,
		"server_closes_total{server_error}": 1,
		"transactions_total":                7,
		"queries_total":                     10,
		"client_wait_seconds_count":         7,
		"server_use_seconds_count":          7,
		"accept_errors_total":               0,
		"panics_recovered_total":            0,
	})
	if m := p.metrics(); m.sum("pgweir_client_received_bytes_total", "") <= 0 ||
		m.sum("pgweir_client_sent_bytes_total", "") <= m.sum("pgweir_client_received_bytes_total", "") {
		t.Errorf("bytes: %v received, %v sent", m.sum("pgweir_client_received_bytes_total", ""),
			m.sum("pgweir_client_sent_bytes_total", ""))
	}
}

// wantMetrics compares metrics by name, and the value of their last label in braces.
func wantMetrics(t *testing.T, p *pgweir, want map[string]float64) {
	t.Helper()
	// A client's last answer arrives a moment before all is booked.
	got := make(map[string]float64)
	settled := func() bool {
		m := p.metrics()
		for key := range want {
			name, label, labelled := strings.Cut(strings.TrimSuffix(key, "}"), "{")
			name = "pgweir_" + name
			if value, plain := m[name]; plain {
				got[key] = value
			} else if labelled {
				got[key] = m.sum(name, `="`+label+`"`)
			} else {
				got[key] = m.sum(name, "")
			}
		}

		return maps.Equal(got, want)
	}
	for range 20 {
		if settled() {
			return
		}
	}
	t.Errorf("metrics (-want +got):\n%s", cmp.Diff(want, got))
}

// TestPages fetches the pages for people and load balancers.
func TestPages(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 3}})
	c := p.login(t)
	c.query("SELECT 1")
	tests := []struct {
		path   string
		status int
		want   []string
	}{
		{"/livez", 200, []string{"ok\n"}},
		{"/readyz", 200, []string{"ok\n"}},
		{"/healthz", 200, []string{
			"loops: 2, of which stuck: 0\n", "clients: 1, at login: 0\n",
			fmt.Sprintf("pool %s/%s: 0 of 3 servers in use, 1 idle, 1 clients, 0 waiting", p.db, p.cluster.User),
		}},
		{"/", 200, []string{"/metrics", "/livez", "/readyz", "/healthz"}},
		{"/nowhere", 404, nil},
		{"/metrics", 200, []string{
			"# HELP pgweir_clients ", "pgweir_info{version=", `pgweir_loop_busy_seconds_total{loop="1"}`,
			"go_goroutines ", "process_open_fds ",
		}},
	}
	for _, tt := range tests {
		status, body := p.get(tt.path)
		if status != tt.status {
			t.Errorf("%s: status %d, want %d", tt.path, status, tt.status)
		}
		missing := slices.DeleteFunc(slices.Clone(tt.want), func(part string) bool { return strings.Contains(body, part) })
		if len(missing) > 0 {
			t.Errorf("%s: %q is missing from:\n%s", tt.path, missing, body)
		}
	}
}
