// Package meter measures the statements that pass: it is between proxy, which sees
// messages, and the figures of stats and the detector of stats/nplusone, which are told
// of executions.
//
// A [Meter] is what a process measures with. Each event loop books with a [Loop] of its
// own, each client has a [Client], and each link of a client with a server a [Flow]: what
// has been asked there and is not answered yet.
//
// Texts are read once: what is known of one is a [Text], which proxy keeps with its memo
// and with prepared statements. Names and normalised texts are made once for each
// fingerprint, see shapes.go.
//
// Concurrency: the methods of a Meter may be called from any goroutine; a Loop and all
// that is made of it belong to its loop.
package meter
