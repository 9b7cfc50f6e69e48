package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The example of RFC 7677, section 3.
const (
	rfcClientNonce = "rOprNGfwEbeRWgbNEkqO"
	rfcServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	rfcClientFirst = "n,,n=user,r=" + rfcClientNonce
	rfcServerFirst = "r=" + rfcClientNonce + rfcServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	rfcClientFinal = "c=biws,r=" + rfcClientNonce + rfcServerNonce +
		",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	rfcServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

// passwordKeys is what a client that knows the password derives.
func passwordKeys(password string) func(scramParams) (loginKeys, error) {
	return func(p scramParams) (loginKeys, error) { return p.derive(password), nil }
}

// rfcClient is the client of the RFC's example, and rfcServer its server.
func rfcClient() *scramClient {
	return &scramClient{
		nonce: rfcClientNonce, firstBare: strings.TrimPrefix(rfcClientFirst, "n,,"), keys: passwordKeys("pencil"),
	}
}

func rfcServer(t testing.TB) *scramServer {
	return &scramServer{secret: mustSecret(t, pencil).s, nonce: rfcServerNonce}
}

// runSCRAM has both sides talk until one of them is at its end.
func runSCRAM(t testing.TB, s *scramServer, c *scramClient) (clientKey []byte, ok bool) {
	t.Helper()
	challenge, err := s.first(c.first())
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.final(challenge)
	if err != nil {
		t.Fatal(err)
	}
	answer, clientKey, ok, err := s.final(response)
	if err != nil {
		t.Fatal(err)
	}
	if ok {
		if err := c.verify(answer); err != nil {
			t.Fatal(err)
		}
	}

	return clientKey, ok
}

func TestSCRAMServerRFC7677(t *testing.T) {
	t.Parallel()
	s := rfcServer(t)
	first, err := s.first([]byte(rfcClientFirst))
	if err != nil || string(first) != rfcServerFirst {
		t.Fatalf("server-first is %q, %v", first, err)
	}
	final, _, ok, err := s.final([]byte(rfcClientFinal))
	if err != nil || !ok || string(final) != rfcServerFinal {
		t.Fatalf("server-final is %q, %v, %v", final, ok, err)
	}
}

func TestSCRAMClientRFC7677(t *testing.T) {
	t.Parallel()
	c := rfcClient()
	if got := string(c.first()); got != rfcClientFirst {
		t.Fatalf("client-first is %q", got)
	}
	final, err := c.final([]byte(rfcServerFirst))
	if err != nil || string(final) != rfcClientFinal {
		t.Fatalf("client-final is %q, %v", final, err)
	}
	if err := c.verify([]byte(rfcServerFinal)); err != nil {
		t.Fatal(err)
	}
}

func TestSCRAMProofRevealsTheKey(t *testing.T) {
	t.Parallel()
	s := &scramServer{secret: mustSecret(t, pencil).s, nonce: newNonce()}
	clientKey, ok := runSCRAM(t, s, newScramClient(newNonce(), passwordKeys("pencil")))
	if !ok {
		t.Fatal("the right password is wrong")
	}

	// With it, and the server's key from the verifier, one can log in as the client.
	keys := loginKeys{client: clientKey, server: s.secret.scramKeys().server}
	again := &scramServer{secret: s.secret, nonce: newNonce()}
	if _, ok := runSCRAM(t, again, newScramClient(newNonce(), func(scramParams) (loginKeys, error) {
		return keys, nil
	})); !ok {
		t.Error("the key that the proof reveals is wrong")
	}
}

func TestSCRAMServerWrongPassword(t *testing.T) {
	t.Parallel()
	for _, text := range []string{pencil, "pencil"} {
		s := &scramServer{secret: mustSecret(t, text).s, nonce: newNonce()}
		key, ok := runSCRAM(t, s, newScramClient(newNonce(), passwordKeys("Pencil")))
		if ok || key != nil {
			t.Errorf("a wrong password is right: %x", key)
		}
	}
}

func TestSCRAMServerAcceptsClientFirst(t *testing.T) {
	t.Parallel()
	for _, msg := range []string{"n,,n=,r=x", "y,,n=user,r=x", "n,,n==2C=3D,r=x,ext=1"} {
		if _, err := rfcServer(t).first([]byte(msg)); err != nil {
			t.Errorf("%q: %v", msg, err)
		}
	}
}

func TestSCRAMServerRejectsClientFirst(t *testing.T) {
	t.Parallel()
	const malformed, nonce = "malformed SCRAM message", "non-printable characters in SCRAM nonce"
	tests := []struct{ name, msg, code, message string }{
		{"empty", "", "08P01", malformed},
		{"flag only", "n", "08P01", malformed},
		{"NUL", "n,,n=,r=a\x00", "08P01", malformed},
		{"channel binding", "p=tls-server-end-point,,n=,r=a", "08P01", malformed},
		{"unknown flag", "x,,n=,r=a", "08P01", malformed},
		{"no header", "n=,r=a", "08P01", malformed},
		{
			"authorization identity", "n,a=root,n=,r=a", "0A000",
			"client uses authorization identity, but it is not supported",
		},
		{"mandatory extension", "n,,m=x,n=,r=a", "0A000", "client requires an unsupported SCRAM extension"},
		{"no user", "n,,r=a", "08P01", malformed},
		{"no nonce", "n,,n=a", "08P01", malformed},
		{"empty nonce", "n,,n=,r=", "08P01", nonce},
		{"nonce with a space", "n,,n=,r=a b", "08P01", nonce},
		{"nonce not ASCII", "n,,n=,r=é", "08P01", nonce},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer, err := rfcServer(t).first([]byte(tt.msg))
			if answer != nil {
				t.Errorf("answered %q", answer)
			}
			wantError(t, err, tt.code, tt.message)
		})
	}
}

