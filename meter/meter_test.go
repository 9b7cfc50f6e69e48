package meter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// statement returns the figures of the only statement that is tracked.
func (r *rig) statement(t *testing.T) stats.Statement {
	t.Helper()
	all := r.Statements.Snapshot(t.Context()).Statements
	if len(all) != 1 {
		t.Fatalf("%d statements, want one: %+v", len(all), all)
	}

	return all[0]
}

// TestTimes checks how the time of statements is split, in a pipeline too, where each has
// its own.
func TestTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	text := r.read([]byte("SELECT 1"))
	ask := func(wait time.Duration) {
		r.flow.Query(&text, Timing{At: r.now, Arrived: r.now - wait, Wait: wait})
	}
	answer := func(took time.Duration) {
		r.now += took
		r.flow.Complete([]byte("SELECT 1"), r.now)
		r.flow.Pop(1)
		r.flow.Ready(false, r.now)
	}
	ask(3 * time.Millisecond)
	answer(10 * time.Millisecond)
	r.now += 40 * time.Millisecond // the application thinks
	ask(0)
	ask(0) // at once
	answer(20 * time.Millisecond)
	answer(30 * time.Millisecond)
	s := r.statement(t)
	if s.Wait != 3*time.Millisecond || s.Server() != 60*time.Millisecond || s.Gap != 40*time.Millisecond || s.Gaps != 1 {
		t.Errorf("waited %v, server %v, gap %v in %d; want 3, 60 and 40 ms in 1", s.Wait, s.Server(), s.Gap, s.Gaps)
	}
	if s.Min != 10*time.Millisecond || s.Max != 30*time.Millisecond {
		t.Errorf("took %v to %v, want 10 to 30 ms", s.Min, s.Max)
	}
}

// TestTags checks what is made of comments: routes have figures of their own, a request
// is one whoever sends its statements, and a comment keeps a statement out of findings.
func TestTags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, comment string
		want          int
	}{
		{"sqlcommenter", "/*route='%%2Fusers',traceparent='00-%032x-0000000000000001-01'*/", 1},
		{"marginalia", "/*controller:users,action:show,request_id:r%d*/", 1},
		{"ignored", "/*route='%%2Fusers',request_id='%d'*/ /* pgweir:n1 ignore */", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			var second Client
			r.loop.Connect(&second, 0, "shop", "app", "web")
			clients := []*Client{&r.client, &second}
			for request := range 3 {
				comment := fmt.Sprintf(test.comment, request)
				var rows [][]byte
				for i := range 12 {
					rows = append(rows, fmt.Appendf(nil, "\x00\x01\x00\x00\x00\x05%05d", 20_000+i))
				}
				r.query([]byte("SELECT id FROM users "+comment), oneNumber, rows...)
				for i := range 12 {
					r.flow.Begin(r.loop, clients[i%2], nil)
					r.query(fmt.Appendf(nil, "SELECT x FROM orders WHERE user_id = %d %s", 20_000+i, comment), oneNumber, number7)
				}
			}
			found := r.found()
			if len(found) != test.want {
				t.Fatalf("found %d loops, want %d: %+v", len(found), test.want, found)
			}
			if test.want == 0 {
				return
			}
			f := &found[0]
			if f.Confidence != nplusone.Proven || f.Count != 12 || f.Occurrences != 3 || f.Route == "" {
				t.Errorf("found %+v, want it proven 3 times, of 12, with its route", f)
			}
			for _, s := range r.Statements.Snapshot(t.Context()).Statements {
				if len(s.TopRoutes) != 1 || s.TopRoutes[0].Route != f.Route {
					t.Errorf("%s is called by %+v, want %q", s.Text.Normalised, s.TopRoutes, f.Route)
				}
			}
		})
	}
}

// TestProbes checks that a value is looked for as often as it must: by Rails, whose way to
// do it is told by an alias, which the normalised text has not.
func TestProbes(t *testing.T) {
	t.Parallel()
	for alias, want := range map[string]int{"one": 0, `"a"`: 1} {
		r := newRig(t, nil)
		for i := range 12 {
			r.query(fmt.Appendf(nil, "SELECT 1 AS %s FROM users WHERE id = %d /*request_id:r1*/", alias, 20_000+i), oneNumber, number7)
		}
		if found := r.found(); len(found) != want {
			t.Errorf("AS %s: found %+v, want %d", alias, found, want)
		}
	}
}

// TestRequests checks that what is between two pauses counts as a request.
func TestRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for range 2 {
		r.now += time.Second
		for i := range 4 {
			r.query(fmt.Appendf(nil, "SELECT x FROM t WHERE id = %d", i), oneNumber, number7)
		}
	}
	r.found()
	requests := r.Statements.Snapshot(t.Context()).Requests
	if len(requests) != 1 || requests[0].Requests != 2 || requests[0].Statements != 8 || requests[0].Database != "shop" {
		t.Errorf("requests %+v, want 2 of 4 statements each", requests)
	}
}

