package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// slowFile sets what is slow in each way there is.
const slowFile = `
[pgweir]
auth_type = "trust"
[stats]
slow_statement = "2s"
[databases.shop]
slow_statement = "100ms"
[databases."*"]
[users.report]
slow_statement = "1m"
[users.app]
`

// TestSlowStatement: the user's time goes before the database's, and that before the one
// of [stats].
func TestSlowStatement(t *testing.T) {
	t.Parallel()
	c, err := loadText(slowFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		database, user string
		want           time.Duration
	}{
		{"shop", "app", 100 * time.Millisecond},
		{"shop", "who is not in [users]", 100 * time.Millisecond},
		{"shop", "report", time.Minute},
		{"another", "report", time.Minute},
		{"another", "app", 2 * time.Second},
	} {
		if got := c.SlowStatement(tt.database, tt.user); got != tt.want {
			t.Errorf("%s in %s: %v, want %v", tt.user, tt.database, got, tt.want)
		}
	}
}

// loadText loads the text of a file.
func loadText(text string) (*Config, error) {
	l := newLoader()
	l.parse("x.toml", []byte(text))

	return l.finish()
}

// TestLists reads lists as a file, the environment and a flag write them.
func TestLists(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		raw    any
		want   []string
		prints []uint64
	}{
		{
			"a list",
			[]any{"0123456789abcdef", "fedcba9876543210"},
			[]string{"0123456789abcdef", "fedcba9876543210"},
			[]uint64{0x0123456789abcdef, 0xfedcba9876543210},
		},
		{"one string", " 0123456789ABCDEF ,", []string{"0123456789ABCDEF"}, []uint64{0x0123456789abcdef}},
		{"nothing", "", nil, nil},
		{"no list", []any{}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			texts, err := words().parse(tt.raw)
			if d := cmp.Diff(tt.want, texts); d != "" || err != nil {
				t.Errorf("words: %v\n%s", err, d)
			}
			prints, err := fingerprints().parse(tt.raw)
			if d := cmp.Diff(tt.prints, prints); d != "" || err != nil {
				t.Errorf("fingerprints: %v\n%s", err, d)
			}
		})
	}
	for _, raw := range []any{5, []any{5}, []any{"123"}, "0123456789abcdeg", []any{""}, true} {
		if got, err := fingerprints().parse(raw); err == nil {
			t.Errorf("fingerprints %v: %v, and no error", raw, got)
		}
	}
	if got, err := words().parse([]any{""}); err == nil {
		t.Errorf("a word that is empty: %v, and no error", got)
	}
}
