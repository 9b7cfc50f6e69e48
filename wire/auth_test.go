package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

var testMockKey = []byte("0123456789abcdef0123456789abcdef")

// pipe returns both ends of a connection on which nothing waits forever.
func pipe(t testing.TB) (client, server net.Conn) {
	t.Helper()
	client, server = net.Pipe()
	deadline := time.Now().Add(20 * time.Second)
	for _, c := range []net.Conn{client, server} {
		c.SetDeadline(deadline)
		t.Cleanup(func() { c.Close() })
	}

	return client, server
}

// account is a user as a server knows it.
type account struct {
	method Method
	user   string
	secret Secret
	known  bool
}

// serveLogin is a server in full: it reads the startup, authenticates the client and
// welcomes it, or tells it why not.
func serveLogin(rw io.ReadWriter, a account) (Credentials, error) {
	s, _, err := ReadStartup(rw)
	if err != nil {
		return Credentials{}, err
	}
	frame, v := s.Negotiation()
	if frame != nil {
		if _, err := rw.Write(frame); err != nil {
			return Credentials{}, err
		}
	}
	c, err := Authenticate(rw, a.method, a.user, a.secret, a.known, testMockKey, nil)
	var e *Error
	if errors.As(err, &e) {
		rw.Write(e.Append(nil))
	}
	if err != nil {
		return Credentials{}, err
	}
	pid, secret, err := NewCancelKey(v, strings.NewReader(strings.Repeat("k", 36)))
	if err != nil {
		return Credentials{}, err
	}
	b := AppendAuthenticationOk(nil)
	b = AppendParameterStatus(b, "client_encoding", "UTF8")
	b = AppendParameterStatus(b, "TimeZone", "UTC")
	b = AppendBackendKeyData(b, pid, secret)
	_, err = rw.Write(AppendReadyForQuery(b, TxIdle))

	return c, err
}

// logIn runs both sides against each other; each may read its connection in a way of
// its own.
func logIn(
	t testing.TB, a account, p LoginParams, wrap func(net.Conn) io.ReadWriter,
) (w *Welcome, c Credentials, clientErr, serverErr error) {
	t.Helper()
	client, server := pipe(t)
	done := make(chan struct{})
	go func() { // ends when the login is over, or the connection's deadline passes
		defer close(done)
		defer server.Close()
		rw := wrap(server)
		c, serverErr = serveLogin(rw, a)
		if held, ok := rw.(*LoginConn); ok {
			serverErr = errors.Join(serverErr, held.Flush())
		}
	}()
	w, clientErr = Login(wrap(client), p)
	client.Close()
	<-done

	return w, c, clientErr, serverErr
}

// bare uses a connection as it is.
func bare(c net.Conn) io.ReadWriter { return c }

// TestAuthenticateAgainstLogin has our two sides talk to each other: each method,
// with each kind of secret, and the right, a wrong and no password.
func TestAuthenticateAgainstLogin(t *testing.T) {
	t.Parallel()
	const user, password = "user", "pencil"
	secrets := map[string]string{
		"none": "", "plain": password, "md5": md5Hash(password, user), "scram": pencil,
	}
	// What each method makes of each secret: the credentials that are left with us, or
	// "" if nobody gets in.
	want := map[Method]map[string]string{
		MethodTrust: {"none": "none", "plain": "password", "md5": "md5", "scram": "none"},
		MethodPlain: {"none": "", "plain": "password", "md5": "password", "scram": "password"},
		MethodMD5:   {"none": "", "plain": "password", "md5": "md5", "scram": "keys"},
		MethodSCRAM: {"none": "", "plain": "password", "md5": "", "scram": "keys"},
	}
	for method, kinds := range want {
		for kind, left := range kinds {
			a := account{method, user, mustSecret(t, secrets[kind]), true}
			t.Run(fmt.Sprintf("%v/%v/right", method, kind), func(t *testing.T) {
				t.Parallel()
				testLogin(t, a, password, left)
			})
			t.Run(fmt.Sprintf("%v/%v/wrong", method, kind), func(t *testing.T) {
				t.Parallel()
				want := left
				if method != MethodTrust {
					want = ""
				}
				testLogin(t, a, password+"!", want)
			})
			t.Run(fmt.Sprintf("%v/%v/unknown", method, kind), func(t *testing.T) {
				t.Parallel()
				a := a
				a.known = false
				testLogin(t, a, password, "")
			})
		}
	}
}

