package main

import (
	"testing"
	"time"
)

func TestParseOptions(t *testing.T) {
	tests := []struct {
		name        string
		args        []string
		wantPartial bool
		wantErr     bool
	}{
		{name: "everything goes into the page"},
		{name: "a part does not", args: []string{"-run", "copy"}, wantPartial: true},
		{name: "nor does one contestant alone", args: []string{"-poolers", "pgweir"}, wantPartial: true},
		{name: "unless a page is named", args: []string{"-run", "copy", "-out", "x.md"}},
		{name: "a bad pattern", args: []string{"-run", "("}, wantErr: true},
		{name: "no rounds", args: []string{"-rounds", "0"}, wantErr: true},
		{name: "too short", args: []string{"-duration", "10ms"}, wantErr: true},
		{name: "an argument", args: []string{"copy"}, wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := parseOptions(tt.args)
			if (err != nil) != tt.wantErr {
				t.Fatalf("error %v, want one: %v", err, tt.wantErr)
			}
			if o.partial != tt.wantPartial {
				t.Errorf("partial is %v, want %v", o.partial, tt.wantPartial)
			}
		})
	}
}

func TestScenarios(t *testing.T) {
	names := make(map[string]bool)
	for _, s := range scenarios(time.Second, true) {
		if names[s.name] {
			t.Errorf("two scenarios are called %s", s.name)
		}
		names[s.name] = true
		if s.unit == "" || s.measure == nil || s.pool.poolSize == 0 {
			t.Errorf("%s is not complete", s.name)
		}
	}
	expected := []string{"simple-500", "extended-1", "prepared-64", "connect-1", "copy", "idle-memory", "fairness"}
	for _, name := range expected {
		if !names[name] {
			t.Errorf("no scenario %s", name)
		}
	}
	for _, s := range scenarios(time.Second, false) {
		if s.needsPrepared {
			t.Errorf("%s although prepared statements were not asked for", s.name)
		}
	}
}
