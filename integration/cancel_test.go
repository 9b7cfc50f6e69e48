package integration

import (
	"testing"
)

// TestCancel cancels what a client does, while a server does it and while it waits
// for one. Its session goes on.
func TestCancel(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	busy, queued, idle := p.login(t), p.login(t), p.login(t)

	busy.send(messages("SELECT pg_sleep(600)")...)
	await(t, patience, "the query to run", func() bool {
		return p.backends("query ~ 'pg_sleep' AND state = 'active'") == 1
	})
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
	if n := p.backends("query ~ 'pg_sleep' AND state = 'active'"); n != 1 {
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
