package integration

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// conversation is all that a client says, from its first byte to its goodbye, without
// waiting for an answer.
func (p *pgweir) conversation(table string) []byte {
	startup := &pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters:      map[string]string{"user": p.cluster.User, "database": p.db},
	}

	return encode(messages(
		startup,
		&pgproto3.PasswordMessage{Password: p.cluster.Password},
		"SELECT 'simple' AS a",
		&pgproto3.Parse{Query: "SELECT $1::text AS b"},
		&pgproto3.Describe{ObjectType: 'S'},
		&pgproto3.Bind{Parameters: [][]byte{[]byte("extended")}},
		&pgproto3.Describe{ObjectType: 'P'},
		&pgproto3.Execute{},
		syncMessage(),
		"TRUNCATE "+table+"; COPY "+table+" FROM STDIN",
		&pgproto3.CopyData{Data: []byte("1\n2\n")},
		&pgproto3.CopyData{Data: []byte("3\n")},
		&pgproto3.CopyDone{},
		statement("SELECT 1/0"), statement("SELECT 2"), syncMessage(),
		"BEGIN; SELECT sum(i) AS s FROM "+table,
		"COMMIT",
		terminateMessage(),
	)...)
}

// TestEveryCut cuts a whole session's bytes in two at every place. PostgreSQL answers
// the same wherever the cut is, and so must pgweir.
func TestEveryCut(t *testing.T) {
	t.Parallel()
	const workers = 4
	p := start(t, options{settings: table{"auth_type": "plain", "default_pool_size": workers}})
	for w := range workers {
		p.exec(fmt.Sprintf("CREATE UNLOGGED TABLE cut%d (i int)", w))
	}
	want := p.dialAndSay(t, p.conversation("cut0"), nil)
	wantLines(t, slices.DeleteFunc(slices.Clone(want), func(line string) bool { return strings.HasPrefix(line, "S ") }),
		"AuthenticationCleartextPassword", "AuthenticationOk", "BackendKeyData", "Z I",
		"T a", "D simple", "C SELECT 1", "Z I",
		"ParseComplete", "t [25]", "T b", "BindComplete", "T b", "D extended", "C SELECT 1", "Z I",
		"C TRUNCATE TABLE", "CopyInResponse", "C COPY 3", "Z I",
		"ParseComplete", "E ERROR 22012", "Z I", // Bind plans the statement
		"C BEGIN", "T s", "D 6", "C SELECT 1", "Z T", "C COMMIT", "Z I", closed)

	var done sync.WaitGroup
	for w := range workers {
		done.Go(func() {
			b := p.conversation(fmt.Sprintf("cut%d", w))
			for cut := 1 + w; cut < len(b); cut += workers {
				if got := p.dialAndSay(t, b, []int{cut}); !slices.Equal(got, want) {
					t.Errorf("cut at byte %d of %d: got %q", cut, len(b), got)
				}
			}
		})
	}
	done.Wait()
}

// TestByteByByte sends a whole session one byte at a time.
func TestByteByByte(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"auth_type": "plain", "default_pool_size": 1}})
	p.exec("CREATE UNLOGGED TABLE cut (i int)")
	b := p.conversation("cut")
	var cuts []int
	for i := 1; i < len(b); i++ {
		cuts = append(cuts, i)
	}
	if got, want := p.dialAndSay(t, b, cuts), p.dialAndSay(t, b, nil); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// dialAndSay connects, sends b in pieces, and returns all that comes back.
func (p *pgweir) dialAndSay(t testing.TB, b []byte, cuts []int) []string {
	c := p.dial(t)
	defer c.nc.Close()
	from := 0
	for _, cut := range cuts {
		c.write(b[from:cut])
		from = cut
		// Nothing tells when the other side has read a piece: without a pause
		// it would get several in one.
		time.Sleep(500 * time.Microsecond)
	}
	c.write(b[from:])

	return c.rest()
}
