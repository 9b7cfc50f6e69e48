package stats

import (
	"math"
	"time"
)

// The buckets of a Latency are those of a Prometheus native histogram of schema 2:
// four to an octave, with bounds at powers of 2^(1/4) seconds. The 88 between 2^-16 s
// (15 µs) and 2^6 s (64 s) are exact; what is shorter or longer is in one more at
// either end, so that every duration is in the count and in the sum.
const (
	// LatencySchema is the schema, as Prometheus numbers them.
	LatencySchema = 2

	perOctave      = 4
	firstIndex     = -16 * perOctave // of the bucket that ends at 2^-16 s
	latencyBuckets = 88 + 2
)

// A Latency counts durations in buckets that are narrow enough for quantiles: the
// middle of a bucket is at most 9 % off. The zero value is empty. It is a plain value:
// whoever shares it guards it.
type Latency struct {
	Counts [latencyBuckets]uint64
	Sum    time.Duration
}

// observe counts one duration, which is not negative.
func (l *Latency) observe(d time.Duration) {
	l.Counts[latencyBucket(d)]++
	l.Sum += d
}

// latencyBucket is the bucket for d: the first whose bound is not shorter. The exponent
// of the seconds gives the octave, their fraction the quarter.
func latencyBucket(d time.Duration) int {
	const (
		root1 = 1.18920711500272106671749997056 // 2^(1/4)
		root2 = 1.41421356237309504880168872421
		root3 = 1.68179283050742908606225095247
	)
	bits := math.Float64bits(float64(d) / 1e9) // divided, not multiplied: powers of 2 come out exact
	octave := int(bits>>52) - 1023
	fraction := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	i := octave*perOctave - firstIndex
	switch {
	case fraction > root3:
		i += 4
	case fraction > root2:
		i += 3
	case fraction > root1:
		i += 2
	case fraction > 1:
		i++
	}

	return min(max(i, 0), latencyBuckets-1)
}

// add adds what o holds.
func (l *Latency) add(o *Latency) {
	for i, n := range o.Counts {
		l.Counts[i] += n
	}
	l.Sum += o.Sum
}

// sub takes away what o holds, which l held at an earlier time.
func (l *Latency) sub(o *Latency) {
	for i, n := range o.Counts {
		l.Counts[i] -= n
	}
	l.Sum -= o.Sum
}

// Count is the number of durations.
func (l *Latency) Count() uint64 {
	var n uint64
	for _, c := range l.Counts {
		n += c
	}

	return n
}

// Quantile returns the duration that a share of all, 0 to 1, does not exceed: the
// middle of the bucket it is in. It is 0 if there are none.
func (l *Latency) Quantile(share float64) time.Duration {
	rank := max(uint64(math.Ceil(share*float64(l.Count()))), 1)
	var n uint64
	for i, c := range l.Counts {
		if n += c; n >= rank {
			return seconds(math.Exp2((float64(i+firstIndex) - 0.5) / perOctave))
		}
	}

	return 0
}

// Native maps the index of each bucket that is not empty, as Prometheus numbers those
// of [LatencySchema], to its count.
func (l *Latency) Native() map[int]int64 {
	m := make(map[int]int64)
	for i, c := range l.Counts {
		if c > 0 {
			m[i+firstIndex] = int64(c)
		}
	}

	return m
}

// classicStep is how many octaves lie between two bounds of the classic histogram. Its
// series are paid for by statement, so it is coarse: 11 bounds from 61 µs to 64 s.
const classicStep = 2

// Cumulative maps the bounds of a classic histogram, in seconds, to how many durations
// were not longer.
func (l *Latency) Cumulative() map[float64]uint64 {
	m := make(map[float64]uint64)
	var n uint64
	for i, c := range l.Counts[:latencyBuckets-1] {
		n += c
		if octave := (i + firstIndex) / perOctave; i > 0 && i%(classicStep*perOctave) == 0 {
			m[math.Exp2(float64(octave))] = n
		}
	}

	return m
}

// seconds is a duration of so many seconds.
func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second))
}
