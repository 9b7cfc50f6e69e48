package integration

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestSlowLoginsByTheHundred has a crowd of connections not get on with their login. They
// cost little, keep nobody else from coming, and are closed when their time is over, all
// of it counted, however often they say something.
func TestSlowLoginsByTheHundred(t *testing.T) {
	connections := 500
	if *long {
		connections = 4000
	}
	const (
		timeout = 5 * time.Second
		each    = 20 << 10 // bytes: a buffer, a task with its stack, and what the runtime makes of that
	)
	p := start(t, options{
		settings: table{"client_login_timeout": timeout.String(), "max_client_conn": connections + 10},
		build:    &plainBuild, crowd: connections,
	})
	startup := encode(&pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters:      map[string]string{"user": p.cluster.User, "database": p.db},
	})
	before, begun := p.resident(), time.Now()
	crowd := make([]*client, connections)
	for i := range crowd {
		crowd[i] = p.dial(t)
		crowd[i].write(startup[:10])
	}
	await(t, patience, "all to be there", func() bool { return p.metrics()["pgweir_logins_in_progress"] == float64(connections) })
	if grown := p.resident() - before; grown > connections*each {
		t.Errorf("%d connections take %d KB", connections, grown>>10)
	}
	wantLines(t, p.login(t).query("SELECT 1 AS one"), "T one", "D 1", "C SELECT 1", "Z I")
	for time.Since(begun) < timeout-time.Second {
		for _, c := range crowd {
			c.write([]byte{0}) // in the middle of a packet
		}
		time.Sleep(timeout / 10)
	}
	await(t, timeout, "all to be gone", func() bool { return p.metrics()["pgweir_logins_in_progress"] == 0 })
	for _, c := range crowd {
		if got := c.readAll(t); got != "" {
			t.Fatalf("one of them got %q", got)
		}
	}
}
