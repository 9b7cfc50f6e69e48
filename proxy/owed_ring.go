package proxy

import (
	"github.com/pgweir/pgweir/wire"
)

// This file is the ring that holds the queue's entries.

// at is the i-th entry, counted from the oldest.
func (o *owed) at(i int) *entry {
	return &o.ring[(o.head+i)&(len(o.ring)-1)]
}

// first is the oldest entry; that of a Sync if there is none, which runs nothing.
func (o *owed) first() entry {
	if o.n == 0 {
		return oweSync
	}

	return *o.at(0)
}

// push appends an entry.
func (o *owed) push(e entry) {
	if o.n == len(o.ring) {
		o.grow()
	}
	*o.at(o.n) = e
	o.n++
	if e&tracked != 0 {
		o.marked++
	}
	if e.asks() {
		o.asks++
	}
}

// pop takes the oldest entry off.
func (o *owed) pop() {
	e := *o.at(0)
	if e&tracked != 0 {
		o.marked--
	}
	if e.asks() {
		o.asks--
	}
	o.head = (o.head + 1) & (len(o.ring) - 1)
	o.n--
}

// firstRing is how many entries a queue holds before it first grows.
const firstRing = 16

// grow doubles the ring.
func (o *owed) grow() {
	bigger := make([]entry, max(firstRing, 2*len(o.ring)))
	for i := range o.n {
		bigger[i] = *o.at(i)
	}
	o.ring, o.head = bigger, 0
}

// reset makes the queue that of a server which is outside a transaction and owes
// nothing. It keeps its memory unless a pipeline has made that large.
func (o *owed) reset() {
	ring := o.ring
	if len(ring) > 1<<10 {
		ring = nil
	}
	*o = owed{ring: ring, tx: wire.TxIdle}
}
