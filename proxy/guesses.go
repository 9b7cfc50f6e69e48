package proxy

import (
	"net/netip"
	"sync"
	"time"
)

// Cancel requests carry no password: whoever hits on a key cancels a stranger's
// statement. So an address may try few that nobody has. There are honest ones, of
// clients that have left meanwhile, or when several pgweirs share an address.
const (
	// guessPeriod is how long what an address has tried is remembered.
	guessPeriod = 10 * time.Second
	// guessLimit is how many it may try in that time.
	guessLimit = 100
	// guessSources is how many addresses are told apart in that time. All others are
	// counted as one.
	guessSources = 1000
)

// guesses counts unknown cancel keys by where they come from. The zero value has none.
// It may be used concurrently.
type guesses struct {
	mu      sync.Mutex // guards the following, and is held for a few instructions
	until   time.Duration
	sources map[netip.Prefix]int
	told    bool // that there were too many, once a period
}

// allows reports whether a request from that address is looked at. One by a unix socket
// always is: it has no address, and comes from this machine.
func (g *guesses) allows(from netip.Addr, now time.Duration) bool {
	if !from.IsValid() {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()

	return now >= g.until || g.sources[g.source(from)] < guessLimit
}

// wrong counts a key that nobody has. It reports whether somebody should be told: the
// first time in a period that there are too many.
func (g *guesses) wrong(from netip.Addr, now time.Duration) bool {
	if !from.IsValid() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if now >= g.until {
		g.until = now + guessPeriod
		g.sources, g.told = make(map[netip.Prefix]int), false
	}
	source := g.source(from)
	g.sources[source]++
	tell := g.sources[source] == guessLimit && !g.told
	g.told = g.told || tell

	return tell
}

// source is what counts as one: an IPv4 address, the /64 that an IPv6 address is from,
// as that is what one machine is given, or, if there are too many already, the zero
// value for all others. mu is held.
func (g *guesses) source(from netip.Addr) netip.Prefix {
	bits := 64
	from = from.Unmap().WithZone("")
	if from.Is4() {
		bits = 32
	}
	source, _ := from.Prefix(bits) // never fails: the address has as many
	if _, known := g.sources[source]; !known && len(g.sources) >= guessSources {
		return netip.Prefix{}
	}

	return source
}
