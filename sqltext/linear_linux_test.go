package sqltext

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// TestLinear: no text takes longer than its length says. Twenty times the text may take
// a hundred times as much of the processor, as others use its caches; its square
// would take four hundred times.
func TestLinear(t *testing.T) {
	const size = 50_000
	for _, unit := range []string{
		"1,", "(1),", "(", "[", "'x' ", "'x'\n", "+-", "-", "/*", "/*/", "*/", "$a", "$$ ", "a.", "::", "\"", ";", "U&'a' ",
		"in (1),", "values (1),", "array[", "case ", "-1,", "x as y,", "select set_config(", "--\n", "E'\\''", ", (1, 2", "; /* a */",
	} {
		text := []byte("SELECT a FROM t WHERE b IN (" + strings.Repeat(unit, 20*size/len(unit)))
		short := quickest(text[:size])
		if long := quickest(text); long > 100*short+10*time.Millisecond {
			t.Errorf("%q: %d bytes in %v, %d in %v", unit, size, short, len(text), long)
		}
	}
}

// quickest returns the least of some processor times that it takes to read a text.
func quickest(text []byte) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := time.Hour
	for range 3 {
		begin := threadTime()
		_ = Look(text, Options{})
		best = min(best, threadTime()-begin)
	}

	return best
}

// threadTime is the processor time that this thread has used.
func threadTime() time.Duration {
	const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID in include/uapi/linux/time.h
	var ts syscall.Timespec
	_, _, _ = syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&ts)), 0)

	return time.Duration(ts.Nano())
}