func TestSCRAMServerRejectsClientFinal(t *testing.T) {
	t.Parallel()
	const malformed, binding = "malformed SCRAM message",
		"unexpected SCRAM channel-binding attribute in client-final-message"
	const nonce, proof = rfcClientNonce + rfcServerNonce, ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	tests := []struct{ name, msg, message string }{
		{"empty", "", malformed},
		{"NUL", rfcClientFinal + "\x00", malformed},
		{"no proof", "c=biws,r=" + nonce, malformed},
		{"short proof", "c=biws,r=" + nonce + ",p=AAAA", malformed},
		{"proof not base64", "c=biws,r=" + nonce + ",p=!", malformed},
		{"more after the proof", rfcClientFinal + ",x=1", malformed},
		{"proof alone", proof[1:], malformed},
		{"no binding", "r=" + nonce + proof, binding},
		{"binding of another header", "c=eSws,r=" + nonce + proof, binding},
		{"binding with data", "c=biwsAAAA,r=" + nonce + proof, binding},
		{"no nonce", "c=biws" + proof, "invalid SCRAM response"},
		{"client's nonce only", "c=biws,r=" + rfcClientNonce + proof, "invalid SCRAM response"},
		{"longer nonce", "c=biws,r=" + nonce + "x" + proof, "invalid SCRAM response"},
		{"other nonce", "c=biws,r=" + nonce[1:] + "x" + proof, "invalid SCRAM response"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := rfcServer(t)
			if _, err := s.first([]byte(rfcClientFirst)); err != nil {
				t.Fatal(err)
			}
			answer, key, ok, err := s.final([]byte(tt.msg))
			if answer != nil || key != nil || ok {
				t.Errorf("answered %q, %x, %v", answer, key, ok)
			}
			wantError(t, err, CodeProtocolViolation, tt.message)
		})
	}
}

func TestSCRAMServerFollowsTheClientsFlag(t *testing.T) {
	t.Parallel()
	s := rfcServer(t)
	first, err := s.first([]byte("y" + rfcClientFirst[1:]))
	if err != nil {
		t.Fatal(err)
	}
	c := rfcClient()
	if _, err := c.final(first); err != nil {
		t.Fatal(err)
	}
	// A client that was made to believe in another flag cannot go on.
	if _, _, _, err := s.final([]byte(rfcClientFinal)); err == nil {
		t.Error("the flag of client-final is not checked")
	}
}

