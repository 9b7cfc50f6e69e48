package reactor

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPostOrder posts from many goroutines at once. All must run, those of one
// goroutine in its order.
func TestPostOrder(t *testing.T) {
	t.Parallel()
	l := startLoops(t, 1, Options{}).Loops()[0]
	const senders, posts = 8, 2000
	var last [senders]int // touched on the loop only
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range posts {
				l.Post(func() {
					if last[s] != i {
						t.Errorf("sender %d: post %d came as number %d", s, i, last[s])
					}
					last[s] = i + 1
				})
				if i%100 == 0 {
					runtime.Gosched() // let the loop fall asleep now and then
				}
			}
		})
	}
	wg.Wait()
	do(l, func() {
		for s, n := range last {
			if n != posts {
				t.Errorf("sender %d: %d posts ran, want %d", s, n, posts)
			}
		}
	})
}

// TestPostWakes posts one function at a time to a loop that sleeps: none may be
// forgotten.
func TestPostWakes(t *testing.T) {
	t.Parallel()
	g := startLoops(t, 2, Options{})
	a, b := g.Loops()[0], g.Loops()[1]
	done := make(chan struct{})
	var ping func(n int)
	ping = func(n int) {
		if n == 0 {
			close(done)

			return
		}
		a.Post(func() { b.Post(func() { ping(n - 1) }) })
	}
	ping(3000)
	select {
	case <-done:
	case <-time.After(testPatience):
		t.Fatal("a wake-up was lost")
	}
}

// TestPostFromPost checks that a function posted by a posted function runs in the
// next round, so that the two cannot keep the loop from everything else.
func TestPostFromPost(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	ran := 0
	var again func()
	again = func() {
		ran++
		l.Post(again)
	}
	again()
	for i := range 5 {
		if ran != i+1 {
			t.Fatalf("ran %d times after %d rounds", ran, i)
		}
		l.turn()
	}
}

// TestPostAfterStop checks that posting to a loop that has stopped, or is about to,
// does nothing bad: the descriptor that wakes it may be somebody else's by then.
func TestPostAfterStop(t *testing.T) {
	t.Parallel()
	g, err := StartGroup(1, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := g.Loops()[0]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				l.Post(func() {})
			}
		})
	}
	g.Stop()
	wg.Wait()
	l.Post(func() { t.Error("ran after Run had returned") })
	if len(l.inbox) != 0 && !l.done {
		t.Error("the inbox still takes posts")
	}
}

// TestStopLeavesNothing checks that goroutines, those of idle tasks included, and
// descriptors are gone after a stop.
func TestStopLeavesNothing(t *testing.T) {
	goroutines, descriptors := runtime.NumGoroutine(), countDescriptors(t)
	g, err := StartGroup(3, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ran atomic.Int64
	for _, l := range g.Loops() {
		do(l, func() {
			for range 50 {
				l.Go(jobFunc(func(task *Task) {
					task.Wait(l.Now() + time.Millisecond)
					ran.Add(1)
				}))
			}
		})
	}
	for start := time.Now(); ran.Load() < 150 && time.Since(start) < testPatience; {
		runtime.Gosched()
	}
	g.Stop()
	for start := time.Now(); runtime.NumGoroutine() > goroutines && time.Since(start) < testPatience; {
		runtime.Gosched() // other tests' goroutines end too
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := countDescriptors(t); n != descriptors {
		t.Errorf("%d descriptors, %d before", n, descriptors)
	}
}

// countDescriptors counts the open descriptors of this process.
func countDescriptors(t *testing.T) int {
	t.Helper()
	n := 0
	for fd := range 1024 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			n++
		}
	}

	return n
}

func TestBuffers(t *testing.T) {
	t.Parallel()
	l := &Loop{}
	for _, size := range []int{SmallBuffer, LargeBuffer} {
		b := l.Borrow(size)
		if len(b) != size {
			t.Errorf("borrowed %d bytes, want %d", len(b), size)
		}
		b[0] = 42
		l.Return(b[:10])
		if again := l.Borrow(size); len(again) != size || again[0] != 42 {
			t.Errorf("a returned buffer of %d is not lent again, whole", size)
		}
	}
	l.Return(nil)
	l.Return(make([]byte, 100)) // none of ours
	for range 200 {
		l.Return(make([]byte, SmallBuffer))
		l.Return(make([]byte, LargeBuffer))
	}
	if small, large := len(l.buffers.small), len(l.buffers.large); small != keepSmall || large != keepLarge {
		t.Errorf("%d small and %d large buffers kept, want %d, %d", small, large, keepSmall, keepLarge)
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	g := startLoops(t, 3, Options{})
	for _, test := range []struct {
		loads [3]uint64 // thousandths
		want  int
	}{
		{[3]uint64{0, 0, 0}, 0},
		{[3]uint64{740, 0, 0}, 0},
		{[3]uint64{750, 700, 0}, 1},
		{[3]uint64{900, 800, 0}, 2},
		{[3]uint64{900, 800, 1000}, 1},
		{[3]uint64{800, 800, 800}, 0},
	} {
		pick := &Group{}
		for _, load := range test.loads {
			l := &Loop{index: len(pick.loops)}
			l.load.share.Store(load)
			pick.loops = append(pick.loops, l)
		}
		if got := pick.Pick().Index(); got != test.want {
			t.Errorf("loads %v: picked loop %d, want %d", test.loads, got, test.want)
		}
	}
	for i, l := range g.Loops() {
		if l.Index() != i {
			t.Errorf("loop %d believes it is %d", i, l.Index())
		}
	}
}

// TestLoad checks the measurement of a loop's load with times that are made up.
func TestLoad(t *testing.T) {
	t.Parallel()
	l := &Loop{}
	l.load.begin(0)
	for now := time.Duration(0); now < time.Second; now += 10 * time.Millisecond {
		l.load.pause(now + 3*time.Millisecond)
		l.load.resume(now + 10*time.Millisecond)
	}
	if got := l.Load(); got != 0.3 {
		t.Errorf("load %v, want 0.3", got)
	}
	if got := l.Busy(); got != 300*time.Millisecond {
		t.Errorf("busy for %v, want 300ms", got)
	}
}
