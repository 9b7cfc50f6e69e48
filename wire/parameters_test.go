package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParametersDifference(t *testing.T) {
	list := func(kv ...string) []Parameter {
		var ps []Parameter
		for i := 0; i < len(kv); i += 2 {
			ps = append(ps, Parameter{Name: kv[i], Value: kv[i+1]})
		}

		return ps
	}
	tests := []struct {
		name       string
		have, want []Parameter
		sql        string
	}{
		{"both none", nil, nil, ""},
		{"the same", list("a", "1", "b", "2"), list("b", "2", "a", "1"), ""},
		{"another value", list("a", "1"), list("a", "2"), `SELECT pg_catalog.set_config('a','2',false);`},
		{"one more", nil, list("search_path", "x, y"), `SELECT pg_catalog.set_config('search_path','x, y',false);`},
		{"one less", list("TimeZone", "UTC"), nil, `RESET "TimeZone";`},
		{"case of names", list("timezone", "UTC"), list("TimeZone", "UTC"), ""},
		{"quotes", list(`a"b`, ""), list("c", `it's`), `RESET "a""b";SELECT pg_catalog.set_config('c','it''s',false);`},
		{"backslashes", nil, list("c", `\'`), `SELECT pg_catalog.set_config('c', E'\\''',false);`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := NewParameters(tt.have).Difference(NewParameters(tt.want))
			if d := cmp.Diff(tt.sql, got); d != "" {
				t.Errorf("Difference (-want +got):\n%s", d)
			}
		})
	}
}

func TestParametersAreNotChanged(t *testing.T) {
	base := NewParameters([]Parameter{{"a", "1"}, {"c", "3"}})
	more := base.With("b", "2")
	other := base.With("a", "9")
	less := base.Without("a")

	want := Parameters{{"a", "1"}, {"c", "3"}}
	if d := cmp.Diff(want, base); d != "" {
		t.Errorf("base changed (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Parameters{{"a", "1"}, {"b", "2"}, {"c", "3"}}, more); d != "" {
		t.Errorf("With (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Parameters{{"c", "3"}}, less); d != "" {
		t.Errorf("Without (-want +got):\n%s", d)
	}
	if other.Equal(base) || !base.With("a", "1").Equal(base) {
		t.Error("Equal is wrong")
	}
}
