// Package pool keeps the connections to PostgreSQL, the servers, and hands them
// to tasks.
//
// A [Pool] holds the servers of one (database, user). It is a bounded puddle pool
// underneath, which owns construction, destruction and the size bound, with what
// an event-driven pooler needs around it: a FIFO of waiting tasks to which
// released servers are handed directly, idle servers kept by loop, bounded
// parallel opening with a back-off, a minimum, a reserve, and lifetimes. [Pools]
// is all of them, with the limits that span several.
//
// Ownership: between Acquire and Release or Destroy a [Server] belongs to one
// task, on that task's loop. Idle, it belongs to its pool and is registered with
// one loop, which watches it for its end.
//
// Concurrency: Acquire, Release and Destroy are called on the loop of the task or
// server. A pool's state is guarded by one mutex, held for a few instructions and
// never across a wait. Opening runs in goroutines.
//
// Errors: what a client may be told is an error of errors.go or the server's own
// [wire.Error], wrapped.
package pool
