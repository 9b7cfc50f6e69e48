// Package nplusone finds statements that an application runs in a loop: one query for
// a list and one more for each of its rows (N+1), the same query with the same values
// again and again, writes row by row.
//
// It is a library without input or output. Each event loop has a [Detector] of its own
// and books each statement when it is complete; what loops share is in a [Group]. Time
// is given by the caller, as the duration since some start that all loops share.
//
//	group := nplusone.New(nplusone.Options{Loops: 2, Start: time.Now()})
//	detector := group.Detector()                 // one for each loop
//	statement := group.Statement(description)    // once for each fingerprint
//	detector.Book(&nplusone.Execution{Statement: statement, Client: client, ...})
//	group.Findings.WriteJSON(w)                  // whoever wants to know
//
// # Episodes
//
// An episode is what we believe to be one request. Where statements carry the id of a
// request, a trace or a job it is theirs, whichever connections and loops they come on.
// Such episodes are in a table of shards, each with a lock that is held while one
// statement is booked: an episode for each loop would cut a request that uses several
// connections into pieces, and miss just those loops that run in parallel. An application
// has its own part of a trace.
//
// Other traffic takes no lock. Its episodes belong to the client, and end with a pause, a
// change of route, a sign that the application has taken the connection out of its own
// pool, or a limit.
//
// # Evidence
//
// A proxy sees the values. Of a result with two or more rows a [Sketcher] keeps Bloom
// filters of the first 64 rows of up to 4 columns. If the parameters of a repeated
// statement are found there, the finding is proven: the loop went over those rows. Without
// that, a result of about as many rows immediately before the loop makes it likely; but
// if that result was sketched and the values are not in it, it is not. The count alone
// makes a finding suspected, and only where the bounds of the episode can be trusted: by
// a tag, or as all of it was in one transaction. On a busy connection without either,
// many requests look like a loop, and the count is reported as chatty, which is what it
// is, if it is 50 or more. Only a read that is repeated with the same values at once, with
// nothing in between, is suspected to be a duplicate there, too.
//
// A parent that runs again begins a new round: what its children have done until then
// is judged, and their counts start at 0. So requests that follow one another without
// a pause do not add up, while a loop does. A parent that is a child itself, in nested
// loops, begins no round.
//
// What the rules had to decide besides:
//
//   - A sketch holds 64 rows, so hits are compared with the number of rows sketched, if
//     that is less than the number of distinct values.
//   - The share of distinct values is measured over the first 128 executions, where the
//     bitmap is exact enough, and taken to be the same for the rest.
//   - Small integers are in each table's keys. Where a column has values below 10 000,
//     at least half of the sketched rows must have been asked for.
//   - A parameter that does not change between two executions is not what a loop goes
//     over, and is not looked for.
//   - A foreign key repeats. Its column counts as one that a loop can go over if its
//     values are not small and at least 5 of them differ; and if the values are proven to
//     come from there, repeated values do not make it less of an N+1.
//   - A read is a duplicate only if its episode has neither written nor changed a setting
//     since: SET search_path makes the same text another query.
//   - An episode keeps 16 statements, those used last. Counts would keep what is over
//     and drop a loop that has just begun.
//   - Duplicates are seen among the last four different executions of a statement. A read
//     that takes turns with five others is none; it is chatty.
//   - What reads its own results, the next page or the children of a node, is recursive.
//     For that the last row of a result is kept even if it is the only one, or comes behind
//     those that are sketched.
//   - A request is over after 5 s without a statement: so long takes what was found to
//     appear. Without an id it is at most half a second.
//   - Time of several connections that overlaps is counted once.
//
// # Bounds
//
// Everything is bounded: the bytes of all episodes together, 16 statements and 4 parents
// an episode, the findings and their counters. What is dropped for lack of room is judged
// first, and counted.
//
// Concurrency: a Detector, a Client and a Sketcher belong to one loop. A [Statement] and
// a Group may be used by all.
package nplusone
