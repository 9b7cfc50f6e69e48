package proxy

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/pgweir/pgweir/wire"
)

// tries has an address try n keys, and returns how many of them were looked at and how
// often somebody was told.
func (g *guesses) tries(from string, n int) (seen, told int) {
	addr, _ := netip.ParseAddr(from)
	for range n {
		if g.allows(addr, 1) {
			seen++
			if g.wrong(addr, 1) {
				told++
			}
		}
	}

	return seen, told
}

func TestGuesses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first, second string
		want          int // of the second's keys that are looked at once the first has used up its own
	}{
		"the same":                  {"192.0.2.1", "192.0.2.1", 0},
		"another":                   {"192.0.2.1", "192.0.2.2", guessLimit},
		"the same, written as IPv6": {"192.0.2.1", "::ffff:192.0.2.1", 0},
		"the same network of IPv6":  {"2001:db8::1", "2001:db8::2", 0},
		"the same link":             {"fe80::1%eth0", "fe80::1%eth1", 0},
		"another network of IPv6":   {"2001:db8::1", "2001:db8:0:1::1", guessLimit},
		"a unix socket":             {"", "", 2 * guessLimit},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var g guesses
			g.tries(test.first, 2*guessLimit)
			if seen, _ := g.tries(test.second, 2*guessLimit); seen != test.want {
				t.Errorf("%d of its keys were looked at, want %d", seen, test.want)
			}
		})
	}
}

// TestGuessesAreBounded: addresses beyond those that are told apart share one allowance.
func TestGuessesAreBounded(t *testing.T) {
	t.Parallel()
	var g guesses
	for i := range guessSources {
		g.tries(fmt.Sprintf("10.0.%d.%d", i/250, i%250), 1)
	}
	seen := 0
	for i := range 2 * guessLimit {
		n, _ := g.tries(fmt.Sprintf("10.1.%d.%d", i/250, i%250), 1)
		seen += n
	}
	if seen != guessLimit || len(g.sources) > guessSources+1 {
		t.Errorf("%d keys of others were looked at, want %d; there are %d entries", seen, guessLimit, len(g.sources))
	}
	if n, _ := g.tries("10.0.0.0", 1); n != 1 {
		t.Error("one that was there before must suffer for the others")
	}
}

// TestGuessesAreForgotten: the period over, an address may try again, and somebody is told
// again.
func TestGuessesAreForgotten(t *testing.T) {
	t.Parallel()
	var g guesses
	if _, told := g.tries("192.0.2.1", 2*guessLimit); told != 1 {
		t.Errorf("told %d times", told)
	}
	if _, told := g.tries("192.0.2.2", 2*guessLimit); told != 0 {
		t.Errorf("told %d times of another in the same period", told)
	}
	addr := netip.MustParseAddr("192.0.2.1")
	if g.allows(addr, guessPeriod) || !g.allows(addr, 1+guessPeriod) {
		t.Error("it is not the period that decides")
	}
	for n := range guessLimit {
		if told := g.wrong(addr, 1+guessPeriod); told != (n == guessLimit-1) {
			t.Errorf("after %d keys: told is %v", n+1, told)
		}
	}
}

// TestCancelKeysAreGuessed: an address that tries too many keys is not heard for a while,
// also if it has the right one then. There is one line in the log.
func TestCancelKeysAreGuessed(t *testing.T) {
	f, r, c, s := paired(t, nil)
	running(c, s)
	key := *c.welcome
	key.Secret = []byte("\x00\x00\x00\x00")
	wrong := &client{welcome: &key}
	for range guessLimit + 20 {
		r.cancel(wrong).wantEnd()
	}
	r.cancel(c).wantEnd()
	if st := r.proxy.Stat(); st.Cancels != guessLimit+21 || st.BadCancels != guessLimit || st.Unheard != 21 {
		t.Errorf("%d requests, %d with unknown keys, %d ignored", st.Cancels, st.BadCancels, st.Unheard)
	}
	if n := r.logs.FilterMessage("too many cancel requests with unknown keys").Len(); n != 1 {
		t.Errorf("%d lines in the log, want 1", n)
	}
	if n := len(f.cancels); n != 0 {
		t.Fatalf("%d requests reached PostgreSQL", n)
	}
	r.step(guessPeriod)
	r.cancel(c)
	f.canceled(s).confirm()
	s.send(canceledError())
	c.wantError("ERROR", wire.CodeQueryCanceled, "canceling statement")
	c.want("Z")
}
