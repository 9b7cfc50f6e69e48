// Package wire speaks the PostgreSQL frontend/backend protocol, version 3, from
// both sides: to clients as a server, to PostgreSQL as a client.
//
// The traffic of a session is handled as frames, raw bytes that are looked at and
// passed on. Messages are built and decoded only where the session starts
// ([ReadStartup], [Authenticate], [Login]) and where we speak for ourselves
// ([Error] and the Append functions).
//
// Concurrency: the package starts no goroutine and keeps no state of its own.
// What happens at the start of a connection is blocking code over an
// [io.ReadWriter]; it runs in an ordinary goroutine, and the caller's deadline on
// the connection covers the whole of it. A [Secret] and [Credentials] may be used
// by several goroutines; everything else belongs to one.
//
// Lifetime: what the package returns is the caller's, copied out of the buffers it
// was read into, unless the comment says "valid until". Append functions append to
// dst and return it, as append does.
//
// Errors: an [*Error] is meant for the peer, or came from it, and carries a
// SQLSTATE. [ErrSilent] says to close without a word, [ErrProtocol] that a server
// broke the protocol, [ErrCredentials] and [ErrAuthMethod] that we cannot log in to
// one. Anything else is the connection's own error. Nothing is logged, and no error
// contains a password.
package wire
