package main

import (
	"context"
	"fmt"
	"time"
)

// scenario is one thing that is measured on two contestants.
type scenario struct {
	name string
	// measure runs once against a freshly started pooler and returns what it found.
	measure func(context.Context, *lab, *pooler) (sample, error)
	unit    string // of sample.value, with what it is per
	goal    goal
	pool    poolSettings
	contest contest
	// needsPrepared leaves out a PgBouncer that cannot carry prepared statements in transaction mode.
	needsPrepared bool
}

// contest says who is measured in a scenario.
type contest int

const (
	versusContest contest = iota // pgweir and PgBouncer
	loopsContest                 // pgweir with two event loops, and with one
	statsContest                 // pgweir that measures statements, and pgweir that does not
	noiseContest                 // the same twice: PgBouncer, or pgweir if there is none

	contestKinds // how many there are
)

// labels returns the names of the contestants as the tables show them.
func (c contest) labels() (subject, baseline string) {
	switch c {
	case loopsContest:
		return "2 loops", "1 loop"
	case statsContest:
		return "measuring", "not"
	case noiseContest:
		return "the same", "again"
	default:
		return "pgweir", "pgbouncer"
	}
}

// sample is one measurement of one contestant.
type sample struct {
	value   float64 // in the scenario's unit
	tps     float64 // transactions per second; 0: not applicable
	latency time.Duration
	note    string // what else is worth a word; empty: nothing
}

// latencyMillis returns the latency in milliseconds.
func (s sample) latencyMillis() float64 { return float64(s.latency) / float64(time.Millisecond) }

// goal is the bar that a scenario's result must clear. The zero value is no bar.
type goal struct {
	kind  goalKind
	limit float64
}

// goalKind says what a goal's limit applies to.
type goalKind int

const (
	noGoal       goalKind = iota
	ratioAtMost           // pgweir's value over PgBouncer's
	valueAtMost           // pgweir's own value
	valueAtLeast          // pgweir's own value
)

// cpuUnit is the unit of a throughput scenario.
const cpuUnit = "µs CPU per transaction"

// defaultPool returns the pool that most scenarios run on: no password, so that what is measured is the relay.
func defaultPool() poolSettings {
	return poolSettings{poolSize: 20, maxClients: 1000, authType: "trust"}
}

// scenarios returns every scenario in the order in which they run. duration is how long one measurement lasts where
// that is a matter of choice. prepared adds the prepared-statement protocol.
func scenarios(duration time.Duration, prepared bool) []scenario {
	all := throughputScenarios("simple", goal{ratioAtMost, 1.00}, duration)
	all = append(all, throughputScenarios("extended", goal{ratioAtMost, 0.95}, duration)...)
	if prepared {
		for _, s := range throughputScenarios("prepared", goal{ratioAtMost, 0.80}, duration) {
			s.needsPrepared = true
			all = append(all, s)
		}
	}
	all = append(all, statsScenarios(duration)...)
	all = append(all, connectScenarios(duration)...)
	return append(all,
		copyScenario(duration),
		idleScenario(),
		fairnessScenario(duration),
		loopsScenario(16, duration),
		loopsScenario(64, duration),
		noiseScenario(duration),
	)
}

// statsScenarios compare pgweir with itself with [stats] off, in the query modes and for the numbers of clients that
// its cost is promised for.
func statsScenarios(duration time.Duration) []scenario {
	var family []scenario
	for _, mode := range []string{"simple", "extended", "prepared"} {
		for _, clients := range []int{16, 64} {
			family = append(family, scenario{
				name:    fmt.Sprintf("stats-%s-%d", mode, clients),
				measure: measureLoad(load{mode: mode, clients: clients}, duration),
				unit:    cpuUnit, goal: goal{ratioAtMost, 1.03}, pool: defaultPool(), contest: statsContest,
			})
		}
	}
	return family
}

// throughputScenarios returns one scenario per number of clients, all in one query mode.
func throughputScenarios(mode string, goal goal, duration time.Duration) []scenario {
	var family []scenario
	for _, clients := range []int{1, 16, 64, 500} {
		family = append(family, scenario{
			name:    fmt.Sprintf("%s-%d", mode, clients),
			measure: measureLoad(load{mode: mode, clients: clients}, duration),
			unit:    cpuUnit, goal: goal, pool: defaultPool(),
		})
	}
	return family
}

// connectScenarios returns the scenarios in which each transaction takes a new connection and a SCRAM login. The
// pooler knows the users' SCRAM verifiers, as it would from pg_authid, not their passwords.
func connectScenarios(duration time.Duration) []scenario {
	var family []scenario
	for _, clients := range []int{1, 8} {
		pool := defaultPool()
		pool.authType = "scram-sha-256"
		family = append(family, scenario{
			name:    fmt.Sprintf("connect-%d", clients),
			measure: measureLoad(load{mode: "simple", clients: clients, reconnect: true}, duration),
			unit:    "µs CPU per connect + SCRAM + query", goal: goal{ratioAtMost, 1.00}, pool: pool,
		})
	}
	return family
}

// loopsScenario compares two event loops with one at a number of clients.
func loopsScenario(clients int, duration time.Duration) scenario {
	return scenario{
		name:    fmt.Sprintf("loops-%d", clients),
		measure: measureLoad(load{mode: "simple", clients: clients}, duration),
		unit:    cpuUnit, pool: defaultPool(), contest: loopsContest,
	}
}

// noiseScenario compares a program with itself: a ratio elsewhere that is no further from 1 than this one's range says
// nothing.
func noiseScenario(duration time.Duration) scenario {
	return scenario{
		name:    "noise-16",
		measure: measureLoad(load{mode: "simple", clients: 16}, duration),
		unit:    cpuUnit, pool: defaultPool(), contest: noiseContest,
	}
}

// measureLoad returns a measurement of the pooler's CPU time per transaction under l.
func measureLoad(l load, duration time.Duration) func(context.Context, *lab, *pooler) (sample, error) {
	return func(ctx context.Context, b *lab, p *pooler) (sample, error) {
		w, err := b.driveLoad(ctx, p, l, duration)
		if err != nil {
			return sample{}, err
		}
		return sample{value: w.cpuPerTransaction(), tps: w.tps(), latency: w.latency(l.clients)}, nil
	}
}
