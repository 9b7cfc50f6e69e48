package proxy

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// roster asks for the list of clients.
func (r *rig) roster(q ClientQuery) *ClientList {
	r.t.Helper()
	r.settle()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	list, err := r.proxy.Clients(ctx, q)
	if err != nil {
		r.t.Fatal(err)
	}

	return list
}

// TestClients: each client is told of with what it is doing and since when.
func TestClients(t *testing.T) {
	f := newFake(t)
	r := newRig(t, f.config(func(g *config.Pgweir) { g.DefaultPoolSize = 2 }))
	atRest, inTx := r.connect(), r.connect(wire.Parameter{Name: "application_name", Value: "shop"})
	first := f.accept()
	ping(atRest, first)
	inTx.send(query("BEGIN"))
	first.want("QQ")
	first.send(done("SET", wire.TxIdle), done("BEGIN", wire.TxActive))
	inTx.want("CZ")
	r.step(time.Second)

	active := r.connect()
	active.send(query("SELECT pg_sleep(1000)"))
	second := f.accept()
	second.want("Q")
	r.step(time.Second)

	waiting := r.connect()
	r.queue(waiting, query("SELECT 1"))
	r.step(3 * time.Second)
	half := r.connect()
	half.send(query("SELECT 1")[:8])
	r.settle()
	r.step(time.Second)

	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	list := r.roster(ClientQuery{Limit: 10})
	key := pool.Key{Database: "db", User: "app"}
	want := []Client{
		{ID: 1, Connected: ago(6 * time.Second), State: ClientIdle, Since: ago(6 * time.Second)},
		{
			ID: 2, Connected: ago(6 * time.Second), State: ClientInTx, Since: ago(6 * time.Second), ServerPID: first.pid,
			ServerSince: ago(6 * time.Second), ApplicationName: "shop",
		},
		{
			ID: 3, Connected: ago(5 * time.Second), State: ClientActive, Since: ago(5 * time.Second), ServerPID: second.pid,
			ServerSince: ago(5 * time.Second),
		},
		{ID: 4, Connected: ago(4 * time.Second), State: ClientWaiting, Since: ago(4 * time.Second)},
		{ID: 5, Connected: ago(time.Second), State: ClientIdle, Since: ago(time.Second)},
	}
	for i, c := range []*client{atRest, inTx, active, waiting, half} {
		want[i].Key, want[i].Addr = key, c.nc.LocalAddr().String()
	}
	near := cmpopts.EquateApproxTime(500 * time.Millisecond) // the real clock goes on as well
	if diff := cmp.Diff(want, list.Clients, near); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if list.Matching != 5 {
		t.Errorf("%d match, want 5", list.Matching)
	}
	commitTx(inTx, first)
	first.want("QQ") // with the settings of who waits
	first.send(done("RESET", wire.TxIdle), result("1"))
	waiting.want("TDCZ")
	if got := r.roster(ClientQuery{Limit: 10}).Clients[3].State; got != ClientIdle {
		t.Errorf("then the fourth is %s", got)
	}
	active.reset()
	f.canceled(second).confirm()
}

// TestClientsPinned: those that keep their server are told of with all that keeps it, and
// since when, also once some of that is gone.
func TestClientsPinned(t *testing.T) {
	o := newRotation(t, nil)
	c := o.connect()
	o.connect()
	if list := o.roster(ClientQuery{Pinned: true, Limit: 10}); list.Matching != 0 || len(list.Clients) != 0 {
		t.Fatalf("pinned before: %+v", list)
	}
	c.send(query("LISTEN orders"), query("CREATE TEMP TABLE basket ()"))
	c.want("CZCZ")
	o.pinnedFor(2)
	o.step(time.Minute)
	wantPinned(t, o.roster(ClientQuery{Pinned: true, Limit: 10}), PinReason{"LISTEN", "orders"}, PinReason{"temporary object", "table basket"})
	c.send(query("UNLISTEN orders"))
	c.want("CZ")
	o.pinnedFor(1)
	wantPinned(t, o.roster(ClientQuery{Pinned: true, Limit: 10}), PinReason{"temporary object", "table basket"})
	c.send(query("DROP TABLE basket"))
	c.want("CZ")
	o.pinnedFor(0)
	if n := o.roster(ClientQuery{Limit: 10}).Matching; n != 2 {
		t.Errorf("%d clients in all, want 2", n)
	}
}

// pinnedFor waits until PostgreSQL has been asked, and a single client is pinned for so
// many reasons; none if that is 0.
func (r *rig) pinnedFor(reasons int) {
	r.t.Helper()
	r.eventually("it is known what keeps the server", func() bool {
		list := r.roster(ClientQuery{Pinned: true, Limit: 10})
		if reasons == 0 {
			return list.Matching == 0
		}

		return list.Matching == 1 && len(list.Clients[0].Pinned) == reasons && list.Clients[0].State == ClientIdle
	})
}

// wantPinned checks that a single client is told of, which is pinned for a minute for
// those reasons.
func wantPinned(t *testing.T, list *ClientList, reasons ...PinReason) {
	t.Helper()
	if list.Matching != 1 || len(list.Clients) != 1 {
		t.Fatalf("%+v", list)
	}
	c := list.Clients[0]
	if diff := cmp.Diff(reasons, c.Pinned); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if ago := time.Since(c.PinnedSince); ago < time.Minute || ago > time.Minute+patience {
		t.Errorf("pinned for %v, want a minute", ago)
	}
	if c.State != ClientIdle || c.ServerPID == 0 {
		t.Errorf("it is %s, with server %d", c.State, c.ServerPID)
	}
}

// TestClientsBounded: of many clients, on all loops, as many are told of as was asked
// for, the oldest, and all are counted.
func TestClientsBounded(t *testing.T) {
	const clients = 2*rollStep + 50
	f := newFake(t)
	r := newRig(t, f.config(nil))
	for range clients {
		r.connect()
	}
	list := r.roster(ClientQuery{Limit: clients})
	if list.Matching != clients || len(list.Clients) != clients {
		t.Fatalf("%d match, %d are told of, want %d", list.Matching, len(list.Clients), clients)
	}
	few := r.roster(ClientQuery{Limit: 7})
	if diff := cmp.Diff(list.Clients[:7], few.Clients, cmpopts.EquateApproxTime(patience)); few.Matching != clients || diff != "" {
		t.Errorf("%d match, want %d; the oldest (-want +got):\n%s", few.Matching, clients, diff)
	}
	for i := range list.Clients {
		if id := list.Clients[i].ID; id != uint64(i+1) {
			t.Fatalf("client %d stands at %d", id, i)
		}
	}
}

// TestClientsStuckLoop: a loop that does not turn holds up who asks no longer than that
// waits.
func TestClientsStuckLoop(t *testing.T) {
	_, r, c, s := paired(t, nil)
	stuck, free := make(chan struct{}), make(chan struct{})
	r.loops.Loops()[0].Post(func() { close(stuck); <-free })
	<-stuck
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(context.Background(), 20*time.Millisecond, enough)
	defer cancel()
	if _, err := r.proxy.Clients(ctx, ClientQuery{Limit: 1}); !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
	close(free)
	ping(c, s)
}
