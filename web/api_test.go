package web_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/web"
)

// book books three statements and two requests, on the loops they belong to.
func (r *rig) book() {
	r.t.Helper()
	id := r.meter.Statements.Pool("shop", "app", 0)
	for i, l := range r.loops.Loops() {
		done := make(chan struct{})
		l.Post(func() {
			defer close(done)
			shard := r.meter.Statements.Shard(i)
			for n, took := range []time.Duration{2 * time.Millisecond, 700 * time.Millisecond, 30 * time.Millisecond} {
				x := stats.Execution{
					Fingerprint: stats.Fingerprint(100 + n), Pool: id, Server: took, Wait: time.Duration(3-n) * time.Second,
					Rows: 4, BytesIn: 10, BytesOut: 20, Gap: -1, Route: shard.Route([]byte("GET /orders")),
				}
				if n == 2 {
					x.SQLState = "23505"
				}
				if shard.Book(&x).Describe {
					shard.Describe(stats.Text{Summary: "SELECT orders", Normalised: "SELECT $1 FROM orders"})
				}
			}
			r.meter.Statements.BookRequest(&stats.Request{Database: "shop", User: "app", Statements: 60, Distinct: 15, Took: 2 * time.Second})
		})
		<-done
	}
}

// decode fetches a page and reads its JSON.
func (r *rig) decode(path string, v any) {
	r.t.Helper()
	p := r.get(path)
	if p.status != http.StatusOK || p.header.Get("Content-Type") != "application/json" {
		r.t.Fatalf("%s: status %d, %s", path, p.status, p.body)
	}
	d := json.NewDecoder(strings.NewReader(p.body))
	must(r.t, d.Decode(v))
}

// TestAPI reads statements, slow ones and pools as JSON.
func TestAPI(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	r.query("SELECT 1")
	r.book()
	var statements struct {
		Totals struct {
			Calls         uint64
			UniquePercent float64 `json:"unique_percent"`
		}
		Statements []struct {
			Fingerprint, Query string
			Calls              uint64
			Classes            map[string]uint64 `json:"error_classes"`
			TotalMS            float64           `json:"total_ms"`
			Routes             []struct{ Route string }
		}
	}
	for by, first := range map[string]string{"total": "65", "mean": "65", "wait": "64"} { // in hexadecimal
		r.decode("/api/statements?limit=2&by="+by, &statements)
		if got := statements.Statements; len(got) != 2 || !strings.HasSuffix(got[0].Fingerprint, first) {
			t.Errorf("by %s: %+v, want %s first of 2", by, got, first)
		}
	}
	r.decode("/api/statements", &statements)
	if s := statements.Statements[0]; s.Calls != 2 || s.TotalMS != 1400 || s.Query != "SELECT $1 FROM orders" || s.Routes[0].Route != "GET /orders" {
		t.Errorf("%+v", s)
	}
	if s := statements.Statements[1]; s.Classes["23"] != 2 {
		t.Errorf("%+v", s)
	}
	if statements.Totals.Calls != 7 || statements.Totals.UniquePercent != 25 {
		t.Errorf("%+v", statements.Totals)
	}
	var slow struct {
		Slow []struct {
			Reason   string
			ServerMS float64  `json:"server_ms"`
			GapMS    *float64 `json:"gap_ms"`
		}
	}
	r.decode("/api/slow", &slow)
	if len(slow.Slow) != 2 || slow.Slow[0].Reason != "threshold" || slow.Slow[0].ServerMS != 700 || slow.Slow[0].GapMS != nil {
		t.Errorf("%+v", slow)
	}
	var pools struct {
		Pools []struct {
			Database, Mode string
			Size, Clients  int
			Queries        uint64
		}
	}
	r.await("the query to be booked", func() bool {
		r.decode("/api/pools", &pools)
		return len(pools.Pools) == 1 && pools.Pools[0].Queries == 1
	})
	if p := pools.Pools[0]; p.Database != "postgres" || p.Size != 3 || p.Clients != 1 || p.Mode != "transaction" {
		t.Errorf("%+v", p)
	}
	for _, bad := range []string{"by=rows", "limit=0", "limit=x"} {
		key, _, _ := strings.Cut(bad, "=")
		r.mustRefuse("/api/statements?"+bad, http.StatusBadRequest, key+" must be")
	}
}

