package stats

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// The buckets of a Histogram: the first ends at 2^14 ns (16 µs), each at twice
// the end of the one before, the last but one at 2^36 ns (69 s); what is longer
// is in the last.
const (
	firstBucketBits = 14
	buckets         = 24
)

// A Histogram counts durations in buckets that double in width. The zero value is
// empty. One goroutine writes it, any may read.
type Histogram struct {
	counts [buckets]atomic.Uint64
	sum    atomic.Uint64 // nanoseconds
}

// Observe counts one duration; a negative one counts as 0.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	add(&h.counts[bucket(d)], 1)
	add(&h.sum, uint64(d))
}

// bucket is the bucket for d.
func bucket(d time.Duration) int {
	if d <= 1<<firstBucketBits {
		return 0
	}

	return min(bits.Len64(uint64(d-1))-firstBucketBits, buckets-1)
}

// A Snapshot is the content of one or several histograms at a moment.
type Snapshot struct {
	Counts [buckets]uint64
	Sum    time.Duration
}

// Add adds what h holds.
func (s *Snapshot) Add(h *Histogram) {
	for i := range h.counts {
		s.Counts[i] += h.counts[i].Load()
	}
	s.Sum += time.Duration(h.sum.Load())
}

// Count is the number of durations.
func (s *Snapshot) Count() uint64 {
	var n uint64
	for _, c := range s.Counts {
		n += c
	}

	return n
}

// Cumulative maps the upper bound of each bucket, in seconds, to how many
// durations were not longer. It leaves out the last bucket, which has no bound.
func (s *Snapshot) Cumulative() map[float64]uint64 {
	m := make(map[float64]uint64, buckets-1)
	var n uint64
	for i, c := range s.Counts[:buckets-1] {
		n += c
		m[time.Duration(1<<(firstBucketBits+i)).Seconds()] = n
	}

	return m
}
