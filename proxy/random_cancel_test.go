package proxy

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// TestRandomCancels: clients cancel their statements around the moment when these end,
// and share few servers with each other and with clients that cancel nothing. A statement
// ends with its own result, or is cancelled if its own client asked for it; one that was
// certainly running is. What a client sends once the connection that carried its request
// has ended is never hit, in the same transaction neither.
func TestRandomCancels(t *testing.T) {
	const cancelers, bystanders, servers = 6, 2, 2
	o := newOracle(t, func(g *config.Pgweir) { g.DefaultPoolSize, g.ServerRoundRobin = servers, true })
	o.do("CREATE FUNCTION nap(s float8) RETURNS int LANGUAGE plpgsql AS " +
		"$$ BEGIN RAISE NOTICE 'asleep'; PERFORM pg_sleep(s); RETURN 1; END $$")
	o.tick()
	storm := &cancelStorm{oracle: o, left: int64(2 * *rounds)}
	var group sync.WaitGroup
	for id := range cancelers + bystanders {
		c := o.connect(wire.Parameter{Name: "application_name", Value: fmt.Sprint("client ", id)})
		x := &canceler{storm: storm, c: c, id: id, rand: rand.New(rand.NewPCG(uint64(id), 2))}
		group.Go(func() {
			if err := x.run(id < cancelers); err != nil {
				t.Errorf("client %d, statement %d: %v", id, x.n, err)
			}
		})
	}
	group.Wait()
	t.Logf("of %d statements %d had ended before, %d were cancelled around their end, %d while they were certainly running;"+
		" PostgreSQL got %d requests", 2**rounds, storm.misses.Load(), storm.hits.Load(), storm.certain.Load(), o.pool().Cancels)
	if storm.hits.Load() == 0 || storm.misses.Load() == 0 {
		t.Error("the cancels do not come around the end of their statements")
	}
	if n := o.pool().Closed[pool.ReasonCancel]; n != 0 {
		t.Errorf("%d servers were closed for a cancel that was not confirmed", n)
	}
}

// A cancelStorm is what the clients of TestRandomCancels have in common.
type cancelStorm struct {
	*oracle
	left                  int64 // statements to cancel; atomic
	hits, misses, certain atomic.Int64
}

// A canceler is one of its clients. What it does wrong or suffers is an error.
type canceler struct {
	storm *cancelStorm
	c     *client
	id    int
	n     int // of the statement
	rand  *rand.Rand
}

// run cancels statements until there have been enough of all clients, or, as a
// bystander, just runs some.
func (x *canceler) run(cancels bool) error {
	if err := x.begin(); err != nil {
		return err
	}
	for ; ; x.n++ {
		left := atomic.LoadInt64(&x.storm.left)
		if cancels {
			left = atomic.AddInt64(&x.storm.left, -1)
		}
		if left < 0 {
			return nil
		}
		err := x.undisturbed()
		if err == nil && cancels {
			err = x.round()
		}
		if err != nil {
			return err
		}
	}
}

// begin gives the client what it must have on each server.
func (x *canceler) begin() error {
	x.write(join(query(fmt.Sprintf("SET app.x = '%d'", x.id)), parse("nap", "SELECT nap($1)"), syncMsg()))
	for range 2 {
		if _, err := x.answer(); err != nil {
			return err
		}
	}

	return nil
}

// round has one statement cancelled.
func (x *canceler) round() error {
	const nap = "0.001"
	switch x.rand.IntN(5) {
	case 0:
		_, err := x.cancelSoon(query("SELECT nap(" + nap + ")"))

		return err
	case 1:
		_, err := x.cancelSoon(join(extended("SELECT nap("+nap+")"), syncMsg()))

		return err
	case 2:
		_, err := x.cancelSoon(join(run("nap", nap), syncMsg()))

		return err
	case 3:
		return x.inTransaction(query("SELECT nap(" + nap + ")"))
	}

	return x.certainly([][]byte{query("SELECT nap(600)"), join(run("nap", "600"), syncMsg())}[x.rand.IntN(2)])
}

