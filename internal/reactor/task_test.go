package reactor

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// waitReadable waits until c has something to read.
func waitReadable(t *Task, c *Conn) {
	for c.Want(Readable); !c.Ready(Readable); {
		t.Wait(0)
	}
}

// TestWaitDeadline checks that a Wait ends at its deadline and not before.
func TestWaitDeadline(t *testing.T) {
	t.Parallel()
	clock := NewSteppedClock()
	l := stillLoop(t, Options{Clock: clock})
	c, _ := pair(t)
	attach(t, l, c, quietly(t))
	deadline := clock.Now() + time.Minute
	over, waits := false, 0
	l.Go(jobFunc(func(task *Task) {
		task.Join(0, c)
		c.Want(Readable)
		for l.Now() < deadline {
			task.Wait(deadline)
			waits++
		}
		over = true
	}))
	wantSleep(t, l)
	clock.Step(time.Minute - 1)
	wantSleep(t, l)
	if over || waits > 0 {
		t.Errorf("over %v after %d waits, before the deadline", over, waits)
	}
	clock.Step(1)
	turnUntil(t, l, func() bool { return over })
	if waits != 1 {
		t.Errorf("%d waits, want 1", waits)
	}
	clock.Step(time.Hour)
	wantSleep(t, l)
}

// TestWaitDeadlineNotLeft checks that the deadline of one Wait does not end a later
// one.
func TestWaitDeadlineNotLeft(t *testing.T) {
	t.Parallel()
	clock := NewSteppedClock()
	l := stillLoop(t, Options{Clock: clock})
	waits := 0
	var task *Task
	for range 2 { // the second job on the same, used task
		l.Go(jobFunc(func(t *Task) {
			task = t
			t.Wait(clock.Now() + time.Minute) // ends by Wake
			waits++
			t.Wait(0)
			waits++
		}))
		task.Wake()
		turn(l)
		clock.Step(2 * time.Minute)
		wantSleep(t, l)
		if waits != 1 {
			t.Errorf("%d waits ended, want 1", waits)
		}
		task.Wake()
		turn(l)
		waits = 0
	}
	if l.tasks != 0 || len(l.idle) != 1 {
		t.Errorf("%d tasks in progress, %d idle", l.tasks, len(l.idle))
	}
}

// TestHangup checks that a task hears of its peer's end although it does not want
// to read what came before.
func TestHangup(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]func(l *Loop, peer *Conn){
		"nothing before": func(_ *Loop, peer *Conn) { peer.Close() },
		"data before": func(l *Loop, peer *Conn) {
			_, _ = peer.Write([]byte("hello"))
			turn(l)
			turn(l)
			peer.Close()
		},
		"data with it": func(_ *Loop, peer *Conn) {
			_, _ = peer.Write([]byte("hello"))
			peer.Close()
		},
		"half a hang-up": func(l *Loop, peer *Conn) {
			_, _ = peer.Write([]byte("hello"))
			turn(l)
			_ = unix.Shutdown(peer.fd, unix.SHUT_WR)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := stillLoop(t, Options{})
			c, peer := pair(t)
			attach(t, l, c, quietly(t))
			woken, over := 0, false
			l.Go(jobFunc(func(task *Task) {
				task.Join(0, c)
				for c.Want(Hangup); !c.Ready(Hangup); woken++ {
					task.Wait(0)
				}
				over = true
				c.Close()
			}))
			wantSleep(t, l)
			script(l, peer)
			turnUntil(t, l, func() bool { return over })
			if woken != 1 {
				t.Errorf("woken %d times, want 1", woken)
			}
		})
	}
}

// TestHandlerOrTask checks who hears of a connection: its task, and at rest its
// handler, data that the task has left unread included.
func TestHandlerOrTask(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	c, peer := pair(t)
	var heard []string
	attach(t, l, c, handlerFunc(func(c *Conn) {
		heard = append(heard, "handler")
		l.Go(jobFunc(func(task *Task) {
			task.Join(0, c)
			buf := make([]byte, 2)
			for range 2 {
				waitReadable(task, c)
				n, _ := c.Read(buf)
				heard = append(heard, string(buf[:n]))
			}
		}))
	}))
	_, _ = peer.Write([]byte("aabbccdd"))
	turnUntil(t, l, func() bool { return len(heard) == 6 })
	wantSleep(t, l)
	if got := strings.Join(heard, " "); got != "handler aa bb handler cc dd" {
		t.Errorf("heard %s", got)
	}
	if len(l.idle) != 1 {
		t.Errorf("%d tasks were made, want one, used twice", len(l.idle))
	}
}

