package main

import (
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// newMeter returns what measures statements on the loops, as [stats] says; nil if it says
// that nothing is measured.
func newMeter(s *config.Stats, loops *reactor.Group, log *zap.Logger) *meter.Meter {
	if !s.Enabled {
		return nil
	}
	o := meter.Options{
		Now: loops.Loops()[0].Clock().Now,
		Log: log,
		Stats: stats.Options{
			Tracked: s.TrackedStatements,
			Slow: stats.SlowRules{
				After:         orNever(s.SlowStatement),
				OutlierFactor: float64(orNever(s.SlowOutlierFactor)),
				PerSecond:     s.SlowLogRate,
			},
			Requests: stats.RequestRules{
				Target: uint64(s.RequestTarget), Warn: uint64(s.RequestWarnStatements), WarnTook: s.RequestWarnTime,
			},
		},
		SlowParameters: s.SlowParameters,
		NoNPlusOne:     !s.NPlusOne,
		Memory:         s.NPlusOneMemory << 20,
		Rules: nplusone.Rules{
			Fingerprints: s.NPlusOneIgnoreFingerprints,
			Tables:       s.NPlusOneIgnoreTables,
			Applications: s.NPlusOneIgnoreApplications,
			Routes:       s.NPlusOneIgnoreRoutes,
			Users:        s.NPlusOneIgnoreUsers,
			Jobs:         s.NPlusOneJobs,
		},
	}
	for _, l := range loops.Loops() {
		o.Posts = append(o.Posts, l.Post)
	}

	return meter.New(o)
}

// orNever translates a 0 that means "never" for rules whose 0 is the default.
func orNever[N int | time.Duration](n N) N {
	if n == 0 {
		return -1
	}

	return n
}
