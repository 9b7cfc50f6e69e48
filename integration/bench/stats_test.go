package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpreadOf(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		want   spread
	}{
		{"none", nil, spread{}},
		{"one", []float64{7}, spread{7, 7, 7}},
		{"odd, unsorted", []float64{9, 1, 5}, spread{median: 5, min: 1, max: 9}},
		{"even: the mean of the middle two", []float64{4, 1, 100, 2}, spread{median: 3, min: 1, max: 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := append([]float64(nil), tt.values...)
			if got := spreadOf(tt.values); got != tt.want {
				t.Errorf("spreadOf(%v) = %+v, want %+v", tt.values, got, tt.want)
			}
			if diff := cmp.Diff(given, tt.values); diff != "" {
				t.Errorf("the argument was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestRatios(t *testing.T) {
	tests := []struct {
		name              string
		subject, baseline []float64
		want              []float64
	}{
		{"pairwise", []float64{1, 6, 3}, []float64{2, 3, 3}, []float64{0.5, 2, 1}},
		{"nobody to compare with", []float64{1, 2}, nil, nil},
		{"the baseline stopped early", []float64{1, 2, 3}, []float64{1}, []float64{1}},
		{"a divisor of nothing is left out", []float64{1, 2}, []float64{0, 4}, []float64{0.5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ratios(tt.subject, tt.baseline)); diff != "" {
				t.Errorf("ratios (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMedianOfRatios shows why the ratio is taken round by round: a machine that slows down in the middle of a run
// changes both contestants' numbers, and the medians of each alone would compare a slow round with a fast one.
func TestMedianOfRatios(t *testing.T) {
	subject := []float64{10, 10, 20, 20, 20}
	baseline := []float64{10, 10, 20, 20, 20}
	baseline[4] = 10 // One disturbed round must not decide.
	if got := spreadOf(ratios(subject, baseline)); got != (spread{median: 1, min: 1, max: 2}) {
		t.Errorf("got %+v", got)
	}
}
