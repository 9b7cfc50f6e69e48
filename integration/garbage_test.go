package integration

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// readAll returns all that comes until the other side closes.
func (c *client) readAll(t testing.TB) string {
	t.Helper()
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(c.nc)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("got %q, %v", b, err)
	}

	return string(b)
}

// frame returns a message with any type and length.
func frame(typ byte, length uint32, body string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{typ}, length), body...)
}

// TestGarbageBeforeLogin sends what no client of PostgreSQL would.
func TestGarbageBeforeLogin(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	clientHello := append([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, bytes.Repeat([]byte{7}, 512)...)
	query := encode(&pgproto3.Query{String: "SELECT 1"})
	tests := []struct {
		name string
		send []byte
		want string // a part of the answer; "": none
	}{
		{"nothing but zeros", make([]byte, 100), ""},
		{"TLS", clientHello, ""},
		{"2 GB", []byte{0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0}, ""},
		{"negative length", []byte{0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0}, ""},
		{"length 4", []byte{0, 0, 0, 4, 0, 3, 0, 0}, ""},
		{"a query before the startup", query, ""},
		{"a password before the startup", encode(&pgproto3.PasswordMessage{Password: "secret"}), ""},
		{"version 2", []byte{0, 0, 0, 9, 0, 2, 0, 0, 0}, "0A000"},
		{"version 4", []byte{0, 0, 0, 9, 0, 4, 0, 0, 0}, "0A000"},
		{"no user", []byte{0, 0, 0, 9, 0, 3, 0, 0, 0}, "28000"},
		{"no terminator", append([]byte{0, 0, 0, 17, 0, 3, 0, 0}, "user\x00pg\x00x"...), "08P01"},
		{"a short cancel", append([]byte{0, 0, 0, 12, 4, 210, 22, 46}, 0, 0, 0, 1), ""},
		{"GET", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 400 Bad Request\r\n"},
		{"POST", []byte("POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "This is a PostgreSQL port"},
		{"HEAD", []byte("HEAD / HTTP/1.0\r\n\r\n"), "HTTP/1.1 400 Bad Request\r\n"},
		{"HTTP/2", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 400 Bad Request\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := p.dial(t)
			c.write(tt.send)
			got := c.readAll(t)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
	t.Run("HTTP says where the metrics are", func(t *testing.T) {
		c := p.dial(t)
		c.write([]byte("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
		if got := c.readAll(t); !strings.Contains(got, "/metrics") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("random", func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			b := make([]byte, 1+random.IntN(300))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			c := p.dial(t)
			c.write(b)
			// A short piece may be the beginning of a packet: the end helps.
			_ = c.nc.(interface{ CloseWrite() error }).CloseWrite()
			c.readAll(t)
		}
	})
	wantLines(t, p.login(t).query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
}

// TestGarbageAfterLogin sends what no session may hold. What came before is answered.
func TestGarbageAfterLogin(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 2}})
	tests := []struct {
		name string
		send []byte
	}{
		{"unknown type", frame('y', 4, "")},
		{"type 0", frame(0, 4, "")},
		{"password", encode(&pgproto3.PasswordMessage{Password: "secret"})},
		{"second startup", encode(&pgproto3.StartupMessage{
			ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "x"},
		})},
		{"2 GB", frame('Q', 0x7fffffff, "SELECT 1")},
		{"negative length", frame('Q', 0xffffffff, "SELECT 1")},
		{"length 3", frame('Q', 3, "")},
		{"length 0", frame('S', 0, "")},
		{"long Sync", frame('S', 20_000, "")},
		{"long Describe", frame('D', 10_001, "")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := p.login(t)
			c.write(tt.send)
			wantLines(t, c.rest(), "E FATAL 08P01", closed)

			c = p.login(t)
			wantLines(t, c.query("BEGIN"), "C BEGIN", "Z T")
			c.write(tt.send)
			wantLines(t, c.rest(), "E FATAL 08P01", closed)

			c = p.login(t)
			c.write(append(encode(&pgproto3.Query{String: "SELECT 1 AS a"}), tt.send...))
			got := c.rest()
			if !slices.Equal(got, []string{"T a", "D 1", "C SELECT 1", "Z I", "E FATAL 08P01", closed}) &&
				!slices.Equal(got, []string{"E FATAL 08P01", closed}) { // the answer had not come yet
				t.Errorf("behind a query: got %q", got)
			}
		})
	}
	wantLines(t, p.login(t).query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
}

// TestMalformedBodies sends messages whose content only PostgreSQL can judge, and
// does not mind: they cost an error, not the session.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	for _, body := range [][]byte{
		frame('P', 6, "xy"), frame('B', 8, "\x00\x00\xff\xff"), frame('D', 4, ""), frame('D', 6, "Q\x00"),
		frame('E', 5, "\x00"), frame('C', 5, "S"),
		frame('F', 4, ""), frame('Q', 4, ""), frame('Q', 7, "abc"),
	} {
		// The answers are compared up to the Sync behind, or two.
		b := append(slices.Clone(body), encode(syncMessage(), syncMessage())...)
		oracle, c := p.direct(t), p.login(t)
		oracle.write(b)
		c.write(b)
		_ = oracle.nc.(interface{ CloseWrite() error }).CloseWrite()
		want := oracle.rest()
		_ = c.nc.(interface{ CloseWrite() error }).CloseWrite()
		got := c.rest()
		// pgweir closes at once when the client has closed its side.
		if n := min(len(got)-1, len(want)-1); !slices.Equal(got[:n], want[:n]) {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
		wantLines(t, p.login(t).query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
	}
}

// TestSlowLogin has clients that do not get on with their login.
func TestSlowLogin(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"client_login_timeout": "1s", "auth_type": "plain"}})
	begun := time.Now()
	startup := encode(&pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters:      map[string]string{"user": p.cluster.User, "database": p.db},
	})
	says, quiet, asked := p.dial(t), p.dial(t), p.dial(t)
	asked.write(startup)
	asked.expect(t, "AuthenticationCleartextPassword")
	stop := make(chan struct{})
	defer close(stop)
	go func() { // ends with the test
		drip := time.NewTicker(100 * time.Millisecond)
		defer drip.Stop()
		for _, b := range startup {
			select {
			case <-drip.C:
				says.write([]byte{b})
			case <-stop:
				return
			}
		}
	}()
	if got := says.readAll(t); got != "" {
		t.Errorf("one that drips: got %q", got)
	}
	if got := quiet.readAll(t); got != "" {
		t.Errorf("one that says nothing: got %q", got)
	}
	wantLines(t, asked.rest(), "E FATAL 57014", closed)
	if took := time.Since(begun); took < time.Second || took > 5*time.Second {
		t.Errorf("closed after %v, want 1s and a little", took)
	}
}