func TestSCRAMClientRejectsServerFirst(t *testing.T) {
	t.Parallel()
	const good = "r=" + rfcClientNonce + rfcServerNonce
	tests := []struct{ name, msg string }{
		{"empty", ""},
		{"nonce not ours", "r=xyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"},
		{"nonce not continued", "r=" + rfcClientNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"},
		{"nonce not printable", good + "\x01,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"},
		{"huge nonce", good + strings.Repeat("x", 1024) + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"},
		{"no salt", good + ",i=4096"},
		{"empty salt", good + ",s=,i=4096"},
		{"salt not base64", good + ",s=***,i=4096"},
		{"no iterations", good + ",s=W22ZaJ0SNY7soEsUEjb6gQ=="},
		{"0 iterations", good + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0"},
		{"-1 iterations", good + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1"},
		{"+1 iterations", good + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=+1"},
		{"100001 iterations", good + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=100001"},
		{"2^31 iterations", good + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2147483648"},
		{"10^40 iterations", good + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1" + strings.Repeat("0", 40)},
		{"mandatory extension", "m=x," + rfcServerFirst},
		{"more at the end", rfcServerFirst + ",x=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := rfcClient().final([]byte(tt.msg))
			if got != nil || !errors.Is(err, ErrProtocol) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestSCRAMClientRejectsServerFinal(t *testing.T) {
	t.Parallel()
	for _, msg := range []string{
		"", "v=", "v=!", "v=AAAA", "e=other-error", rfcServerFinal + ",x=1",
		strings.Replace(rfcServerFinal, "6", "7", 1),
	} {
		c := rfcClient()
		if _, err := c.final([]byte(rfcServerFirst)); err != nil {
			t.Fatal(err)
		}
		if err := c.verify([]byte(msg)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%q: %v", msg, err)
		}
	}
}

// FuzzScramServer checks that no pair of messages gets in without the password, or
// makes an error that cannot be sent.
func FuzzScramServer(f *testing.F) {
	f.Add(rfcClientFirst, "c=biws,r="+rfcClientNonce+rfcServerNonce+",p="+strings.Repeat("A", 43)+"=")
	f.Add("n,,n=,r=x", "c=biws,r=x"+rfcServerNonce+",p=")
	f.Add("y,,n=,r=x", "c=eSws,r=x"+rfcServerNonce+",p=")
	f.Add("p=tls-unique,,n=,r=x", "")
	f.Add("n,a=x,", ",")
	f.Fuzz(func(t *testing.T, first, final string) {
		s := &scramServer{secret: mockSecret([]byte("key"), "user").s, nonce: rfcServerNonce}
		challenge, err := s.first([]byte(first))
		if err != nil {
			checkFatal(t, err)

			return
		}
		if nonce, _, err := parseServerFirst(string(challenge)); err != nil || !strings.HasSuffix(nonce, s.nonce) {
			t.Fatalf("challenge is %q", challenge)
		}
		answer, key, ok, err := s.final([]byte(final))
		if answer != nil || key != nil || ok {
			t.Fatal("logged in without a password")
		}
		if err != nil {
			checkFatal(t, err)
		}
	})
}

// checkFatal checks that err is an error that a client can be sent off with.
func checkFatal(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !e.Fatal() || len(e.Code) != 5 {
		t.Fatalf("error is %v", err)
	}
}

// FuzzScramClient checks that no server gets anything but a proof for its own
// challenge, and is not believed.
func FuzzScramClient(f *testing.F) {
	f.Add(rfcServerFirst, rfcServerFinal)
	f.Add("r="+rfcClientNonce+"x,s=AAAA,i=1", "e=other-error")
	f.Add("r="+rfcClientNonce+"x,s=AAAA,i=2147483648", "v=")
	f.Add("m=x", "v=AAAA")
	f.Fuzz(func(t *testing.T, first, final string) {
		c := rfcClient()
		c.keys = func(p scramParams) (loginKeys, error) {
			if p.iterations < 1 || p.iterations > maxSCRAMIterations || len(p.salt) == 0 {
				return loginKeys{}, fmt.Errorf("bug: unchecked parameters %v", p)
			}
			p.iterations = 1 // for speed

			return p.derive("not the one of the example"), nil
		}
		response, err := c.final([]byte(first))
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatal(err)
			}

			return
		}
		if !strings.HasPrefix(string(response), "c=biws,r="+rfcClientNonce) {
			t.Fatalf("response is %q", response)
		}
		if err := c.verify([]byte(final)); !errors.Is(err, ErrProtocol) {
			t.Fatalf("the server is believed: %v", err)
		}
	})
}
