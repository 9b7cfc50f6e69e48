package proxy

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// rotating has each transaction run on another server than the one before.
func rotating(g *config.Pgweir) {
	g.DefaultPoolSize = 3
	g.ServerRoundRobin = true
}

// newRotation starts a proxy with three servers that are used in turn.
func newRotation(t testing.TB, change func(*config.Pgweir)) *oracle {
	t.Helper()
	o := newOracle(t, func(g *config.Pgweir) {
		rotating(g)
		if change != nil {
			change(g)
		}
	})
	clients := []*client{o.connect(), o.connect(), o.connect()}
	for _, c := range clients {
		c.send(query("BEGIN"))
		c.want("CZ")
	}
	for _, c := range clients {
		c.send(query("COMMIT"))
		c.want("CZ")
		_ = c.nc.Close()
	}
	o.eventually("three servers are idle", func() bool { return o.pool().Idle == 3 && o.proxy.Stat().Clients == 0 })

	return o
}

// TestPrepared: prepared statements are where the client wants them.
func TestPrepared(t *testing.T) {
	o := newOracle(t, nil)
	testPrepared(t, o, o.smallPieces)
}

// TestPreparedRotation: so they are, whichever server it has.
func TestPreparedRotation(t *testing.T) {
	testPrepared(t, newRotation(t, nil))
}

// TestPreparedFew: and however few a server keeps.
func TestPreparedFew(t *testing.T) {
	testPrepared(t, newRotation(t, func(g *config.Pgweir) { g.MaxPreparedStatements = 1 }))
}

// testPrepared holds the conversations with prepared statements.
func testPrepared(t *testing.T, o *oracle, writers ...sender) {
	for _, c := range preparedConversations() {
		t.Run(c.name, func(t *testing.T) { o.compare(t, c, writers...) })
	}
}

// smallPieces writes a few bytes at a time, at first, and waits until the proxy has seen
// them.
func (o *oracle) smallPieces(c *client, b []byte) {
	const pieces, size = 100, 3
	for range pieces {
		n := min(size, len(b))
		c.send(b[:n])
		o.settle()
		b = b[n:]
	}
	c.send(b)
}

// run is a Bind of a statement and an Execute of it, to the end.
func run(stmt string, params ...string) []byte {
	return join(bind(stmt, params...), execute(0))
}

