package proxy

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/config"
)

// rounds is how many random conversations a test holds. Twice as many statements are
// cancelled.
var rounds = flag.Uint64("rounds", 150, "hold so many random conversations with the proxy, and cancel twice as many statements")

// A writer makes up conversations.
type writer struct {
	rand *rand.Rand
	n    int // of the statement, so that each answer tells which it belongs to
}

// sql makes up a statement: mostly good ones.
func (w *writer) sql() string {
	w.n++
	switch w.rand.IntN(12) {
	case 0:
		return "SELECT 1/0"
	case 1:
		return "SELEC"
	case 2:
		return ""
	case 3:
		return "BEGIN"
	case 4:
		return "COMMIT"
	case 5:
		return "ROLLBACK"
	case 6:
		return fmt.Sprintf("INSERT INTO t VALUES (%d)", w.rand.IntN(10))
	case 7:
		return "INSERT INTO d VALUES (1)"
	case 8:
		return fmt.Sprintf("SELECT repeat('x', %d)", w.rand.IntN(30_000))
	}

	return fmt.Sprintf("SELECT %d, count(*) FROM t", w.n)
}

// messages makes up a few messages that belong together. A copy is whole, so that
// nothing depends on when PostgreSQL reads what.
func (w *writer) messages() []byte {
	switch w.rand.IntN(14) {
	case 0, 1, 2:
		return query(w.sql())
	case 3, 4, 5:
		return extended(w.sql())
	case 6:
		return join(extended(w.sql()), syncMsg())
	case 7:
		return join(extended("SELECT $1::int", "bad"), extended(w.sql()), syncMsg())
	case 8:
		return join(parse("s", w.sql()), describeStmt("s"), closeStmt("s"))
	case 9:
		return flushMsg()
	case 10:
		return functionCall(int4div, "6", strconv.Itoa(w.rand.IntN(3)))
	case 11:
		return join(query(copyIntoT), copyData(fmt.Sprintf("%d\ta\n", w.rand.IntN(10))), copyDone())
	case 12:
		return join(parse("", copyIntoT), bind(""), execute(0), copyData("5\tb\n"), copyFail("enough"), syncMsg())
	}

	return syncMsg()
}

// conversation makes up a pipeline. It ends outside a transaction, whatever is in it.
func (w *writer) conversation() conversation {
	var b []byte
	for range 1 + w.rand.IntN(12) {
		b = join(b, w.messages())
	}
	b = join(b, syncMsg(), query("ROLLBACK"), marker())

	return conversation{steps: []step{{b, "SZSZ"}}}
}

// marker is two queries whose answers have messages of a type that nothing else here
// causes, to find the end of a pipeline by.
func marker() []byte {
	return join(query("SET application_name = 'marker'"), query("RESET application_name"))
}

// scattered cuts the bytes in pieces, and lets the proxy see each before the next.
func (o *oracle) scattered(r *rand.Rand) sender {
	return func(c *client, b []byte) {
		for len(b) > 0 {
			n := 1 + r.IntN(min(len(b), 200))
			c.send(b[:n])
			b = b[n:]
			if r.IntN(2) == 0 {
				o.settle()
			}
		}
	}
}

// TestRandomPipelines: whatever a client puts in a pipeline, PostgreSQL and the proxy
// answer the same.
func TestRandomPipelines(t *testing.T) {
	o := newOracle(t, nil)
	for seed := range *rounds {
		w := writer{rand: rand.New(rand.NewPCG(seed, 0))}
		c := w.conversation()
		want := o.observe(o.direct(t), c.steps, whole)
		for name, write := range map[string]sender{"whole": whole, "scattered": o.scattered(w.rand)} {
			got := o.observe(o.through(t), c.steps, write)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, %s: directly (-) and through the proxy (+):\n%s\nof %q", seed, name, diff, c.steps[0].send)
			}
		}
	}
}

// prepared makes up a few messages about prepared statements.
func (w *writer) prepared() []byte {
	name := string("abc"[w.rand.IntN(3)])
	if w.rand.IntN(3) == 0 {
		name = ""
	}
	switch w.rand.IntN(13) {
	case 0, 1:
		return parse(name, w.sql())
	case 2:
		return parse(name, "SELECT $1::int")
	case 3:
		return describeStmt(name)
	case 4, 5, 6, 7:
		return run(name)
	case 8:
		return run(name, "7")
	case 9:
		return closeStmt(name)
	case 10:
		return join(closeStmt(name), parse(name, w.sql()), run(name))
	case 11:
		return query(w.sql())
	}

	return join(flushMsg(), syncMsg())
}

// preparedConversation makes up a few pipelines, with prepared statements from one to
// the next.
func (w *writer) preparedConversation() conversation {
	var c conversation
	for range 2 + w.rand.IntN(3) {
		var b []byte
		for range 1 + w.rand.IntN(8) {
			b = join(b, w.prepared())
		}
		c.steps = append(c.steps, step{join(b, syncMsg(), query("ROLLBACK"), marker()), "SZSZ"})
	}

	return c
}

// TestRandomPrepared: so it is with prepared statements and another server for each
// transaction.
func TestRandomPrepared(t *testing.T) {
	o := newRotation(t, func(g *config.Pgweir) { g.MaxPreparedStatements = 2 })
	for seed := range *rounds {
		w := writer{rand: rand.New(rand.NewPCG(seed, 1))}
		c := w.preparedConversation()
		want := o.observe(o.direct(t), c.steps, whole)
		for name, write := range map[string]sender{"whole": whole, "scattered": o.scattered(w.rand)} {
			got := o.observe(o.through(t), c.steps, write)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, %s: directly (-) and through the proxy (+):\n%s\nof %q", seed, name, diff, c.steps)
			}
		}
	}
}
