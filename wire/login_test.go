package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// auth is an Authentication message.
func auth(request uint32, data string) []byte {
	return message(authentication, string(binary.BigEndian.AppendUint32(nil, request))+data)
}

// negotiate is a NegotiateProtocolVersion message.
func negotiate(v Version, options ...string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(v))
	b = binary.BigEndian.AppendUint32(b, uint32(len(options)))
	for _, name := range options {
		b = appendCString(b, name)
	}

	return message(negotiateProtocolVersion, string(b))
}

// join joins messages.
func join(messages ...[]byte) []byte { return bytes.Join(messages, nil) }

var (
	authOK = AppendAuthenticationOk(nil)
	ready  = AppendReadyForQuery(nil, TxIdle)
)

// logInTo logs in to a server that says this, whatever it hears.
func logInTo(server []byte, p LoginParams) (*Welcome, *stream, error) {
	s := &stream{Reader: iotest.OneByteReader(bytes.NewReader(server))}
	p.User = "user"
	w, err := Login(s, p)

	return w, s, err
}

func TestLoginSendsStartup(t *testing.T) {
	t.Parallel()
	p := LoginParams{
		Database: "shop", Version: Version32, Parameters: []Parameter{{"b", "2"}, {"a", "1"}},
	}
	_, s, err := logInTo(join(authOK, ready), p)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := ReadStartup(&stream{Reader: &s.Buffer})
	if err != nil {
		t.Fatal(err)
	}
	want := &StartupRequest{Version: Version32, User: "user", Database: "shop", Parameters: p.Parameters}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoginWelcome(t *testing.T) {
	t.Parallel()
	notice := message(NoticeResponse, "SNOTICE\x00Mhello\x00\x00")
	long := bytes.Repeat([]byte{7}, 256)
	tests := []struct {
		name   string
		server []byte
		ask    Version
		want   Welcome
	}{
		{"as little as possible", join(authOK, ready), 0, Welcome{Version: Version30}},
		{
			"notices all over", join(notice, authOK, notice, AppendBackendKeyData(nil, 5, []byte("1234")), notice, ready),
			0,
			Welcome{Version: Version30, PID: 5, Secret: []byte("1234")},
		},
		{
			"parameters in order, last value counts", join(authOK, AppendParameterStatus(nil, "b", "1"),
				AppendParameterStatus(nil, "a", ""), AppendParameterStatus(nil, "b", "2"), ready),
			0,
			Welcome{Version: Version30, Parameters: []Parameter{{"b", "2"}, {"a", ""}}},
		},
		{
			"3.2", join(authOK, AppendBackendKeyData(nil, 5, long), ready),
			Version32,
			Welcome{Version: Version32, PID: 5, Secret: long},
		},
		{"3.2 to 3.0", join(negotiate(Version30), authOK, ready), Version32, Welcome{Version: Version30}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := logInTo(tt.server, LoginParams{Version: tt.ask})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
			for cut := range tt.server {
				if w, _, err := logInTo(tt.server[:cut], LoginParams{Version: tt.ask}); w != nil ||
					err != io.EOF && err != io.ErrUnexpectedEOF {
					t.Errorf("cut at %d: %v, %v", cut, w, err)
				}
			}
		})
	}
}

func TestLoginLeavesWhatFollows(t *testing.T) {
	t.Parallel()
	const after = "Z and more"
	r := strings.NewReader(string(join(authOK, ready)) + after)
	if _, err := Login(&stream{Reader: r}, LoginParams{User: "u"}); err != nil {
		t.Fatal(err)
	}
	if r.Len() != len(after) {
		t.Errorf("%d bytes left, want %d", r.Len(), len(after))
	}

	c := NewLoginConn(&stream{Reader: strings.NewReader(string(join(authOK, ready)) + after)}, make([]byte, LoginBuffer))
	if _, err := Login(c, LoginParams{User: "u"}); err != nil {
		t.Fatal(err)
	}
	if string(c.Buffered()) != after {
		t.Errorf("buffered are %q, want %q", c.Buffered(), after)
	}
}

