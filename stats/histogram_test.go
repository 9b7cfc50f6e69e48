package stats

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestBuckets checks that each duration is in the bucket whose bound is the first
// that is not shorter.
func TestBuckets(t *testing.T) {
	t.Parallel()
	const first = 1 << firstBucketBits
	for d, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, 1: 0, first - 1: 0, first: 0, first + 1: 1, 2 * first: 1, 2*first + 1: 2,
		time.Millisecond: 6, time.Second: 16, first << 22: 22, first<<22 + 1: 23, 1000 * time.Hour: 23,
	} {
		var h Histogram
		h.Observe(d)
		var s Snapshot
		s.Add(&h)
		for i, n := range s.Counts {
			if (n == 1) != (i == want) {
				t.Errorf("%v: %d in bucket %d, want it in %d", d, n, i, want)
			}
		}
		if s.Sum != max(d, 0) || s.Count() != 1 {
			t.Errorf("%v: sum %v, count %d", d, s.Sum, s.Count())
		}
	}
}

// TestCumulative compares a histogram with the durations themselves.
func TestCumulative(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var parts [3]Histogram
	var all []time.Duration
	var sum time.Duration
	for i := range 3000 {
		d := time.Duration(rng.Int64N(1 << (10 + rng.IntN(30))))
		parts[i%3].Observe(d)
		all = append(all, d)
		sum += d
	}
	var s Snapshot
	for i := range parts {
		s.Add(&parts[i])
	}
	if s.Sum != sum || s.Count() != 3000 {
		t.Errorf("sum %v, count %d; want %v, 3000", s.Sum, s.Count(), sum)
	}
	want := make(map[float64]uint64)
	for bound := time.Duration(1 << firstBucketBits); len(want) < buckets-1; bound *= 2 {
		n := uint64(0)
		for _, d := range all {
			if d <= bound {
				n++
			}
		}
		want[bound.Seconds()] = n
	}
	if diff := cmp.Diff(want, s.Cumulative()); diff != "" {
		t.Errorf("counts by bound (-want +got):\n%s", diff)
	}
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Observe(time.Millisecond)
	}
}
