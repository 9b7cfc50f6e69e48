package stats

import (
	"fmt"
	"testing"
)

// TestMemo checks that a text is read twice and then remembered, by how it is read, and
// that a flood of others does not displace it.
func TestMemo(t *testing.T) {
	t.Parallel()
	reads := map[string]int{}
	m := NewMemo(func(text []byte, how bool) string {
		s := fmt.Sprint(string(text), how)
		reads[s]++

		return s
	})
	hot := make([]string, 30) // so that hardly ever more fall into one set than it holds
	for i := range hot {
		hot[i] = fmt.Sprintf("SELECT %d", i)
	}
	for round := range 2000 {
		for _, s := range hot {
			buf := []byte(s)
			if got, want := m.Get(buf, round%2 == 0), fmt.Sprint(s, round%2 == 0); got != want {
				t.Fatalf("%q for %q", got, want)
			}
			clear(buf) // the memo must have its own
		}
		for k := range 100 { // of which each comes twice, half of them at once
			m.Get(fmt.Appendf(nil, "INSERT %d", round*50+k), false)
		}
	}
	for _, s := range hot {
		for _, how := range []bool{false, true} {
			if n := reads[fmt.Sprint(s, how)]; n > 10 {
				t.Errorf("%q was read %d times in 1000 rounds", s, n)
			}
		}
	}
	if m.Hits < 59_000 {
		t.Errorf("%d hits, %d misses", m.Hits, m.Misses)
	}
}

// TestMemoHitDoesNotAllocate looks up what is known.
func TestMemoHitDoesNotAllocate(t *testing.T) {
	m := NewMemo(func(text []byte, _ struct{}) int { return len(text) })
	text := []byte("SELECT 1")
	m.Get(text, struct{}{})
	m.Get(text, struct{}{})
	if n := testing.AllocsPerRun(100, func() { m.Get(text, struct{}{}) }); n != 0 || m.Hits != 101 {
		t.Errorf("%v allocations, %d hits", n, m.Hits)
	}
}

// TestMemoRests: where no text comes again few are looked for; once some do they are
// found soon.
func TestMemoRests(t *testing.T) {
	t.Parallel()
	m := NewMemo(func(text []byte, _ struct{}) int { return len(text) })
	looked := 0
	for i := range 100_000 {
		if m.rest == 0 {
			looked++
		}
		m.Get(fmt.Appendf(nil, "SELECT %d", i), struct{}{})
	}
	if looked > 10_000 {
		t.Errorf("%d of 100000 texts were looked for, none of which had come before", looked)
	}
	for range 20_000 {
		m.Get([]byte("SELECT 1"), struct{}{})
	}
	if m.Hits < 15_000 {
		t.Errorf("%d hits of 20000 with the same text", m.Hits)
	}
}
