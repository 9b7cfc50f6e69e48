package main

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bothPrograms returns two programs that are never started.
func bothPrograms(pgbouncerVersion string) programs {
	return programs{
		pgweir:    &program{name: "pgweir", version: "pgweir 0.1"},
		pgbouncer: &program{name: "pgbouncer", version: pgbouncerVersion},
	}
}

func TestRefereeAlternates(t *testing.T) {
	var order []string
	judge := referee{
		programs: bothPrograms("PgBouncer 1.25.2"), rounds: 3, out: io.Discard,
		measure: func(_ context.Context, who *contestant, _ scenario) (sample, error) {
			order = append(order, who.label)
			return sample{value: float64(len(order))}, nil
		},
	}
	r := judge.run(t.Context(), scenario{name: "simple-16"})
	if r.err != nil {
		t.Fatal(r.err)
	}
	want := []string{"pgweir", "pgbouncer", "pgbouncer", "pgweir", "pgweir", "pgbouncer"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{1, 4, 5}, values(r.subject)); diff != "" {
		t.Errorf("pgweir's samples (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{2, 3, 6}, values(r.baseline)); diff != "" {
		t.Errorf("pgbouncer's samples (-want +got):\n%s", diff)
	}
}

func TestRefereeStopsAtError(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	judge := referee{
		programs: bothPrograms("PgBouncer 1.25.2"), rounds: 3, out: io.Discard,
		measure: func(context.Context, *contestant, scenario) (sample, error) {
			calls++
			if calls == 2 {
				return sample{}, broken
			}
			return sample{}, nil
		},
	}
	if r := judge.run(t.Context(), scenario{}); !errors.Is(r.err, broken) || calls != 2 {
		t.Errorf("error %v after %d calls, want %v after 2", r.err, calls, broken)
	}
}

func TestContestants(t *testing.T) {
	tests := []struct {
		name     string
		programs programs
		scenario scenario
		want     []string // labels; empty for nobody
		loops    []int
	}{
		{
			name: "both", programs: bothPrograms("PgBouncer 1.25.2"),
			want: []string{"pgweir", "pgbouncer"}, loops: []int{0, 0},
		},
		{
			name: "pgweir against itself", programs: bothPrograms("PgBouncer 1.25.2"),
			scenario: scenario{contest: loopsContest},
			want:     []string{"2 loops", "1 loop"}, loops: []int{2, 1},
		},
		{
			name: "measuring and not", programs: bothPrograms("PgBouncer 1.25.2"),
			scenario: scenario{contest: statsContest},
			want:     []string{"measuring", "not"}, loops: []int{0, 0},
		},
		{
			name: "noise", programs: bothPrograms("PgBouncer 1.25.2"),
			scenario: scenario{contest: noiseContest}, want: []string{"the same", "again"}, loops: []int{0, 0},
		},
		{
			name: "noise without pgbouncer", programs: programs{pgweir: &program{}},
			scenario: scenario{contest: noiseContest}, want: []string{"the same", "again"}, loops: []int{0, 0},
		},
		{
			name: "pgbouncer cannot be pgweir", programs: programs{pgbouncer: &program{}},
			scenario: scenario{contest: loopsContest}, want: []string{"", ""}, loops: []int{0, 0},
		},
		{
			name: "an old pgbouncer cannot carry prepared statements", programs: bothPrograms("PgBouncer 1.18.0"),
			scenario: scenario{needsPrepared: true}, want: []string{"pgweir", ""}, loops: []int{0, 0},
		},
		{
			name: "a newer one can", programs: bothPrograms("PgBouncer 1.21.0"),
			scenario: scenario{needsPrepared: true}, want: []string{"pgweir", "pgbouncer"}, loops: []int{0, 0},
		},
		{
			name: "no pgbouncer", programs: programs{pgweir: &program{}},
			want: []string{"pgweir", ""}, loops: []int{0, 0},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			subject, baseline := tt.programs.contestants(tt.scenario)
			for i, who := range []*contestant{subject, baseline} {
				if who == nil {
					who = &contestant{}
				}
				if who.label != tt.want[i] || who.loops != tt.loops[i] {
					t.Errorf("contestant %d is %q with %d loops, want %q with %d",
						i, who.label, who.loops, tt.want[i], tt.loops[i])
				}
			}
		})
	}
}
