package wirescript

import (
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A server is a PostgreSQL that only knows how to answer simple queries: each with a
// tag that is the query, then ReadyForQuery. A query of "end" ends the session.
type server struct {
	t *testing.T
	l net.Listener
}

// newServer starts one. It ends with the test.
func newServer(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &server{t: t, l: l}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(nc)
		}
	}()

	return s
}

// serve serves a client.
func (s *server) serve(nc net.Conn) {
	defer nc.Close()
	be := pgproto3.NewBackend(nc, nc)
	if start, err := be.ReceiveStartupMessage(); err != nil {
		return
	} else if _, cancel := start.(*pgproto3.CancelRequest); cancel {
		return
	}
	be.Send(&pgproto3.AuthenticationOk{})
	be.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte("1234")})
	be.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for be.Flush() == nil {
		m, err := be.Receive()
		if err != nil {
			return
		}
		switch m := m.(type) {
		case *pgproto3.Terminate:
			return
		case *pgproto3.Query:
			if m.String == "end" {
				return
			}
			be.Send(&pgproto3.CommandComplete{CommandTag: []byte(m.String)})
			be.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		case *pgproto3.Sync:
			be.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		}
	}
}

// play plays a script against the server.
func (s *server) play(text string, pieces *rand.Rand) (Transcript, error) {
	s.t.Helper()
	script, err := Parse("test.script", text)
	if err != nil {
		s.t.Fatal(err)
	}
	dial := func() (net.Conn, error) { return net.Dial("tcp", s.l.Addr().String()) }

	target := Target{Dial: dial, User: "u", Database: "d", Direct: dial, Oracle: true}
	if pieces != nil {
		target.Oracle, target.Send = false, Pieces(pieces)
	}

	return script.Play(target)
}

// theEnd is what the transcript of a script ends with.
const theEnd = `(the end of @A)
    Z I
    C "SELECT 'the end'"
    Z I
`

func TestPlay(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for name, test := range map[string]struct{ script, want string }{
		"a query":         {"> Q a\n< Z I\n", "> Q a\n< Z I\n    C \"a\"\n    Z I\n" + theEnd},
		"nothing waited":  {"> Q a\n", "> Q a\n" + strings.Replace(theEnd, ")\n", ")\n    C \"a\"\n    Z I\n", 1)},
		"several":         {"> *2 Q a\n< *2 Z\n", "> *2 Q a\n< *2 Z\n    C \"a\"\n    Z I\n    C \"a\"\n    Z I\n" + theEnd},
		"silence":         {"> S\n< Z\n< nothing\n", "> S\n< Z\n    Z I\n< nothing\n" + theEnd},
		"not silence":     {"> Q a\n< nothing\n", "> Q a\n< nothing\n    C \"a\"\n" + strings.Replace(theEnd, ")\n", ")\n    Z I\n", 1)},
		"the end":         {"> Q end\n< .\n", "> Q end\n< .\n    (closed)\n"},
		"sql and waiting": {"sql a\n> S\n< Z\n", "sql a\n> S\n< Z\n    Z I\n" + theEnd},
		"cancel":          {"> S\n< Z\ncancel @A\ncancel @A wrong\n", "> S\n< Z\n    Z I\ncancel @A\ncancel @A wrong\n" + theEnd},
		"close":           {"> S\n< Z\nclose\n", "> S\n< Z\n    Z I\nclose\n"},
		"two clients": {
			"> S\n@B\n> S\n< Z\n@A\n< Z\n@B\nreset\n",
			"> S\n@B\n> S\n< Z\n    Z I\n@A\n< Z\n    Z I\n@B\nreset\n" + theEnd,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.play(test.script, nil)
			if diff := cmp.Diff(test.want, got.String()); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestPlayOracle: PostgreSQL itself must say what the script expects of it.
func TestPlayOracle(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for text, want := range map[string]string{
		"> Q a\n< Z T\n":      "test.script:2: < Z T: got Z I, want T in it",
		"> Q a\n< E 42P01\n":  "got Z I, want E in it",
		"> Q end\n< Z\n":      "the connection was closed, waiting for Z",
		"\ncancel @B\n":       "there is no @B",
		"> Q a\n< C b\n< Z\n": `got C "a", want b in it`,
	} {
		if _, err := s.play(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// TestPlayThrough: something else may say what it likes. The script goes on with what
// there is: a ReadyForQuery that came too early is the next one that is waited for.
func TestPlayThrough(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	got, err := s.play("> Q a\n< E 42P01\n< Z T\n> Q b\n< Z\n", rand.New(rand.NewPCG(1, 0)))
	want := "> Q a\n< E 42P01\n    C \"a\"\n< Z T\n    Z I\n> Q b\n< Z\n    C \"b\"\n    Z I\n" + theEnd
	if diff := cmp.Diff(want, got.String()); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}
