// Package stats keeps the figures of the traffic.
//
// Every loop books into a [Tally] of its own per pool, so that booking takes no
// lock and shares no cache line; readers add the tallies up. Its types may be read
// from any goroutine while one loop writes.
package stats
