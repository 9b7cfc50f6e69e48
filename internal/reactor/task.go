package reactor

import (
	"iter"
	"time"
)

// A Job is what a task does. Run is called on the task's coroutine and may wait;
// the task is over when it returns.
type Job interface {
	Run(t *Task)
}

// A Task is one job in progress on a loop. It suspends in Wait and nowhere
// else.
type Task struct {
	loop   *Loop
	resume func() (struct{}, bool)
	end    func()
	yield  func(struct{}) bool
	job    Job

	conns    [2]*Conn // those that it waits for
	timer    *Timer
	runnable bool // on the loop's list of tasks to resume
}

// Go runs job on a task of its own, at once, and returns when the job first
// waits or is over. It must not be called from a task.
func (l *Loop) Go(job Job) {
	t := l.takeTask()
	t.job = job
	l.tasks++
	t.resume()
}

// takeTask takes an idle task from the free list, or makes one.
func (l *Loop) takeTask() *Task {
	if n := len(l.idle); n > 0 {
		t := l.idle[n-1]
		l.idle = l.idle[:n-1]

		return t
	}
	t := &Task{loop: l}
	t.timer = l.NewTimer(t.Wake)
	t.resume, t.end = iter.Pull(t.live)

	return t
}

// keepTasks is how many idle tasks, each with its stack, a loop keeps for reuse.
const keepTasks = 128

// live is the coroutine's life: one job after another until the loop stops or
// has idle tasks enough.
func (t *Task) live(yield func(struct{}) bool) {
	t.yield = yield
	for {
		t.run()
		t.loop.tasks--
		if len(t.loop.idle) >= keepTasks || t.loop.stopped {
			t.loop.Drop(t.timer)

			return
		}
		t.loop.idle = append(t.loop.idle, t)
		if !yield(struct{}{}) {
			return
		}
	}
}

// run does one job. A panic ends the job, not the loop.
func (t *Task) run() {
	defer func() {
		t.timer.Stop()
		t.Leave(0)
		t.Leave(1)
		t.job = nil
		if v := recover(); v != nil {
			t.loop.panicked(v)
		}
	}()
	t.job.Run(t)
}

// Loop is the loop that runs t.
func (t *Task) Loop() *Loop {
	return t.loop
}

// Join makes c one of the two connections that t waits for, in place 0 or 1. The
// connection's handler hears nothing until [Task.Leave].
func (t *Task) Join(place int, c *Conn) {
	t.conns[place] = c
	c.task = t
	c.want = 0
}

// Leave puts the connection in that place, if any, to rest: its handler hears of
// events again.
func (t *Task) Leave(place int) {
	c := t.conns[place]
	if c == nil {
		return
	}
	t.conns[place] = nil
	if c.task == t {
		c.task = nil
		c.want = atRest
		c.setBulk(false)
		_ = t.loop.arm(c, atRest)
	}
}

// Wait suspends the task until something that its connections want has happened,
// the time of the loop's clock is deadline (0: no deadline), or somebody called
// Wake. Even if it need not wait everything else that is ready on the loop goes
// first. It may return early without a reason: the caller looks at what it waits
// for, every time.
func (t *Task) Wait(deadline time.Duration) {
	for _, c := range t.conns {
		if c == nil || c.closed {
			continue
		}
		if c.ready&c.want != 0 {
			t.Wake() // but let others go first
		}
		if c.want != 0 {
			c.setBulk(c.want&Bulk != 0)
			_ = t.loop.arm(c, c.want&^Bulk) // if it fails the deadline is what is left
		}
	}
	if deadline != 0 {
		t.loop.Reset(t.timer, deadline)
	}
	t.yield(struct{}{})
	if deadline != 0 {
		t.timer.Stop()
	}
}

// Wake makes the task's Wait return soon. It must be called on the task's loop.
func (t *Task) Wake() {
	if !t.runnable {
		t.runnable = true
		t.loop.runnable = append(t.loop.runnable, t)
	}
}
