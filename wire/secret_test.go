package wire

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pencil is the verifier of the password "pencil" with the salt and iterations of RFC
// 7677's example; its keys make that example's proof and signature.
const pencil = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" +
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

// mustSecret parses a secret.
func mustSecret(t testing.TB, s string) Secret {
	t.Helper()
	secret, err := ParseSecret(s)
	if err != nil {
		t.Fatal(err)
	}

	return secret
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("A", 43) + "="
	tests := []struct {
		name, give string
		want       SecretKind
		ok         bool
	}{
		{"nothing", "", SecretNone, true},
		{"plain", "hunter2", SecretPlain, true},
		{"md5", "md5" + strings.Repeat("0a", 16), SecretMD5, true},
		{"md5 in upper case is a password", "md5" + strings.Repeat("0A", 16), SecretPlain, true},
		{"md5 too short is a password", "md5" + strings.Repeat("0", 31), SecretPlain, true},
		{"md5 too long is a password", "md5" + strings.Repeat("0", 33), SecretPlain, true},
		{"scram", pencil, SecretSCRAM, true},
		{"scram by itself is a password", "SCRAM-SHA-256", SecretPlain, true},
		{"scram without iterations", "SCRAM-SHA-256$:c2FsdA==$" + key + ":" + key, 0, false},
		{"scram with 0 iterations", "SCRAM-SHA-256$0:c2FsdA==$" + key + ":" + key, 0, false},
		{"scram with -1 iterations", "SCRAM-SHA-256$-1:c2FsdA==$" + key + ":" + key, 0, false},
		{"scram with 2^31 iterations", "SCRAM-SHA-256$2147483648:c2FsdA==$" + key + ":" + key, 0, false},
		{"scram without salt", "SCRAM-SHA-256$1:$" + key + ":" + key, 0, false},
		{"scram with a bad salt", "SCRAM-SHA-256$1:c2Fs!$" + key + ":" + key, 0, false},
		{"scram without server key", "SCRAM-SHA-256$1:c2FsdA==$" + key, 0, false},
		{"scram with a short key", "SCRAM-SHA-256$1:c2FsdA==$c2FsdA==:" + key, 0, false},
		{"scram with too much", "SCRAM-SHA-256$1:c2FsdA==$" + key + ":" + key + "$", 0, false},
		{"scram with a line break", "SCRAM-SHA-256$1:c2Fs\ndA==$" + key + ":" + key, 0, false},
		{"NUL", "a\x00b", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := ParseSecret(tt.give)
			if (err == nil) != tt.ok || s.Kind() != tt.want {
				t.Errorf("got kind %v, error %v", s.Kind(), err)
			}
			if err != nil && strings.Contains(err.Error(), tt.give) {
				t.Errorf("error %q quotes the secret", err)
			}
		})
	}
}

func TestSecretKindString(t *testing.T) {
	t.Parallel()
	for kind, want := range map[SecretKind]string{
		SecretNone: "none", SecretPlain: "plain", SecretMD5: "md5", SecretSCRAM: "SCRAM-SHA-256", 9: "SecretKind(9)",
	} {
		if got := kind.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	s := mustSecret(t, "hunter2")
	c := CredentialsFromSecret(s)
	holder := struct {
		S Secret
		P *Secret
		C Credentials
		M map[string]Secret
	}{s, &s, c, map[string]Secret{"a": s}}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "secret", s, "credentials", c)
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}

	shown := []string{
		s.String(), s.GoString(), c.String(), c.GoString(), logged.String(), string(text),
		fmt.Sprint(s, c), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v %s %q %x %d", c, c, c, c, c, c, c),
		fmt.Sprintf("%v", holder), fmt.Sprintf("%+v", holder), fmt.Sprintf("%#v", holder),
	}
	for _, text := range shown {
		if !strings.Contains(text, "***") {
			t.Errorf("%q is not redacted", text)
		}
		for _, leak := range []string{"hunter2", "68756e74657232"} {
			if strings.Contains(text, leak) {
				t.Errorf("%q shows the secret", text)
			}
		}
	}
}

