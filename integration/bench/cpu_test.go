package main

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/skiptest"
)

func TestParseStatTicks(t *testing.T) {
	const fields = " S 1 77 77 0 -1 4194560 1034 0 0 0 120 35 0 0 20 0 5 0 1234"
	tests := []struct {
		name, stat string
		want       time.Duration
		wantErr    bool
	}{
		{name: "plain", stat: "77 (pgbouncer)" + fields, want: 1550 * time.Millisecond},
		{name: "a name with blanks and parentheses", stat: "77 (a) R 1 (b)" + fields, want: 1550 * time.Millisecond},
		{name: "cut short", stat: "77 (pgbouncer) S 1 77", wantErr: true},
		{name: "empty", stat: "", wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStatTicks([]byte(tt.stat))
			if got != tt.want || (err != nil) != tt.wantErr {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

// TestCPUMeter burns CPU in this process and checks that the meter sees it, neither much less nor much more than the
// time that passed could hold.
func TestCPUMeter(t *testing.T) {
	if runtime.GOOS != "linux" {
		skiptest.Skip(t, "reading a process's CPU clock needs Linux")
	}
	meter, err := startCPUMeter(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for cpu := time.Duration(0); cpu < 50*time.Millisecond; {
		if cpu, err = meter.spent(); err != nil {
			t.Fatal(err)
		}
		if time.Since(start) > 30*time.Second {
			t.Fatalf("after %v of work the meter shows %v", time.Since(start), cpu)
		}
	}
	cpu, err := meter.spent()
	if err != nil {
		t.Fatal(err)
	}
	if most := time.Since(start) * time.Duration(runtime.NumCPU()); cpu > most {
		t.Errorf("%v of CPU time in at most %v", cpu, most)
	}
}

func TestCPUMeterNoProcess(t *testing.T) {
	const nobody = 1 << 30 // Above the kernel's highest process id, PID_MAX_LIMIT = 1 << 22.
	if _, err := startCPUMeter(nobody); err == nil {
		t.Error("no error for a process that does not exist")
	}
}