func TestLoginReturnsTheServersError(t *testing.T) {
	t.Parallel()
	want := &Error{Severity: "FATAL", Code: "3D000", Message: "database \"x\" does not exist", Detail: "d", Hint: "h"}
	for name, before := range map[string][]byte{
		"at once": nil, "after a notice": message(NoticeResponse, ""), "after authentication": authOK,
		"instead of a challenge": auth(authSASL, scramMechanism+"\x00\x00"),
	} {
		_, _, err := logInTo(join(before, want.Append(nil)), LoginParams{Credentials: Credentials{password: "p"}})
		var got *Error
		if !errors.As(err, &got) {
			t.Fatalf("%s: got %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, _, err := logInTo(message(ErrorResponse, "Mno code\x00\x00"), LoginParams{})
	var got *Error
	if !errors.As(err, &got) || got.Message != "no code" {
		t.Errorf("an error without SQLSTATE: %v", err)
	}
}

func TestLoginPicksSCRAMFromTheList(t *testing.T) {
	t.Parallel()
	list := "SCRAM-SHA-256-PLUS\x00OAUTHBEARER\x00SCRAM-SHA-256\x00SCRAM-SHA-512\x00\x00"
	_, s, err := logInTo(auth(authSASL, list), LoginParams{Credentials: Credentials{password: "p"}})
	if err != io.EOF {
		t.Fatal(err)
	}
	if !bytes.Contains(s.Bytes(), []byte("p\x00\x00\x00")) || !bytes.Contains(s.Bytes(), []byte("SCRAM-SHA-256\x00")) {
		t.Errorf("answered %q", s.Bytes())
	}
}

func TestLoginUnsupportedMethod(t *testing.T) {
	t.Parallel()
	for want, server := range map[string][]byte{
		"server requires Kerberos 5: ":                 auth(authKerberos5, ""),
		"server requires SCM credentials: ":            auth(authSCM, ""),
		"server requires GSSAPI: ":                     auth(authGSS, ""),
		"server requires SSPI: ":                       auth(authSSPI, ""),
		"server requires authentication type 99: ":     auth(99, "data"),
		"server requires SASL OAUTHBEARER or X-EVIL: ": auth(authSASL, "OAUTHBEARER\x00X-\x1bEVIL\x00\x00"),
		"server requires SASL SCRAM-SHA-256-PLUS: ":    auth(authSASL, "SCRAM-SHA-256-PLUS\x00\x00"),
	} {
		_, s, err := logInTo(server, LoginParams{Credentials: Credentials{password: "p"}})
		if !errors.Is(err, ErrAuthMethod) || err.Error() != want+ErrAuthMethod.Error() {
			t.Errorf("got %v, want %s", err, want)
		}
		if bytes.Contains(s.Bytes(), []byte("p\x00\x00\x00")) {
			t.Errorf("answered %q", s.Bytes())
		}
	}
}

// TestLoginMalformed plays servers that break the protocol.
func TestLoginMalformed(t *testing.T) {
	t.Parallel()
	length := func(typ byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{typ}, n) }
	sasl := auth(authSASL, scramMechanism+"\x00\x00")
	tests := []struct {
		name   string
		server []byte
	}{
		{"length 3", length(authentication, 3)},
		{"length -1", length(authentication, 0xffffffff)},
		{"2 GB", length(authentication, 0x7fffffff)},
		{"64 KB and one", length(ParameterStatus, 64<<10+1)},
		{"HTTP", []byte("HTTP/1.1 400 Bad Request\r\n\r\n")},
		{"ready before authentication", ready},
		{"parameter before authentication", AppendParameterStatus(nil, "a", "b")},
		{"key before authentication", AppendBackendKeyData(nil, 1, []byte("1234"))},
		{"truncated request", message(authentication, "\x00\x00\x00")},
		{"short MD5 salt", auth(authMD5, "abc")},
		{"long MD5 salt", auth(authMD5, "abcde")},
		{"unterminated mechanism", auth(authSASL, scramMechanism)},
		{"unterminated list", auth(authSASL, scramMechanism+"\x00")},
		{"more after the list", auth(authSASL, scramMechanism+"\x00\x00x")},
		{"ok instead of a challenge", join(sasl, authOK, ready)},
		{"final instead of a challenge", join(sasl, auth(authSASLFinal, "v="))},
		{"password instead of a challenge", join(sasl, auth(authPassword, ""))},
		{"another nonce", join(sasl, auth(authSASLContinue, "r=x,s=AAAA,i=1"))},
		{"huge nonce", join(sasl, auth(authSASLContinue, "r="+strings.Repeat("x", 60_000)+",s=AAAA,i=1"))},
		{"asks again", join(auth(authPassword, ""), auth(authPassword, ""))},
		{"asks for more", join(auth(authPassword, ""), sasl)},
		{"authenticates twice", join(authOK, authOK, ready)},
		{"truncated key", join(authOK, message(backendKeyData, "\x00\x00\x00"), ready)},
		{"key without secret", join(authOK, AppendBackendKeyData(nil, 1, nil), ready)},
		{"key with a secret of 3 bytes", join(authOK, AppendBackendKeyData(nil, 1, make([]byte, 3)), ready)},
		{"key with a secret of 257 bytes", join(authOK, AppendBackendKeyData(nil, 1, make([]byte, 257)), ready)},
		{"parameter without value", join(authOK, message(ParameterStatus, "name\x00"), ready)},
		{"parameter and more", join(authOK, message(ParameterStatus, "a\x00b\x00c"), ready)},
		{"ready in a transaction", join(authOK, AppendReadyForQuery(nil, TxActive))},
		{"ready without status", join(authOK, message(ReadyForQuery, ""))},
		{"ready with two", join(authOK, message(ReadyForQuery, "II"))},
		{"row", join(authOK, message(DataRow, "\x00\x00"))},
		{"unterminated error", message(ErrorResponse, "Mx")},
		{"negotiates upwards", join(negotiate(Version32+1), authOK, ready)},
		{"negotiates nothing", join(negotiate(Version32), authOK, ready)},
		{"negotiates 3.1", join(negotiate(Version30+1), authOK, ready)},
		{"negotiates 2.0", join(negotiate(2<<16), authOK, ready)},
		{"negotiates options", join(negotiate(Version30, "_pq_.x"), authOK, ready)},
		{"negotiates options it does not name", join(
			message(negotiateProtocolVersion, "\x00\x03\x00\x00\x00\x00\x00\x01"), authOK, ready,
		)},
		{"negotiates twice", join(negotiate(Version30), negotiate(Version30), authOK, ready)},
		{"negotiates too late", join(authOK, negotiate(Version30), ready)},
		{"negotiates with too little", join(message(negotiateProtocolVersion, "\x00\x03\x00\x00"), authOK, ready)},
		{"endless notices", bytes.Repeat(message(NoticeResponse, strings.Repeat("x", 60_000)), 20)},
		{"endless parameters", join(authOK, bytes.Repeat(AppendParameterStatus(nil, "a", strings.Repeat("x", 60_000)), 20))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, _, err := logInTo(tt.server, LoginParams{Version: Version32, Credentials: Credentials{password: "p"}})
			if w != nil || !errors.Is(err, ErrProtocol) {
				t.Errorf("got %v, %v", w, err)
			}
		})
	}
}

// TestLoginNeedsTheServersProof plays a server that does not know the password.
func TestLoginNeedsTheServersProof(t *testing.T) {
	t.Parallel()
	for name, last := range map[string][]byte{
		"no proof":    authOK,
		"wrong proof": auth(authSASLFinal, rfcServerFinal),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := pipe(t)
			go func() { // ends when the client has gone, or has all
				io.CopyN(io.Discard, server, int64(len(LoginParams{User: "u"}.startup())))
				server.Write(auth(authSASL, scramMechanism+"\x00\x00"))
				_, body, _ := readMessage(server, maxSASLMessage)
				_, nonce, _ := strings.Cut(string(body), "r=")
				server.Write(auth(authSASLContinue, "r="+nonce+"x,s=AAAA,i=1"))
				readMessage(server, maxSASLMessage)
				server.Write(join(last, authOK, ready))
			}()
			w, err := Login(NewLoginConn(client, make([]byte, LoginBuffer)), LoginParams{User: "u", Credentials: Credentials{password: "p"}})
			if w != nil || !errors.Is(err, ErrProtocol) {
				t.Errorf("got %v, %v", w, err)
			}
		})
	}
}

// TestReadMessageBelievesNoLength has a peer promise a lot and send nothing.
func TestReadMessageBelievesNoLength(t *testing.T) {
	header := binary.BigEndian.AppendUint32([]byte{'x'}, maxLoginMessage)
	const times = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		if _, _, err := readMessage(bytes.NewReader(header), maxLoginMessage); err != io.ErrUnexpectedEOF {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / times; got > 2<<10 {
		t.Errorf("%d bytes allocated for a message that never came", got)
	}
}