// preparedConversations use prepared statements across transactions.
func preparedConversations() []conversation {
	const answer = "SELECT $1::int + 42"
	large := "SELECT '" + strings.Repeat("x", 100_000) + "'"

	return []conversation{
		{"DEALLOCATE", []step{
			{join(parse("a", answer), parse("B c", answer), parse("d", answer), syncMsg()), "Z"},
			{query("DEALLOCATE A"), "Z"},
			{query("deallocate prepare \"B c\" ;"), "Z"},
			{query("DEALLOCATE \"D\""), "Z"},
			{join(run("a", "1"), syncMsg(), run("B c", "1"), syncMsg(), run("d", "1"), syncMsg()), "ZZZ"},
			{join(parse("a", "SELECT 'again'"), run("a"), syncMsg()), "Z"},
			{join(extended("DEALLOCATE a"), syncMsg()), "Z"},
			{join(run("a"), syncMsg()), "Z"},
			{join(query("DEALLOCATE d"), parse("d", "SELECT 'more'"), run("d"), syncMsg(), query("DEALLOCATE d"), query("DEALLOCATE d")), "ZZZZ"},
			{join(parse("e", answer), parse("f", answer), syncMsg(), query("BEGIN"), query("SELECT 1/0"), query("DEALLOCATE e"), query("ROLLBACK")), "ZZZZZ"},
			{join(parse("g", "SELECT 1"), syncMsg(), query("EXECUTE g"), query("DEALLOCATE g"), query("EXECUTE g")), "ZZZZ"},
			{join(run("e", "1"), syncMsg(), query("DEALLOCATE e"), query("DEALLOCATE f"), run("f", "1"), syncMsg()), "ZZZZ"},
		}},
		{"prepared, then bound", []step{
			{join(parse("a", answer), syncMsg()), "Z"},
			{join(describeStmt("a"), syncMsg()), "Z"},
			{join(run("a", "1"), syncMsg()), "Z"},
			{join(run("a", "2"), syncMsg(), run("a", "3"), syncMsg()), "ZZ"},
		}},
		{"unnamed, then bound", []step{
			{join(parse("", answer), describeStmt(""), syncMsg()), "Z"},
			{join(run("", "1"), syncMsg()), "Z"},
			{join(run("", "2"), syncMsg()), "Z"},
			{join(parse("", "SELECT 'other'"), syncMsg()), "Z"},
			{join(run(""), syncMsg()), "Z"},
			{join(closeStmt(""), syncMsg()), "Z"},
			{join(run(""), syncMsg()), "Z"},
		}},
		{"a query takes the unnamed one away", []step{
			{join(parse("", answer), syncMsg()), "Z"},
			{query("SELECT 1"), "Z"},
			{join(run("", "1"), syncMsg()), "Z"},
		}},
		{"the unnamed one fails", []step{
			{join(parse("", answer), syncMsg()), "Z"},
			{join(parse("", "SELEC"), syncMsg()), "Z"},
			{join(run("", "1"), syncMsg()), "Z"},
		}},
		{"the unnamed one is discarded", []step{
			{join(parse("", answer), syncMsg()), "Z"},
			{join(run("none"), parse("", "SELECT 1"), syncMsg()), "Z"},
			{join(run("", "1"), syncMsg()), "Z"},
		}},
		{"a name twice", []step{
			{join(parse("a", answer), syncMsg()), "Z"},
			{join(parse("a", "SELECT 2"), run("a"), syncMsg()), "Z"},
			{join(run("a", "1"), syncMsg()), "Z"},
			{query("BEGIN"), "Z"},
			{join(parse("a", "SELECT 2"), syncMsg()), "Z"},
			{join(run("a", "1"), syncMsg()), "Z"},
			{query("ROLLBACK"), "Z"},
		}},
		{"closed", []step{
			{join(parse("a", answer), closeStmt("a"), closeStmt("b"), run("a", "1"), syncMsg()), "Z"},
			{join(parse("a", "SELECT 2"), syncMsg()), "Z"},
			{join(closeStmt("a"), syncMsg()), "Z"},
			{join(describeStmt("a"), syncMsg()), "Z"},
			{join(parse("a", "SELECT 3"), run("a"), syncMsg()), "Z"},
		}},
		{"closed, but discarded", []step{
			{join(parse("a", answer), syncMsg()), "Z"},
			{join(run("none"), closeStmt("a"), syncMsg()), "Z"},
			{join(run("a", "1"), syncMsg()), "Z"},
		}},
		{"fails", []step{
			{join(parse("a", "SELEC"), run("a"), syncMsg()), "Z"},
			{join(run("a"), syncMsg()), "Z"},
			{join(parse("a", "SELECT 1"), run("a"), syncMsg()), "Z"},
		}},
		{"discarded", []step{
			{join(parse("a", "SELECT 1"), run("none"), parse("b", "SELECT 2"), closeStmt("a"), syncMsg()), "Z"},
			{join(run("a"), syncMsg()), "Z"},
			{join(run("b"), syncMsg()), "Z"},
			{join(parse("b", "SELECT 3"), run("b"), syncMsg()), "Z"},
		}},
		{"one text, several names", []step{
			{join(parse("a", answer), parse("b", answer), syncMsg()), "Z"},
			{join(closeStmt("a"), syncMsg()), "Z"},
			{join(run("b", "1"), syncMsg()), "Z"},
		}},
		{"several texts in turn", []step{
			{join(parse("a", answer), parse("b", "SELECT 2"), parse("c", "SELECT 3"), syncMsg()), "Z"},
			{join(run("a", "1"), run("b"), run("c"), run("a", "2"), run("b"), syncMsg()), "Z"},
			{join(run("c"), syncMsg(), run("b"), syncMsg(), run("a", "1"), syncMsg()), "ZZZ"},
		}},
		{"in a transaction that fails", []step{
			{join(parse("a", answer), parse("b", "ROLLBACK"), syncMsg()), "Z"},
			{query("BEGIN; SELECT 1/0"), "Z"},
			{join(run("a", "1"), syncMsg()), "Z"},
			{join(parse("c", answer), syncMsg()), "Z"},
			{join(describeStmt("a"), syncMsg()), "Z"},
			{join(run("b"), syncMsg()), "Z"},
			{join(run("a", "2"), syncMsg()), "Z"},
		}},
		{"all discarded", []step{
			{join(parse("a", answer), syncMsg()), "Z"},
			{query("DEALLOCATE ALL"), "Z"},
			{join(run("a", "1"), syncMsg()), "Z"},
			{join(parse("a", "SELECT 1"), parse("b", answer), syncMsg()), "Z"},
			{join(parse("", "DISCARD ALL"), run(""), syncMsg()), "Z"},
			{join(run("a"), syncMsg()), "Z"},
			{join(run("b", "1"), syncMsg()), "Z"},
		}},
		{"DISCARD ALL, and on without waiting", []step{
			{join(parse("a", answer), syncMsg()), "Z"},
			{join(query("DISCARD ALL"), parse("a", answer), run("a", "1"), syncMsg()), "ZZ"},
			{join(run("a", "2"), syncMsg()), "Z"},
		}},
		{"DISCARD ALL in a transaction", []step{
			{join(parse("a", answer), syncMsg()), "Z"},
			{query("BEGIN"), "Z"},
			{query("DISCARD ALL"), "Z"},
			{query("ROLLBACK"), "Z"},
			{join(run("a", "1"), syncMsg()), "Z"},
		}},
		{"Flush between Parse and Bind", []step{
			{join(parse("a", answer), describeStmt("a"), flushMsg()), "1tT"},
			{join(run("a", "1"), syncMsg()), "Z"},
			{join(parse("b", answer), flushMsg()), "1"},
			{join(closeStmt("b"), flushMsg()), "3"},
			{join(closeStmt("a"), run("a", "2"), syncMsg()), "Z"},
		}},
		{"pgweir's names", []step{
			{join(parse("a", answer), syncMsg()), "Z"},
			{join(run("pgweir_1", "1"), syncMsg()), "Z"},
			{join(describeStmt("pgweir_1"), syncMsg()), "Z"},
			{join(parse("pgweir_1", "SELECT 1"), run("pgweir_1"), syncMsg()), "Z"},
		}},
		{"a table changes", []step{
			{join(parse("a", "SELECT * FROM t"), syncMsg()), "Z"},
			{query("DROP TABLE t"), "Z"},
			{join(run("a"), syncMsg()), "Z"},
			{query("CREATE TABLE t (id int PRIMARY KEY, x text)"), "Z"},
			{join(run("a"), syncMsg()), "Z"},
		}},
		{"large statements", []step{
			{join(parse("a", large), parse("", large), syncMsg()), "Z"},
			{join(run("a"), run(""), syncMsg()), "Z"},
		}},
		{"malformed", []step{
			{join([]byte{wire.Parse, 0, 0, 0, 5, 'a'}, syncMsg()), "Z"},
			{join([]byte{wire.Bind, 0, 0, 0, 6, 'a', 0}, syncMsg()), "Z"},
			{join([]byte{wire.Describe, 0, 0, 0, 5, 'S'}, syncMsg()), "Z"},
			{join([]byte{wire.Close, 0, 0, 0, 5, 'S'}, syncMsg()), "Z"},
			{join([]byte{wire.Close, 0, 0, 0, 6, 'S', 'a'}, syncMsg()), "Z"},
		}},
	}
}

