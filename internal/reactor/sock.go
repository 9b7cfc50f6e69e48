package reactor

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// All of these make the system call without telling the scheduler: on a non-blocking
// socket it returns at once, and a hand-off of the processor would cost more than the
// call.

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

// accept takes the next connection of a listening socket, non-blocking, and the address
// of its peer, which is zero for a unix socket.
func accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	var sa unix.RawSockaddrAny
	size := uint32(unix.SizeofSockaddrAny)
	r, _, e := syscall.RawSyscall6(syscall.SYS_ACCEPT4,
		uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if e != 0 {
		return -1, netip.AddrPort{}, e
	}

	return int(r), peerAddr(&sa), 0
}

// peerAddr translates the address of a peer.
func peerAddr(sa *unix.RawSockaddrAny) netip.AddrPort {
	switch sa.Addr.Family {
	case unix.AF_INET:
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))

		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), networkOrder(&a.Port))
	case unix.AF_INET6:
		a := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))

		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), networkOrder(&a.Port))
	}

	return netip.AddrPort{}
}

// networkOrder reads a port as it stands in an address.
func networkOrder(port *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(port))[:])
}

// closeSocket closes a socket. The descriptor is gone whatever the system says.
func closeSocket(fd int) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
}
