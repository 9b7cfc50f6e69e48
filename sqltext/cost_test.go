package sqltext

import (
	"bytes"
	"strings"
	"testing"
)

// hundred is a statement of 108 bytes.
const hundred = "SELECT u.id, u.name FROM users u JOIN orders o ON o.user_id = u.id WHERE u.email = 'a@example.com' AND x > 5"

func TestAllocs(t *testing.T) {
	for _, text := range corpus() {
		b := []byte(text)
		n := testing.AllocsPerRun(10, func() {
			_ = Fingerprint(b, Options{})
			_ = Look(b, Options{Encoding: ShiftJIS, MergeNumbered: true})
		})
		if n != 0 {
			t.Errorf("%v allocations for %s", n, text)
		}
	}
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
