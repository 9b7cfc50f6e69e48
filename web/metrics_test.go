package web_test

import (
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/pool"
)

// busyRig returns a rig with which everything has happened that a metric tells of: a
// transaction, an error of pgweir's own, a server that was closed.
func busyRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	r.query("SELECT 1")
	conn, err := r.connect("postgres")
	must(t, err)
	if _, err := conn.PgConn().Exec(t.Context(), "LISTEN x").ReadAll(); err != nil { // which pins the server
		t.Fatal(err)
	}
	if _, err := conn.PgConn().Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())").ReadAll(); err == nil {
		t.Fatal("a killed server answers")
	}
	if _, err := r.connect("no such database"); err == nil {
		t.Fatal("a client can log in to a database that is not there")
	}
	r.await("all to be booked", func() bool {
		return r.proxy.Stat().Clients == 1 && strings.Contains(r.get("/metrics").body, "pgweir_server_closes_total{")
	})

	r.book()
	r.loop()
	r.await("the loop to be found", func() bool {
		return strings.Contains(r.get("/api/nplusone?settle=true").body, "n+1")
	})

	return r
}

// TestMetricNames holds the metrics against Prometheus' conventions.
func TestMetricNames(t *testing.T) {
	body := busyRig(t).get("/metrics").body
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestMetricsAreDocumented compares the metrics and their labels with the tables of
// docs/operations.md.
func TestMetricsAreDocumented(t *testing.T) {
	got := labelsIn(busyRig(t).get("/metrics").body)
	text, err := os.ReadFile("../docs/operations.md")
	must(t, err)
	if diff := cmp.Diff(labelsInDocs(t, string(text)), got); diff != "" {
		t.Errorf("metrics and their labels (-documented +served):\n%s", diff)
	}
}

// labelsIn returns the names of our metrics' labels by metric, sorted. A histogram is
// one metric.
func labelsIn(body string) map[string]string {
	label := regexp.MustCompile(`([a-z_]+)="`)
	all := make(map[string]string)
	family := ""
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			family, _, _ = strings.Cut(rest, " ")
		}
		if !strings.HasPrefix(line, "pgweir_") {
			continue
		}
		var names []string
		for _, match := range label.FindAllStringSubmatch(line, -1) {
			if match[1] != "le" { // a histogram's own
				names = append(names, match[1])
			}
		}
		slices.Sort(names)
		all[family] = strings.Join(names, " ")
	}

	return all
}

// labelsInDocs returns the same from the tables, where those of pools are in a table of
// their own that does not repeat the labels database and user.
func labelsInDocs(t *testing.T, text string) map[string]string {
	t.Helper()
	row := regexp.MustCompile("^\\| `(pgweir_[a-z_]+)(?:{([a-z_, ]+)})?` \\|")
	all := make(map[string]string)
	var common []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Of each pool, with the labels `database` and `user`") {
			common = []string{"database", "user"}
		}
		if match := row.FindStringSubmatch(line); match != nil {
			names := slices.Clone(common)
			if match[2] != "" {
				names = append(names, strings.Split(match[2], ", ")...)
			}
			slices.Sort(names)
			all[match[1]] = strings.Join(names, " ")
		}
	}
	if common == nil {
		t.Error("the table of the pools' metrics is not where it was")
	}

	return all
}

// TestMetricValues checks what the process and a pool say of a little traffic. The
// test of the command checks more of them.
func TestMetricValues(t *testing.T) {
	r := newRig(t, pgtest.Cluster(t))
	r.serve()
	r.query("SELECT 1")
	name := strings.NewReplacer("DB", `database="postgres"`, "USER", `user="`+r.user+`"`).Replace
	want := map[string]string{
		`pgweir_info{version="` + rigVersion + `"}`:                  "1",
		"pgweir_log_lines_dropped_total":                             strconv.Itoa(rigLogDropped),
		"pgweir_clients":                                             "1",
		"pgweir_logins_in_progress":                                  "0",
		name("pgweir_transactions_total{DB,USER}"):                   "1",
		name("pgweir_queries_total{DB,USER}"):                        "1",
		name("pgweir_pool_size{DB,USER}"):                            "3",
		name(`pgweir_pool_clients{DB,state="idle",USER}`):            "1",
		name(`pgweir_pool_servers{DB,state="idle",USER}`):            "1",
		name("pgweir_client_wait_seconds_count{DB,USER}"):            "1",
		name(`pgweir_client_wait_seconds_bucket{DB,USER,le="+Inf"}`): "1",
	}
	var got map[string]string
	r.await("the end of the transaction", func() bool { // a moment after the answer
		got = samples(r.get("/metrics").body)

		return got[name(`pgweir_pool_servers{DB,state="idle",USER}`)] == "1"
	})
	maps.DeleteFunc(got, func(name, _ string) bool { _, asked := want[name]; return !asked })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// samples returns the values by name and labels as they are written.
func samples(body string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		at := strings.LastIndexByte(line, ' ')
		all[line[:at]] = line[at+1:]
	}

	return all
}

// TestMetricsOfAnyName: what a client calls its database need not be text, and ends in
// a label all the same.
func TestMetricsOfAnyName(t *testing.T) {
	tests := []struct{ name, database, label string }{
		{"quotes", `a"b\c`, `a\"b\\c`},
		{"newline", "a\nb", `a\nb`},
		{"not UTF-8", "caf\xe9", `caf\\xe9`},
		{"what that is written as", `caf\xe9`, `caf\\xe9`}, // of two pools with one label one is shown
		{"umlaut", "käse", "käse"},
	}
	silent := listen(t) // a server that says nothing, so that logins wait
	defer silent.Close()
	r := newRigAt(t, "postgres://app@"+silent.Addr().String()+"/shop")
	r.serve()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.knock(tt.database)
			p := r.get("/metrics")
			if want := `pgweir_pool_size{database="` + tt.label + `",`; p.status != http.StatusOK || !strings.Contains(p.body, want) {
				t.Errorf("status %d, and %s is missing from:\n%s", p.status, want, p.body)
			}
		})
	}
}

// knock begins to log a client in to a database, and returns when there is a pool for
// it. The client waits for a server until the end of the test.
func (r *rig) knock(database string) {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.addr)
	must(r.t, err)
	r.t.Cleanup(func() { _ = nc.Close() })
	startup := pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters:      map[string]string{"user": r.user, "database": database},
	}
	b, err := startup.Encode(nil)
	must(r.t, err)
	_, err = nc.Write(b)
	must(r.t, err)
	r.await("the pool", func() bool {
		return slices.ContainsFunc(r.pools.All(), func(p *pool.Pool) bool { return p.Key().Database == database })
	})
}
