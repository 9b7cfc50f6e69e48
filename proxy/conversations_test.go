package proxy

import (
	"github.com/jackc/pgx/v5/pgproto3"
)

// A conversation is what a client says to PostgreSQL and which answers it waits for
// in between. It is held in a database with the empty tables t and d.
type conversation struct {
	name  string
	cut   bool // short enough to be tried with every cut
	steps []step
}

// differs returns why PostgreSQL and the proxy need not say the same in the end, if so.
// What is in the tables must be the same all the same.
func (c *conversation) differs() string {
	switch c.name {
	case "goodbye in an open series that nobody flushed", "goodbye in a copy", "goodbye before a copy",
		"goodbye before a copy by the extended protocol":
		return "nobody listens after a goodbye"
	case "length below four", "negative length", "length of two gigabytes", "a Sync that is too long":
		return "PostgreSQL only logs it (COMMERROR), the proxy tells the client"
	}

	return ""
}

// longest is how many bytes the longest step sends.
func (c *conversation) longest() int {
	n := 0
	for _, s := range c.steps {
		n = max(n, len(s.send))
	}

	return n
}

// conversations returns all of them.
func conversations() []conversation {
	return append(append(append(simpleConversations(), extendedConversations()...), copyConversations()...),
		brokenConversations()...)
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

// simpleConversations use the simple protocol.
func simpleConversations() []conversation {
	return []conversation{
		{"query", true, []step{{query("SELECT 1 AS a, 'b' AS b, NULL"), "Z"}}},
		{"several statements", false, []step{
			{query("BEGIN; INSERT INTO t VALUES (1); COMMIT; SELECT count(*) FROM t"), "Z"},
			{query("INSERT INTO t VALUES (2); INSERT INTO t VALUES (1); INSERT INTO t VALUES (3)"), "Z"},
		}},
		{"error in a block", false, []step{
			{query("BEGIN; SELECT 1/0; ROLLBACK"), "Z"},
			{query("SELECT 1"), "Z"},
			{query("ROLLBACK"), "Z"},
		}},
		{"chained transactions", false, []step{
			{query("BEGIN; INSERT INTO t VALUES (1)"), "Z"},
			{query("COMMIT AND CHAIN"), "Z"},
			{query("INSERT INTO t VALUES (2)"), "Z"},
			{query("ROLLBACK AND CHAIN"), "Z"},
			{query("COMMIT; SELECT 1"), "Z"},
		}},
		{"empty queries", true, []step{{join(query(""), query(";"), query("--c")), "ZZZ"}}},
		{"pipeline with errors", false, []step{
			{join(query("SELECT 1/0"), query("SELECT 2"), query("SELEC"), query("SELECT 3")), "ZZZZ"},
		}},
		{"notice and warning", false, []step{
			{query("DO $$ BEGIN RAISE NOTICE 'n'; RAISE WARNING 'w'; END $$"), "Z"},
			{query("ROLLBACK"), "Z"},
		}},
		{"setting", false, []step{
			{query("SET application_name = 'other'"), "Z"},
			{query("BEGIN; SET application_name = 'third'"), "Z"},
			{query("ROLLBACK"), "Z"},
			{query("SHOW application_name"), "Z"},
			{query("RESET application_name"), "Z"},
		}},
		{"function call", false, []step{
			{functionCall(int4pl, "2", "3"), "Z"},
			{functionCall(int4div, "2", "0"), "Z"},
			{join(query("BEGIN"), functionCall(int4pl, "2", "3"), functionCall(int4div, "2", "0")), "ZZZ"},
			{join(functionCall(int4pl, "2", "3"), query("ROLLBACK")), "ZZ"},
		}},
		{"stray messages at rest", true, []step{
			{join(flushMsg(), copyData("x"), copyDone(), copyFail("x"), syncMsg(), flushMsg()), "Z"},
			{join(syncMsg(), query("SELECT 1"), syncMsg()), "ZZZ"},
			{copyData("x"), ""},
			{query("SELECT 2"), "Z"},
		}},
		{"goodbye in a pipeline", false, []step{
			{join(query("INSERT INTO t VALUES (1)"), query("INSERT INTO t VALUES (2)"), terminate()), "ZZ."},
		}},
		{"goodbye in a transaction", false, []step{
			{join(query("INSERT INTO t VALUES (1)"), query("BEGIN; INSERT INTO t VALUES (2)"), terminate()), "ZZ."},
		}},
	}
}

// extendedConversations use the extended protocol.
func extendedConversations() []conversation {
	return []conversation{
		{"one by the extended protocol", true, []step{{join(extended("SELECT $1::int + 1", "1"), syncMsg()), "Z"}}},
		{"error and Sync", false, []step{{join(extended("SELEC"), extended("SELECT 1"), syncMsg()), "Z"}}},
		{"error and delayed Sync", true, []step{
			{join(parse("", "SELEC"), bind("")), "E"},
			{join(query("SELECT 'discarded'"), describePortal(), execute(0)), ""},
			{flushMsg(), ""},
			{syncMsg(), "Z"},
		}},
		{"several Syncs, one fails", false, []step{{join(
			extended("INSERT INTO t VALUES ($1)", "1"), syncMsg(),
			extended("INSERT INTO t VALUES ($1)", "1"), extended("INSERT INTO t VALUES ($1)", "2"), syncMsg(),
			extended("INSERT INTO t VALUES ($1)", "3"), syncMsg(),
		), "ZZZ"}}},
		{"error in Sync", false, []step{
			{join(extended("INSERT INTO d VALUES (1), (1)"), syncMsg()), "Z"},
			{join(extended("INSERT INTO d VALUES (2)"), syncMsg(), extended("INSERT INTO d VALUES (3), (3)"), syncMsg(),
				extended("INSERT INTO d VALUES (4)"), syncMsg()), "ZZZ"},
		}},
		{"Flush in the middle", true, []step{
			{join(parse("s", "SELECT $1::int"), describeStmt("s"), flushMsg()), "1tT"},
			{join(bind("s", "7"), execute(0), syncMsg()), "Z"},
			{join(closeStmt("s"), syncMsg()), "Z"},
		}},
		{"goodbye in an open series", false, []step{
			{join(extended("INSERT INTO t VALUES (1)"), flushMsg()), "C"},
			{terminate(), "."},
		}},
		{"goodbye in an open series that nobody flushed", false, []step{
			{join(extended("INSERT INTO t VALUES (1)"), syncMsg(), extended("INSERT INTO t VALUES (2)"), terminate()), "Z."},
		}},
		{"goodbye while skipping", false, []step{
			{join(parse("", "SELEC"), bind("")), "E"},
			{terminate(), "."},
		}},
		{"query in an open series", false, []step{
			{join(extended("INSERT INTO t VALUES (1)"), query("SELECT count(*) FROM t")), "Z"},
			{syncMsg(), "Z"},
			{join(extended("SELECT 1"), query("SELEC"), syncMsg()), "ZZ"},
		}},
		{"suspended portal", false, []step{
			{query("BEGIN"), "Z"},
			{join(parse("", "SELECT generate_series(1, 5)"), bind(""), execute(2), flushMsg()), "s"},
			{join(execute(2), flushMsg()), "s"},
			{join(execute(2), syncMsg()), "Z"},
			{query("COMMIT"), "Z"},
			{join(parse("", "SELECT generate_series(1, 5)"), bind(""), execute(2), syncMsg(), execute(2), syncMsg()), "ZZ"},
		}},
		{"statements by name", false, []step{
			{join(closeStmt("none"), describeStmt("none"), syncMsg()), "Z"},
			{join(parse("s", "SELECT 1"), parse("s", "SELECT 2"), syncMsg()), "Z"},
			{join(parse("u", "SELEC"), bind("u"), execute(0), syncMsg()), "Z"},
			{join(parse("u", "SELECT 3"), bind("u"), execute(0), syncMsg()), "Z"},
			{join(closeStmt("s"), closeStmt("u"), flushMsg()), "33"},
			{syncMsg(), "Z"},
		}},
		{"empty query", false, []step{{join(extended(""), extended("--c"), syncMsg()), "Z"}}},
		{"no columns", false, []step{{join(parse("s", "SELECT"), describeStmt("s"), bind("s"), describePortal(), execute(0),
			closeStmt("s"), syncMsg()), "Z"}}},
		{"implicit transaction", false, []step{
			{join(extended("INSERT INTO t VALUES (1)"), extended("INSERT INTO t VALUES (2)"), extended("SELECT 1/0"),
				syncMsg()), "Z"},
			{join(extended("BEGIN"), syncMsg(), extended("INSERT INTO t VALUES (3)"), syncMsg(),
				extended("COMMIT"), syncMsg()), "ZZZ"},
		}},
	}
}

// copyIntoT is the statement that the copies into t begin with.
const copyIntoT = "COPY t FROM STDIN"

// copyConversations copy in and out.
func copyConversations() []conversation {
	return []conversation{
		{"copy in", true, []step{
			{query(copyIntoT), "G"},
			{join(copyData("1\ta\n2\t"), copyData("b\n"), copyDone()), "Z"},
		}},
		{"copy in without waiting", false, []step{
			{join(query(copyIntoT), copyData("1\ta\n"), copyDone(), query("SELECT count(*) FROM t")), "ZZ"},
		}},
		{"copy in given up", false, []step{{query(copyIntoT), "G"}, {join(copyData("1\ta\n"), copyFail("enough")), "Z"}}},
		{"copy in of nonsense", false, []step{
			{query(copyIntoT), "G"},
			{copyData("nonsense\n"), "EZ"},
			{join(copyData("1\ta\n"), copyDone()), ""},
			{query("SELECT 1"), "Z"},
		}},
		{"copy in that fails at the end", false, []step{
			{query(copyIntoT), "G"},
			{join(copyData("1\ta\n1\tb\n"), copyDone()), "Z"},
		}},
		{"copies in one query", false, []step{
			{query(copyIntoT + "; SELECT 1; " + copyIntoT + "; SELECT 2"), "G"},
			{join(copyData("1\ta\n"), copyDone()), "G"},
			{join(copyData("2\tb\n"), copyDone()), "Z"},
		}},
		{"copy in by the extended protocol", false, []step{
			{join(extended(copyIntoT), flushMsg()), "G"},
			{join(copyData("1\ta\n"), copyDone(), syncMsg()), "Z"},
		}},
		{"copy in with Sync before the data", false, []step{
			{join(parse("", copyIntoT), bind(""), execute(0), syncMsg()), "G"},
			{join(copyData("1\ta\n"), copyDone(), syncMsg()), "Z"},
		}},
		{"copy in with Sync before the data, without waiting", false, []step{
			{join(parse("", copyIntoT), bind(""), execute(0), syncMsg(), copyData("1\ta\n"), copyDone(), syncMsg()), "Z"},
		}},
		{"failed copy in by the extended protocol", false, []step{
			{join(extended(copyIntoT), flushMsg()), "G"},
			{copyData("nonsense\n"), "E"},
			{join(copyData("1\ta\n"), copyDone(), query("SELECT 'discarded'"), syncMsg()), "Z"},
			{join(extended(copyIntoT), flushMsg()), "G"},
			{join(copyFail("enough"), extended("SELECT 'discarded'"), syncMsg()), "Z"},
		}},
		{"failed copy in with Sync before the data", true, []step{
			{join(parse("", copyIntoT), bind(""), execute(0), syncMsg()), "G"},
			{copyData("nonsense\n"), "E"},
			{join(copyDone(), syncMsg()), "Z"},
		}},
		{"copy in with Sync before the data, given up", false, []step{
			{join(parse("", copyIntoT), bind(""), execute(0), syncMsg()), "G"},
			{copyFail("enough"), "E"},
			{syncMsg(), "Z"},
		}},
		{"failed copy in with Sync before the data, in a transaction", false, []step{
			{query("BEGIN"), "Z"},
			{join(parse("", copyIntoT), bind(""), execute(0), syncMsg()), "G"},
			{copyData("nonsense\n"), "E"},
			{join(copyDone(), syncMsg()), "Z"},
			{query("ROLLBACK"), "Z"},
		}},
		{"failed copies in one pipeline, with Syncs in them", false, []step{
			{query(copyIntoT), "G"},
			{join(syncMsg(), syncMsg(), copyData("nonsense\n"), query(copyIntoT)), "EZG"},
			{join(syncMsg(), copyData("nonsense\n")), "EZ"},
		}},
		{"copy in of a table that is not there", false, []step{
			{join(parse("", "COPY missing FROM STDIN"), bind(""), execute(0), syncMsg(),
				copyData("1\n"), copyDone(), syncMsg()), "ZZ"},
		}},
		{"copy out", false, []step{
			{query("COPY (SELECT generate_series(1, 3)) TO STDOUT"), "Z"},
			{join(extended("COPY (SELECT generate_series(1, 3)) TO STDOUT"), syncMsg()), "Z"},
			{query("COPY (SELECT 1 / (3 - n) FROM generate_series(1, 3) n) TO STDOUT"), "Z"},
		}},
		{"goodbye in a copy", false, []step{
			{query(copyIntoT), "G"},
			{join(copyData("1\ta\n"), terminate()), "."},
		}},
		{"goodbye before a copy", false, []step{{join(query(copyIntoT), terminate()), "."}}},
		{"goodbye before a copy by the extended protocol", false, []step{
			{join(parse("", copyIntoT), bind(""), execute(0), syncMsg(), copyData("1\ta\n"), terminate()), "."},
		}},
	}
}

// brokenConversations break the protocol.
func brokenConversations() []conversation {
	return []conversation{
		{"unknown type", true, []step{{[]byte("y\x00\x00\x00\x04"), "."}}},
		{"unknown type in a transaction", false, []step{
			{query("BEGIN; INSERT INTO t VALUES (1)"), "Z"},
			{[]byte("\x00\x00\x00\x00\x04"), "."},
		}},
		{"length below four", false, []step{{[]byte("Q\x00\x00\x00\x03"), "."}}},
		{"negative length", false, []step{{[]byte("Q\xff\xff\xff\xff"), "."}}},
		{"length of two gigabytes", false, []step{{[]byte("Q\x7f\xff\xff\xff"), "."}}},
		{"a Sync that is too long", false, []step{{[]byte("S\x00\x01\x00\x00"), "."}}},
		{"password after login", false, []step{{[]byte("p\x00\x00\x00\x05\x00"), "."}}},
		{"bodies too short", false, []step{
			{join([]byte("P\x00\x00\x00\x04"), syncMsg()), "Z"},
			{join([]byte("B\x00\x00\x00\x06\x00\x00"), syncMsg()), "Z"},
			{join([]byte("D\x00\x00\x00\x04"), syncMsg()), "Z"},
			{join([]byte("D\x00\x00\x00\x06y\x00"), syncMsg()), "Z"},
			{join([]byte("E\x00\x00\x00\x05\x00"), syncMsg()), "Z"},
			{join([]byte("C\x00\x00\x00\x04"), syncMsg()), "Z"},
			{[]byte("F\x00\x00\x00\x04"), "Z"},
			{[]byte("Q\x00\x00\x00\x04"), "Z"},
		}},
		{"bodies too long", false, []step{
			{[]byte("Q\x00\x00\x00\x08;\x00;\x00"), "Z"},
			{query("BEGIN"), "Z"},
			{[]byte("S\x00\x00\x00\x06xx"), "Z"},
			{query("ROLLBACK"), "Z"},
		}},
	}
}
