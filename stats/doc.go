// Package stats keeps the figures of the traffic.
//
// Every loop books into a [Tally] of its own per pool, so that booking takes no
// lock and shares no cache line; readers add the tallies up. A Tally may be read
// from any goroutine while one loop writes.
//
// Statements have figures of their own: each loop books into its [Shard], and readers
// of [Statements] ask the loops to hand over what they have booked. Whoever reads on
// has a [Report]. docs/adr/0006-statement-figures.md says why it is so. A loop does:
//
//	known := memo.Get(text, options)               // once for each text
//	booked := shard.Book(&stats.Execution{...})    // when it has been answered
//	if booked.Describe {
//		shard.Describe(stats.Text{...})        // about once for each statement
//	}
//	if booked.Slow != nil {                        // a log line
//	}
//
// Nothing here grows with the number of statements, names or texts that clients send.
package stats