// TestPreparedIsShared: clients that prepare the same have it prepared once on a
// server, whatever they call it, and it stays when they leave.
func TestPreparedIsShared(t *testing.T) {
	o := newOracle(t, nil)
	for _, name := range []string{"a", "b", "a"} {
		c := o.connect()
		c.send(parse(name, "SELECT 1"), syncMsg())
		c.want("1Z")
		c.send(run(name), syncMsg())
		c.want("2DCZ")
		c.send(query("SELECT count(*) || ' ' || min(name) FROM pg_prepared_statements"))
		if got := string(c.want("TDCZ")[1].body[6:]); got != "1 pgweir_1" {
			t.Errorf("the server has %s", got)
		}
		_ = c.nc.Close()
	}
}

// TestPreparedLimit: a server has no more statements than it may.
func TestPreparedLimit(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.MaxPreparedStatements = 3 })
	c := o.connect()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		c.send(parse(name, "SELECT '"+name+"'"), syncMsg())
		c.want("1Z")
	}
	for _, name := range []string{"a", "b", "a", "c", "a", "e"} {
		c.send(run(name), syncMsg())
		if got := string(c.want("2DCZ")[1].body[6:]); got != name {
			t.Errorf("%s is %q", name, got)
		}
	}
	c.send(query("SELECT string_agg(substr(statement, 9, 1), '' ORDER BY statement) FROM pg_prepared_statements"))
	if got := string(c.want("TDCZ")[1].body[6:]); got != "ace" {
		t.Errorf("the server has %s, want those used last", got)
	}
}

