package meter

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// A rig is a meter of one loop, which is the test itself, and one client. Its clock moves
// when it is told to.
type rig struct {
	*Meter
	loop   *Loop
	flow   Flow
	client Client
	now    time.Duration
}

// newRig returns a meter that has measured nothing.
func newRig(tb testing.TB, log *zap.Logger) *rig {
	tb.Helper()
	r := &rig{now: time.Hour}
	r.Meter = New(Options{
		Posts: []func(func()){func(f func()) { f() }}, Now: func() time.Duration { return r.now }, Log: log,
		Stats: stats.Options{Now: func() time.Time { return time.Unix(1_700_000_000, 0).Add(r.now) }},
	})
	r.loop = r.Loop(0)
	r.loop.Connect(&r.client, r.Statements.Pool("shop", "app", 0), "shop", "app", "web")
	r.flow.Begin(r.loop, &r.client, nil)

	return r
}

// read reads a text.
func (r *rig) read(text []byte) Text {
	facts := sqltext.Look(text, sqltext.Options{})

	return r.loop.Read(text, sqltext.Options{}, &facts)
}

// timing is that of what is asked now.
func (r *rig) timing() Timing {
	return Timing{At: r.now, Arrived: r.now}
}

// query asks with a simple query, whose answer takes a millisecond and has those rows.
func (r *rig) query(text, description []byte, rows ...[]byte) {
	t := r.read(text)
	r.flow.Query(&t, r.timing())
	r.answer(description, rows)
	r.flow.Complete([]byte("SELECT 1"), r.now)
	r.flow.Pop(1)
	r.flow.Ready(false, r.now)
}

// answer is the rows of an answer.
func (r *rig) answer(description []byte, rows [][]byte) {
	r.now += time.Millisecond
	if description != nil {
		r.flow.Described(description)
	}
	for _, row := range rows {
		r.flow.Row(len(row)+5, row)
	}
}

// found is what was found until now.
func (r *rig) found() []nplusone.Finding {
	r.loop.Disconnect(&r.client)
	r.group.Close()

	return r.Findings.List()
}