func TestSecretText(t *testing.T) {
	t.Parallel()
	var s Secret
	if err := s.UnmarshalText([]byte("hunter2")); err != nil || !s.Equal(mustSecret(t, "hunter2")) {
		t.Errorf("got kind %v, error %v", s.Kind(), err)
	}
	if err := s.UnmarshalText([]byte("SCRAM-SHA-256$")); err == nil || s.Kind() != SecretPlain {
		t.Errorf("malformed text gives kind %v, error %v", s.Kind(), err)
	}
}

func TestSecretEqual(t *testing.T) {
	t.Parallel()
	a, b, none := mustSecret(t, "a"), mustSecret(t, "b"), Secret{}
	tests := []struct {
		name string
		x, y Secret
		want bool
	}{
		{"copy", a, a, true},
		{"same text", a, mustSecret(t, "a"), true},
		{"other", a, b, false},
		{"none and some", none, a, false},
		{"some and none", a, none, false},
		{"both none", none, none, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.x.Equal(tt.y); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestSecretMatches(t *testing.T) {
	t.Parallel()
	for kind, s := range map[string]string{
		"plain": "pencil", "md5": md5Hash("pencil", "user"), "scram": pencil,
	} {
		secret := mustSecret(t, s)
		if !secret.matches("user", "pencil") {
			t.Errorf("%s: the password does not match", kind)
		}
		for _, wrong := range []string{"", "penci", "pencil ", s + "x"} {
			if secret.matches("user", wrong) {
				t.Errorf("%s: %q matches", kind, wrong)
			}
		}
	}
	if (Secret{}).matches("user", "") {
		t.Error("no secret matches no password")
	}
}

func TestMD5Hash(t *testing.T) {
	t.Parallel()
	const stored = "md521f3163f8f86fa10bdefbfbd502a8f06" // md5("secret" + "bob")
	if got := md5Hash("secret", "bob"); got != stored {
		t.Errorf("hash is %s, want %s", got, stored)
	}
	// md5("21f3163f8f86fa10bdefbfbd502a8f06" + "salt")
	if got, want := md5Response(stored, []byte("salt")), "md5a472781a92412d8a652b427f4c5b7f3f"; got != want {
		t.Errorf("response is %s, want %s", got, want)
	}
}

func TestPlainSecretIsDerivedOnce(t *testing.T) {
	t.Parallel()
	s := mustSecret(t, "pencil")
	a, b := s, s // copies share what is derived
	if &a.s.scramKeys().stored[0] != &b.s.scramKeys().stored[0] {
		t.Error("a copy derives the keys again")
	}
	if cmp.Equal(s.s.salt, mustSecret(t, "pencil").s.salt) {
		t.Error("two secrets have the same salt")
	}
}

func TestMockSecret(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	a := mockSecret(key, "a").s
	if len(a.salt) != scramSaltSize || a.iterations != scramIterations {
		t.Errorf("salt of %d bytes, %d iterations: not as a real one", len(a.salt), a.iterations)
	}
	if !cmp.Equal(a.salt, mockSecret(key, "a").s.salt) {
		t.Error("the salt differs from one login to the next")
	}
	for name, other := range map[string]Secret{
		"user": mockSecret(key, "b"), "key": mockSecret([]byte("another"), "a"),
	} {
		if cmp.Equal(a.salt, other.s.salt) {
			t.Errorf("another %s has the same salt", name)
		}
	}
}

// BenchmarkSCRAMServer is the work for one login, once the keys of a plain password
// are known; "first" is what the first login pays on top.
func BenchmarkSCRAMServer(b *testing.B) {
	for name, text := range map[string]string{"plain": "pencil", "verifier": pencil} {
		b.Run(name, func(b *testing.B) {
			secret := mustSecret(b, text)
			params := secret.s.scramParams
			keys := params.derive("pencil")
			for b.Loop() {
				runSCRAM(b, &scramServer{secret: secret.s, nonce: newNonce()},
					newScramClient(newNonce(), func(scramParams) (loginKeys, error) { return keys, nil }))
			}
		})
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			mustSecret(b, "pencil").s.scramKeys()
		}
	})
}
