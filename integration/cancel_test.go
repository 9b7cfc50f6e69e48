package integration

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestCancel cancels what a client does, while a server does it and while it waits
// for one. Its session goes on.
func TestCancel(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	busy, queued, idle := p.login(t), p.login(t), p.login(t)

	busy.send(messages("SELECT pg_sleep(600)")...)
	p.awaitSleep()
	queued.send(messages("SELECT 1")...)
	await(t, patience, "the client to be queued", func() bool { return p.waiting() == 1 })

	wrong := busy.key
	wrong.SecretKey = append([]byte{wrong.SecretKey[0] + 1}, wrong.SecretKey[1:]...)
	for _, c := range []*client{idle, {key: wrong}, queued} {
		if err := p.cancelRequest(c.key); err != nil {
			t.Fatal(err)
		}
	}
	queued.expect(t, "E ERROR 57014", "Z I")
	if n := p.backends(sleeping); n != 1 {
		t.Errorf("%d queries run after a cancel with a wrong key, want 1", n)
	}
	if err := p.cancelRequest(busy.key); err != nil {
		t.Fatal(err)
	}
	busy.expect(t, "T pg_sleep", "E ERROR 57014", "Z I")
	for _, c := range []*client{busy, queued, idle} {
		wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
	}
}

// TestCancelHitsNobodyElse has one client cancel its queries at any moment, sooner or
// later than they end, while another uses the same server.
func TestCancelHitsNobodyElse(t *testing.T) {
	t.Parallel()
	rounds := 400
	if testing.Short() {
		rounds = 100
	}
	p := start(t, options{settings: table{"default_pool_size": 1}})
	target, bystander := p.login(t), p.login(t)
	stop, failed := make(chan struct{}), make(chan []string, 1)
	go func() { // ends when told to
		defer close(failed)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			token := strconv.Itoa(n)
			got := bystander.query("SELECT '" + token + "' AS t, pg_sleep(0.0005)")
			if want := []string{"T t|pg_sleep", "D " + token + "|", "C SELECT 1", "Z I"}; !slices.Equal(got, want) {
				failed <- got

				return
			}
		}
	}()
	hits := 0
	for range rounds {
		target.send(messages("SELECT pg_sleep(0.001) AS s")...)
		if err := p.cancelRequest(target.key); err != nil {
			t.Fatal(err)
		}
		got := target.answer()
		switch {
		case slices.Contains(got, "E ERROR 57014"):
			hits++
		case !slices.Equal(got, []string{"T s", "D ", "C SELECT 1", "Z I"}):
			t.Fatalf("got %q", got)
		}
	}
	close(stop)
	if got, ok := <-failed; ok {
		t.Errorf("the bystander got %q", got)
	}
	t.Logf("%d of %d queries were cancelled", hits, rounds)
}

// TestCancelWithLongKey cancels with a key of protocol 3.2.
func TestCancelWithLongKey(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	c := p.dial(t)
	c.send(&pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion32,
		Parameters:      map[string]string{"user": p.cluster.User, "database": p.db},
	})
	c.answer()
	c.send(messages("SELECT pg_sleep(600)")...)
	p.awaitSleep()
	short := c.key
	short.SecretKey = short.SecretKey[:4] // its beginning is not enough
	if err := p.cancelRequest(short); err != nil {
		t.Fatal(err)
	}
	if err := p.cancelRequest(c.key); err != nil {
		t.Fatal(err)
	}
	c.expect(t, "T pg_sleep", "E ERROR 57014", "Z I")
	if n := p.metrics()["pgweir_cancel_requests_unknown_total"]; n != 1 {
		t.Errorf("%v requests had an unknown key, want 1", n)
	}
}

// TestCancelInTransaction cancels a COPY inside a transaction, which then
// has failed but is the client's to end.
func TestCancelInTransaction(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("CREATE TABLE slow (i int)")
	c := p.login(t)
	wantLines(t, c.query("BEGIN"), "C BEGIN", "Z T")
	c.send(messages("COPY slow FROM STDIN")...)
	c.expect(t, "CopyInResponse")
	if err := p.cancelRequest(c.key); err != nil {
		t.Fatal(err)
	}
	data := encode(&pgproto3.CopyData{Data: []byte("1\n")})
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { // PostgreSQL looks at a cancel when the next data have come
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.write(data)
			case <-stop:
				return
			}
		}
	})
	got := c.answer()
	close(stop)
	writer.Wait()
	wantLines(t, got, "E ERROR 57014", "Z E")
	wantLines(t, c.query("ROLLBACK"), "C ROLLBACK", "Z I")
	wantLines(t, c.query("SELECT count(*) FROM slow"), "T count", "D 0", "C SELECT 1", "Z I")
}
