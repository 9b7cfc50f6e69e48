package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// What the health checks answer when there is nothing to say.
var (
	fine         = answer{http.StatusOK, "ok\n"}
	notListening = answer{http.StatusServiceUnavailable, "not listening, or shutting down\n"}
)

// An answer is what a health check says.
type answer struct {
	Status int
	Body   string
}

// mustAnswer compares what the health checks for machines say.
func (r *rig) mustAnswer(when string, live, ready answer) {
	r.t.Helper()
	want := map[string]answer{"/livez": live, "/readyz": ready}
	got := make(map[string]answer)
	for path := range want {
		p := r.get(path)
		got[path] = answer{p.status, p.body}
		if kind := p.header.Get("Content-Type"); kind != "text/plain; charset=utf-8" {
			r.t.Errorf("%s is of type %q", path, kind)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// mustDescribe checks the page for people.
func (r *rig) mustDescribe(when string, status int, want ...string) {
	r.t.Helper()
	p := r.get("/healthz")
	if p.status != status {
		r.t.Errorf("%s: /healthz has status %d, want %d", when, p.status, status)
	}
	for _, line := range want {
		if !strings.Contains(p.body, line) {
			r.t.Errorf("%s: %q is missing from /healthz:\n%s", when, line, p.body)
		}
	}
}

// TestHealthOfALife follows a pooler from before its first client to its drain.
func TestHealthOfALife(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.mustAnswer("before it listens", fine, notListening)
	r.mustDescribe("before it listens", http.StatusOK, "pgweir "+rigVersion+"\n", "loops: 2, of which stuck: 0\n",
		"clients: 0, at login: 0\n")

	r.serve()
	r.mustAnswer("before the first client", fine, fine)

	client := r.query("BEGIN")
	r.mustAnswer("with a client", fine, fine)
	r.mustDescribe("with a client", http.StatusOK, "clients: 1, at login: 0\n",
		"pool postgres/"+r.user+": 1 of 3 servers in use, 0 idle, 1 clients, 0 waiting (longest 0.0s)\n")

	drained := make(chan error, 1)
	go func() { drained <- r.proxy.Shutdown(context.Background()) }()
	r.await("the drain", func() bool { return !r.proxy.Ready() })
	r.mustAnswer("while it drains", fine, notListening)
	r.mustDescribe("while it drains", http.StatusOK, "clients: 1, at login: 0\n")
	_, err := client.Exec(t.Context(), "COMMIT")
	must(t, err)
	must(t, <-drained)
	r.mustAnswer("after the drain", fine, notListening)
}

// TestHealthWithoutPostgreSQL stops PostgreSQL and starts it again.
func TestHealthWithoutPostgreSQL(t *testing.T) {
	cluster := pgtest.Start(t)
	r := newRig(t, cluster)
	r.serve()
	client := r.query("SELECT 1")
	must(t, cluster.StopServer(t.Context(), postgres.Fast))
	answered := make(chan error, 1)
	go func() { // a query that waits until it can be served
		_, err := client.PgConn().Exec(context.Background(), "SELECT 2").ReadAll()
		answered <- err
	}()

	name := "pool postgres/" + cluster.User
	r.await("/readyz to say no", func() bool { return r.get("/readyz").status == http.StatusServiceUnavailable })
	ready := r.get("/readyz").body
	if !strings.HasPrefix(ready, name+": ") || !strings.HasSuffix(ready, "connection refused\n") {
		t.Errorf("/readyz does not say why: %q", ready)
	}
	reason := strings.TrimSuffix(strings.TrimPrefix(ready, name+": "), "\n")
	r.mustAnswer("without PostgreSQL", fine, answer{http.StatusServiceUnavailable, ready})
	r.mustDescribe("without PostgreSQL", http.StatusOK, name+": 0 of 3 servers in use, 0 idle, 1 clients, 1 waiting",
		"; last error: "+reason+"\n")

	must(t, cluster.StartServer(t.Context()))
	r.clock.Step(time.Second) // until the next attempt (server_login_retry)
	must(t, <-answered)
	r.mustAnswer("with PostgreSQL again", fine, fine)
}

// TestHealthNeedsOnePool: a database that cannot be reached does not keep clients from
// another that can.
func TestHealthNeedsOnePool(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	if _, err := r.connect("nowhere"); err == nil {
		t.Fatal("a client can log in to a database that is not there")
	}
	name := "pool nowhere/" + r.user
	if p := r.get("/readyz"); p.status != http.StatusServiceUnavailable || !strings.HasPrefix(p.body, name+": ") {
		t.Errorf("with one pool that has no server: %+v", p)
	}
	r.query("SELECT 1")
	r.mustAnswer("with another that has", fine, fine)
	r.mustDescribe("with another that has", http.StatusOK, name+": 0 of 3 servers in use")
}

// TestHealthOfStuckLoop holds up one loop of two.
func TestHealthOfStuckLoop(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	held, release := make(chan struct{}), make(chan struct{})
	r.loops.Loops()[1].Post(func() { close(held); <-release })
	<-held
	described := make(chan struct{})
	go func() { // both pages take their time to find out
		defer close(described)
		r.mustDescribe("stuck", http.StatusServiceUnavailable, "loops: 2, of which stuck: 1\n")
	}()
	r.mustAnswer("stuck", answer{http.StatusServiceUnavailable, "1 event loops do not turn\n"}, fine)
	<-described

	close(release)
	r.mustAnswer("released", fine, fine)
}

// TestPages asks for what is there and what is not.
func TestPages(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	paths := []string{"/", "/metrics", "/livez", "/readyz", "/healthz"}
	for _, path := range paths {
		tests := map[string]int{
			http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK,
			http.MethodPost: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusMethodNotAllowed,
		}
		for method, status := range tests {
			p := r.do(method, path)
			if p.status != status {
				t.Errorf("%s %s: status %d, want %d", method, path, p.status, status)
			}
			if allow := p.header.Get("Allow"); status == http.StatusMethodNotAllowed && allow != "GET, HEAD" {
				t.Errorf("%s %s: only %q is allowed, it says", method, path, allow)
			}
		}
		if index := r.get("/").body; path != "/" && !strings.Contains(index, path+" ") {
			t.Errorf("%s is missing from the list of pages:\n%s", path, index)
		}
	}
	for _, path := range []string{"/nowhere", "/metrics/", "/livez/x", "/debug/pprof/"} {
		if p := r.get(path); p.status != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", path, p.status)
		}
	}
	for path, kind := range map[string]string{"/": "text/plain; charset=utf-8", "/metrics": "text/plain; version=0.0.4"} {
		if got := r.get(path).header.Get("Content-Type"); !strings.HasPrefix(got, kind) {
			t.Errorf("%s is of type %q, want %q", path, got, kind)
		}
	}
}