// TestPreparedHeals: a statement whose result has changed fails once, as it does with
// PostgreSQL, and not again, on no server.
func TestPreparedHeals(t *testing.T) {
	o := newRotation(t, nil)
	c := o.connect()
	c.send(parse("a", "SELECT * FROM t"), syncMsg())
	c.want("1Z")
	for range 3 { // on each server
		c.send(run("a"), syncMsg())
		c.want("2CZ")
	}
	o.do("ALTER TABLE t ADD COLUMN y int")
	c.send(run("a"), syncMsg())
	c.wantError("ERROR", wire.CodeFeatureNotSupported, "cached plan must not change result type")
	c.want("Z")
	for range 3 {
		c.send(run("a"), syncMsg())
		c.want("2CZ")
	}
}

// TestPreparedTold: each client of the statement is told once, also the second one and
// on whichever server it is, unless it asks for a description.
func TestPreparedTold(t *testing.T) {
	o := newRotation(t, nil)
	first, second, asking := o.connect(), o.connect(), o.connect()
	for _, c := range []*client{first, second, asking} {
		c.send(parse("a", "SELECT * FROM t"), syncMsg())
		c.want("1Z")
		c.send(run("a"), syncMsg())
		c.want("2CZ")
	}
	o.do("ALTER TABLE t ADD COLUMN y int")
	for range 3 {
		asking.send(bind("a"), describePortal(), execute(0), syncMsg())
		asking.want("2TCZ")
	}
	for _, c := range []*client{first, second} {
		c.send(run("a"), syncMsg())
		c.wantError("ERROR", wire.CodeFeatureNotSupported, "cached plan must not change result type")
		c.want("Z")
		for range 3 {
			c.send(run("a"), syncMsg())
			c.want("2CZ")
		}
	}
	second.send(parse("b", "SELECT * FROM t"), describeStmt("b"), syncMsg())
	second.want("1tTZ")
}

// TestPreparedRepeats: what is sent again runs once, with all that belongs to it, and not
// if something has run before.
func TestPreparedRepeats(t *testing.T) {
	o := newOracle(t, nil)
	c := o.connect()
	const insert = "INSERT INTO t (id) VALUES ($1) RETURNING *"
	ask := func(id string) []byte { return join(bind("a", id), describePortal(), execute(0)) }
	c.send(parse("a", insert), syncMsg())
	c.want("1Z")
	for i := range 3 {
		c.send(ask(strconv.Itoa(i)), syncMsg())
		c.want("2TDCZ")
	}
	o.do("ALTER TABLE t ADD COLUMN y int")
	c.send(ask("3"), syncMsg(), ask("4"), syncMsg()) // the second is done, whatever becomes of the first
	for range 2 {
		c.wantError("ERROR", wire.CodeFeatureNotSupported, "cached plan must not change result type")
		c.want("Z")
	}
	o.do("ALTER TABLE t ADD COLUMN z int")
	c.send(ask("5"), syncMsg())
	c.want("2TDCZ")
	o.do("ALTER TABLE t DROP COLUMN z")
	c.send(query("BEGIN"))
	c.want("CZ")
	c.send(ask("6"), syncMsg())
	c.wantError("ERROR", wire.CodeFeatureNotSupported, "cached plan must not change result type")
	c.want("Z")
	c.send(query("ROLLBACK"))
	c.want("CZ")
	if got := o.do("SELECT string_agg(id::text, ' ' ORDER BY id) FROM t"); got != "0 1 2 5" {
		t.Errorf("rows %s", got)
	}
}

