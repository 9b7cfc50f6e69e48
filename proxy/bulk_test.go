package proxy

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/wire"
)

// TestMessageSizes: a message may be of any size, in particular about as large as a
// buffer, and larger than all.
func TestMessageSizes(t *testing.T) {
	o := newOracle(t, nil)
	for _, size := range []int{8186, 8187, 8188, 8192, 8193, 16384, 65530, 65531, 65532, 65536, 65537, 1 << 20} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			sql := "SELECT length('" + strings.Repeat("x", size-len("SELECT length('')")-1-4) + "')"
			o.compare(t, conversation{steps: []step{
				{query(sql), "Z"},
				{join(query(sql), query("SELECT 1"), query(sql)), "ZZZ"},
				{join(query("SELECT 1"), extended(sql), syncMsg()), "ZZ"},
			}})
		})
	}
}

// TestLargeBind: a Bind that is far larger than all buffers, and its value back.
func TestLargeBind(t *testing.T) {
	o := newOracle(t, nil)
	o.tick()
	value := string(bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16))
	c := o.connect()
	written := make(chan struct{})
	go func() { // while it is read below
		defer close(written)
		c.send(extended("SELECT $1::text", value), syncMsg())
	}()
	frames := c.want("12TDCZ")
	<-written
	if got := string(frames[3].body[6:]); got != value {
		t.Errorf("got %d bytes back, want the %d that were sent", len(got), len(value))
	}
}

// TestPipelineBeyondBuffers: a client that sends far more than anybody can buffer
// before it reads far more than that gets every answer, in order.
func TestPipelineBeyondBuffers(t *testing.T) {
	const n = 6000
	o := newOracle(t, nil)
	o.tick()
	c := o.connect()
	written := make(chan struct{})
	go func() {
		defer close(written)
		padding := "/*" + strings.Repeat("x", 1000) + "*/"
		for i := range n {
			number := strconv.Itoa(i)
			if i%2 == 0 {
				c.send(query("SELECT " + number + ", repeat('y', 1500) " + padding))
			} else {
				c.send(extended("SELECT $1::text, repeat('y', 1500) "+padding, number), syncMsg())
			}
		}
	}()
	for i := range n {
		for _, f := range c.until("Z") {
			if f.typ != wire.DataRow {
				continue
			}
			number := strconv.Itoa(i)
			if got := string(f.body[6 : 6+len(number)]); got != number {
				t.Fatalf("the answer to query %d is %q", i, got)
			}
		}
	}
	<-written
	c.wantSilence()
}

// TestManySyncs: Syncs at rest are answered by the proxy, one each, however many come
// at a time.
func TestManySyncs(t *testing.T) {
	const n = 100_000
	o := newOracle(t, nil)
	c := o.connect()
	transactions := o.proxy.Stat().Routes[0].Transactions
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.send(repeat(n, syncMsg()))
	}()
	for range n {
		c.want("Z")
	}
	<-written
	c.wantSilence()
	if got := o.proxy.Stat().Routes[0].Transactions; got != transactions {
		t.Errorf("%d transactions for it", got-transactions)
	}
	c.send(query("SELECT 1"))
	c.want("TDCZ")
}

// TestManySyncsInTransaction: there PostgreSQL answers them, more of them than the
// queue of what it owes may hold.
func TestManySyncsInTransaction(t *testing.T) {
	const n = maxOwed + 10_000
	o := newOracle(t, nil)
	o.tick()
	c := o.connect()
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.send(query("BEGIN"), repeat(n, syncMsg()), query("COMMIT"))
	}()
	c.want("CZ")
	for range n {
		if z := c.want("Z")[0].body; string(z) != "T" {
			t.Fatalf("status %q", z)
		}
	}
	<-written
	c.want("CZ")
	c.wantSilence()
}

// TestQueryTimeoutPipelinePostgres: the statements of a pipeline may take longer than
// query_timeout together, but not one alone.
func TestQueryTimeoutPipelinePostgres(t *testing.T) {
	const n = 3
	o := newOracle(t, func(g *config.Pgweir) { g.QueryTimeout = limit })
	c := o.connect()
	for i := range n {
		o.do("SELECT pg_advisory_lock(" + strconv.Itoa(i) + ")")
		c.send(query("SELECT pg_advisory_xact_lock(" + strconv.Itoa(i) + ")"))
	}
	for i := range n {
		o.eventually("PostgreSQL waits for the next lock", func() bool {
			return o.do("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"+
				" AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == strconv.Itoa(i)
		})
		o.step(limit - 1)
		c.wantSilence()
		if i < n-1 {
			o.do("SELECT pg_advisory_unlock(" + strconv.Itoa(i) + ")")
			c.want("TDCZ")
		}
	}
	o.step(1)
	c.want("T")
	c.wantError("ERROR", wire.CodeQueryCanceled, "canceling statement due to user request")
	c.want("Z")
}

// TestQueryTimeoutPostgres: PostgreSQL does cancel when query_timeout asks it to, and
// the session goes on.
func TestQueryTimeoutPostgres(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.QueryTimeout = limit })
	c := o.connect()
	for range 20 {
		c.send(query("SELECT pg_sleep(1000)"))
		o.eventually("PostgreSQL sleeps", func() bool {
			return o.do("SELECT count(*) FROM pg_stat_activity"+
				" WHERE wait_event = 'PgSleep' AND datname = current_database()") == "1"
		})
		o.step(limit)
		c.want("T")
		c.wantError("ERROR", wire.CodeQueryCanceled, "canceling statement due to user request")
		c.want("Z")
		c.send(query("SELECT pg_sleep(0.001)")) // which no late cancel hits
		c.want("TDCZ")
	}
}
