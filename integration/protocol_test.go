package integration

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// direct logs in to PostgreSQL itself, to see what it does.
func (p *pgweir) direct(t testing.TB, parameters ...string) *client {
	t.Helper()
	path := filepath.Join(p.cluster.SocketDir, fmt.Sprintf(".s.PGSQL.%d", p.cluster.Port))
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	c := newClient(nc)
	c.startup(p.cluster.User, p.db, append(parameters, "application_name", testApplication)...)
	if answer := c.answer(); answer[len(answer)-1] != "Z I" {
		t.Fatalf("login to PostgreSQL: got %q", answer)
	}

	return c
}

// A step of a script is sent, and then its answer read, up to the message that begins
// with until as often as it says.
type step struct {
	send  []pgproto3.FrontendMessage
	until string // "": ReadyForQuery
	times int    // 0: once
}

// play plays a script and returns the whole transcript.
func (c *client) play(script []step) []string {
	var lines []string
	for _, s := range script {
		c.send(s.send...)
		until := s.until
		if until == "" {
			until = "Z "
		}
		for range max(s.times, 1) {
			for {
				line := c.receive()
				lines = append(lines, line)
				if line == closed || line == silent {
					return lines
				}
				if strings.HasPrefix(line, until) {
					break
				}
			}
		}
	}

	return lines
}

// messages joins messages and lists of them.
func messages(parts ...any) []pgproto3.FrontendMessage {
	var all []pgproto3.FrontendMessage
	for _, part := range parts {
		switch m := part.(type) {
		case pgproto3.FrontendMessage:
			all = append(all, m)
		case []pgproto3.FrontendMessage:
			all = append(all, m...)
		case string:
			all = append(all, &pgproto3.Query{String: m})
		default:
			panic(fmt.Sprintf("bug: messages of a %T", part))
		}
	}

	return all
}

// now is a step that is answered with one ReadyForQuery.
func now(parts ...any) step { return step{send: messages(parts...)} }

// TestProtocol puts the same scripts to PostgreSQL, directly and through pgweir: what
// PostgreSQL answers is right.
func TestProtocol(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("CREATE TABLE word (w text PRIMARY KEY DEFERRABLE INITIALLY DEFERRED); INSERT INTO word VALUES ('a'), ('b')")
	for _, tt := range protocolScripts() {
		t.Run(tt.name, func(t *testing.T) {
			want := p.direct(t).play(tt.script)
			c := p.login(t)
			if diff := cmp.Diff(want, c.play(tt.script)); diff != "" {
				t.Errorf("answers (-PostgreSQL +pgweir):\n%s", diff)
			}
			// The one server is back in the pool, and owes nothing.
			wantLines(t, p.login(t).query("SELECT 'next' AS who"), "T who", "D next", "C SELECT 1", "Z I")
			if want[len(want)-1] == closed {
				return
			}
			wantLines(t, c.query("SELECT 'same' AS who"), "T who", "D same", "C SELECT 1", "Z I")
		})
	}
}

// A protocolScript is a named script.
type protocolScript struct {
	name   string
	script []step
}

// protocolScripts returns the scripts. Each ends outside a transaction.
func protocolScripts() []protocolScript {
	return slices.Concat(simpleScripts(), extendedScripts(), errorScripts(), copyScripts())
}

// simpleScripts are of the simple protocol.
func simpleScripts() []protocolScript {
	int4pl := &pgproto3.FunctionCall{Function: 177, Arguments: [][]byte{[]byte("2"), []byte("3")}}

	return []protocolScript{
		{"one statement", []step{now("SELECT 1 AS a")}},
		{"several statements", []step{now("SELECT 1 AS a; SELECT 2 AS b; SET work_mem = '5MB'; RESET work_mem")}},
		{"nothing", []step{now(""), now(";"), now("-- only a comment")}},
		{"two at once", []step{{send: messages("SELECT 1 AS a", "SELECT 2 AS b"), times: 2}}},
		{"error", []step{now("SELECT 1/0"), now("nonsense"), now("SELECT 1 AS a; SELECT 1/0; SELECT 2 AS b")}},
		{"failed transaction", []step{now("BEGIN; SELECT 1/0; ROLLBACK"), now("SELECT 1 AS a"), now("ROLLBACK")}},
		{"chained transaction", []step{
			now("BEGIN"), now("SELECT 1 AS a"), now("COMMIT AND CHAIN"), now("SELECT 2 AS b"), now("ROLLBACK"),
		}},
		{"statement behind a commit", []step{now("BEGIN"), now("COMMIT; SELECT 1 AS a")}},
		{"warning", []step{now("COMMIT"), now("SET LOCAL work_mem = '5MB'")}},
		{"notices", []step{now("DO $$ BEGIN FOR i IN 1..50 LOOP RAISE NOTICE 'n %', i; END LOOP; END $$")}},
		{"zero columns", []step{now("SELECT FROM generate_series(1, 3)")}},
		{"function call", []step{now(int4pl)}},
		{"function call in a transaction", []step{now("BEGIN"), now(int4pl), now("ROLLBACK")}},
		{"function call that fails", []step{now(&pgproto3.FunctionCall{Function: 1})}},
	}
}

