package proxy

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// measured waits for a client to be gone, so that all is booked, and returns what was
// booked: a line for each statement.
func (o *oracle) measured(c *client) []string {
	o.t.Helper()
	before := o.proxy.clients.Load()
	c.send(terminate())
	c.wantEnd()
	// Its connection closes before its server is reset, and what it did is booked behind that.
	o.eventually("the client to be forgotten", func() bool { return o.proxy.clients.Load() < before })
	var lines []string
	for _, s := range o.meter.Statements.Snapshot(o.t.Context()).Statements {
		text := s.Text.Normalised
		if s.Fingerprint == stats.Utility {
			text = "utility"
		}
		line := fmt.Sprintf("%s: %d calls, %d rows", text, s.Calls, s.Rows)
		for _, class := range s.ErrorClass {
			line += fmt.Sprintf(", %d of class %s", class.Count, class.Class)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)

	return lines
}

// executePortal is an Execute of a portal with a name.
func executePortal(name string, rows uint32) []byte {
	return frameOf(&pgproto3.Execute{Portal: name, MaxRows: rows})
}

// bindPortal is a Bind that gives the portal a name.
func bindPortal(name, stmt string) []byte {
	return frameOf(&pgproto3.Bind{DestinationPortal: name, PreparedStatement: stmt})
}

// portalsOfManyNames are 100 transactions, each with a portal of another name, as some
// drivers have them.
func portalsOfManyNames(sql string) (steps []step) {
	for i := range 100 {
		name := fmt.Sprintf("C_%d", i)
		steps = append(steps, step{join(parse("", sql), bindPortal(name, ""), executePortal(name, 0), syncMsg()), "Z"})
	}

	return steps
}

// TestMeasured checks what is booked of the ways to run statements, in session mode too,
// where nobody looks after prepared statements.
func TestMeasured(t *testing.T) {
	const list = "SELECT * FROM generate_series(1, 5)"
	listed := func(calls, rows int) string {
		return fmt.Sprintf("SELECT * FROM generate_series($1, $2): %d calls, %d rows", calls, rows)
	}
	cases := map[string]struct {
		steps []step
		want  []string
	}{
		"a query":        {[]step{{query("SELECT 1"), "Z"}, {query("SELECT 2"), "Z"}}, []string{"SELECT $1: 2 calls, 2 rows"}},
		"nothing":        {[]step{{query(" -- nothing"), "Z"}, {join(extended(""), syncMsg()), "Z"}}, nil},
		"an error":       {[]step{{query("SELECT 1/0"), "Z"}}, []string{"SELECT $1 / $2: 1 calls, 0 rows, 1 of class 22"}},
		"a transaction":  {[]step{{query("BEGIN"), "Z"}, {query("COMMIT"), "Z"}}, []string{"utility: 2 calls, 0 rows"}},
		"without a name": {[]step{{join(extended(list), syncMsg()), "Z"}}, []string{listed(1, 5)}},
		"several in a query": {
			[]step{{query("SELECT 1; INSERT INTO t VALUES (1, 'a'), (2, 'b'); BEGIN; COMMIT"), "Z"}},
			[]string{"INSERT INTO t VALUES ($1, $2): 1 calls, 2 rows", "SELECT $1: 1 calls, 1 rows", "utility: 2 calls, 0 rows"},
		},
		"several, of which one fails": {
			[]step{{query("SELECT 1; SELECT 1/0; SELECT now()"), "Z"}},
			[]string{"SELECT $1 / $2: 1 calls, 0 rows, 1 of class 22", "SELECT $1: 1 calls, 1 rows"},
		},
		"a copy": {
			[]step{{query("COPY t FROM STDIN"), "G"}, {join(copyData("1\ta\n2\tb\n"), copyDone()), "Z"}},
			[]string{"COPY t FROM stdin: 1 calls, 2 rows"},
		},
		"prepared": {
			[]step{
				{join(parse("a", list), describeStmt("a"), syncMsg()), "Z"},
				{join(run("a"), syncMsg()), "Z"},
				{join(run("a"), run("a"), syncMsg()), "Z"},
				{join(closeStmt("a"), syncMsg()), "Z"},
			},
			[]string{listed(3, 15)},
		},
		"a long text": {
			[]step{{query("SELECT '" + strings.Repeat("x", 100_000) + "'"), "Z"}},
			[]string{": 1 calls, 1 rows"},
		},
		"only described": {[]step{{join(parse("a", list), describeStmt("a"), syncMsg()), "Z"}}, nil},
		"a pipeline that fails in the middle": {
			[]step{{join(extended("SELECT 1"), extended("SELECT 1/0"), extended("SELECT now()"), syncMsg(), extended("SELECT 2"), syncMsg()), "ZZ"}},
			[]string{"SELECT $1 / $2: 1 calls, 0 rows, 1 of class 22", "SELECT $1: 2 calls, 2 rows"},
		},
		"what cannot be prepared": {
			[]step{{join(parse("", "SELECT nothing"), describeStmt(""), bind(""), execute(0), syncMsg()), "Z"}},
			[]string{"SELECT nothing: 1 calls, 0 rows, 1 of class 42"},
		},
		"a name that is not there": {[]step{{join(run("none"), syncMsg()), "Z"}}, nil},
		"row by row": {
			[]step{{join(parse("", list), bind(""), execute(2), execute(2), execute(2), syncMsg()), "Z"}},
			[]string{listed(1, 5)},
		},
		"portals of many names": {portalsOfManyNames(list), []string{listed(100, 500)}},
		"not to the end": {
			[]step{
				{query("BEGIN"), "Z"},
				{join(parse("a", list), bindPortal("p", "a"), executePortal("p", 2), syncMsg()), "Z"},
				{join(executePortal("p", 1), syncMsg()), "Z"},
				{query("COMMIT"), "Z"},
			},
			[]string{listed(1, 3), "utility: 2 calls, 0 rows"},
		},
	}
	for _, mode := range []config.PoolMode{config.PoolTransaction, config.PoolSession} {
		for name, test := range cases {
			t.Run(fmt.Sprintf("%s/%s", mode, name), func(t *testing.T) {
				o := newOracle(t, func(g *config.Pgweir) { g.PoolMode = mode })
				c := o.through(t)
				for _, s := range test.steps {
					c.send(s.send)
					c.until(s.until)
				}
				if diff := cmp.Diff(test.want, o.measured(c)); diff != "" {
					t.Errorf("booked (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// bindInt binds a statement to the unnamed portal, with an integer in binary of so many
// bytes.
func bindInt(stmt, id string, size int) []byte {
	n, _ := strconv.ParseUint(id, 10, 64)
	value := binary.BigEndian.AppendUint64(nil, n)[8-size:]

	return frameOf(&pgproto3.Bind{
		PreparedStatement: stmt, ParameterFormatCodes: []int16{1}, Parameters: [][]byte{value},
	})
}

// TestLoopIsFound runs a list and a query for each of its rows, in the ways of different
// drivers: the loop is proven by its values.
func TestLoopIsFound(t *testing.T) {
	const list, one = "SELECT id, x FROM t ORDER BY id", "SELECT x FROM t WHERE id = "
	// In two bytes some look like text, in four none.
	ids := []string{"10001", "10005", "10012", "10020", "10031", "10042", "10055"}
	typed := func(id string) []byte {
		return join(frameOf(&pgproto3.Parse{Query: one + "$1", ParameterOIDs: []uint32{21}}), bindInt("", id, 2),
			describePortal(), execute(0), syncMsg())
	}
	for name, ways := range map[string]struct {
		prepare, list []byte
		one           func(id string) []byte
	}{
		"simple": {
			list: query(list),
			one:  func(id string) []byte { return query(one + id) },
		},
		"without a name": {
			list: join(parse("", list), bind(""), describePortal(), execute(0), syncMsg()),
			one: func(id string) []byte {
				return join(parse("", one+"$1"), bind("", id), describePortal(), execute(0), syncMsg())
			},
		},
		"without a name, two bytes in binary": {
			list: join(parse("", list), bind(""), describePortal(), execute(0), syncMsg()),
			one:  typed,
		},
		"described once, two bytes in binary": {
			prepare: join(parse("l", list), describeStmt("l"), parse("o", one+"$1::int2"), describeStmt("o"), syncMsg()),
			list:    join(run("l"), syncMsg()),
			one:     func(id string) []byte { return join(bindInt("o", id, 2), execute(0), syncMsg()) },
		},
		"prepared and described once": {
			prepare: join(parse("l", list), describeStmt("l"), parse("o", one+"$1"), describeStmt("o"), syncMsg()),
			list:    join(run("l"), syncMsg()),
			one:     func(id string) []byte { return join(run("o", id), syncMsg()) },
		},
	} {
		for _, mode := range []config.PoolMode{config.PoolTransaction, config.PoolSession} {
			t.Run(fmt.Sprintf("%s/%s", mode, name), func(t *testing.T) {
				o := newOracle(t, func(g *config.Pgweir) { g.PoolMode = mode })
				o.do("INSERT INTO t SELECT unnest('{" + strings.Join(ids, ",") + "}'::int[]), 'x'")
				c := o.through(t)
				if ways.prepare != nil {
					c.send(ways.prepare)
					c.until("Z")
				}
				c.send(ways.list)
				c.until("Z")
				for _, id := range ids {
					c.send(ways.one(id))
					c.until("Z")
				}
				o.measured(c)
				found := o.meter.Findings.List()
				if len(found) != 1 {
					t.Fatalf("found %+v, want one loop", found)
				}
				f := &found[0]
				if f.Kind != nplusone.KindNPlusOne || f.Confidence != nplusone.Proven || f.Count != uint64(len(ids)) {
					t.Errorf("found %+v, want it proven, of %d statements", f, len(ids))
				}
				if want := fmt.Sprintf("t.id <- t.id (%d/%d values)", len(ids), len(ids)); f.Provenance != want {
					t.Errorf("provenance %q, want %q", f.Provenance, want)
				}
			})
		}
	}
}

// TestOrdinals: executions of a prepared statement are told apart by how often its server
// had executed it, as PostgreSQL does before it chooses a generic plan.
func TestOrdinals(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.DefaultPoolSize, g.ServerRoundRobin = 2, true })
	c, other := o.through(t), o.through(t)
	c.send(query("BEGIN"))
	c.until("Z")
	other.send(query("SELECT 1")) // so that there are two servers
	other.until("Z")
	c.send(query("COMMIT"))
	c.until("Z")
	c.send(join(parse("a", "SELECT x FROM t WHERE id = $1"), syncMsg()))
	c.until("Z")
	for range 14 {
		c.send(join(run("a", "7"), syncMsg()))
		c.until("Z")
	}
	o.measured(c)
	for _, s := range o.meter.Statements.Snapshot(t.Context()).Statements {
		if strings.Contains(s.Text.Normalised, "FROM t") {
			if s.Custom.Calls != 10 || s.Later.Calls != 4 {
				t.Errorf("%d executions among the first five of a server and %d later, want 10 and 4", s.Custom.Calls, s.Later.Calls)
			}

			return
		}
	}
	t.Error("the statement is not there")
}