// TestSamples checks that values are told of slow statements only where it is allowed.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		r := newRig(t, nil)
		r.options.SlowParameters = allowed
		text := []byte("SELECT x FROM t WHERE id = 7 AND name = 'secret'")
		s := &Statement{Text: r.read([]byte("SELECT x FROM t WHERE id = $1 AND name = $2"))}
		bind := []byte("\x00s\x00\x00\x02\x00\x01\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x07\x00\x00\x00\x06secret\xff\xff\xff\xff\x00\x00")
		if r.flow.Samples() {
			r.flow.SampleText(text, sqltext.Options{})
		}
		known := r.read(text)
		r.flow.Query(&known, r.timing())
		r.answerSlowly()
		r.flow.Bind(nil, s, bind, 1)
		r.flow.Execute(nil, r.timing())
		r.answerSlowly()
		var got []string
		for _, slow := range r.Statements.Snapshot(t.Context()).Slow {
			got = append(got, slow.Parameters)
		}
		want := []string{"", ""}
		if allowed {
			want = []string{"7, 'secret'", "x'00000007', 'secret', NULL"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("allowed %v: samples (-want +got):\n%s", allowed, diff)
		}
	}
}

// answerSlowly answers what was asked after a while that is slow.
func (r *rig) answerSlowly() {
	r.now += 2 * time.Second
	r.flow.Complete(nil, r.now)
	r.flow.Pop(1)
	r.flow.Ready(false, r.now)
}

// TestLog checks that lines tell what a person needs to act, and no values.
func TestLog(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.InfoLevel)
	r := newRig(t, zap.New(core))
	const tags = " /*route='%2Fusers',request_id='1',framework='django'*/"
	var rows [][]byte
	for i := range 60 {
		rows = append(rows, fmt.Appendf(nil, "\x00\x01\x00\x00\x00\x05%05d", 30_000+i))
	}
	r.query([]byte("SELECT id FROM users"+tags), oneNumber, rows...)
	for i := range 60 {
		r.query(fmt.Appendf(nil, "SELECT x FROM orders WHERE user_id = %d%s", 30_000+i, tags), oneNumber, number7)
	}
	known := r.read([]byte("SELECT x FROM orders WHERE user_id = 30001" + tags))
	r.flow.Query(&known, r.timing())
	r.answerSlowly()
	r.found()
	for message, want := range map[string]map[string]any{
		"N+1: a statement for each row of a list": {
			"confidence": "proven", "statement": "SELECT x FROM orders WHERE user_id = $1", "parent": "SELECT id FROM users",
			"provenance": "orders.user_id <- users.id (60/60 values)", "route": "/users", "database": "shop",
			"user": "app", "application": "web", "count": uint64(61),
		},
		"slow statement": {
			"statement": "SELECT x FROM orders WHERE user_id = $1", "route": "/users", "reason": "threshold",
			"server": 2 * time.Second, "limit": 500 * time.Millisecond,
		},
		"request with many statements": {"statements": uint64(62), "distinct": uint64(2), "route": "/users"},
	} {
		lines := logs.FilterMessage(message).All()
		if len(lines) != 1 || lines[0].Level != zapcore.WarnLevel {
			t.Errorf("%q: %d lines, want one warning", message, len(lines))

			continue
		}
		got := lines[0].ContextMap()
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%q: %s is %v, want %v", message, key, got[key], value)
			}
		}
		if text := fmt.Sprint(got); strings.Contains(text, "3000") {
			t.Errorf("%q tells of values: %s", message, text)
		}
	}
}

// TestPausedPortal: a portal of which some rows were fetched is closed while another list
// comes in. The rows of that are still known.
func TestPausedPortal(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	row := func(i int) []byte { return fmt.Appendf(nil, "\x00\x01\x00\x00\x00\x05%05d", 40_000+i) }
	s := &Statement{Text: r.read([]byte("SELECT id FROM items"))}
	r.flow.Bind([]byte("p"), s, []byte("p\x00\x00\x00\x00\x00\x00\x00\x00"), 0)
	r.flow.Execute([]byte("p"), r.timing())
	r.answer(oneNumber, [][]byte{row(100), row(101)})
	r.flow.Suspend(r.now)
	r.flow.Pop(1)
	r.flow.Ready(true, r.now)
	list := r.read([]byte("SELECT id FROM users"))
	r.flow.Query(&list, r.timing())
	r.answer(oneNumber, [][]byte{row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)})
	r.flow.ClosePortal([]byte("p"))
	r.flow.Complete([]byte("SELECT 8"), r.now)
	r.flow.Pop(1)
	r.flow.Ready(true, r.now)
	for i := range 8 {
		r.query(fmt.Appendf(nil, "SELECT x FROM orders WHERE user_id = %d", 40_000+i), oneNumber, number7)
	}
	if found := r.found(); len(found) != 1 || found[0].Confidence != nplusone.Proven {
		t.Errorf("found %+v, want one loop, proven", found)
	}
}