// extendedScripts are of the extended protocol.
func extendedScripts() []protocolScript {
	parse := func(name, sql string) *pgproto3.Parse { return &pgproto3.Parse{Name: name, Query: sql} }
	describe := func(kind byte, name string) *pgproto3.Describe {
		return &pgproto3.Describe{ObjectType: kind, Name: name}
	}
	bind, execute, end := &pgproto3.Bind{}, &pgproto3.Execute{}, syncMessage()
	series := "SELECT i FROM generate_series(1, 5) AS i"
	two := &pgproto3.Execute{MaxRows: 2}

	return []protocolScript{
		{"statement", []step{now(parse("", "SELECT 1 AS a"), bind, describe('P', ""), execute, end)}},
		{"describe statement", []step{now(parse("", "SELECT $1::int + 1 AS a"), describe('S', ""), end)}},
		{"describe what returns nothing", []step{now(parse("", "SET work_mem = '4MB'"), describe('S', ""), bind, describe('P', ""), end)}},
		{"empty statement", []step{now(parse("", ""), bind, execute, end)}},
		{"lone sync", []step{now(end), now(end)}},
		{"many syncs", []step{{send: messages(end, end, end), times: 3}}},
		{"lone flush", []step{{send: messages(flushMessage(), end)}}},
		{"close of what is not there", []step{
			now(&pgproto3.Close{ObjectType: 'S', Name: "x"}, &pgproto3.Close{ObjectType: 'P', Name: "x"}, end),
		}},
		{"flush in the middle", []step{
			{send: messages(parse("", "SELECT 1 AS a"), describe('S', ""), flushMessage()), until: "T "},
			{send: messages(bind, execute, flushMessage()), until: "C "},
			now(end),
		}},
		{"flush in the middle of a transaction", []step{
			now("BEGIN"),
			{send: messages(parse("", "SELECT 1 AS a"), flushMessage()), until: "ParseComplete"},
			{send: messages(bind, flushMessage()), until: "BindComplete"},
			now(execute, end),
			now("COMMIT"),
		}},
		{"portal in a transaction", []step{
			now("BEGIN"), now(parse("", series), bind, two, end), now(two, end), now(two, end), now("COMMIT"),
		}},
		{"portal outlives no sync", []step{now(parse("", series), bind, two, end), now(two, end)}},
		{"suspended without sync", []step{
			{send: messages(parse("", series), bind, two, flushMessage()), until: "PortalSuspended"},
			{send: messages(two, two, flushMessage()), until: "C "},
			now(end),
		}},
		{"query before the sync of an open series", []step{
			{send: messages(statement("SELECT 1 AS a"), "SELECT 2 AS b", statement("SELECT 3 AS c"), end), times: 2},
		}},
		{"named portals", []step{
			now(
				"BEGIN; DECLARE c CURSOR FOR " + series,
			), now("FETCH 2 FROM c"), now("FETCH 2 FROM c"), now("COMMIT"),
		}},
		{"commit in a pipeline", []step{
			{send: messages(statement("BEGIN"), end, statement("SELECT 1"), end, statement("COMMIT"), end), times: 3},
		}},
		{"implicit transaction over several statements", []step{
			now(statement("SELECT 1"), statement("SELECT 2"), statement("SELECT 3"), end),
		}},
	}
}

