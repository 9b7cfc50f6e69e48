package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// measureMargin is how much longer than the measurement itself a measurement may take, with starting and stopping.
const measureMargin = time.Minute

// contestant is a program in one set-up.
type contestant struct {
	label   string
	program *program
	loops   int  // 0: the program's default
	noStats bool // pgweir measures no statements
}

// result is what a scenario's rounds have shown. A contestant that did not take part has no samples; else it has one
// per round, in the order of the rounds.
type result struct {
	scenario          scenario
	subject, baseline []sample
	err               error // what cut the rounds short
}

// programs are the poolers that take part. Either may be nil.
type programs struct {
	pgweir, pgbouncer *program
}

// contestants returns who is measured in a scenario, subject first: the dividend of the ratio. Either may be nil.
func (ps programs) contestants(s scenario) (subject, baseline *contestant) {
	first, second := s.contest.labels()
	switch {
	case s.contest == noiseContest:
		twice := cmp.Or(ps.pgbouncer, ps.pgweir)
		return enter(first, twice, 0), enter(second, twice, 0)
	case s.contest == loopsContest:
		return enter(first, ps.pgweir, 2), enter(second, ps.pgweir, 1)
	case s.contest == statsContest && ps.pgweir != nil:
		return enter(first, ps.pgweir, 0), &contestant{label: second, program: ps.pgweir, noStats: true}
	case s.contest == statsContest:
		return nil, nil
	case s.needsPrepared && ps.pgbouncer != nil && lacksPrepared(ps.pgbouncer.version):
		return enter(first, ps.pgweir, 0), nil
	default:
		return enter(first, ps.pgweir, 0), enter(second, ps.pgbouncer, 0)
	}
}

// enter returns a contestant, nil if there is no such program.
func enter(label string, program *program, loops int) *contestant {
	if program == nil {
		return nil
	}
	return &contestant{label: label, program: program, loops: loops}
}

// lacksPrepared tells whether a PgBouncer cannot carry named prepared statements in transaction mode: it can since
// 1.21. A version it cannot read is taken for a recent one.
func lacksPrepared(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "PgBouncer %d.%d", &major, &minor); err != nil {
		return false
	}
	return major < 1 || major == 1 && minor < 21
}

// referee lets contestants take turns.
type referee struct {
	programs programs
	rounds   int
	out      io.Writer // where each measurement is reported
	// measure measures one contestant once.
	measure func(context.Context, *contestant, scenario) (sample, error)
}

// turn is one contestant's part in a round.
type turn struct {
	who     *contestant
	samples *[]sample // where its measurement is added
}

// run measures a scenario in rounds. The order alternates: AB, BA, AB ... What goes wrong ends up in the result.
func (f referee) run(ctx context.Context, s scenario) result {
	subject, baseline := f.programs.contestants(s)
	r := result{scenario: s}
	var turns []turn
	if subject != nil {
		turns = append(turns, turn{subject, &r.subject})
	}
	if baseline != nil {
		turns = append(turns, turn{baseline, &r.baseline})
	}
	for round := range f.rounds {
		for _, t := range turns {
			if r.err = f.take(ctx, t, s, round); r.err != nil {
				return r
			}
		}
		slices.Reverse(turns)
	}
	return r
}

// take measures one contestant once and reports it.
func (f referee) take(ctx context.Context, t turn, s scenario, round int) error {
	got, err := f.measure(ctx, t.who, s)
	if err != nil {
		return fmt.Errorf("%s, %s, round %d: %w", s.name, t.who.label, round+1, err)
	}
	*t.samples = append(*t.samples, got)
	_, err = fmt.Fprintf(f.out, "  round %d  %-10s %s\n", round+1, t.who.label, got.describe(s.unit))
	return err
}

// measure starts a contestant afresh, measures it, and stops it.
func (b *lab) measure(ctx context.Context, who *contestant, s scenario) (got sample, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.duration+measureMargin)
	defer cancel()
	pool := s.pool
	pool.loops, pool.noStats = who.loops, who.noStats
	p, err := b.startPooler(ctx, who.program, pool)
	if err != nil {
		return sample{}, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	return s.measure(ctx, b, p)
}

// describe shows a sample on one line.
func (s sample) describe(unit string) string {
	text := formatValue(s.value) + " " + unit
	if s.tps > 0 {
		text += fmt.Sprintf(", %s tps, %s ms", formatValue(s.tps), formatValue(s.latencyMillis()))
	}
	if s.note != "" {
		text += ", " + s.note
	}
	return text
}
