package main

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// childAttributes gives a child its own process group, so that a Ctrl-C reaches us alone and we stop our children in
// order, and has the kernel kill it should we die without stopping it. The kernel ties that to the thread that started
// the child; Go ends a thread only when a goroutine locked to it returns, and nobody here starts a child from one.
func childAttributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// cpuTime returns the CPU time that a process has used since it started, user and system together, all its threads,
// including those that have ended, in nanoseconds.
//
// It reads the process's own CPU clock, the one clock_getcpuclockid(3) names. utime and stime of /proc/PID/stat are the
// same account rounded to clock ticks of 10 ms, too coarse for a window of seconds; /proc/PID/task/*/schedstat is as
// fine but forgets threads that have ended.
func cpuTime(pid int) (time.Duration, error) {
	// linux/posix-timers.h: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) = (~pid << 3) | 2.
	clock := int32(^pid<<3 | 2)
	var spent unix.Timespec
	if err := unix.ClockGettime(clock, &spent); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(spent.Nano()), nil
}

// kernelRelease names the running kernel, as uname -sr does.
func kernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}

// raiseFileLimit lifts the soft limit of open files to the hard one, for us and for the children we start (Go lifts it
// for itself, but gives children the old limit back unless it is set explicitly), and returns it.
func raiseFileLimit() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	limit.Cur = limit.Max
	return limit.Cur, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}
