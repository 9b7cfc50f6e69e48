package nplusone

import (
	"testing"
	"time"
)

// A typist books executions as pages have them: five statements of which one is a list,
// and a pause behind.
type typist struct {
	detector *Detector
	page     []Execution
	requests []*Tags // nil if there are no tags
	now      time.Duration
	n        int
}

// newTypist returns one that has booked enough for all that is made once to be there.
func newTypist(tagged bool) *typist {
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	t := &typist{detector: w.detector}
	for i := range 64 {
		if tagged {
			t.requests = append(t.requests, request(i))
		}
	}
	for i, text := range []string{
		"SELECT name FROM sessions WHERE id = $1", listUsers, ordersOf, settingsOf, addressOf,
	} {
		b, _ := ReadBind(bindBody([]any{1000 + i}), nil)
		rows := uint64(1)
		if text == listUsers {
			rows = 20
		}
		t.page = append(t.page, Execution{
			Statement: w.statement(text), Client: &c.client, Parameters: b.Parameters, Rows: rows, Exec: time.Millisecond,
		})
	}
	t.book(1000)

	return t
}

// book books n statements.
func (t *typist) book(n int) {
	for range n {
		x := &t.page[t.n%len(t.page)]
		x.Gap = time.Millisecond
		if t.n%len(t.page) == 0 {
			x.Gap = time.Second
		}
		if t.requests != nil {
			x.Tags = t.requests[t.n/len(t.page)%len(t.requests)]
		}
		t.now += x.Gap + x.Exec
		t.n++
		x.At = t.now
		t.detector.Book(x)
	}
}

func BenchmarkBook(b *testing.B) {
	for _, tagged := range []bool{false, true} {
		name := "untagged"
		if tagged {
			name = "tagged"
		}
		b.Run(name, func(b *testing.B) {
			t := newTypist(tagged)
			b.ReportAllocs()
			b.ResetTimer()
			t.book(b.N)
		})
	}
}

// BenchmarkLoop books what is in a loop: one sketch to look into.
func BenchmarkLoop(b *testing.B) {
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.nPlusOne(20)
	bind, _ := ReadBind(bindBody([]any{105}), nil)
	x := Execution{
		Statement: w.statement(ordersOf), Client: &c.client, Parameters: bind.Parameters, Rows: 1, At: c.now,
		Exec: time.Millisecond,
	}
	b.ReportAllocs()
	for b.Loop() {
		w.detector.Book(&x)
	}
}

func BenchmarkReadBind(b *testing.B) {
	body := bindBody([]any{105, "a name"})
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ReadBind(body, nil); !ok {
			b.Fatal("not well formed")
		}
	}
}

// BenchmarkRow takes in rows of four columns: two integers, a uuid and a text.
func BenchmarkRow(b *testing.B) {
	a := answer{
		names: []string{"id", "team_id", "uuid", "email"},
		oids:  []uint32{oidInt8, oidInt4, oidUUID, oidText},
		rows:  [][]string{{"123456", "77", someUUID, "somebody@example.org"}},
	}
	st := New(Options{}).Statement(Description{Kind: Read, Text: listUsers})
	for _, isBinary := range []bool{false, true} {
		name := "text"
		if isBinary {
			name = "binary"
		}
		b.Run(name, func(b *testing.B) {
			var s Sketcher
			s.Start(st, a.description(isBinary), nil)
			row := a.row(0, isBinary)
			if !s.on || s.sketch.n != 4 {
				b.Fatal("nothing is looked at")
			}
			b.ReportAllocs()
			for b.Loop() {
				s.sketch.rows, s.on = 0, true
				s.Row(row)
			}
		})
	}
	b.Run("not wanted", func(b *testing.B) {
		var s Sketcher
		row := a.row(0, true)
		for b.Loop() {
			s.Row(row)
		}
	})
}

// BenchmarkResult takes in a list of 20 rows of one key, from Start to End.
func BenchmarkResult(b *testing.B) {
	a := ids(upto(1000, 20)...)
	st := New(Options{}).Statement(Description{Kind: Read, Text: listUsers})
	var s Sketcher
	description, row := a.description(true), a.row(0, true)
	b.ReportAllocs()
	for b.Loop() {
		st.please()
		s.Start(st, description, nil)
		for range a.rows {
			s.Row(row)
		}
		s.End()
	}
}

func TestBookAllocs(t *testing.T) {
	for _, tagged := range []bool{false, true} {
		typist := newTypist(tagged)
		if n := testing.AllocsPerRun(10, func() { typist.book(1000) }); n != 0 {
			t.Errorf("tagged %v: %v allocations for 1000 statements, want 0", tagged, n)
		}
	}
}

func TestReadBindAllocs(t *testing.T) {
	body := bindBody([]any{105, "a name", someUUID})
	if n := testing.AllocsPerRun(100, func() { _, _ = ReadBind(body, nil) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