// inTransaction has a statement cancelled in a transaction, which goes on if it was not.
func (x *canceler) inTransaction(statement []byte) error {
	x.write(query("BEGIN"))
	if _, err := x.answer(); err != nil {
		return err
	}
	cancelled, err := x.cancelSoon(statement)
	if err == nil && !cancelled {
		err = x.undisturbed()
	}
	if err != nil {
		return err
	}
	x.write(query("ROLLBACK"))
	_, err = x.answer()

	return err
}

// cancelSoon runs a statement and cancels it around the time when it ends. It reports
// whether that was in time.
func (x *canceler) cancelSoon(statement []byte) (cancelled bool, err error) {
	x.write(statement)
	time.Sleep(time.Duration(x.rand.IntN(5000)) * time.Microsecond)
	if err := x.cancel(); err != nil {
		return false, err
	}
	a, err := x.answer()
	switch {
	case err != nil:
		return false, err
	case a.code == wire.CodeQueryCanceled:
		x.storm.hits.Add(1)
	case a.code == "" && a.value == "1":
		x.storm.misses.Add(1)
	default:
		return false, fmt.Errorf("a statement ended with %v", a)
	}

	return a.code != "", nil
}

// certainly runs a statement that takes very long, and cancels it once it runs.
func (x *canceler) certainly(statement []byte) error {
	x.write(statement)
	if err := x.awaitNotice(); err != nil {
		return fmt.Errorf("before the statement runs: %w", err)
	}
	if err := x.cancel(); err != nil {
		return err
	}
	a, err := x.answer()
	if err != nil || a.code != wire.CodeQueryCanceled {
		return fmt.Errorf("the cancel of a statement that was running is lost: %v, %w", a, err)
	}
	x.storm.certain.Add(1)

	return nil
}

// undisturbed runs a statement that nobody cancels. It finds the client's own settings.
func (x *canceler) undisturbed() error {
	want := fmt.Sprintf("%d-%d client %d", x.id, x.n, x.id)
	x.write(query(fmt.Sprintf("SELECT current_setting('app.x') || '-%d ' || current_setting('application_name')"+
		" FROM pg_sleep(0.0002)", x.n)))
	a, err := x.answer()
	if err == nil && (a.code != "" || a.value != want) {
		err = fmt.Errorf("a statement that nobody cancelled ended with %v, want %q", a, want)
	}

	return err
}

// write sends frames. That it fails shows in what is read.
func (x *canceler) write(b []byte) {
	_ = x.c.nc.SetWriteDeadline(time.Now().Add(patience))
	_, _ = x.c.nc.Write(b)
}

// cancel sends a request, and waits until the connection that carries it has ended.
func (x *canceler) cancel() error {
	nc, err := net.Dial("tcp", x.storm.addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	if _, err := nc.Write(wire.AppendCancelRequest(nil, x.c.welcome.PID, x.c.welcome.Secret)); err != nil {
		return err
	}
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the end of a cancel request: %w", err)
	}

	return nil
}

// An ending is how a statement ended.
type ending struct {
	value string // in its row
	code  string // of its error
}

// awaitNotice reads until a notice comes.
func (x *canceler) awaitNotice() error {
	for {
		f, err := x.c.read()
		if err != nil || f.typ == wire.NoticeResponse {
			return err
		}
		if f.typ == wire.ErrorResponse {
			return fmt.Errorf("got %v", f)
		}
	}
}

// answer reads until a ReadyForQuery comes.
func (x *canceler) answer() (a ending, err error) {
	for {
		f, err := x.c.read()
		if err != nil {
			return a, err
		}
		switch f.typ {
		case wire.DataRow:
			a.value = string(f.body[6:])
		case wire.ErrorResponse:
			e, err := wire.ParseError(f.body)
			if err != nil {
				return a, err
			}
			a.code = e.Code
		case wire.ReadyForQuery:
			return a, nil
		}
	}
}
