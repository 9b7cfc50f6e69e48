package meter

import (
	"time"

	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// An execution is one statement that has been answered.
type execution struct {
	shape   *shape
	portal  string
	sample  []byte
	counted stats.Execution
	traced  nplusone.Execution
}

// Complete tells of a CommandComplete, whose tag may end with a zero byte, or of an
// EmptyQueryResponse, which has none. now is when it came.
func (f *Flow) Complete(tag []byte, now time.Duration) {
	f.end(max(f.rows, rowsOf(tag)), "", now)
}

// Fail tells of an error in the answer to what was asked first; n things will not be
// answered any more, that among them unless it is a Query, which is over with the next
// ReadyForQuery. now is when the error came.
func (f *Flow) Fail(n int, code string, now time.Duration) {
	for range n - 1 {
		if f.asks.n > 0 && f.asks.first().describes { // what it is to describe has failed
			f.asks.pop()
			n--
		}
	}
	f.end(f.rows, code, now)
	if f.asks.n > 0 {
		f.asks.first().done = len(f.asks.first().text.more) + 1 // the rest of a Query is not done
	}
	f.Pop(n)
}

// Suspend tells of a PortalSuspended: it has more rows. All that is fetched of a portal
// is one execution. now is when it came.
func (f *Flow) Suspend(now time.Duration) {
	f.end(f.rows, "", now)
	if f.complete && len(f.paused) < maxPortals {
		f.last.traced.Sketcher = nil // it is for what comes next
		f.paused = append(f.paused, f.last)
		f.last.sample, f.complete = nil, false
	}
}

// Pop forgets the n things that were asked first: the server has answered them, or will
// not.
func (f *Flow) Pop(n int) {
	for range min(n, f.asks.n) {
		f.asks.pop()
	}
}

// More tells of what belongs to another statement than the one that is complete.
func (f *Flow) More() {
	if f.complete {
		f.last.traced.Pipelined = true
		f.settle(true)
	}
}

// Ready tells of a ReadyForQuery, behind all else of its answer. now is when it came.
func (f *Flow) Ready(inTransaction bool, now time.Duration) {
	f.settle(inTransaction)
	if f.asks.n > 0 || f.loop == nil {
		return
	}
	f.busy, f.client.answered = false, now
	if !inTransaction {
		f.dropPortals()
	}
}

// end ends the statement that is being answered. It is booked when it is known what
// comes behind it.
func (f *Flow) end(rows uint64, code string, now time.Duration) {
	if f.asks.n == 0 {
		return
	}
	f.More()
	a := f.asks.first()
	if f.asks.n == 1 { // what has come since is part of it: the data of a COPY, a Sync
		a.in, f.in = a.in+f.in, 0
	}
	if t := a.current(); t.shape != nil {
		f.fill(a, t, rows, code, now)
		f.complete = true
		f.resume()
	}
	a.done++
	a.wait, a.gap, a.in, a.pipelined = 0, -1, 0, true // of what is behind it in a Query
	f.since = now
	f.out, f.rows, f.looks = 0, 0, undecided
}

// fill makes the execution of a statement.
func (f *Flow) fill(a *ask, t *Text, rows uint64, code string, now time.Duration) {
	e := &f.last
	e.shape, e.portal = t.shape, a.portal.name
	e.sample = append(e.sample[:0], a.sample...)
	server := max(now-max(a.at, f.since), 0)
	e.counted = stats.Execution{
		Fingerprint: t.shape.fingerprint, Pool: f.client.pool, Ordinal: a.portal.ordinal,
		Rows: rows, BytesIn: a.in, BytesOut: f.out, Wait: a.wait, Server: server, Gap: a.gap, SQLState: code,
	}
	e.traced = nplusone.Execution{
		Statement: t.shape.statement, Client: &f.client.detected, Parameters: t.values,
		At: now, Exec: server, Gap: max(a.gap, 0), Rows: rows, Pipelined: a.pipelined, Failed: code != "",
	}
	if t.tags != nil {
		e.counted.Route = t.tags.route
		e.traced.Tags, e.traced.Ignored = &t.tags.Tags, t.tags.ignored
	}
	if f.sketched {
		e.traced.Sketcher, f.sketched = &f.sketcher, false
	}
}

// resume adds what was fetched of a portal before to the execution that is complete.
func (f *Flow) resume() {
	for i := range f.paused {
		before := &f.paused[i]
		if before.portal != f.last.portal {
			continue
		}
		c, t, b := &f.last.counted, &f.last.traced, &before.counted
		c.Rows, c.BytesIn, c.BytesOut = c.Rows+b.Rows, c.BytesIn+b.BytesIn, c.BytesOut+b.BytesOut
		c.Wait, c.Server, c.Gap = c.Wait+b.Wait, c.Server+b.Server, b.Gap
		t.Rows, t.Exec, t.Gap = c.Rows, c.Server, before.traced.Gap
		f.paused = append(f.paused[:i], f.paused[i+1:]...)

		return
	}
}

// settle books the statement that is complete, if there is one. inTransaction says
// whether a transaction is open behind it.
func (f *Flow) settle(inTransaction bool) {
	if f.complete {
		f.complete = false
		f.last.traced.InTransaction = inTransaction
		f.book(&f.last)
	}
}

// book books an execution.
func (f *Flow) book(e *execution) {
	l := f.loop
	booked := l.shard.Book(&e.counted)
	if booked.Describe {
		l.shard.Describe(e.shape.text)
	}
	if booked.Slow != nil {
		booked.Slow.Parameters = string(e.sample)
		l.meter.logSlow(booked.Slow)
		if f.observer != nil && e.shape.reads {
			f.observer.Slow(booked.Slow)
		}
	}
	if l.detector != nil {
		l.detector.Book(&e.traced)
	}
}

// rowsOf is the number at the end of a tag: how many rows were returned, changed or
// copied; 0 if there is none.
func rowsOf(tag []byte) (n uint64) {
	for _, c := range tag {
		switch {
		case c == ' ':
			n = 0
		case c-'0' <= 9:
			n = n*10 + uint64(c-'0')
		}
	}

	return n
}
