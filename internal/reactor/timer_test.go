package reactor

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTimers sets, puts off, advances, stops and drops timers at random, and
// compares what fires with a plain list.
func TestTimers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := &Loop{}
		var fired []int
		timers := make([]*Timer, 30)
		due := make(map[int]time.Duration) // the model
		for i := range timers {
			timers[i] = l.NewTimer(func() { fired = append(fired, i) })
		}
		now := time.Duration(1)
		for range 2000 {
			i := rng.IntN(len(timers))
			switch rng.IntN(8) {
			case 0:
				timers[i].Stop()
				delete(due, i)
			case 1:
				l.Drop(timers[i])
				delete(due, i)
			case 2:
				now += time.Duration(rng.IntN(30))
				fired = nil
				l.fireTimers(now)
				compareFired(t, fired, due, now)
			default:
				due[i] = now + time.Duration(1+rng.IntN(100))
				l.Reset(timers[i], due[i])
			}
			checkHeap(t, l.timers)
		}
		now += time.Hour
		fired = nil
		l.fireTimers(now)
		compareFired(t, fired, due, now)
		if len(l.timers) != 0 {
			t.Errorf("%d timers left in the heap", len(l.timers))
		}
	}
}

// compareFired checks that those fired which the model says were due, and takes
// them out of it.
func compareFired(t *testing.T, fired []int, due map[int]time.Duration, now time.Duration) {
	t.Helper()
	var want []int
	for i, d := range due {
		if d <= now {
			want = append(want, i)
			delete(due, i)
		}
	}
	slices.Sort(fired)
	slices.Sort(want)
	if diff := cmp.Diff(want, fired); diff != "" {
		t.Fatalf("fired at %d (-want +got):\n%s", now, diff)
	}
}

// checkHeap checks the order of a heap, and that each timer knows its place.
func checkHeap(t *testing.T, h timerHeap) {
	t.Helper()
	for i, timer := range h {
		if timer.index != i {
			t.Fatalf("the timer at %d believes it is at %d", i, timer.index)
		}
		if h[(i-1)/2].key > timer.key {
			t.Fatalf("the timer at %d is filed before its parent", i)
		}
		if timer.due != 0 && timer.key > timer.due {
			t.Fatalf("the timer at %d is filed under a time later than its own", i)
		}
	}
}

func TestTimersFireInOrder(t *testing.T) {
	t.Parallel()
	l := &Loop{}
	var fired []string
	for _, at := range []time.Duration{5, 1, 4, 2, 3} {
		l.Reset(l.NewTimer(func() { fired = append(fired, strconv.Itoa(int(at))) }), at)
	}
	l.fireTimers(10)
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5"}, fired); diff != "" {
		t.Error(diff)
	}
}

func TestTimerFromItsOwnFunction(t *testing.T) {
	t.Parallel()
	l := &Loop{}
	var timer *Timer
	fired := 0
	timer = l.NewTimer(func() {
		fired++
		l.Reset(timer, time.Duration(10*(fired+1)))
	})
	l.Reset(timer, 10)
	for _, now := range []time.Duration{9, 10, 19, 20, 21, 30} {
		l.fireTimers(now)
		if want := int(now) / 10; fired != want {
			t.Errorf("at %d fired %d times, want %d", now, fired, want)
		}
	}
}

// TestTimerPutOff checks the promise that putting a timer off costs no work on the
// heap.
func TestTimerPutOff(t *testing.T) {
	t.Parallel()
	l := &Loop{}
	timer := l.NewTimer(func() { t.Error("fired") })
	l.Reset(timer, 10)
	for at := time.Duration(11); at < 1000; at++ {
		l.Reset(timer, at)
		if timer.key != 10 {
			t.Fatalf("filed under %d, want 10", timer.key)
		}
	}
	l.fireTimers(998)
	if timer.key != 999 {
		t.Errorf("filed under %d, want 999", timer.key)
	}
	timer.Stop()
	l.fireTimers(999)
	if len(l.timers) != 0 {
		t.Error("a stopped timer is still filed after its time")
	}
}