// errorScripts are of errors in the extended protocol, after which PostgreSQL discards
// what comes until Sync.
func errorScripts() []protocolScript {
	end := syncMessage()
	good, bad := statement("SELECT 1 AS a"), statement("SELECT 1/0")

	return []protocolScript{
		{"error, more, sync", []step{now(bad, good, good, end)}},
		{"sync comes later", []step{
			{send: messages(bad, flushMessage()), until: "E "}, {send: messages(good, "SELECT 1", end)},
		}},
		{"second of three fails", []step{{send: messages(good, end, good, bad, good, end, good, end), times: 3}}},
		{"each fails", []step{{send: messages(bad, end, bad, end, bad, end), times: 3}}},
		{"syntax", []step{now(statement("nonsense"), end)}},
		{"query is discarded", []step{now(bad, "SELECT 2", end)}},
		{"unknown statement", []step{now(&pgproto3.Describe{ObjectType: 'S', Name: "x"}, good, end)}},
		{"unknown portal", []step{now(&pgproto3.Execute{Portal: "x"}, good, end)}},
		{"error in sync", []step{now(statement("INSERT INTO word VALUES ('a')"), end)}},
		{"error in commit", []step{now("BEGIN"), now("INSERT INTO word VALUES ('a')"), now("COMMIT")}},
		{"in a transaction", []step{
			now("BEGIN"), now(bad, good, end), now(good, end), now("ROLLBACK"),
		}},
		{"stray copy messages", []step{now(&pgproto3.CopyData{Data: []byte("x")}, &pgproto3.CopyDone{}, &pgproto3.CopyFail{}, end)}},
	}
}

// copyScripts are of COPY.
func copyScripts() []protocolScript {
	end := syncMessage()
	data := func(s string) *pgproto3.CopyData { return &pgproto3.CopyData{Data: []byte(s)} }
	done, fail := &pgproto3.CopyDone{}, &pgproto3.CopyFail{Message: "no more"}
	in, undo := "BEGIN; COPY word FROM STDIN", now("ROLLBACK")
	response := "CopyInResponse"

	return []protocolScript{
		{"out", []step{now("COPY word TO STDOUT"), now(statement("COPY word TO STDOUT"), end)}},
		{"out and more", []step{now("SELECT 1 AS a; COPY word TO STDOUT; SELECT 2 AS b")}},
		{"out that fails", []step{now("COPY (SELECT 1 / (2 - i) FROM generate_series(1, 5) AS i) TO STDOUT")}},
		{"in", []step{{send: messages(in), until: response}, now(data("x\ny\n"), data("z\n"), done), undo}},
		{"in, data at once", []step{now(in, data("x\n"), done), undo}},
		{"in, empty", []step{now(in, done), undo}},
		{"in, given up", []step{{send: messages(in), until: response}, now(data("x\n"), fail), undo}},
		{"in, bad data", []step{{send: messages(in), until: response}, now(data("x\t\ty\n"), data("z\n"), done), undo}},
		{"in, duplicate", []step{now("BEGIN; SET CONSTRAINTS ALL IMMEDIATE; COPY word FROM STDIN", data("a\n"), done), undo}},
		{"in, between statements", []step{now("BEGIN; SELECT 1 AS a; COPY word FROM STDIN; SELECT 2 AS b", data("x\n"), done), undo}},
		{"two copies in a query", []step{
			{send: messages("BEGIN; COPY word FROM STDIN; COPY word FROM STDIN"), until: response},
			{send: messages(data("x\n"), done), until: response},
			now(data("y\n"), done), undo,
		}},
		{"in, sync and flush inside", []step{
			{send: messages(in), until: response}, now(data("x\n"), end, flushMessage(), data("y\n"), end, done), undo,
		}},
		{"in, extended", []step{
			now("BEGIN"),
			{send: messages(statement("COPY word FROM STDIN"), flushMessage()), until: response},
			now(data("x\n"), done, end), undo,
		}},
		{"in, sync sent before the data", []step{ // as tokio-postgres does
			now("BEGIN"),
			{send: messages(statement("COPY word FROM STDIN"), end), until: response},
			now(data("x\n"), done, end), undo,
		}},
		{"in, extended, bad data", []step{
			now("BEGIN"),
			{send: messages(statement("COPY word FROM STDIN"), flushMessage()), until: response},
			now(data("x\t\ty\n"), done, end), undo,
		}},
		{"in, extended, given up", []step{
			now("BEGIN"),
			{send: messages(statement("COPY word FROM STDIN"), flushMessage()), until: response},
			now(data("x\n"), fail, end), undo,
		}},
		{"in, interrupted by a query", []step{
			{send: messages(in), until: response}, now(data("x\n"), "SELECT 1"), undo, // FATAL since PostgreSQL 14
		}},
		{"in, table is missing", []step{now("COPY nowhere FROM STDIN"), now("SELECT 1 AS a")}},
	}
}
