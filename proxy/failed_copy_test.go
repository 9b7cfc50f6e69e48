package proxy

import (
	"testing"

	"github.com/pgweir/pgweir/config"
)

// refusedAtOnce is a COPY that PostgreSQL asks data for, but fails before it has read
// any, or what else had been sent by then.
const refusedAtOnce = "COPY refusing FROM STDIN"

// makeRefusing makes the table that it needs.
func (o *oracle) makeRefusing() {
	o.t.Helper()
	o.do("CREATE TABLE refusing (x text)")
	o.do("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$")
	o.do("CREATE TRIGGER refuse BEFORE INSERT ON refusing EXECUTE FUNCTION refuse()")
}

// failedCopies are copies that fail and leave it to chance, as far as the proxy can
// tell, how many of the Syncs that it has sent are answered.
func failedCopies() []conversation {
	series := func(sql string) []byte { return join(parse("", sql), bind(""), execute(0), syncMsg()) }

	return []conversation{
		{"Sync read", []step{
			{series(copyIntoT), "G"},
			{join(copyData("nonsense\n"), copyDone(), syncMsg()), "EZ"},
		}},
		{"Sync not read", []step{{series(refusedAtOnce), "GEZ"}}},
		{"Sync not read, and another", []step{
			{join(series(refusedAtOnce), copyData("x\n"), copyDone(), syncMsg()), "GEZZ"},
		}},
		{"query, Syncs read", []step{
			{query(copyIntoT), "G"},
			{join(syncMsg(), syncMsg(), copyData("nonsense\n")), "EZ"},
		}},
		{"query, Syncs not read", []step{{join(query(refusedAtOnce), syncMsg(), syncMsg()), "GEZZZ"}}},
	}
}

// TestFailedCopyFrees: the server is free for others before its client says anything
// more, and not closed.
func TestFailedCopyFrees(t *testing.T) {
	o := newOracle(t, nil)
	o.makeRefusing()
	other := o.connect()
	other.send(query("SELECT pg_backend_pid()"))
	backend := other.want("TDCZ")[1].String()
	for _, conversation := range failedCopies() {
		t.Run(conversation.name, func(t *testing.T) {
			c := o.through(t)
			for _, s := range conversation.steps {
				c.send(s.send)
				c.until(s.until)
			}
			other.send(query("SELECT pg_backend_pid()"))
			if got := other.want("TDCZ")[1].String(); got != backend {
				t.Errorf("the server is another: %s, not %s", got, backend)
			}
			c.wantSilence()
			c.send(query("SELECT 1"))
			c.want("TDCZ")
		})
	}
}

// TestFailedCopySession: in session mode nothing is asked, which would cost the client
// its unnamed statement.
func TestFailedCopySession(t *testing.T) {
	o := newOracle(t, func(g *config.Pgweir) { g.PoolMode = config.PoolSession })
	c := o.connect()
	c.send(parse("s", copyIntoT), bind("s"), parse("", "SELECT 1"), execute(0), syncMsg())
	c.want("121G")
	c.send(copyData("nonsense\n"), syncMsg())
	c.want("EZ")
	o.settle()
	c.send(bind(""), execute(0), syncMsg())
	c.want("2DCZ")
}

// TestFailedCopyClientLeaves: a client that goes meanwhile leaves a server that is as
// good as new.
func TestFailedCopyClientLeaves(t *testing.T) {
	_, r, c, s := paired(t, nil)
	other := r.connect()
	c.send(query(copyIntoT))
	s.wantQuery(copyIntoT)
	s.send([]byte("G\x00\x00\x00\x07\x00\x00\x00"))
	c.want("G")
	c.send(syncMsg(), copyData("nonsense\n"))
	s.want("Sd")
	s.send(canceledError())
	c.want("EZ")
	s.wantQuery("")
	c.send(terminate())
	r.settle()
	s.wantSilence()
	s.send(emptyQuery(), ready('I'))
	c.wantEnd()
	ping(other, s)
}
