package nplusone

import (
	"fmt"
	"testing"
)

// sketchOf makes a sketch of a result.
func sketchOf(t *testing.T, a answer, isBinary bool, formats []byte) (*Statement, *sketch) {
	t.Helper()
	st := New(Options{}).Statement(Description{Kind: Read, Text: "SELECT * FROM users", Tables: []string{"users"}})
	var s Sketcher
	if !s.Start(st, a.description(isBinary && formats == nil), formats) {
		return st, nil
	}
	for i := range a.rows {
		s.Row(a.row(i, isBinary))
	}
	s.Last(a.row(len(a.rows)-1, isBinary))
	s.End()
	s.Row(a.row(0, isBinary)) // of another result, whose Start was left out

	return st, s.take()
}

// TestColumns says which columns are looked at, and what they are called.
func TestColumns(t *testing.T) {
	t.Parallel()
	const bytea = 17
	a := answer{
		names: []string{"photo", "email", "id", "team_id", "nick", "uuid", "version"},
		oids:  []uint32{bytea, oidText, oidInt8, oidInt4, oidBpchar, oidUUID, oidInt2},
		rows:  [][]string{{"x", "a@b", "7", "8", "a  ", someUUID, "9"}, {"x", "c@d", "10", "11", "b  ", someUUID, "12"}},
	}
	for _, isBinary := range []bool{false, true} {
		for _, formats := range [][]byte{nil, {0, 1}} {
			if !isBinary && formats != nil {
				continue
			}
			st, s := sketchOf(t, a, isBinary, formats)
			if s == nil || s.n != 4 || s.rows != 2 {
				t.Fatalf("binary %v: %+v", isBinary, s)
			}
			for i, want := range []string{"users.id", "users.team_id", "users.uuid", "users.version"} {
				if got := st.column(i); got != want {
					t.Errorf("column %d is %s, want %s", i, got, want)
				}
			}
			if !s.columns[0].filter.has(integer(10)) || s.last[1] != integer(11) || s.columns[2].distinct != 1 {
				t.Errorf("binary %v, formats %v: %+v", isBinary, formats, s)
			}
		}
	}
}

// TestBlanks has a value of type character(n) meet a parameter without blanks.
func TestBlanks(t *testing.T) {
	t.Parallel()
	_, s := sketchOf(t, answer{names: []string{"code"}, oids: []uint32{oidBpchar}, rows: [][]string{{"ab  "}}}, false, nil)
	if v, _ := ofText([]byte("ab")); !s.columns[0].filter.has(v) {
		t.Error("blanks are taken for part of the value")
	}
}

func TestNothingToSketch(t *testing.T) {
	t.Parallel()
	if _, s := sketchOf(t, answer{names: []string{"at"}, oids: []uint32{1114}, rows: [][]string{{"2024-01-01"}}}, false, nil); s != nil {
		t.Errorf("a sketch of a timestamp: %+v", s)
	}
}

// TestRowsBeyond has more rows than are taken in: the last is known, the others not.
func TestRowsBeyond(t *testing.T) {
	t.Parallel()
	_, s := sketchOf(t, ids(upto(100_000, 200)...), true, nil)
	if s.rows != maxRows || s.last[0] != integer(100_199) || s.columns[0].filter.has(integer(100_199)) {
		t.Errorf("%d rows, last %x", s.rows, s.last[0])
	}
}

// TestRenamed changes a column between two executions.
func TestRenamed(t *testing.T) {
	t.Parallel()
	st := New(Options{}).Statement(Description{Kind: Read, Text: "SELECT * FROM users", Tables: []string{"users"}})
	var s Sketcher
	for _, name := range []string{"id", "id", "number"} {
		a := column1(name, oidInt4, 1, 2)
		a.names, a.oids = append(a.names, "team"), append(a.oids, oidInt4)
		s.Start(st, a.description(false), nil)
		if st.column(0) != "users."+name || st.column(1) != "users.team" {
			t.Errorf("%s and %s, want users.%s and users.team", st.column(0), st.column(1), name)
		}
	}
}

// TestAliases has columns come under names that the table does not know: a person who is
// told of users.user_id looks for it in vain.
func TestAliases(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT u.id FROM users u":                "user_id",
		"SELECT u.user_id FROM users u":           "users.user_id",
		`SELECT "user_id" FROM users`:             "users.user_id",
		"SELECT u.xuser_id, user_id2 FROM users":  "user_id",
		"SELECT u.xuser_id, u.user_id FROM users": "users.user_id",
		"SELECT u.* FROM users u":                 "users.user_id",
		"SELECT count(*) FROM users":              "user_id",
	} {
		st := New(Options{}).Statement(Description{Kind: Read, Text: text, Tables: []string{"users"}})
		var s Sketcher
		s.Start(st, column1("user_id", oidInt4, 1, 2).description(false), nil)
		if got := st.column(0); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestUseless stops looking at results of which none was ever asked for, but not quite.
func TestUseless(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	st := w.statement(listUsers)
	var s Sketcher
	a := ids(1, 2)
	sketched := func(n int) (wanted int) {
		for range n {
			if s.Start(st, a.description(false), nil) {
				wanted++
			}
		}

		return wanted
	}
	if n := sketched(uselessOnce); n != uselessOnce {
		t.Errorf("%d of the first %d", n, uselessOnce)
	}
	if n := sketched(160); n != 10 {
		t.Errorf("%d of 160 thereafter, want 10", n)
	}
	c := w.connect()
	c.sketcher.turn = sampling - 1 // this one is looked at
	c.nPlusOne(20)
	if n := sketched(uselessOnce); n != uselessOnce {
		t.Errorf("%d of %d after it was of use", n, uselessOnce)
	}
	wantFindings(t, w.end(), "n+1 proven 20")
	for _, text := range []string{"UPDATE users SET a = $1 RETURNING id", "SELECT oid FROM pg_class", "BEGIN"} {
		if s.Start(w.statement(text), a.description(false), nil) {
			t.Errorf("%s is sketched", text)
		}
	}
}

// TestNotLookedAt has a list that nobody looked into stand before reads of other rows.
// That the next one is worth a look again makes it no parent.
func TestNotLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c, other := w.connect(), w.connect()
	for i := range uselessOnce + sampling {
		other.run(listUsers, ids(upto(20_000+100*i, 20)...), i)
	}
	c.run(listUsers, ids(upto(50_000, 20)...), 1)
	for i := range 20 {
		c.one(ordersOf, 90_000+i)
	}
	// A page that follows from the one before, which is looked at.
	other.sketcher.turn = sampling - 1
	other.run(listUsers, ids(upto(70_000, 20)...), 69_999)
	other.run(listUsers, ids(upto(70_020, 20)...), 70_019)
	wantFindings(t, w.end())
}

func TestSketcherAllocs(t *testing.T) {
	a := answer{names: []string{"id", "name"}, oids: []uint32{oidInt4, oidText}}
	for i := range 100 {
		a.rows = append(a.rows, []string{fmt.Sprint(i), "name"})
	}
	st := New(Options{}).Statement(Description{Kind: Read, Text: listUsers})
	var s Sketcher
	description, row := a.description(true), a.row(7, true)
	if !s.Start(st, description, nil) {
		t.Fatal("nothing is looked at")
	}
	if n := testing.AllocsPerRun(100, func() {
		st.please()
		s.Start(st, description, nil)
		for range 100 {
			s.Row(row)
		}
		s.Last(row)
		s.End()
	}); n != 0 {
		t.Errorf("%v allocations for a result, want 0", n)
	}
}
