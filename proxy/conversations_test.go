package proxy

import (
	"github.com/jackc/pgx/v5/pgproto3"
)

// A conversation is what a client says to PostgreSQL and which answers it waits for
// in between. It is held in a database with the empty tables t and d. Conversations
// that need nothing of what the tests here can do are scripts, in
// integration/testdata/wire.
type conversation struct {
	name  string
	steps []step
}

// longest is how many bytes the longest step sends.
func (c *conversation) longest() int {
	n := 0
	for _, s := range c.steps {
		n = max(n, len(s.send))
	}

	return n
}

// functionCall calls a function on texts.
func functionCall(oid uint32, args ...string) []byte {
	m := pgproto3.FunctionCall{Function: oid}
	for _, a := range args {
		m.Arguments = append(m.Arguments, []byte(a))
	}

	return frameOf(&m)
}

// Functions that FunctionCall is tried with (src/include/catalog/pg_proc.dat).
const (
	int4div = 154
	int4pl  = 177
)

// copyIntoT is the statement that the copies into t begin with.
const copyIntoT = "COPY t FROM STDIN"

// conversations are short enough to be tried with every cut.
func conversations() []conversation {
	return []conversation{
		{"query", []step{{query("SELECT 1 AS a, 'b' AS b, NULL"), "Z"}}},
		{"empty queries", []step{{join(query(""), query(";"), query("--c")), "ZZZ"}}},
		{"stray messages at rest", []step{
			{join(flushMsg(), copyData("x"), copyDone(), copyFail("x"), syncMsg(), flushMsg()), "Z"},
			{join(syncMsg(), query("SELECT 1"), syncMsg()), "ZZZ"},
			{copyData("x"), ""},
			{query("SELECT 2"), "Z"},
		}},
		{"one by the extended protocol", []step{{join(extended("SELECT $1::int + 1", "1"), syncMsg()), "Z"}}},
		{"error and delayed Sync", []step{
			{join(parse("", "SELEC"), bind("")), "E"},
			{join(query("SELECT 'discarded'"), describePortal(), execute(0)), ""},
			{flushMsg(), ""},
			{syncMsg(), "Z"},
		}},
		{"Flush in the middle", []step{
			{join(parse("s", "SELECT $1::int"), describeStmt("s"), flushMsg()), "1tT"},
			{join(bind("s", "7"), execute(0), syncMsg()), "Z"},
			{join(closeStmt("s"), syncMsg()), "Z"},
		}},
		{"copy in", []step{
			{query(copyIntoT), "G"},
			{join(copyData("1\ta\n2\t"), copyData("b\n"), copyDone()), "Z"},
		}},
		{"failed copy in with Sync before the data", []step{
			{join(parse("", copyIntoT), bind(""), execute(0), syncMsg()), "G"},
			{copyData("nonsense\n"), "E"},
			{join(copyDone(), syncMsg()), "Z"},
		}},
		{"unknown type", []step{{[]byte("y\x00\x00\x00\x04"), "."}}},
	}
}