// loop runs a list and a query for each of its rows.
func (r *rig) loop() {
	r.t.Helper()
	conn := r.query("SELECT id FROM generate_series(20001, 20009) AS id")
	for id := 20001; id < 20010; id++ {
		_, err := conn.PgConn().Exec(r.t.Context(), "SELECT o FROM (VALUES (1)) AS orders (o) WHERE o < "+strconv.Itoa(id)).ReadAll()
		must(r.t, err)
	}
}

// TestAPIOfLoops reads loops in the traffic, and begins anew.
func TestAPIOfLoops(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	r.loop()
	type finding struct {
		Kind, Confidence  string
		Count, RoundTrips uint64
		Child, Parent     struct{ Fingerprint, Text string }
	}
	var found struct{ Findings []finding }
	r.await("the loop to be found", func() bool {
		r.decode("/api/nplusone?settle=true", &found)
		return len(found.Findings) > 0
	})
	f := found.Findings[0]
	if f.Kind != "n+1" || f.Confidence != "proven" || f.Count != 9 || !strings.HasPrefix(f.Parent.Text, "SELECT id FROM generate_series") {
		t.Errorf("%+v", f)
	}
	r.mustRefuse("/api/nplusone?settle=maybe", http.StatusBadRequest, "settle must be")
	if p := r.do(http.MethodPost, "/api/reset"); p.status != http.StatusNoContent {
		t.Errorf("reset: status %d", p.status)
	}
	r.decode("/api/nplusone", &found)
	var statements struct{ Statements []struct{ Query string } }
	r.decode("/api/statements", &statements)
	if len(found.Findings) != 0 || len(statements.Statements) != 0 {
		t.Errorf("after the reset there are %+v and %+v", found.Findings, statements.Statements)
	}
}

// TestAPIWithoutStatements checks that pages say why there is nothing on them.
func TestAPIWithoutStatements(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.servePages(web.NewServer(web.Sources{
		Proxy: r.proxy, Pools: r.pools, Loops: r.loops, Version: rigVersion, Log: zap.NewNop(),
		LogDropped: func() uint64 { return rigLogDropped },
	}))
	for _, path := range []string{"/api/statements", "/api/slow", "/api/nplusone"} {
		r.mustRefuse(path, http.StatusNotFound, "enabled = false in [stats]")
	}
}

// TestAPIWithoutLoops checks that the page of loops says why there are none.
func TestAPIWithoutLoops(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.servePages(web.NewServer(web.Sources{
		Proxy: r.proxy, Pools: r.pools, Loops: r.loops, Version: rigVersion, Log: zap.NewNop(),
		Meter: meter.New(meter.Options{
			Posts: []func(func()){func(f func()) { f() }}, Now: r.clock.Now, NoNPlusOne: true,
		}),
		LogDropped: func() uint64 { return rigLogDropped },
	}))
	r.mustRefuse("/api/nplusone", http.StatusNotFound, "nplusone = false in [stats]")
	if p := r.get("/api/statements"); p.status != http.StatusOK {
		t.Errorf("statements: status %d", p.status)
	}
}

// mustRefuse fails the test unless a page is an error in JSON that says something.
func (r *rig) mustRefuse(path string, status int, says string) {
	r.t.Helper()
	p := r.get(path)
	var answer struct{ Error string }
	if err := json.Unmarshal([]byte(p.body), &answer); err != nil {
		r.t.Errorf("%s: %v", path, err)
	}
	if p.status != status || !strings.Contains(answer.Error, says) {
		r.t.Errorf("%s: status %d, %s; want %d, %s", path, p.status, p.body, status, says)
	}
}
