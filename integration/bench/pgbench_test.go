package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const report15 = `pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: <builtin: select only>
scaling factor: 1
query mode: simple
number of clients: 16
number of threads: 2
maximum number of tries: 1
duration: 6 s
number of transactions actually processed: 118034
number of failed transactions: 3 (0.003%)
latency average = 0.812 ms
initial connection time = 12.345 ms
tps = 19697.123456 (without initial connection time)
`

func TestParseTally(t *testing.T) {
	tests := []struct {
		name, report string
		want         tally
		wantErr      string
	}{
		{name: "PostgreSQL 15", report: report15, want: tally{transactions: 118034, failed: 3}},
		{
			name:   "before 15, failures are not counted",
			report: "number of transactions actually processed: 42\n",
			want:   tally{transactions: 42},
		},
		{
			name:   "with -t, what was asked for is told too",
			report: "number of transactions actually processed: 4000/4000\n",
			want:   tally{transactions: 4000},
		},
		{name: "no number", report: "pgbench (15.18)\n", wantErr: "no number of transactions"},
		{
			name:    "not a number",
			report:  "number of transactions actually processed: many\n",
			wantErr: "invalid syntax",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseTally(strings.NewReader(tt.report))
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v, want one with %q", err, tt.wantErr)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseProgress(t *testing.T) {
	tests := []struct {
		name, line string
		want       progress
		wantOK     bool
	}{
		{
			name:   "PostgreSQL 15",
			line:   "progress: 1.0 s, 25183.9 tps, lat 0.632 ms stddev 0.271, 0 failed",
			want:   progress{at: time.Second, tps: 25183.9},
			wantOK: true,
		},
		{
			name:   "a late report",
			line:   "progress: 12.5 s, 7.0 tps, lat 3.2 ms stddev 0.1",
			want:   progress{at: 12500 * time.Millisecond, tps: 7},
			wantOK: true,
		},
		{name: "another line", line: "pgbench: error: client 3 aborted"},
		{name: "cut short", line: "progress: 1.0 s,"},
		{name: "not a number", line: "progress: 1.0 s, NOPE tps, lat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseProgress(tt.line)
			if got != tt.want || ok != tt.wantOK {
				t.Errorf("got %+v, %v; want %+v, %v", got, ok, tt.want, tt.wantOK)
			}
		})
	}
}

// TestFollowProgress checks that an error of the callback is kept and does not end the reading: pgbench would block on
// a pipe that nobody reads.
func TestFollowProgress(t *testing.T) {
	stderr := strings.NewReader("pgbench: warning: one\n" +
		"progress: 1.0 s, 10.0 tps, lat 1 ms\n" +
		"progress: 2.0 s, 20.0 tps, lat 1 ms\n" +
		"pgbench: error: two\n")
	broken := errors.New("broken meter")
	calls := 0
	complaints, err := followProgress(stderr, func(progress) error {
		calls++
		return broken
	})
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("error %v after %d calls, want %v after 1", err, calls, broken)
	}
	if want := "pgbench: warning: one\npgbench: error: two"; complaints != want {
		t.Errorf("complaints %q, want %q", complaints, want)
	}
	if stderr.Len() != 0 {
		t.Errorf("%d bytes left unread", stderr.Len())
	}
}

func TestFollowProgressKeepsFewComplaints(t *testing.T) {
	stderr := strings.NewReader(strings.Repeat("pgbench: error: client aborted\n", 500))
	complaints, err := followProgress(stderr, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(strings.Split(complaints, "\n")); got != maxComplaints || stderr.Len() != 0 {
		t.Errorf("%d lines kept and %d bytes left unread, want %d and 0", got, stderr.Len(), maxComplaints)
	}
}

func TestWindow(t *testing.T) {
	w := window{transactions: 100_000, elapsed: 5 * time.Second, cpu: 1500 * time.Millisecond}
	if got := w.tps(); got != 20_000 {
		t.Errorf("tps %v, want 20000", got)
	}
	if got := w.cpuPerTransaction(); got != 15 {
		t.Errorf("CPU per transaction %v µs, want 15", got)
	}
	if got, want := w.latency(16), 800*time.Microsecond; got != want {
		t.Errorf("latency %v, want %v", got, want)
	}
}

func TestLoadArguments(t *testing.T) {
	l := load{mode: "extended", clients: 1, reconnect: true}
	want := []string{
		"--no-vacuum", "--protocol=extended", "--client=1", "--jobs=1", "--time=6", "--progress=1",
		"--select-only", "--connect",
	}
	if diff := cmp.Diff(want, l.arguments(6*time.Second)); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}
