package sqltext

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// hundred is a statement of 108 bytes.
const hundred = "SELECT u.id, u.name FROM users u JOIN orders o ON o.user_id = u.id WHERE u.email = 'a@example.com' AND x > 5"

func TestAllocs(t *testing.T) {
	for _, text := range corpus() {
		b := []byte(text)
		n := testing.AllocsPerRun(10, func() {
			_ = Fingerprint(b, Options{})
			_ = Look(b, Options{Encoding: ShiftJIS})
		})
		if n != 0 {
			t.Errorf("%v allocations for %s", n, text)
		}
	}
}

// TestLinear: no text takes longer than its length says. Twenty times the text may take
// a hundred times as long, as the machine may have something else to do; its square
// would take four hundred times.
func TestLinear(t *testing.T) {
	const size = 50_000
	for _, unit := range []string{
		"1,", "(1),", "(", "[", "'x' ", "'x'\n", "+-", "-", "/*", "/*/", "*/", "$a", "$$ ", "a.", "::", "\"", ";", "U&'a' ",
		"in (1),", "values (1),", "array[", "case ", "-1,", "x as y,", "select set_config(", "--\n", "E'\\''", ", (1, 2", "; /* a */",
	} {
		text := []byte("SELECT a FROM t WHERE b IN (" + strings.Repeat(unit, 20*size/len(unit)))
		short := quickest(text[:size])
		if long := quickest(text); long > 100*short+10*time.Millisecond {
			t.Errorf("%q: %d bytes in %v, %d in %v", unit, size, short, len(text), long)
		}
	}
}

// quickest returns the shortest of some times that it takes to read a text.
func quickest(text []byte) time.Duration {
	best := time.Hour
	for range 3 {
		begin := time.Now()
		_ = Look(text, Options{})
		best = min(best, time.Since(begin))
	}

	return best
}

func TestHugeListIsShownShort(t *testing.T) {
	t.Parallel()
	text := []byte("SELECT a FROM t WHERE b IN (" + strings.Repeat("'a secret',", 100_000) + "1)")
	if got := Normalise(text, Options{}); got != "SELECT a FROM t WHERE b IN ($1)" {
		t.Errorf("%.100s", got)
	}
	text = []byte("SELECT " + strings.Repeat("a_column,", 100_000) + "b")
	if got := Normalise(text, Options{}); len(got) > MaxText+4 || !strings.HasSuffix(got, " ...") {
		t.Errorf("%d bytes, the last %q", len(got), got[len(got)-10:])
	}
}

func BenchmarkFingerprint(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"100B", hundred},
		{"pgbench", "SELECT abalance FROM pgbench_accounts WHERE aid = 123456;\x00"},
		{"IN-1MB", "SELECT a FROM t WHERE b IN (" + strings.Repeat("123456789, ", 1<<20/11) + "1)"},
	} {
		text := []byte(bench.text)
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_ = Fingerprint(text, Options{})
			}
		})
	}
}

func BenchmarkNormalise(b *testing.B) {
	text := bytes.Clone([]byte(hundred))
	for b.Loop() {
		_ = Normalise(text, Options{})
	}
}
