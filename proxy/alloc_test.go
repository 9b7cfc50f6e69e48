package proxy

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/internal/skiptest"
	"github.com/pgweir/pgweir/wire"
)

// A pingPong is a client and a fake server that ask and answer the same again and again
// as fast as they can, without allocating anything themselves.
type pingPong struct {
	client          net.Conn
	question        []byte
	answer, arrived []byte
}

// preparedName is as long as the names that drivers make of a hash of the text.
const preparedName = "stmtcache_0123456789abcdef0123456789abcdef0123456789abcdef01"

// newPingPong starts a rig, and the server's side in a goroutine that ends with it. The
// client has prepared a statement, called preparedName.
func newPingPong(t testing.TB, question, answer []byte) *pingPong {
	t.Helper()
	f := newFake(t)
	r := newRig(t, f.config(nil))
	c := r.connect()
	s := f.accept()
	c.send(parse(preparedName, "SELECT 1"), syncMsg())
	s.want("PS")
	s.send(frameOf(&pgproto3.ParseComplete{}), wire.AppendReadyForQuery(nil, wire.TxIdle))
	c.want("1Z")
	p := &pingPong{client: c.nc, question: question, answer: answer}
	p.arrived = make([]byte, len(p.answer))
	f.handlers.Go(func() {
		asked := bytes.ReplaceAll(p.question, []byte(preparedName), []byte("pgweir_1")) // so many bytes
		for {
			if _, err := io.ReadFull(s.nc, asked); err != nil {
				return
			}
			if _, err := s.nc.Write(p.answer); err != nil {
				return
			}
		}
	})

	return p
}

// transaction does one.
func (p *pingPong) transaction(t testing.TB) {
	if _, err := p.client.Write(p.question); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p.client, p.arrived); err != nil {
		t.Fatal(err)
	}
}

// TestTransactionAllocs: a transaction through a whole link, its checkout and release
// included, allocates nothing.
func TestTransactionAllocs(t *testing.T) {
	skiptest.UnderRace(t)
	const n = 5000
	answer := join(frameOf(&pgproto3.BindComplete{}), done("SELECT 1", wire.TxIdle))
	for name, test := range map[string]struct{ question, answer []byte }{
		"query":    {query("SELECT abalance FROM pgbench_accounts WHERE aid = 123456;"), result("1")},
		"extended": {join(parse("", "SELECT 1"), run(""), syncMsg()), join(frameOf(&pgproto3.ParseComplete{}), answer)},
		"prepared": {join(run(preparedName), syncMsg()), answer},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPingPong(t, test.question, test.answer)
			for range 100 {
				p.transaction(t)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range n {
				p.transaction(t)
			}
			runtime.ReadMemStats(&after)
			if each := float64(after.Mallocs-before.Mallocs) / n; each >= 0.1 {
				t.Errorf("%.2f allocations in a transaction, want none", each)
			}
		})
	}
}

// BenchmarkTransaction is the time of one simple query through the proxy, client and
// server included.
func BenchmarkTransaction(b *testing.B) {
	p := newPingPong(b, query("SELECT 1"), result("1"))
	b.ReportAllocs()
	for b.Loop() {
		p.transaction(b)
	}
}
