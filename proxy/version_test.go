package proxy

import (
	"strconv"
	"testing"

	"github.com/pgweir/pgweir/wire"
)

// version returns the major version of PostgreSQL.
func (o *oracle) version() int {
	o.t.Helper()
	number, err := strconv.Atoi(o.do("SHOW server_version_num"))
	if err != nil {
		o.t.Fatal(err)
	}

	return number / 10000
}

// TestQueryInOpenSeries: what a query in an open series has left in a server is found by
// no other client, not even with PostgreSQL 18, where it is a transaction. That one ends
// with its client, who was told otherwise; without pgweir it does so too.
func TestQueryInOpenSeries(t *testing.T) {
	for name, series := range map[string][]byte{
		"a Sync":             syncMsg(),
		"a Close and a Sync": join(closeStmt("none"), syncMsg()),
	} {
		t.Run(name, func(t *testing.T) {
			o := newOracle(t, nil)
			rows := "1"
			if o.version() >= 18 {
				rows = "0"
			}
			first, second := o.connect(), o.connect()
			first.send(extended("INSERT INTO t VALUES (1)"), query("SELECT 1"))
			first.until("Z")
			first.send(series)
			first.until("Z")
			second.send(query("SELECT 2"))
			o.settle()
			first.send(terminate())
			second.want("TDCZ")
			if got := o.do("SELECT count(*) FROM t"); got != rows {
				t.Errorf("%s rows are in the table, want %s", got, rows)
			}
		})
	}
}

// TestParseInOpenSeries: a Parse behind a query in an open series reaches the server, even
// if pgweir could answer it: with PostgreSQL 18 the Sync commits because of it.
func TestParseInOpenSeries(t *testing.T) {
	const text = "SELECT 'prepared before'"
	o := newOracle(t, nil)
	o.compare(t, conversation{steps: []step{
		{join(parse("a", text), closeStmt("a"), syncMsg()), "Z"},
		{join(extended("INSERT INTO t VALUES (1)"), query("SELECT 1"), parse("b", text), syncMsg()), "ZZ"},
		{join(bind("b"), execute(0), syncMsg()), "Z"},
	}})
}

// TestServerProtocolVersions: PostgreSQL settles for the version that it speaks, and what
// it gives out as a cancel key, 4 bytes or the 32 of version 3.2, cancels.
func TestServerProtocolVersions(t *testing.T) {
	o := newOracle(t, nil)
	newest := wire.Version30
	if o.version() >= 18 {
		newest = wire.Version32
	}
	secrets := map[wire.Version]int{wire.Version30: 4, wire.Version32: 32} // their lengths
	for _, asked := range []wire.Version{wire.Version30, wire.Version32} {
		t.Run(asked.String(), func(t *testing.T) {
			c := o.directly(t, asked)
			want := min(asked, newest)
			if w := c.welcome; w.Version != want || len(w.Secret) != secrets[want] {
				t.Errorf("version %v with a secret of %d bytes, want %v", w.Version, len(w.Secret), want)
			}
			c.send(query("SELECT pg_sleep(600)"))
			o.eventually("PostgreSQL is at it", func() bool {
				return o.do("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1"
			})
			dial(t, o.address()).send(wire.AppendCancelRequest(nil, c.welcome.PID, c.welcome.Secret))
			c.want("T")
			c.wantError("ERROR", wire.CodeQueryCanceled, "user request")
		})
	}
}

// TestSettingsOfTransactions: what PostgreSQL lists of them in a session is not the
// client's, and no server is asked to reset it, which version 16 and later refuse.
func TestSettingsOfTransactions(t *testing.T) {
	for name, sql := range map[string]string{
		"SET TRANSACTION": "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE; COMMIT",
		"SET":             "SET transaction_isolation = 'serializable'",
		"set_config":      "SELECT set_config('transaction_read_only', 'on', false)",
	} {
		t.Run(name, func(t *testing.T) {
			o := newOracle(t, nil)
			c, other := o.connect(), o.connect()
			c.send(query(sql))
			c.until("Z")
			c.send(query("SET work_mem = '5MB'")) // behind that PostgreSQL is asked
			c.until("Z")
			testReadWrite(o, other)
			testReadWrite(o, c)
		})
	}
	t.Run("startup", func(t *testing.T) {
		o := newOracle(t, nil)
		c := o.connect(wire.Parameter{Name: "options", Value: "-c Transaction_Read_Only=on"},
			wire.Parameter{Name: "transaction_isolation", Value: "serializable"})
		testReadWrite(o, c)
		testReadWrite(o, o.connect())
		testReadWrite(o, o.directly(t, wire.Version30, wire.Parameter{Name: "transaction_read_only", Value: "on"}))
	})
}

// testReadWrite checks that a client is in transactions as PostgreSQL makes them.
func testReadWrite(o *oracle, c *client) {
	o.t.Helper()
	const sql = "SELECT current_setting('transaction_isolation') || current_setting('transaction_read_only')"
	if got := o.look(c, sql); got != "read committedoff" {
		o.t.Errorf("the client is in a transaction that is %s", got)
	}
}
