package web

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// TestBothHistograms checks that the native and the classic buckets are of the same
// durations.
func TestBothHistograms(t *testing.T) {
	t.Parallel()
	m := meter.New(meter.Options{Posts: []func(func()){func(f func()) { f() }}, Now: func() time.Duration { return time.Hour }})
	for _, took := range []time.Duration{0, time.Millisecond, time.Millisecond, time.Hour} {
		m.Statements.Shard(0).Book(&stats.Execution{Fingerprint: 99, Server: took})
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(&statementCollector{m, newStatementDescs()})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "pgweir_query_duration_seconds" {
			continue
		}
		h := f.GetMetric()[0].GetHistogram()
		var n, native int64
		for _, delta := range h.GetPositiveDelta() {
			n += delta
			native += n
		}
		if h.GetSchema() != stats.LatencySchema || native != 4 {
			t.Errorf("schema %d, %d in native buckets, want 4", h.GetSchema(), native)
		}
		if b := h.GetBucket(); len(b) != 11 || b[10].GetCumulativeCount() != 3 || h.GetSampleCount() != 4 {
			t.Errorf("classic buckets: %v", b)
		}

		return
	}
	t.Error("no histogram")
}

// TestFieldsAreDocumented looks for each field of the API in docs/api.md.
func TestFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range []any{
		statementsJSON{},
		totalsJSON{},
		statementJSON{},
		routeJSON{},
		trendJSON{},
		lastSlowJSON{},
		slowsJSON{},
		slowJSON{},
		poolsJSON{},
		poolJSON{},
		nplusone.Finding{},
		nplusone.Reference{},
		errorJSON{},
	} {
		for f := range reflect.TypeOf(answer).Fields() {
			name := f.Tag.Get("json")
			if served := f.IsExported() && name != "-"; served && !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("%T: docs/api.md does not tell of %q", answer, name)
			}
		}
	}
}
