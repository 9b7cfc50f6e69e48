package reactor

import (
	"runtime"
	"sync"
)

// A Group is the loops of one process. Its methods may be called from any
// goroutine.
type Group struct {
	loops []*Loop
	wg    sync.WaitGroup
}

// fullLoad is the load from which on a loop gets no more clients while another
// has room. A loop works best when it is busy: it takes more events from the
// kernel at a time and need not be woken.
const fullLoad = 0.75

// StartGroup makes n loops and runs each in a goroutine of its own, which ends
// with [Group.Stop]. Loops that are busy let go of their processors rarely, so it
// sees to it that GOMAXPROCS leaves one to everybody else.
func StartGroup(n int, o Options) (*Group, error) {
	if runtime.GOMAXPROCS(0) <= n {
		runtime.GOMAXPROCS(n + 1)
	}
	g := new(Group)
	for range n {
		l, err := NewLoop(o)
		if err != nil {
			g.Stop()

			return nil, err
		}
		l.index = len(g.loops)
		g.loops = append(g.loops, l)
		g.wg.Go(l.Run)
	}

	return g, nil
}

// Loops returns the loops. The slice must not be changed.
func (g *Group) Loops() []*Loop {
	return g.loops
}

// Stop stops the loops and waits for them.
func (g *Group) Stop() {
	for _, l := range g.loops {
		l.Stop()
	}
	g.wg.Wait()
}

// Pick chooses the loop for a new client: the first one that has room, so that
// loops fill up one after another, else the least loaded.
func (g *Group) Pick() *Loop {
	best := g.loops[0]
	for _, l := range g.loops {
		load := l.Load()
		if load < fullLoad {
			return l
		}
		if load < best.Load() {
			best = l
		}
	}

	return best
}
