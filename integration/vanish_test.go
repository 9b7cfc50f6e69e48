package integration

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// goneTime is how soon PostgreSQL must be rid of what a client that is gone has left.
const goneTime = 3 * time.Second

// TestClientVanishes has clients leave, in every way, at every bad moment. The next
// user of their server sees nothing of it.
func TestClientVanishes(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*client){
		"reset":     (*client).reset,
		"close":     func(c *client) { _ = c.nc.Close() },
		"half":      func(c *client) { _ = c.nc.(interface{ CloseWrite() error }).CloseWrite() },
		"terminate": func(c *client) { c.send(terminateMessage()); _ = c.nc.Close() },
	}
	moments := map[string]func(t *testing.T, p *pgweir, c *client){
		"at rest":                 func(*testing.T, *pgweir, *client) {},
		"in a transaction":        inTransaction,
		"in a failed transaction": inFailedTransaction,
		"in COPY IN":              inCopy,
		"in a query":              inQuery,
		"in an open series":       inSeries,
		"in half a message":       inHalfMessage,
		"in a pipeline":           inPipeline,
	}
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("CREATE TABLE vanish (i int)")
	for moment, lead := range moments {
		for way, leave := range ways {
			if moment == "in a query" && way == "terminate" {
				continue // a goodbye behind a query does not end it: PostgreSQL finishes it too
			}
			t.Run(moment+"/"+way, func(t *testing.T) {
				c := p.login(t)
				lead(t, p, c)
				leave(c)
				next := p.login(t)
				wantLines(t, next.query("SELECT txid_current_if_assigned() IS NULL AS clean, count(*) FROM vanish"),
					"T clean|count", "D t|0", "C SELECT 1", "Z I")
				await(t, goneTime, "PostgreSQL to do nothing for a client that is gone", func() bool {
					return p.backends("state <> 'idle'") == 0
				})
			})
		}
	}
}

// inTransaction leads a client into a transaction.
func inTransaction(t *testing.T, _ *pgweir, c *client) {
	wantLines(t, c.query("BEGIN; INSERT INTO vanish VALUES (1)"), "C BEGIN", "C INSERT 0 1", "Z T")
}

// inFailedTransaction leads a client into a transaction that has failed.
func inFailedTransaction(t *testing.T, _ *pgweir, c *client) {
	wantLines(t, c.query("BEGIN; INSERT INTO vanish VALUES (1); SELECT 1/0"), "C BEGIN", "C INSERT 0 1", "E ERROR 22012", "Z E")
}

// inCopy leads a client into the middle of a COPY.
func inCopy(t *testing.T, _ *pgweir, c *client) {
	c.send(messages("COPY vanish FROM STDIN")...)
	c.expect(t, "CopyInResponse")
	c.send(&pgproto3.CopyData{Data: []byte("1\n2\n3\n")})
}

// inQuery leads a client into a query that takes longer than the test.
func inQuery(t *testing.T, p *pgweir, c *client) {
	c.send(messages("INSERT INTO vanish VALUES (1); SELECT pg_sleep(600)")...)
	p.awaitSleep()
}

// inSeries leads a client into a series of messages without its Sync.
func inSeries(t *testing.T, _ *pgweir, c *client) {
	c.send(messages(statement("INSERT INTO vanish VALUES (1)"), flushMessage())...)
	c.expect(t, "ParseComplete", "BindComplete", "C INSERT 0 1")
}

// inHalfMessage leads a client into the middle of a message, in a transaction.
func inHalfMessage(t *testing.T, p *pgweir, c *client) {
	inTransaction(t, p, c)
	b := encode(&pgproto3.Query{String: "COMMIT"})
	c.write(b[:len(b)-3])
}

// inPipeline has a client not wait for its answers, in a transaction.
func inPipeline(_ *testing.T, _ *pgweir, c *client) {
	c.send(messages("BEGIN", "INSERT INTO vanish VALUES (1)", "SELECT repeat('x', 100000) FROM generate_series(1, 100)")...)
}

// TestQueuedClientVanishes has a client leave that waits for a server.
func TestQueuedClientVanishes(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("CREATE TABLE vanish (i int)")
	holder := p.login(t)
	wantLines(t, holder.query("BEGIN"), "C BEGIN", "Z T")
	for _, leave := range []func(*client){(*client).reset, func(c *client) { _ = c.nc.Close() }} {
		c := p.login(t)
		c.send(messages("INSERT INTO vanish VALUES (1)")...)
		await(t, patience, "the client to be queued", func() bool { return p.waiting() == 1 })
		leave(c)
		await(t, goneTime, "the client to be out of the queue", func() bool { return p.waiting() == 0 })
	}
	wantLines(t, holder.query("COMMIT"), "C COMMIT", "Z I")
	wantLines(t, holder.query("SELECT count(*) FROM vanish"), "T count", "D 0", "C SELECT 1", "Z I")
}

// waiting returns how many clients wait for a server.
func (p *pgweir) waiting() int {
	p.t.Helper()
	return int(p.metrics().sum("pgweir_pool_clients", `state="waiting"`))
}

// TestGoodbyeInPipeline says goodbye behind work: it is done all the same.
func TestGoodbyeInPipeline(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("CREATE TABLE vanish (i int)")
	for n := range 20 {
		c := p.login(t)
		c.send(messages("INSERT INTO vanish VALUES (1)", statement("INSERT INTO vanish VALUES (2)"), syncMessage(), terminateMessage())...)
		_ = c.nc.Close()
		await(t, goneTime, "the work to be done", func() bool {
			return ask[int](p, "SELECT count(*) FROM vanish") == 2*(n+1)
		})
	}
}