// testLogin logs in, with connections of different manners, and checks what comes of
// it on both sides; left is the kind of credentials, "" for a refusal.
func testLogin(t *testing.T, a account, password, left string) {
	t.Helper()
	params := LoginParams{User: a.user, Credentials: Credentials{password: password}}
	for name, wrap := range map[string]func(net.Conn) io.ReadWriter{
		"bare":     bare,
		"buffered": func(c net.Conn) io.ReadWriter { return NewLoginConn(c, make([]byte, LoginBuffer)) },
		"dribble": func(c net.Conn) io.ReadWriter {
			return struct {
				io.Reader
				io.Writer
			}{iotest.OneByteReader(c), c}
		},
	} {
		w, c, clientErr, serverErr := logIn(t, a, params, wrap)
		if left == "" {
			refused := fmt.Sprintf("password authentication failed for user \"%s\"", a.user)
			wantError(t, serverErr, CodeInvalidPassword, refused)
			wantError(t, clientErr, CodeInvalidPassword, refused)
			if w != nil || !c.IsZero() {
				t.Errorf("%s: refused with %v and credentials %v", name, w, c.IsZero())
			}

			continue
		}
		if clientErr != nil || serverErr != nil {
			t.Errorf("%s: client %v, server %v", name, clientErr, serverErr)

			continue
		}
		want := &Welcome{
			Version: Version30, Parameters: []Parameter{{"client_encoding", "UTF8"}, {"TimeZone", "UTC"}},
			PID: 0x006b6b6b, Secret: []byte("kkkk"),
		}
		if diff := cmp.Diff(want, w); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got := credentialsKind(c); got != left {
			t.Errorf("%s: left with %s, want %s", name, got, left)
		}
	}
}

// credentialsKind names what there is in credentials.
func credentialsKind(c Credentials) string {
	switch {
	case c.password != "":
		return "password"
	case c.md5 != "":
		return "md5"
	case c.keys.client != nil:
		return "keys"
	default:
		return "none"
	}
}

