package stats

import "time"

// Figures are what is kept of one statement of one pool. The zero value is empty. It
// is a plain value: whoever shares it guards it.
type Figures struct {
	Calls     uint64 // executions, good or bad
	Errors    uint64 // of those, that ended in an error, without the cancelled
	Cancelled uint64 // of those, that were cancelled, by the client or by a timeout
	Rows      uint64
	BytesIn   uint64
	BytesOut  uint64
	Gaps      uint64 // executions that followed another of their session

	Wait    time.Duration // for a server, in all
	MaxWait time.Duration
	Gap     time.Duration // the application's, in all
	Failed  time.Duration // PostgreSQL's, for what did not succeed
	Min     time.Duration // PostgreSQL's, of those that succeeded
	Max     time.Duration
	Latency Latency // the same; its sum is the time of those that succeeded

	Classes      [4]ClassCount // of Errors, by SQLSTATE class; the first four seen
	OtherClasses uint64        // of Errors, in none of those
	Custom       Planned       // executions 1 to 5 of a prepared statement on its server
	Later        Planned       // those after, for which PostgreSQL may use a generic plan
	Routes       [4]RouteCount // who calls it most; one more than is shown
	Last         SlowSample    // the last that was slow
}

// A ClassCount is how many errors had SQLSTATEs that begin alike.
type ClassCount struct {
	Class [2]byte
	Count uint64
}

// Planned is how long executions of a prepared statement took.
type Planned struct {
	Calls uint64
	Took  time.Duration
}

// A SlowSample is what a slow execution was like. The zero value says there was none.
// It holds no pointer, so that the garbage collector need not look into figures.
type SlowSample struct {
	At                int64         // UNIX nanoseconds
	Server, Wait, Gap time.Duration // the last negative: it was the first of its session
	Rows              uint64
	Route             RouteID
}

// customPlans is how many times PostgreSQL plans a prepared statement for its very
// parameters before it considers a generic plan.
const customPlans = 5

// Server is the time that PostgreSQL took, in all.
func (f *Figures) Server() time.Duration {
	return f.Latency.Sum + f.Failed
}

// Mean is the average time of those that succeeded, 0 if none did.
func (f *Figures) Mean() time.Duration {
	return mean(f.Latency.Sum, f.Latency.Count())
}

// mean is sum / n, or 0 if n is.
func mean(sum time.Duration, n uint64) time.Duration {
	if n == 0 {
		return 0
	}

	return sum / time.Duration(n)
}

// book counts one execution.
func (f *Figures) book(x *Execution) {
	f.Calls++
	f.Rows += x.Rows
	f.BytesIn += x.BytesIn
	f.BytesOut += x.BytesOut
	f.Wait += x.Wait
	f.MaxWait = max(f.MaxWait, x.Wait)
	if x.Gap >= 0 {
		f.Gaps++
		f.Gap += x.Gap
	}
	if x.Route != 0 {
		f.route(x.Route, 1)
	}
	if x.SQLState != "" {
		f.fail(x)

		return
	}
	took := max(x.Server, 0)
	if f.Min > took || f.Calls == f.Errors+f.Cancelled+1 { // or it is the first
		f.Min = took
	}
	f.Max = max(f.Max, took)
	f.Latency.observe(took)
	if x.Ordinal > 0 {
		f.plan(x.Ordinal, took)
	}
}

// fail counts an execution that did not succeed. How long it took is load, but says
// nothing about how long the statement takes.
func (f *Figures) fail(x *Execution) {
	f.Failed += max(x.Server, 0)
	if x.SQLState == queryCanceled {
		f.Cancelled++

		return
	}
	f.Errors++
	var class [2]byte
	copy(class[:], x.SQLState)
	f.class(class, 1)
}

// class counts n errors of a class.
func (f *Figures) class(class [2]byte, n uint64) {
	for i := range f.Classes {
		c := &f.Classes[i]
		if c.Count == 0 {
			c.Class = class
		}
		if c.Class == class {
			c.Count += n

			return
		}
	}
	f.OtherClasses += n
}

// route counts n calls of a route. The sketch is "space saving": who is not in it takes
// the place, and the count, of the least. A count is so too high by at most a fourth of
// all calls (half of them where figures were added up), never too low, and who makes
// more than that is in it.
func (f *Figures) route(route RouteID, n uint64) {
	for i := range f.Routes {
		if r := &f.Routes[i]; r.Route == route {
			r.Calls += n

			return
		}
	}
	least := &f.Routes[0]
	for i := range f.Routes {
		if r := &f.Routes[i]; r.Calls < least.Calls {
			least = r
		}
	}
	least.Route = route
	least.Calls += n
}

// plan counts an execution of a prepared statement.
func (f *Figures) plan(ordinal uint32, took time.Duration) {
	p := &f.Later
	if ordinal <= customPlans {
		p = &f.Custom
	}
	p.Calls++
	p.Took += took
}

// A step of a plan is told of when both sides have been seen often enough, the later
// one takes so many times longer, and by enough to matter.
const (
	stepCalls  = 20
	stepFactor = 2
	stepTook   = time.Millisecond
)

// PlanStep reports how many times longer the statement takes once PostgreSQL may use a
// generic plan for it, if that is worth telling: plan_cache_mode may help then. The
// two sides are no controlled experiment: it is a hint.
func (f *Figures) PlanStep() (factor float64, found bool) {
	if f.Custom.Calls < stepCalls || f.Later.Calls < stepCalls {
		return 0, false
	}
	custom, later := mean(f.Custom.Took, f.Custom.Calls), mean(f.Later.Took, f.Later.Calls)
	if later < stepFactor*custom || later-custom < stepTook {
		return 0, false
	}

	return float64(later) / float64(max(custom, 1)), true
}
