package stats

import (
	"math"
	"testing"
	"time"
)

// TestSlow checks when a statement is slow, and what is told of it.
func TestSlow(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	s := newTest(Options{Now: func() time.Time { return now }}, 1)
	strict, never := s.Pool("strict", "app", 100*time.Millisecond), s.Pool("batch", "app", -1)
	shard := s.Shard(0)
	for range outlierCalls {
		shard.Book(&Execution{Fingerprint: 50, Pool: never, Server: 10 * time.Millisecond})
	}
	s.Collect(t.Context())
	s.Collect(t.Context()) // which tells the loop what is usual
	for name, c := range map[string]struct {
		x    Execution
		want SlowReason
	}{
		"just below the default": {Execution{Fingerprint: 10, Pool: 1, Server: 499 * time.Millisecond}, ""},
		"the default":            {Execution{Fingerprint: 11, Pool: 1, Server: 500 * time.Millisecond}, SlowThreshold},
		"the pool's own":         {Execution{Fingerprint: 12, Pool: strict, Server: 100 * time.Millisecond}, SlowThreshold},
		"cancelled":              {Execution{Fingerprint: 13, Pool: 1, Server: time.Second, SQLState: "57014"}, SlowThreshold},
		"a long wait":            {Execution{Fingerprint: 14, Pool: 1, Wait: time.Hour}, ""},
		"no limit, no history":   {Execution{Fingerprint: 15, Pool: never, Server: time.Hour}, ""},
		"three times the usual":  {Execution{Fingerprint: 50, Pool: never, Server: 30 * time.Millisecond}, ""},
		"five times the usual":   {Execution{Fingerprint: 50, Pool: never, Server: 50 * time.Millisecond}, SlowOutlier},
	} {
		got := shard.Book(&c.x)
		if (got.Slow != nil) != (c.want != "") || got.Slow != nil && got.Slow.Reason != c.want {
			t.Errorf("%s: %+v, want %q", name, got.Slow, c.want)
		}
		if got.Describe {
			shard.Describe(Text{Normalised: name})
		}
		if got.Slow != nil && c.x.Fingerprint != 50 && got.Slow.Text.Normalised != name {
			t.Errorf("%s: text %q", name, got.Slow.Text.Normalised)
		}
	}
	if r := s.Snapshot(t.Context()); len(r.Slow) != 4 {
		t.Errorf("%d are kept, want 4", len(r.Slow))
	}
}

// TestSlowIsBounded checks that a statement is told of once in a second, all of them so
// many times, and that what is not told of is counted.
func TestSlowIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	s := newTest(Options{Now: func() time.Time { return now }, Slow: SlowRules{PerSecond: 3, Keep: 2}}, 1)
	told := 0
	for i := range 20 {
		x := Execution{Fingerprint: Fingerprint(10 + i/2), Pool: 1, Server: time.Second}
		if s.Shard(0).Book(&x).Slow != nil {
			told++
		}
	}
	if told != 3 {
		t.Errorf("%d are told of, want 3", told)
	}
	now = now.Add(time.Second)
	got := s.Shard(0).Book(&Execution{Fingerprint: 10, Pool: 1, Server: time.Second})
	if got.Slow == nil || got.Slow.Suppressed != 15 {
		t.Errorf("%+v, want one that tells of 15 others", got.Slow)
	}
	if r := s.Snapshot(t.Context()); len(r.Slow) != 2 || !r.Slow[1].At.Equal(now) {
		t.Errorf("%d are kept, want the last 2", len(r.Slow))
	}
}

// TestRequests checks what a request is counted as and when it is warned of.
func TestRequests(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	s := newTest(Options{Now: func() time.Time { return now }}, 1)
	for _, c := range []struct {
		r    Request
		want RequestReason
	}{
		{Request{Database: "shop", Statements: 51, Distinct: 4}, ""},
		{Request{Database: "shop", Certain: true, Statements: 19, Distinct: 4, Took: time.Second}, ""},
		{Request{Database: "shop", Certain: true, Statements: 50, Distinct: 4}, ""},
		{Request{Database: "shop", Certain: true, Statements: 51, Distinct: 4}, TooManyStatements},
		{Request{Database: "shop", Certain: true, Statements: 1, Distinct: 1, Took: time.Second + 1}, TooLong},
	} {
		now = now.Add(2 * time.Second)
		if w, ok := s.BookRequest(&c.r); ok != (c.want != "") || w.Reason != c.want {
			t.Errorf("%+v: warned %v, %+v", c.r, ok, w)
		}
	}
	if _, ok := s.BookRequest(&Request{Database: "shop", Certain: true, Statements: 99}); ok {
		t.Error("warned twice in a second")
	}
	f := s.Snapshot(t.Context()).Requests[0]
	if f.Requests != 6 || f.Statements != 271 || f.OverTarget != 4 || f.TooMany != 3 || f.TooLong != 1 {
		t.Errorf("%+v", f)
	}
}

// TestLatencyBuckets checks that each duration is in the bucket whose bounds enclose it,
// and that quantiles are near.
func TestLatencyBuckets(t *testing.T) {
	t.Parallel()
	for i := 1; i < latencyBuckets-1; i++ {
		low, high := math.Exp2(float64(i+firstIndex-1)/perOctave), math.Exp2(float64(i+firstIndex)/perOctave)
		for _, d := range []time.Duration{seconds(low) + 1, seconds((low + high) / 2), seconds(high) - 1} {
			if got := latencyBucket(d); got != i {
				t.Errorf("%v is in bucket %d, want %d", d, got, i)
			}
			var l Latency
			l.observe(d)
			if q := l.Quantile(0.99); math.Abs(float64(q-d)) > 0.095*float64(d) {
				t.Errorf("quantile of %v alone is %v", d, q)
			}
		}
	}
	for d, want := range map[time.Duration]int{
		0: 0, 1: 0, 15 * time.Microsecond: 0, 64 * time.Second: 88, time.Second: 64, time.Second + 1: 65, time.Hour: 89,
		1953125: 28, // 2^-9 s, a bound
	} {
		if got := latencyBucket(d); got != want {
			t.Errorf("%v is in bucket %d, want %d", d, got, want)
		}
	}
	var l Latency
	for _, d := range []time.Duration{1, time.Millisecond, time.Second, time.Hour} {
		l.observe(d)
	}
	if m := l.Cumulative(); len(m) != 11 || m[1] != 3 || m[64] != 3 || m[1.0/1024] != 1 || m[1.0/256] != 2 {
		t.Errorf("cumulative: %v", m)
	}
}

// TestPlanStep checks when a slower generic plan is told of.
func TestPlanStep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		custom, later time.Duration
		want          bool
	}{
		"faster":       {10 * time.Millisecond, time.Millisecond, false},
		"twice":        {10 * time.Millisecond, 20 * time.Millisecond, true},
		"twice little": {10 * time.Microsecond, 20 * time.Microsecond, false},
	} {
		var f Figures
		for i := range uint32(100) {
			took := c.later
			if i%10 < customPlans {
				took = c.custom
			}
			f.book(&Execution{Ordinal: i%10 + 1, Server: took})
		}
		if factor, got := f.PlanStep(); got != c.want {
			t.Errorf("%s: %v, %v", name, got, factor)
		}
	}
}
