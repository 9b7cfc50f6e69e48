package proxy

import (
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// A serverState is what is known of a server's PostgreSQL session. It belongs to
// whoever has the server.
type serverState struct {
	settings wire.Parameters // that clients have set on it, apart from what it began with
	fresh    bool            // nobody has used it
	serverStatements
}

// stateOf returns the state of a server.
func stateOf(s *pool.Server) *serverState {
	if state, ok := s.Session.(*serverState); ok {
		return state
	}
	state := &serverState{fresh: true}
	s.Session = state

	return state
}
