package integration

import (
	"testing"
)

// killBackends has PostgreSQL end all that it does for pgweir.
func killBackends(p *pgweir) {
	p.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
}

// TestBackendKilled has a client's server end at three moments. A client at rest
// notices nothing; the others are told once, in PostgreSQL's own words, and closed.
func TestBackendKilled(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 2}})
	bystander := p.login(t)

	idle := p.login(t)
	wantLines(t, idle.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
	killBackends(p)
	await(t, goneTime, "the server to be gone", func() bool { return p.backends("true") == 0 })
	wantLines(t, idle.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")

	inTx := p.login(t)
	wantLines(t, inTx.query("BEGIN"), "C BEGIN", "Z T")
	killBackends(p)
	inTx.expect(t, "E FATAL 57P01", closed)

	busy := p.login(t)
	busy.send(messages("SELECT pg_sleep(600)")...)
	p.awaitSleep()
	killBackends(p)
	busy.expect(t, "T pg_sleep", "E FATAL 57P01", closed)

	for _, c := range []*client{bystander, idle, p.login(t)} {
		wantLines(t, c.query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
	}
}