// TestCredentialsLogIn uses what a client's login leaves with us for logging in to
// the server behind.
func TestCredentialsLogIn(t *testing.T) {
	t.Parallel()
	const user, password = "user", "pencil"
	md5Secret := md5Hash(password, user)
	otherSalt := strings.Replace(pencil, "W22Z", "X22Z", 1)
	otherIterations := strings.Replace(pencil, "4096", "4097", 1)
	tests := []struct {
		name         string
		method       Method // of the client
		secret       string // that the client is checked with
		serverMethod Method
		serverSecret string
		want         error // nil: logs in
	}{
		{"plain for scram", MethodPlain, pencil, MethodSCRAM, password, nil},
		{"plain for md5", MethodPlain, password, MethodMD5, md5Secret, nil},
		{"plain for plain", MethodSCRAM, password, MethodPlain, password, nil},
		{"md5 for md5", MethodMD5, md5Secret, MethodMD5, md5Secret, nil},
		{"md5 for scram", MethodMD5, md5Secret, MethodSCRAM, pencil, ErrCredentials},
		{"md5 for plain", MethodMD5, md5Secret, MethodPlain, password, ErrCredentials},
		{"keys for scram", MethodSCRAM, pencil, MethodSCRAM, pencil, nil},
		{"keys for another salt", MethodSCRAM, pencil, MethodSCRAM, otherSalt, ErrCredentials},
		{"keys for other iterations", MethodSCRAM, pencil, MethodSCRAM, otherIterations, ErrCredentials},
		{"keys for md5", MethodSCRAM, pencil, MethodMD5, md5Secret, ErrCredentials},
		{"keys for plain", MethodSCRAM, pencil, MethodPlain, password, ErrCredentials},
		{"nothing for scram", MethodTrust, pencil, MethodSCRAM, pencil, ErrCredentials},
		{"nothing for md5", MethodTrust, pencil, MethodMD5, md5Secret, ErrCredentials},
		{"nothing for plain", MethodTrust, pencil, MethodPlain, password, ErrCredentials},
		{"nothing for trust", MethodTrust, pencil, MethodTrust, password, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := account{tt.method, user, mustSecret(t, tt.secret), true}
			p := LoginParams{User: user, Credentials: Credentials{password: password}}
			_, c, clientErr, serverErr := logIn(t, a, p, bare)
			if clientErr != nil || serverErr != nil {
				t.Fatalf("the client: %v, %v", clientErr, serverErr)
			}

			behind := account{tt.serverMethod, user, mustSecret(t, tt.serverSecret), true}
			_, _, err, _ := logIn(t, behind, LoginParams{User: user, Credentials: c}, bare)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestParseMethod(t *testing.T) {
	t.Parallel()
	for _, m := range []Method{MethodTrust, MethodPlain, MethodMD5, MethodSCRAM} {
		if got, err := ParseMethod(m.String()); got != m || err != nil {
			t.Errorf("%v: got %v, %v", m, got, err)
		}
	}
	for _, name := range []string{"", "SCRAM-SHA-256", "cert", "Method(4)"} {
		if m, err := ParseMethod(name); err == nil {
			t.Errorf("%q is %v", name, m)
		}
	}
}

// password is a message with a type byte 'p'.
func password(body string) []byte { return message(passwordMessage, body) }

// message is a message with a body.
func message(typ byte, body string) []byte {
	b, start := beginMessage(nil, typ)

	return endMessage(append(b, body...), start)
}

// saslInitial is the body of a SASLInitialResponse with the given length field.
func saslInitial(mechanism string, length int32, data string) []byte {
	b := binary.BigEndian.AppendUint32([]byte(mechanism+"\x00"), uint32(length))

	return password(string(b) + data)
}

func TestAuthenticateRefuses(t *testing.T) {
	t.Parallel()
	const firstMsg = "n,,n=,r=x"
	good := saslInitial(scramMechanism, int32(len(firstMsg)), firstMsg)
	lengthField := func(typ byte, n uint32) []byte {
		return binary.BigEndian.AppendUint32([]byte{typ}, n)
	}
	tests := []struct {
		name          string
		method        Method
		input         []byte
		code, message string
	}{
		{
			"query for a password", MethodPlain, message(Query, "select 1\x00"), "08P01",
			"expected password response, got message type 81",
		},
		{
			"query for SASL", MethodSCRAM, message(Query, "select 1\x00"), "08P01",
			"expected SASL response, got message type 81",
		},
		{
			"terminate in the middle of SASL", MethodSCRAM, append(good, message(Terminate, "")...), "08P01",
			"expected SASL response, got message type 88",
		},
		{"unterminated password", MethodPlain, password("pencil"), "08P01", "invalid password packet size"},
		{"two passwords", MethodPlain, password("pencil\x00pencil\x00"), "08P01", "invalid password packet size"},
		{"no bytes at all", MethodMD5, password(""), "08P01", "invalid password packet size"},
		{"empty password", MethodPlain, password("\x00"), "28P01", "empty password returned by client"},
		{"length 3", MethodPlain, lengthField('p', 3), "08P01", "invalid message length"},
		{"length -1", MethodSCRAM, lengthField('p', 0xffffffff), "08P01", "invalid message length"},
		{"password too long", MethodMD5, lengthField('p', 65536), "08P01", "invalid message length"},
		{"SASL too long", MethodSCRAM, lengthField('p', 1025), "08P01", "invalid message length"},
		{
			"SASL continued too long", MethodSCRAM, append(good, lengthField('p', 1025)...), "08P01",
			"invalid message length",
		},
		{
			"long and of the wrong type", MethodSCRAM, lengthField('Q', 1<<31-1), "08P01",
			"expected SASL response, got message type 81",
		},
		{
			"mechanism PLUS", MethodSCRAM, saslInitial("SCRAM-SHA-256-PLUS", 9, firstMsg), "08P01",
			"client selected an invalid SASL authentication mechanism",
		},
		{"unterminated mechanism", MethodSCRAM, password("SCRAM-SHA-256"), "08P01", "malformed SASL response"},
		{"no length", MethodSCRAM, password("SCRAM-SHA-256\x00\x00"), "08P01", "malformed SASL response"},
		{
			"SASL length too small", MethodSCRAM, saslInitial(scramMechanism, 8, firstMsg), "08P01",
			"malformed SASL response",
		},
		{
			"SASL length too big", MethodSCRAM, saslInitial(scramMechanism, 10, firstMsg), "08P01",
			"malformed SASL response",
		},
		{
			"SASL length -2", MethodSCRAM, saslInitial(scramMechanism, -2, firstMsg), "08P01",
			"malformed SASL response",
		},
		{
			"none, but some", MethodSCRAM, saslInitial(scramMechanism, -1, firstMsg), "08P01",
			"malformed SASL response",
		},
		{
			"empty first message", MethodSCRAM, saslInitial(scramMechanism, 0, ""), "08P01",
			"malformed SCRAM message",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stream{Reader: iotest.OneByteReader(bytes.NewReader(tt.input))}
			c, err := Authenticate(s, tt.method, "user", mustSecret(t, "pencil"), true, testMockKey, nil)
			if !c.IsZero() {
				t.Error("there are credentials")
			}
			wantError(t, err, tt.code, tt.message)
		})
	}
}

func TestAuthenticateCut(t *testing.T) {
	t.Parallel()
	whole := password("pencil\x00")
	for cut := range whole {
		want := io.ErrUnexpectedEOF
		if cut == 0 {
			want = io.EOF
		}
		s := &stream{Reader: bytes.NewReader(whole[:cut])}
		c, err := Authenticate(s, MethodPlain, "user", mustSecret(t, "pencil"), true, nil, nil)
		if err != want || !c.IsZero() {
			t.Errorf("cut at %d: %v, %v", cut, c.IsZero(), err)
		}
	}
}

func TestAuthenticateTakesALongPassword(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxPasswordMessage-4-1)
	s := &stream{Reader: iotest.HalfReader(bytes.NewReader(password(long + "\x00")))}
	if _, err := Authenticate(s, MethodPlain, "user", mustSecret(t, long), true, nil, nil); err != nil {
		t.Error(err)
	}
}

func TestAuthenticateLeavesWhatFollows(t *testing.T) {
	t.Parallel()
	query := message(Query, "select 1\x00")
	in := append(password("pencil\x00"), query...)

	t.Run("bare", func(t *testing.T) {
		t.Parallel()
		r := bytes.NewReader(in)
		if _, err := Authenticate(&stream{Reader: r}, MethodPlain, "u", mustSecret(t, "pencil"), true, nil, nil); err != nil {
			t.Fatal(err)
		}
		if r.Len() != len(query) {
			t.Errorf("%d bytes left, want %d", r.Len(), len(query))
		}
	})
	t.Run("buffered", func(t *testing.T) {
		t.Parallel()
		c := NewLoginConn(&stream{Reader: bytes.NewReader(in)}, make([]byte, LoginBuffer))
		if _, err := Authenticate(c, MethodPlain, "u", mustSecret(t, "pencil"), true, nil, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(query, c.Buffered()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAuthenticateWithoutInitialResponse plays a client that waits for an empty
// challenge before it sends its first message.
func TestAuthenticateWithoutInitialResponse(t *testing.T) {
	t.Parallel()
	client, server := pipe(t)
	result := make(chan error, 1)
	go func() { // ends with the exchange
		_, err := Authenticate(server, MethodSCRAM, "user", mustSecret(t, pencil), true, nil, nil)
		result <- err
	}()
	fe := pgproto3.NewFrontend(client, client)
	receive := func() pgproto3.BackendMessage {
		t.Helper()
		m, err := fe.Receive()
		if err != nil {
			t.Fatal(err)
		}

		return m
	}
	sasl := newScramClient(newNonce(), passwordKeys("pencil"))

	receive()
	client.Write(saslInitial(scramMechanism, -1, ""))
	if m, ok := receive().(*pgproto3.AuthenticationSASLContinue); !ok || len(m.Data) != 0 {
		t.Fatalf("the challenge is %v", m)
	}
	client.Write(password(string(sasl.first())))
	response, err := sasl.final(receive().(*pgproto3.AuthenticationSASLContinue).Data)
	if err != nil {
		t.Fatal(err)
	}
	client.Write(password(string(response)))
	if err := sasl.verify(receive().(*pgproto3.AuthenticationSASLFinal).Data); err != nil {
		t.Error(err)
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// TestUnknownUserLooksLikeAnother compares all that a client can see of a login that
// fails, for a user that exists and one that does not.
func TestUnknownUserLooksLikeAnother(t *testing.T) {
	t.Parallel()
	const final = ",r=x,p=AAAA"
	seen := func(m Method, known bool) string {
		in := saslInitial(scramMechanism, 9, "n,,n=,r=x")
		if m != MethodSCRAM {
			in = password("wrong\x00")
		}
		s := &stream{Reader: bytes.NewReader(append(in, password(final)...))}
		secret := "pencil"
		if m == MethodSCRAM {
			secret = pencil
		}
		_, err := Authenticate(s, m, "user", mustSecret(t, secret), known, testMockKey, nil)

		return fmt.Sprintf("%d bytes, then %v", s.Len(), err)
	}
	for _, m := range []Method{MethodPlain, MethodMD5, MethodSCRAM} {
		if diff := cmp.Diff(seen(m, true), seen(m, false)); diff != "" {
			t.Errorf("%v: %s", m, diff)
		}
	}
}

// TestNoSecretHasNoMD5Answer plays a client that answers as if the stored hash were
// empty.
func TestNoSecretHasNoMD5Answer(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		client, server := pipe(t)
		result := make(chan error, 1)
		go func() { // ends with the exchange
			_, err := Authenticate(server, MethodMD5, "user", Secret{}, known, testMockKey, nil)
			result <- err
		}()
		_, body, err := readMessage(client, maxLoginMessage)
		if err != nil {
			t.Fatal(err)
		}
		client.Write(password(md5Response("", body[4:]) + "\x00"))
		wantError(t, <-result, CodeInvalidPassword, `password authentication failed for user "user"`)
	}
}

func TestFailureDoesNotCarryControlCharacters(t *testing.T) {
	t.Parallel()
	s := &stream{Reader: bytes.NewReader(password("x\x00"))}
	_, err := Authenticate(s, MethodPlain, "a\nb\x1b[0m", Secret{}, true, nil, nil)
	wantError(t, err, CodeInvalidPassword, `password authentication failed for user "ab[0m"`)
}
