package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseTransactionLog(t *testing.T) {
	const log = "3 1 21530 0 1795593156 697001\n0 1 21600 0 1795593157 1\n"
	got, err := parseTransactionLog(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	want := []transaction{
		{client: 3, end: 1795593156*time.Second + 697001*time.Microsecond},
		{client: 0, end: 1795593157*time.Second + 1*time.Microsecond},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(transaction{})); diff != "" {
		t.Errorf("transactions (-want +got):\n%s", diff)
	}
	if _, err := parseTransactionLog(strings.NewReader("3 1 failed 0 1795593156 697001\n")); err == nil {
		t.Error("no error for a line that is not one of the log")
	}
}

func TestCountAfter(t *testing.T) {
	all := []transaction{
		{client: 1, end: 12 * time.Second}, // Logs of several threads are not in order.
		{client: 0, end: 10 * time.Second},
		{client: 1, end: 10900 * time.Millisecond},
		{client: 0, end: 11 * time.Second},
		{client: 1, end: 13 * time.Second},
	}
	if diff := cmp.Diff(map[int]int{0: 1, 1: 2}, countAfter(all, time.Second)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestSlowestShare(t *testing.T) {
	tests := []struct {
		name   string
		counts map[int]int
		n      int
		want   float64
	}{
		{"all alike", map[int]int{0: 5, 1: 5}, 2, 1},
		{"one slower", map[int]int{0: 6, 1: 2, 2: 4}, 3, 0.5},
		{"one starved", map[int]int{0: 6, 1: 6}, 3, 0},
		{"nobody", nil, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := slowestShare(tt.counts, tt.n); got != tt.want {
				t.Errorf("slowestShare(%v, %d) = %v, want %v", tt.counts, tt.n, got, tt.want)
			}
		})
	}
}
