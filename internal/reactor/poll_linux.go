package reactor

import (
	"math"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendFlags of every write: never wait, never raise SIGPIPE.
const sendFlags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL

// maxEvents is how many events one call takes from the kernel. More waiting ones
// come with the next call.
const maxEvents = 256

// hold is how long a loop that waits keeps its processor, in the sense of Go's
// scheduler. A loop that lets go of it for every wait costs more than it gives: it must
// find another afterwards, and the scheduler's monitor, which takes a processor away
// from a goroutine that has run for 10 ms (forcePreemptNS in runtime/proc.go) as soon
// as it waits, then looks again every 20 µs. With events a fraction of a millisecond
// apart that doubled what a loop costs.
const hold = 5 * time.Millisecond

// poller asks epoll, level triggered, which sockets are ready. Its wake may be
// called from any goroutine, the rest only on its loop.
type poller struct {
	epfd    int
	wakefd  int           // an eventfd that interrupts wait
	coarse  bool          // the kernel has no epoll_pwait2
	timeout unix.Timespec // of the wait, for the kernel to read
	events  [maxEvents]unix.EpollEvent
}

// open makes the poller ready for use.
func (p *poller) open() error {
	var err error
	if p.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if p.wakefd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		_ = unix.Close(p.epfd)

		return err
	}

	return p.set(p.wakefd, 0, Readable)
}

// close gives the descriptors back.
func (p *poller) close() {
	_ = unix.Close(p.epfd)
	_ = unix.Close(p.wakefd)
}

// set changes what is reported for fd from old to armed, where none means that
// fd is not registered.
func (p *poller) set(fd int, old, armed Events) error {
	op := unix.EPOLL_CTL_MOD
	switch {
	case old == 0:
		op = unix.EPOLL_CTL_ADD
	case armed == 0:
		op = unix.EPOLL_CTL_DEL
	}
	ev := unix.EpollEvent{Events: toEpoll(armed), Fd: int32(fd)}

	return unix.EpollCtl(p.epfd, op, fd, &ev)
}

// wait returns how many events stand in p.events. It waits for timeout; 0: not at
// all, negative: until an event or wake.
func (p *poller) wait(timeout time.Duration) int {
	if timeout >= 0 && timeout <= hold {
		return p.waitFor(timeout, true)
	}
	if n := p.waitFor(hold, true); n > 0 {
		return n
	}
	if timeout > 0 {
		timeout -= hold
	}

	return p.waitFor(timeout, false)
}

// waitFor is one wait, to the nanosecond where the kernel can (Linux 5.11), else to
// the millisecond. It may return early, without events.
func (p *poller) waitFor(timeout time.Duration, holding bool) int {
	if timeout >= 0 && !p.coarse {
		p.timeout = unix.NsecToTimespec(int64(timeout))
		n, err := p.enter(holding, unix.SYS_EPOLL_PWAIT2, uintptr(unsafe.Pointer(&p.timeout)))
		if err != syscall.ENOSYS {
			return n
		}
		p.coarse = true
	}
	ms := -1
	if timeout >= 0 {
		ms = int(min((timeout+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
	}
	n, _ := p.enter(holding, syscall.SYS_EPOLL_PWAIT, uintptr(ms))

	return n
}

// enter makes the system call, holding the processor or not. An error is EINTR or
// ENOSYS.
//
//go:uintptrescapes
func (p *poller) enter(holding bool, trap, timeout uintptr) (int, syscall.Errno) {
	var n uintptr
	var err syscall.Errno
	if holding {
		n, _, err = syscall.RawSyscall6(trap, uintptr(p.epfd),
			uintptr(unsafe.Pointer(&p.events[0])), maxEvents, timeout, 0, 0)
	} else {
		n, _, err = syscall.Syscall6(trap, uintptr(p.epfd),
			uintptr(unsafe.Pointer(&p.events[0])), maxEvents, timeout, 0, 0)
	}
	if err != 0 {
		return 0, err
	}

	return int(n), 0
}

// event returns the i-th event of the last wait. wake's own is swallowed: ok is
// false.
func (p *poller) event(i int) (fd int, e Events, ok bool) {
	ev := &p.events[i]
	fd = int(ev.Fd)
	if fd == p.wakefd {
		var buf [8]byte
		_, _ = unix.Read(fd, buf[:])

		return 0, 0, false
	}

	return fd, fromEpoll(ev.Events), true
}

// wake makes the current or next wait return.
func (p *poller) wake() {
	one := [8]byte{1}
	_, _ = unix.Write(p.wakefd, one[:]) // full means that a wake is pending
}

// toEpoll translates to epoll's bits.
func toEpoll(e Events) uint32 {
	var bits uint32
	if e&Readable != 0 {
		bits |= unix.EPOLLIN
	}
	if e&Writable != 0 {
		bits |= unix.EPOLLOUT
	}
	if e&Hangup != 0 {
		bits |= unix.EPOLLRDHUP
	}

	return bits
}

// fromEpoll translates from epoll's bits. A broken connection is readable and
// writable too, so that whoever tries learns the error.
func fromEpoll(bits uint32) Events {
	var e Events
	if bits&unix.EPOLLIN != 0 {
		e |= Readable
	}
	if bits&unix.EPOLLOUT != 0 {
		e |= Writable
	}
	if bits&unix.EPOLLRDHUP != 0 {
		e |= Readable | Hangup
	}
	if bits&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		e |= Readable | Writable | Hangup
	}

	return e
}