// TestPreparedAnew: who prepares a statement after somebody has changed what it is about
// gets it as it is now, whatever servers have prepared before. Here the parameter of one
// statement has another type, and that of the other a new type of the same name.
func TestPreparedAnew(t *testing.T) {
	o := newRotation(t, nil)
	alter := o.connect()
	statements := []string{"INSERT INTO t (y) VALUES ($1)", "SELECT $1::mood"}
	prepare := func() (types string) {
		c := o.connect()
		defer c.nc.Close()
		for i, sql := range statements {
			name := strconv.Itoa(i)
			c.send(parse(name, sql), describeStmt(name), syncMsg())
			for _, f := range c.until("Z") {
				if f.typ == wire.ParameterDescription {
					types += " " + o.do("SELECT "+strconv.Itoa(int(binary.BigEndian.Uint32(f.body[2:])))+"::regtype")
				}
			}
		}

		return types
	}
	everywhere := func(want string) {
		t.Helper()
		for range 3 { // on each server
			if got := prepare(); got != want {
				t.Errorf("the types of the parameters are%s, want%s", got, want)
			}
		}
	}
	alter.send(query("ALTER TABLE t ADD COLUMN y int; CREATE TYPE mood AS ENUM ('sad')"))
	alter.want("CCZ")
	everywhere(" integer mood")
	alter.send(query("BEGIN; ALTER TYPE mood RENAME TO gone; CREATE TYPE mood AS ENUM ('happy')"))
	alter.want("CCCZ")
	statements = statements[1:]
	everywhere(" mood") // still the old one, for others
	alter.send(query("COMMIT"))
	alter.want("CZ")
	everywhere(" mood")
	alter.send(query("DROP TYPE gone; ALTER TABLE t ALTER COLUMN y TYPE text"))
	alter.want("CCZ")
	statements = []string{"INSERT INTO t (y) VALUES ($1)", "SELECT $1::mood"}
	everywhere(" text mood")
}

// TestPreparedOff: with max_prepared_statements = 0 nothing is changed.
func TestPreparedOff(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.MaxPreparedStatements = 0 })
	c := o.connect()
	c.send(parse("mine", "SELECT 1"), syncMsg())
	c.want("1Z")
	c.send(query("SELECT name FROM pg_prepared_statements"))
	if got := string(c.want("TDCZ")[1].body[6:]); got != "mine" {
		t.Errorf("the server calls it %s", got)
	}
}

// TestPreparedTooLarge: what is too large to be kept works without a name, on the
// server that got it, and is refused with one.
func TestPreparedTooLarge(t *testing.T) {
	o := newRotation(t, nil)
	o.tick()
	c := o.connect()
	large := "SELECT '" + strings.Repeat("x", 2<<20) + "'"
	c.send(parse("", large), describeStmt(""), run(""), syncMsg())
	c.want("1tT2DCZ")
	c.send(run(""), syncMsg())
	c.wantError("ERROR", "26000", "unnamed prepared statement does not exist")
	c.want("Z")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = c.nc.Write(parse("a", large)) // it is not read to the end, perhaps
	}()
	c.wantFatal(wire.CodeProgramLimit, "statement is too large to be prepared by name")
	<-sent
}

