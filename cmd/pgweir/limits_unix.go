package main

import (
	"syscall"

	"go.uber.org/zap"
)

// raiseFileLimit allows as many descriptors as the system lets us have: every
// client and every server takes one.
func raiseFileLimit(log *zap.Logger) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("cannot read the file descriptor limit", zap.Error(err))

		return
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("cannot raise the file descriptor limit", zap.Error(err))
	}
}
