package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// stream is a connection whose peer has already said all that it will say.
type stream struct {
	io.Reader
	bytes.Buffer // what we answered
}

func (s *stream) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// packet puts a length in front of a version or code and the rest of a packet.
func packet(code uint32, rest string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(rest)))
	b = binary.BigEndian.AppendUint32(b, code)

	return append(b, rest...)
}

// startupPacket is a StartupMessage with these names and values.
func startupPacket(v Version, pairs ...string) []byte {
	return packet(uint32(v), strings.Join(pairs, "\x00")+"\x00\x00")
}

// wantError checks that err is an Error with this code and message.
func wantError(t testing.TB, err error, code, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if !e.Fatal() || e.Code != code || e.Message != message {
		t.Errorf("got %v, want FATAL %s %q", e, code, message)
	}
}

var (
	sslRequest = packet(sslRequestCode, "")
	gssRequest = packet(gssEncRequestCode, "")
)

func TestReadStartup(t *testing.T) {
	t.Parallel()
	plain := startupPacket(Version30, "user", "bob", "database", "shop", "TimeZone", "UTC")
	want := &StartupRequest{
		Version: Version30, User: "bob", Database: "shop", Parameters: []Parameter{{"TimeZone", "UTC"}},
	}
	cancel := AppendCancelRequest(nil, 77, []byte("key!"))
	tests := []struct {
		name   string
		input  [][]byte
		want   *StartupRequest
		cancel *CancelRequest
		answer string
	}{
		{"startup", [][]byte{plain}, want, nil, ""},
		{"SSL first", [][]byte{sslRequest, plain}, want, nil, "N"},
		{"GSS first", [][]byte{gssRequest, plain}, want, nil, "N"},
		{"SSL, GSS", [][]byte{sslRequest, gssRequest, plain}, want, nil, "NN"},
		{"GSS, SSL", [][]byte{gssRequest, sslRequest, plain}, want, nil, "NN"},
		{"cancel", [][]byte{cancel}, nil, &CancelRequest{77, []byte("key!")}, ""},
		{"SSL, cancel", [][]byte{sslRequest, cancel}, nil, &CancelRequest{77, []byte("key!")}, "N"},
	}
	const next = "what comes next"
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			whole := bytes.Join(tt.input, nil)
			in := bytes.NewReader(append(whole, next...))
			s := &stream{Reader: iotest.OneByteReader(in)}

			got, cancel, err := ReadStartup(s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.cancel, cancel); diff != "" {
				t.Error(diff)
			}
			if s.String() != tt.answer {
				t.Errorf("answered %q, want %q", s.String(), tt.answer)
			}
			if in.Len() != len(next) {
				t.Errorf("%d bytes left unread, want %d", in.Len(), len(next))
			}
			cutEverywhere(t, tt.input)
		})
	}
}

// cutEverywhere ends the client's bytes at every place: nothing may come of it.
func cutEverywhere(t *testing.T, packets [][]byte) {
	t.Helper()
	whole := bytes.Join(packets, nil)
	between := map[int]bool{} // the ends of packets
	n := 0
	for _, p := range packets {
		between[n] = true
		n += len(p)
	}
	for cut := range whole {
		want := io.ErrUnexpectedEOF
		if between[cut] {
			want = io.EOF
		}
		got, cancel, err := ReadStartup(&stream{Reader: bytes.NewReader(whole[:cut])})
		if got != nil || cancel != nil || err != want {
			t.Errorf("cut at %d: %v, %v, %v", cut, got, cancel, err)
		}
	}
}

