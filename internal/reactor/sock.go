package reactor

import (
	"syscall"
	"unsafe"
)

// recv and send make the system call without telling the scheduler: on a
// non-blocking socket it returns at once, and a hand-off of the processor would
// cost more than the call.

// recv reads from a socket. n is 0 at the end of the stream.
func recv(fd int, p []byte) (n int, err syscall.Errno) {
	for {
		r, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM,
			uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			syscall.MSG_DONTWAIT, 0, 0)
		if e != syscall.EINTR {
			if e != 0 {
				return 0, e
			}

			return int(r), 0
		}
	}
}

// send writes to a socket without raising SIGPIPE.
func send(fd int, p []byte) (n int, err syscall.Errno) {
	for {
		r, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO,
			uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			sendFlags, 0, 0)
		if e != syscall.EINTR {
			if e != 0 {
				return 0, e
			}

			return int(r), 0
		}
	}
}

// pending reports whether a read would not block.
func pending(fd int) bool {
	var b [1]byte
	_, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM,
		uintptr(fd), uintptr(unsafe.Pointer(&b)), 1,
		syscall.MSG_DONTWAIT|syscall.MSG_PEEK, 0, 0)

	return e != syscall.EAGAIN
}