// TestLeave checks that a connection that has left its task does not wake it.
func TestLeave(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	c, peer := pair(t)
	heard := 0
	attach(t, l, c, handlerFunc(func(c *Conn) { heard += drain(t, c) }))
	woken := 0
	var task *Task
	l.Go(jobFunc(func(t *Task) {
		task = t
		t.Join(1, c)
		c.Want(Readable)
		t.Leave(1)
		t.Leave(1) // does nothing
		t.Wait(0)
		woken++
	}))
	_, _ = peer.Write([]byte("x"))
	turnUntil(t, l, func() bool { return heard == 1 })
	if woken != 0 {
		t.Error("the task was woken")
	}
	task.Wake()
	turnUntil(t, l, func() bool { return l.tasks == 0 })
}

// TestWakeIsFair checks that a task which need not wait lets the others of the
// round go first.
func TestWakeIsFair(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	var order strings.Builder
	for _, name := range []string{"a", "b", "c"} {
		c, peer := pair(t)
		attach(t, l, c, quietly(t))
		_, _ = peer.Write([]byte("xxx"))
		l.Go(jobFunc(func(task *Task) {
			task.Join(0, c)
			buf := make([]byte, 1) // never drains: always ready
			for range 3 {
				waitReadable(task, c)
				_, _ = c.Read(buf)
				order.WriteString(name)
				task.Wait(0)
			}
			c.Close()
		}))
	}
	turnUntil(t, l, func() bool { return order.Len() == 9 })
	if got := order.String(); strings.Count(got[:3], "a") != 1 || strings.Count(got[3:6], "b") != 1 {
		t.Errorf("served %s, want each once a round", got)
	}
}

// TestPanics checks that a panic anywhere is survived and reported, and that it
// ends no more than what it happened in.
func TestPanics(t *testing.T) {
	t.Parallel()
	var r recorder
	clock := NewSteppedClock()
	l := stillLoop(t, Options{Clock: clock, Panicked: r.panicked})
	c, peer := pair(t)
	heard := 0
	attach(t, l, c, handlerFunc(func(c *Conn) {
		drain(t, c)
		if heard++; heard == 1 {
			panic("in a handler")
		}
	}))
	for name, provoke := range map[string]func(){
		"in a handler": func() { _, _ = peer.Write([]byte("x")) },
		"in a post":    func() { l.Post(func() { panic("in a post") }) },
		"in a timer": func() {
			l.Reset(l.NewTimer(func() { panic("in a timer") }), clock.Now()+1)
			clock.Step(1)
		},
		"in a task": func() { l.Go(jobFunc(func(*Task) { panic("in a task") })) },
		"in a task, later": func() {
			l.Go(jobFunc(func(task *Task) {
				task.Join(0, c)
				task.Wait(clock.Now() + 1)
				panic("in a task, later")
			}))
			clock.Step(1)
		},
	} {
		provoke()
		turn(l)
		turn(l)
		panics := r.take()
		if len(panics) != 1 || !strings.Contains(panics[0].Error(), "panic: "+name+"\n") {
			t.Errorf("%s: reported %v", name, panics)
			continue
		}
		if !strings.Contains(panics[0].Error(), "task_test.go") {
			t.Errorf("%s: the report has no stack", name)
		}
	}
	if c.task != nil || l.tasks != 0 {
		t.Errorf("not at rest: task %v, %d in progress", c.task, l.tasks)
	}
	heard = 1
	_, _ = peer.Write([]byte("x"))
	turn(l)
	turn(l)
	if heard != 2 {
		t.Error("the handler does not hear after the panics")
	}
}

func TestPanicIsPassedOn(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	defer func() {
		if v := recover(); v != "broken" {
			t.Errorf("recovered %v", v)
		}
	}()
	l.Go(jobFunc(func(*Task) { panic("broken") }))
	t.Error("the panic was swallowed")
}

// TestTaskReuse checks that idle tasks are kept for reuse, up to a limit.
func TestTaskReuse(t *testing.T) {
	t.Parallel()
	l := stillLoop(t, Options{})
	var tasks []*Task
	for range keepTasks + 10 {
		l.Go(jobFunc(func(task *Task) {
			tasks = append(tasks, task)
			task.Wait(0)
		}))
	}
	if l.tasks != len(tasks) {
		t.Errorf("%d tasks in progress, want %d", l.tasks, len(tasks))
	}
	for _, task := range tasks {
		task.Wake()
	}
	turn(l)
	if l.tasks != 0 || len(l.idle) != keepTasks {
		t.Errorf("%d in progress, %d idle; want 0, %d", l.tasks, len(l.idle), keepTasks)
	}
}