func TestSteppedClock(t *testing.T) {
	t.Parallel()
	clock := NewSteppedClock()
	l := startLoops(t, 1, Options{Clock: clock}).Loops()[0]
	fired := make(chan time.Duration, 1)
	start := clock.Now()
	do(l, func() {
		l.Reset(l.NewTimer(func() { fired <- l.Now() - start }), start+time.Hour)
	})
	clock.Step(time.Hour - 1)
	do(l, func() {})
	select {
	case <-fired:
		t.Fatal("fired early")
	default:
	}
	clock.Step(1)
	if at := <-fired; at != time.Hour {
		t.Errorf("fired at %v, want 1h", at)
	}
}

func TestAfterFunc(t *testing.T) {
	t.Parallel()
	clock := NewSteppedClock()
	l := startLoops(t, 1, Options{Clock: clock}).Loops()[0]
	fired := make(chan string, 2)
	stop := l.AfterFunc(time.Minute, func() { fired <- "stopped" })
	l.AfterFunc(time.Minute, func() { fired <- "kept" })
	stop()
	clock.Step(time.Minute)
	if got := <-fired; got != "kept" {
		t.Errorf("the %s function was called", got)
	}
	do(l, func() {
		if len(fired) != 0 || len(l.timers) != 0 {
			t.Errorf("%d more calls, %d timers left", len(fired), len(l.timers))
		}
	})
}

// TestLongRound checks that a timer is not late by the time that a round takes.
func TestLongRound(t *testing.T) {
	t.Parallel()
	clock := NewSteppedClock()
	l := stillLoop(t, Options{Clock: clock})
	l.Reset(l.NewTimer(func() {}), clock.Now()+30)
	clock.Step(20) // in the middle of a round
	l.deliver()
	if got := l.patience(); got != 10 {
		t.Errorf("the loop waits for %d, want 10", got)
	}
	clock.Step(20)
	l.deliver()
	if got := l.patience(); got != 0 {
		t.Errorf("the loop waits for %d after the timer's time, want 0", got)
	}
}

func TestSystemClock(t *testing.T) {
	t.Parallel()
	l := startLoops(t, 1, Options{}).Loops()[0]
	const pause = 20 * time.Millisecond
	fired := make(chan time.Duration)
	began := l.Clock().Now()
	l.AfterFunc(pause, func() { fired <- l.Clock().Now() })
	if took := <-fired - began; took < pause {
		t.Errorf("fired after %v, want %v", took, pause)
	}
}

func BenchmarkTimerReset(b *testing.B) {
	l := &Loop{}
	for i := range 1000 {
		l.Reset(l.NewTimer(func() {}), time.Duration(i+1))
	}
	timer := l.NewTimer(func() {})
	for i := 0; b.Loop(); i++ {
		l.Reset(timer, time.Duration(i+1))
	}
}

func BenchmarkTimerFire(b *testing.B) {
	l := &Loop{}
	now := time.Duration(0)
	for range 1000 {
		var timer *Timer
		timer = l.NewTimer(func() { l.Reset(timer, now+1000) })
		now++
		l.Reset(timer, now+1000)
	}
	for b.Loop() {
		now++
		l.fireTimers(now)
	}
}

// TestPollerWait checks that waits for nothing end, short and longer ones, those of a
// kernel that counts in milliseconds alone included; and that wake ends one that would
// not.
func TestPollerWait(t *testing.T) {
	t.Parallel()
	for name, coarse := range map[string]bool{"epoll_pwait2": false, "epoll_pwait": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := new(poller)
			if err := p.open(); err != nil {
				t.Fatal(err)
			}
			defer p.close()
			p.coarse = coarse
			for _, timeout := range []time.Duration{0, 200 * time.Microsecond, 2 * hold} {
				for began := time.Now(); time.Since(began) < timeout; { // it may return early
					if n := p.wait(timeout); n != 0 {
						t.Fatalf("%d events of nothing", n)
					}
				}
			}
			woken := make(chan int)
			go func() {
				for {
					if n := p.wait(-1); n != 0 {
						woken <- n

						return
					}
				}
			}()
			p.wake()
			if n := <-woken; n != 1 {
				t.Errorf("%d events of a wake", n)
			}
		})
	}
}
