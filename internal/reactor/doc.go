// Package reactor runs event loops for network connections.
//
// A [Loop] is one goroutine around the system's readiness interface, level
// triggered. It owns connections ([Conn]), tasks ([Task]), timers ([Timer]) and
// buffers. Loops share nothing; other goroutines and loops speak to one with
// [Loop.Post], which never blocks.
//
// A [Task] is a coroutine on a loop: straight-line code that suspends in
// [Task.Wait] while its sockets are not ready, at the price of a few tens of
// nanoseconds and without entering the Go scheduler. A connection at rest has no
// task and no buffer, only a [Handler] that its loop tells when something
// arrives.
//
// Concurrency: unless a method says otherwise it may only be called on the loop
// that owns its receiver, that is from a handler, a posted function, a timer or
// a task of that loop. Nothing called there may block the thread: no channel, no
// sleep, no lock held across a Wait, no file or name lookup.
//
// Buffers come from [Loop.Borrow] and go back with [Loop.Return]; bytes read
// into one are the borrower's until then.
//
// Errors: reads and writes return [ErrWouldBlock], [io.EOF] or the system's
// errno. The package knows nothing of PostgreSQL and logs nothing.
package reactor
