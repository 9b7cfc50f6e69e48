//go:build !linux

package main

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// childAttributes gives a child its own process group.
func childAttributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true}
}

// cpuTime is not available here: other systems do not let one process read another's CPU clock this way.
func cpuTime(int) (time.Duration, error) {
	return 0, fmt.Errorf("CPU time of another process on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// kernelRelease names the operating system.
func kernelRelease() string { return runtime.GOOS }

// raiseFileLimit is not available here.
func raiseFileLimit() (uint64, error) { return 0, errors.ErrUnsupported }