// TestPreparedLeavesNothing: what clients have prepared is forgotten with them, but for
// what the next ones are likely to want.
func TestPreparedLeavesNothing(t *testing.T) {
	o := newOracle(t, nil)
	c := o.connect()
	for i := range keepUnused + 10 {
		c.send(parse("a", "SELECT "+strings.Repeat("1", i%5+1)+strings.Repeat(" ", i)), syncMsg(), closeStmt("a"), syncMsg())
		c.want("1Z3Z")
	}
	_ = c.nc.Close()
	o.eventually("the client is gone", func() bool { return o.proxy.Stat().Clients == 0 })
	o.proxy.mu.Lock()
	defer o.proxy.mu.Unlock()
	for _, r := range o.proxy.routes {
		table := &r.statements
		if n := len(table.byBody); n != keepUnused || table.unused.Len() != n {
			t.Errorf("%d statements are remembered, %d of them unused; want %d", n, table.unused.Len(), keepUnused)
		}
	}
}

// TestStatementsTable checks who is counted as a user of a statement.
func TestStatementsTable(t *testing.T) {
	t.Parallel()
	var table statements
	a, again, b := table.take([]byte("a"), 0, known{}), table.take([]byte("a"), 0, known{}), table.take([]byte("b"), 0, known{})
	if a != again || a == b {
		t.Error("not one statement for each text")
	}
	table.drop(a)
	table.drop(again)
	table.drop(b)
	if table.take([]byte("a"), 0, known{}) != a {
		t.Error("forgotten at once")
	}
	if diff := cmp.Diff(1, table.unused.Len()); diff != "" {
		t.Errorf("unused: %s", diff)
	}
}

// TestStatementsOfAnOldCatalog checks that statements of another state of the catalog are
// kept apart, and forgotten with their last user.
func TestStatementsOfAnOldCatalog(t *testing.T) {
	t.Parallel()
	var table statements
	old := table.take([]byte("a"), 0, known{})
	now := table.take([]byte("a"), 1, known{})
	if old == now || old.id == now.id {
		t.Error("one statement for two states of the catalog")
	}
	table.drop(old)
	if n := table.unused.Len(); n != 0 {
		t.Errorf("%d old statements are remembered", n)
	}
	table.drop(now)
	if newest := table.take([]byte("a"), 2, known{}); newest == now || table.unused.Len() != 0 || table.byBody["a"] != newest {
		t.Error("the one without users is not replaced")
	}
}

// TestClientStatements checks how much a client may have prepared.
func TestClientStatements(t *testing.T) {
	t.Parallel()
	var c clientStatements
	big := &statement{body: strings.Repeat("x", maxClientText)}
	small := &statement{body: "x"}
	c.set("", big) // which does not count
	c.set("a", small)
	if c.mayHave(maxClientText) || !c.mayHave(maxClientText-1) {
		t.Error("the size is not that of what has a name")
	}
	c.set("a", big)
	c.set("a", small)
	c.set("a", nil)
	c.set("a", nil)
	if !c.mayHave(maxClientText) || c.size != 0 {
		t.Errorf("%d bytes are left of nothing", c.size)
	}
	for i := range maxClientStatements {
		c.set(strconv.Itoa(i), small)
	}
	if c.mayHave(1) {
		t.Error("one too many")
	}
	if n := len(c.takeNamed()); n != maxClientStatements || c.size != 0 || !c.mayHave(1) {
		t.Errorf("took %d and left %d bytes", n, c.size)
	}
}

// TestChanges checks that the list of changes does not grow with what is over.
func TestChanges(t *testing.T) {
	t.Parallel()
	var c changes
	next := 0
	for i := range 10_000 {
		c.push(change{name: strconv.Itoa(i)})
		if i%3 != 0 && len(c.rest()) > 2 {
			for range 2 {
				if one := c.pop(); one.name != strconv.Itoa(next) {
					t.Fatalf("popped %s, want %d", one.name, next)
				}
				next++
			}
		}
	}
	if n := cap(c.list); n > 100 {
		t.Errorf("room for %d, with %d on the way", n, len(c.rest()))
	}
}
