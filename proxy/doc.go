// Package proxy is the path of a client through pgweir: it accepts and logs in
// clients, keeps each as a [session], and links it to a server while it has a
// transaction.
//
// [Proxy] listens. A connection is a task from its first byte on: it logs in, with
// code that reads as if it blocked, and what takes a processor for long or must wait
// for PostgreSQL runs in a goroutine meanwhile. Then it is at rest: a session, without
// a task or buffers. When it sends something a task begins, with a link: it reads,
// acquires a server from the pool, relays until nothing is owed and the transaction is
// over, releases the server and goes back to rest.
//
// Ownership: a session, its link and the link's buffers belong to the session's
// loop. A server belongs to the link between checkout and release. Others ask for
// something by posting to the loop ([session.post]).
//
// Errors: an error that ends a session is turned into what the client is told in
// one place, clientError, and logged in one place, the end of the session.
package proxy
