package meter

import (
	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// A Text is what is known of a text that clients send, and holds nothing of it. Like all
// that it points to it may be shared by loops. The zero value is a text of which nothing
// is known, as of an empty one: its executions are not booked.
type Text struct {
	shape  *shape              // of its first statement; nil: nothing is known
	values nplusone.Parameters // its literals
	hash   uint64              // of the same
	tags   *tags               // nil: it has none
	more   []Text              // the statements behind the first
}

// tags are what a text says of a statement, in comments mostly.
type tags struct {
	nplusone.Tags
	route   stats.RouteID
	ignored bool // it is kept out of the findings
}

// Read returns what is known of a text that was read with o, and of which facts are
// known. It costs some microseconds for the first statement with a fingerprint, and for
// texts with comments; of others it allocates only for those with several statements.
func (l *Loop) Read(text []byte, o sqltext.Options, facts *sqltext.Facts) Text {
	if l == nil || facts.Statements == 0 {
		return Text{}
	}
	t := l.statement(text, o, &facts.First)
	if facts.Statements == 1 {
		return t
	}
	var s sqltext.Scanner
	for s.Init(text, o); s.Next() && len(t.more) < maxStatements; {
		if st := s.Statement(); st.Start != facts.First.Start {
			t.more = append(t.more, l.statement(text, o, &st))
		}
	}

	return t
}

// Unread returns what stands for a text that is too long to be read: its executions are
// counted with those of all that is not tracked.
func (l *Loop) Unread() Text {
	if l == nil {
		return Text{}
	}

	return Text{shape: l.meter.unread}
}

// maxStatements is how many statements of a text are booked by themselves, besides the
// first; as what comes behind them nobody knows.
const maxStatements = 1000

// statement returns what is known of one statement of a text.
func (l *Loop) statement(text []byte, o sqltext.Options, st *sqltext.Statement) Text {
	t := Text{shape: l.shape(text, st, o), hash: st.Values}
	for _, at := range st.First {
		if at.End > 0 {
			t.values.Literal(text[at.Start:at.End])
		}
	}
	t.values.Others(st.Values)
	if probe := nplusone.IsProbe(text[st.Start:st.End]); probe || st.Commented() {
		t.tags = l.tags(text, st)
	}

	return t
}

// tags reads the comments of a statement; nil if there is nothing in them, and it is
// not ignored.
func (l *Loop) tags(text []byte, st *sqltext.Statement) *tags {
	itself := text[st.Start:st.End]
	t := tags{ignored: nplusone.Ignored(itself) || nplusone.IsProbe(itself)}
	for _, tag := range st.Tags(l.tagged[:0], text) {
		switch tag.Key {
		case "request_id":
			t.Request = tag.Value
		case "trace_id":
			if t.Request == "" {
				t.Request = tag.Value
			}
		case "route":
			t.Route = tag.Value
		case "controller":
			t.Controller = tag.Value
		case "action":
			t.Action = tag.Value
		case "framework":
			t.Framework = tag.Value
		case "db_driver":
			if t.Framework == "" {
				t.Framework = tag.Value
			}
		}
	}
	if t == (tags{}) {
		return nil
	}
	t.route = l.shard.Route([]byte(t.Where()))

	return &t
}
