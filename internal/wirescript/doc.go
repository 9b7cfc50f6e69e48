// Package wirescript plays conversations of clients with PostgreSQL that are written
// down as scripts, and records what the clients receive. The language is described in
// README.md beside the scripts, integration/testdata/wire.
//
// [ReadDir] reads scripts, [Script.Play] plays one against a [Target], and a [Transcript]
// is what came of it: the lines of the script, with the messages that were received
// between them. The same script is played against PostgreSQL and through a proxy, and
// [Script.Judge] compares the transcripts. Where they may differ a file beside the
// script says how and why.
//
// Concurrency: a Script may be played by several goroutines at a time. One Play uses
// its Target from one goroutine.
package wirescript