func TestReadStartupRefuses(t *testing.T) {
	t.Parallel()
	const unsupported = "unsupported frontend protocol %s: server supports 3.0 to 3.2"
	const layout = "invalid startup packet layout: expected terminator as last byte"
	const noUser = "no PostgreSQL user name specified in startup packet"
	tests := []struct {
		name    string
		input   []byte
		code    string // empty: the client is told nothing
		message string
	}{
		{"version 2", packet(2<<16, ""), "0A000", fmt.Sprintf(unsupported, "2.0")},
		{"version 4", startupPacket(4<<16, "user", "a"), "0A000", fmt.Sprintf(unsupported, "4.0")},
		{"SSL twice", append(sslRequest, sslRequest...), "0A000", fmt.Sprintf(unsupported, "1234.5679")},
		{"GSS twice", append(gssRequest, gssRequest...), "0A000", fmt.Sprintf(unsupported, "1234.5680")},
		{"no pairs at all", packet(3<<16, ""), "08P01", layout},
		{"no terminator", packet(3<<16, "user\x00a\x00"), "08P01", layout},
		{"name only", packet(3<<16, "user\x00"), "08P01", layout},
		{"unterminated name", packet(3<<16, "user"), "08P01", layout},
		{"unterminated value", packet(3<<16, "user\x00a"), "08P01", layout},
		{"byte after the terminator", packet(3<<16, "user\x00a\x00\x00!"), "08P01", layout},
		{"no user", startupPacket(Version30, "database", "d"), "28000", noUser},
		{"empty user", startupPacket(Version30, "user", "", "database", "d"), "28000", noUser},
		{"length 7", []byte{0, 0, 0, 7, 0, 3, 0, 0}, "", ""},
		{"length 0", make([]byte, 8), "", ""},
		{"length -1", bytes.Repeat([]byte{0xff}, 8), "", ""},
		{"length 10005", []byte{0, 0, 0x27, 0x15, 0, 3, 0, 0}, "", ""},
		{"2 GB", []byte{0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0}, "", ""},
		{"TLS", []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc}, "", ""},
		{"SSH", []byte("SSH-2.0-OpenSSH_9.2\r\n"), "", ""},
		{"cancel without a secret", AppendCancelRequest(nil, 1, nil), "", ""},
		{"cancel with a secret of 3 bytes", AppendCancelRequest(nil, 1, make([]byte, 3)), "", ""},
		{"cancel with a secret of 257 bytes", AppendCancelRequest(nil, 1, make([]byte, 257)), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, cancel, err := ReadStartup(&stream{Reader: iotest.OneByteReader(bytes.NewReader(tt.input))})
			if got != nil || cancel != nil {
				t.Errorf("got %v, %v", got, cancel)
			}
			if tt.code != "" {
				wantError(t, err, tt.code, tt.message)
			} else if !errors.Is(err, ErrSilent) {
				t.Errorf("got %v, want ErrSilent", err)
			}
		})
	}
}

func TestReadStartupTakesTheLargestPacket(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("x", maxStartupBody-len("\x00\x03\x00\x00user\x00a\x00p\x00\x00\x00"))
	got, _, err := ReadStartup(&stream{Reader: bytes.NewReader(startupPacket(Version30, "user", "a", "p", value))})
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := got.Parameter("p"); p != value {
		t.Errorf("the parameter has %d bytes, want %d", len(p), len(value))
	}
}

func TestReadStartupRefusesWhatIsSentBehindARequest(t *testing.T) {
	t.Parallel()
	startup := startupPacket(Version30, "user", "a")
	for request, message := range map[string]string{
		string(sslRequest): "received unencrypted data after SSL request",
		string(gssRequest): "received unencrypted data after GSSAPI encryption request",
	} {
		s := &stream{Reader: strings.NewReader(request + string(startup))}
		_, _, err := ReadStartup(NewLoginConn(s, make([]byte, LoginBuffer)))
		wantError(t, err, CodeProtocolViolation, message)
		if s.Len() != 0 {
			t.Errorf("answered %q", s.String())
		}
	}
}

func TestReadStartupOverHTTP(t *testing.T) {
	t.Parallel()
	for _, method := range []string{
		"GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "CONNECT", "PATCH", "TRACE", "PRI",
	} {
		_, _, err := ReadStartup(&stream{Reader: strings.NewReader(method + " / HTTP/1.1\r\n\r\n")})
		var e *HTTPError
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v, want an *HTTPError", method, err)
		}
	}
}

func TestHTTPErrorResponse(t *testing.T) {
	t.Parallel()
	for metrics, want := range map[string]string{
		"http://127.0.0.1:9127/metrics": "Metrics are at http://127.0.0.1:9127/metrics\n",
		"":                              "",
	} {
		b := new(HTTPError).AppendResponse(nil, metrics)
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil || r.StatusCode != http.StatusBadRequest {
			t.Errorf("status %d, %v", r.StatusCode, err)
		}
		first, rest, _ := strings.Cut(string(text), "\n")
		if !strings.Contains(first, "PostgreSQL port") || rest != want {
			t.Errorf("body is %q", text)
		}
	}
}

