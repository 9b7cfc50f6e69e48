// Command bench measures pgweir side by side with PgBouncer.
//
// It starts a throwaway PostgreSQL, builds pgweir, finds pgbouncer if there is one, drives the same load through each
// in turn, and reads from the kernel what the pooler itself spent: CPU time per transaction, memory per client. What
// the load generator and PostgreSQL spend is not counted, so the numbers hold on a busy or small machine too.
//
// A scenario is measured in rounds. Every round measures both contestants once, each in a freshly started process, and
// the order alternates from round to round, so that a machine that gets slower or faster favours neither. The ratio
// reported is the median of the rounds' own ratios, with its range.
//
// Everything that is started is stopped before the command returns, also on an error and on the first Ctrl-C. Every
// wait has a deadline: the measurement's own context, or a constant beside the wait.
//
// Run it from the root of the repository:
//
//	go run ./integration/bench -list
//	go run ./integration/bench -run 'simple-(16|64)' -rounds 3
//
// It needs Linux: CPU time and memory of another process come from a CPU clock and from /proc.
package main
