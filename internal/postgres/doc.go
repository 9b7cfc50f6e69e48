// Package postgres runs throwaway PostgreSQL clusters: one directory, one postmaster, gone when stopped.
//
// [Ensure] finds PostgreSQL's programs, or installs them where it may. [Start] makes a cluster and starts its server,
// which takes connections on the loopback interface and on a unix socket once Start has returned. The server can be
// stopped, killed, frozen and started again on the same port to see what its clients make of it. Durability is
// switched off: a cluster outlives any end of its own processes, but not a crash of the machine.
//
// Ownership: a [Cluster] owns its directory and its processes, and [Cluster.Stop] removes both. PostgreSQL never runs
// as root: started by root it runs as another user. It runs as a child of this process, in a process group of its own
// (Ctrl-C on a terminal does not reach it), and on Linux the kernel shuts it down if this process dies.
//
// Concurrency: the methods of a Cluster may be called by several goroutines; those that stop or start the server wait
// for each other. Each running server has one goroutine, which ends with it and which all stopping methods wait for.
//
// Errors: when a server does not start, the error carries the end of its log. [ErrNotFound] says what to install.
package postgres