func TestParseStartup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		pairs []string
		want  StartupRequest
	}{
		{"database defaults to the user", []string{"user", "bob"}, StartupRequest{User: "bob", Database: "bob"}},
		{"so does an empty one", []string{"database", "", "user", "bob"}, StartupRequest{User: "bob", Database: "bob"}},
		{
			"last one wins",
			[]string{"user", "a", "x", "1", "y", "2", "user", "b", "x", "3"},
			StartupRequest{User: "b", Database: "b", Parameters: []Parameter{{"x", "3"}, {"y", "2"}}},
		},
		{
			"empty value",
			[]string{"user", "a", "options", ""},
			StartupRequest{User: "a", Database: "a", Parameters: []Parameter{{"options", ""}}},
		},
		{
			"protocol options",
			[]string{"_pq_.b", "1", "user", "a", "_pq_.a", "", "_pq_.b", "2"},
			StartupRequest{User: "a", Database: "a", Options: []string{"_pq_.b", "_pq_.a"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.Version = Version30
			got, err := ParseStartup(startupPacket(Version30, tt.pairs...)[4:])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStartupRequestParameter(t *testing.T) {
	t.Parallel()
	s := &StartupRequest{User: "u", Parameters: []Parameter{{"a", "1"}, {"b", ""}}}
	for _, tt := range []struct {
		name, value string
		ok          bool
	}{{"a", "1", true}, {"b", "", true}, {"A", "", false}, {"user", "", false}} {
		if value, ok := s.Parameter(tt.name); value != tt.value || ok != tt.ok {
			t.Errorf("%s is %q, %v", tt.name, value, ok)
		}
	}
}

func TestTruncateName(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct{ name, give, want string }{
		{"short", "x", "x"},
		{"just fits", x(63), x(63)},
		{"one too long", x(64), x(63)},
		{"character just fits", x(61) + "é" + "y", x(61) + "é"},
		{"two bytes across the end", x(62) + "é", x(62)},
		{"four bytes across the end", x(60) + "😀", x(60)},
		{"not UTF-8", strings.Repeat("\x80", 70), strings.Repeat("\x80", 63)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := truncateName(tt.give); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	minor := func(n uint32) Version { return Version(3<<16 | n) }
	grease := []string{"_pq_.test_protocol_negotiation"}
	tests := []struct {
		name    string
		ask     Version
		options []string
		want    Version
		frame   bool
	}{
		{"3.0", Version30, nil, Version30, false},
		{"3.0 with an option", Version30, grease, Version30, true},
		{"3.1", minor(1), nil, Version30, true},
		{"3.1 with an option", minor(1), grease, Version30, true},
		{"3.2", Version32, nil, Version32, false},
		{"3.2 with two options", Version32, []string{"_pq_.a", "_pq_.b"}, Version32, true},
		{"3.3", minor(3), nil, Version32, true},
		{"3.9999", minor(9999), grease, Version32, true},
		{"3.65535", minor(65535), nil, Version32, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			frame, v := (&StartupRequest{Version: tt.ask, Options: tt.options}).Negotiation()
			if v != tt.want {
				t.Errorf("version is %v, want %v", v, tt.want)
			}
			if (frame != nil) != tt.frame {
				t.Fatalf("frame is %q", frame)
			}
			if !tt.frame {
				return
			}
			var want []byte
			want, err := (&pgproto3.NegotiateProtocolVersion{
				NewestMinorProtocol: uint32(tt.want), UnrecognizedOptions: tt.options,
			}).Encode(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, frame); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzStartup checks what holds of every startup that is accepted, whatever a client
// opens its connection with.
func FuzzStartup(f *testing.F) {
	f.Add(startupPacket(Version30, "user", "bob", "database", "shop", "options", "-c a=b"))
	f.Add(startupPacket(3<<16|9999, "user", "bob", "_pq_.test_protocol_negotiation", ""))
	f.Add(append(sslRequest, startupPacket(Version32, "user", "é")...))
	f.Add(append(gssRequest, AppendCancelRequest(nil, 1, []byte("abcd"))...))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte{0x16, 3, 1, 0, 0, 0, 0, 0})
	f.Add(packet(3<<16, "user\x00a\x00x\x00"))
	f.Fuzz(func(t *testing.T, input []byte) {
		s, c, err := ReadStartup(&stream{Reader: bytes.NewReader(input)})
		if n := countNonNil(s != nil, c != nil, err != nil); n != 1 {
			t.Fatalf("got %v, %v, %v", s, c, err)
		}
		if c != nil && (len(c.Secret) < 4 || len(c.Secret) > 256) {
			t.Fatalf("secret of %d bytes", len(c.Secret))
		}
		if s != nil {
			checkStartup(t, s)
		}
	})
}

// countNonNil counts what is true.
func countNonNil(those ...bool) (n int) {
	for _, this := range those {
		if this {
			n++
		}
	}

	return n
}

// checkStartup checks a startup's invariants, and that it survives being sent again.
func checkStartup(t *testing.T, s *StartupRequest) {
	t.Helper()
	for _, name := range []string{s.User, s.Database} {
		if name == "" || len(name) > 63 || strings.Contains(name, "\x00") {
			t.Fatalf("name %q", name)
		}
	}
	if s.Version.Major() != 3 {
		t.Fatalf("version %v", s.Version)
	}
	frame, v := s.Negotiation()
	if v != Version30 && v != Version32 || v > s.Version {
		t.Fatalf("%v negotiated to %v", s.Version, v)
	}
	if h, ok := PeekHeader(frame); frame != nil && (!ok || h.Size != len(frame)) {
		t.Fatalf("frame %q", frame)
	}

	pairs := []string{"user", s.User, "database", s.Database}
	for _, p := range s.Parameters {
		pairs = append(pairs, p.Name, p.Value)
	}
	for _, name := range s.Options {
		pairs = append(pairs, name, "")
	}
	again, err := ParseStartup(startupPacket(s.Version, pairs...)[4:])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, again); diff != "" {
		t.Fatal(diff)
	}
	if utf8.ValidString(s.User) != utf8.ValidString(truncateName(s.User+strings.Repeat("x", 70))) {
		t.Fatalf("%q is not cut at a character", s.User)
	}
}
