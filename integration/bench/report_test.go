package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// update makes TestReport write its golden file anew.
var update = flag.Bool("update", false, "write testdata/report.md anew")

// samplesOf returns samples with these values.
func samplesOf(values ...float64) []sample {
	samples := make([]sample, len(values))
	for i, v := range values {
		samples[i] = sample{value: v}
	}
	return samples
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		name              string
		goal              goal
		subject, baseline []sample
		err               error
		want              string
	}{
		{"ratio at its limit", goal{ratioAtMost, 1}, samplesOf(15), samplesOf(15), nil, "met"},
		{"ratio above", goal{ratioAtMost, 1}, samplesOf(16), samplesOf(15), nil, "**missed**"},
		{"the median decides", goal{ratioAtMost, 1}, samplesOf(99, 14, 14), samplesOf(15, 15, 15), nil, "met"},
		{"no baseline to compare with", goal{ratioAtMost, 1}, samplesOf(15), nil, nil, "-"},
		{"no pgweir to judge", goal{valueAtMost, 1024}, nil, samplesOf(800), nil, "-"},
		{"value below", goal{valueAtMost, 1024}, samplesOf(900), nil, nil, "met"},
		{"value above", goal{valueAtMost, 1024}, samplesOf(1025), samplesOf(5000), nil, "**missed**"},
		{"value at least", goal{valueAtLeast, 0.8}, samplesOf(0.81), nil, nil, "met"},
		{"value too small", goal{valueAtLeast, 0.8}, samplesOf(0.79), nil, nil, "**missed**"},
		{"no bar", goal{}, samplesOf(1), samplesOf(2), nil, "-"},
		{"cut short", goal{ratioAtMost, 1}, samplesOf(1), samplesOf(2), errors.New("x"), "failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := result{scenario: scenario{goal: tt.goal}, subject: tt.subject, baseline: tt.baseline, err: tt.err}
			if got := r.verdict(); got != tt.want {
				t.Errorf("verdict %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReport(t *testing.T) {
	r := report{
		machine:  machine{cpu: "Abacus 9", cores: 2, kernel: "Linux 6.1", golang: "go1.26.0", load: 0.25},
		server:   "postgres (PostgreSQL) 15.18",
		programs: bothPrograms("PgBouncer 1.25.2"),
		when:     time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		duration: 5 * time.Second,
		rounds:   3,
		results: []result{
			{
				scenario: scenario{name: "simple-16", unit: cpuUnit, goal: goal{ratioAtMost, 1}},
				subject: []sample{
					{value: 14, tps: 20000, latency: 800 * time.Microsecond},
					{value: 15, tps: 21000, latency: 700 * time.Microsecond},
					{value: 13, tps: 22000, latency: 600 * time.Microsecond},
				},
				baseline: []sample{
					{value: 14, tps: 19000, latency: time.Millisecond},
					{value: 14, tps: 19000, latency: time.Millisecond},
					{value: 14, tps: 19000, latency: time.Millisecond},
				},
			},
			{
				scenario: scenario{name: "idle-memory", unit: "bytes", goal: goal{valueAtMost, 1 << 10}},
				subject:  samplesOf(2048),
				err:      errors.New("idle-memory, pgbouncer, round 1: it ended\nand a log"),
			},
			{
				scenario: scenario{name: "loops-16", unit: cpuUnit, contest: loopsContest},
				subject:  samplesOf(18.25), baseline: samplesOf(9.125),
			},
		},
	}
	var text strings.Builder
	if err := r.write(&text); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.md")
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestBusyMachine(t *testing.T) {
	for _, tt := range []struct {
		load float64
		want bool
	}{{1, false}, {1.01, true}} {
		r := report{machine: machine{cores: 2, load: tt.load}}
		var text strings.Builder
		if err := r.write(&text); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(text.String(), "too much"); got != tt.want {
			t.Errorf("a warning at load %v: %v, want %v", tt.load, got, tt.want)
		}
	}
}

func TestUpdatePage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page := "# Title\n\n" + beginMarker + "\nold\n" + endMarker + "\n\nThe end.\n"
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	want := "# Title\n\n" + beginMarker + "\n\nnew\n\n" + endMarker + "\n\nThe end.\n"
	for range 2 { // Doing it again changes nothing.
		if err := updatePage(path, "new\n"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
	}
}

func TestUpdatePageNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.md")
	if err := updatePage(path, "text"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := beginMarker + "\n\ntext\n\n" + endMarker + "\n"; string(got) != want {
		t.Errorf("page %q, want %q", got, want)
	}
}

func TestReplaceSectionNeedsMarkers(t *testing.T) {
	for _, page := range []string{"", beginMarker, endMarker + beginMarker} {
		if _, err := replaceSection(page, "text"); err == nil {
			t.Errorf("no error for %q", page)
		}
	}
}
