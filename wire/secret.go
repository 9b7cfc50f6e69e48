package wire

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// redacted is what a secret looks like to everyone but this package.
const redacted = "***"

// A SecretKind is the form in which a password is stored.
type SecretKind uint8

// The kinds of secrets.
const (
	SecretNone  SecretKind = iota // no password: only method trust lets this user in
	SecretPlain                   // the password itself
	SecretMD5                     // "md5" and the hash of password and user
	SecretSCRAM                   // a SCRAM-SHA-256 verifier, as in pg_authid
)

// String returns the kind's name.
func (k SecretKind) String() string {
	switch k {
	case SecretNone:
		return "none"
	case SecretPlain:
		return "plain"
	case SecretMD5:
		return "md5"
	case SecretSCRAM:
		return scramMechanism
	default:
		return fmt.Sprintf("SecretKind(%d)", uint8(k))
	}
}

// A Secret is a stored password. It does not show itself: however it is printed or
// marshalled, the result is "***". Copies of a Secret are the same secret. The zero
// Secret is none.
type Secret struct{ s *storedSecret }

// storedSecret is what copies of a Secret share. It is never changed.
type storedSecret struct {
	kind SecretKind
	text string // as stored

	// For SCRAM: what clients are told before they prove that they know the
	// password, and what their proof is checked with. Of a plain password the keys
	// are derived when they are first needed, and then remembered: that costs about a
	// millisecond, which no second login should pay.
	scramParams
	scramKeys func() verifierKeys
	derived   atomic.Bool // they have been derived
}

// md5Prefix is how a stored MD5 hash begins.
const md5Prefix = "md5"

// ParseSecret reads a secret as PostgreSQL and PgBouncer store it: a SCRAM-SHA-256
// verifier, or md5 with 32 lower-case hexadecimal digits, or else the password
// itself. No text is no secret. What begins like a verifier and is none is an error,
// which does not quote it.
func ParseSecret(s string) (Secret, error) {
	switch {
	case s == "":
		return Secret{}, nil
	case strings.ContainsRune(s, 0):
		return Secret{}, errors.New("password contains a NUL")
	case strings.HasPrefix(s, scramMechanism+"$"):
		params, keys, err := parseVerifier(s)
		if err != nil {
			return Secret{}, err
		}

		return scramSecret(s, params, keys), nil
	case isMD5(s):
		return Secret{&storedSecret{kind: SecretMD5, text: s}}, nil
	default:
		return plainSecret(s), nil
	}
}

// isMD5 reports whether s has the form of a stored MD5 hash (get_password_type in
// src/backend/libpq/crypt.c).
func isMD5(s string) bool {
	digits, ok := strings.CutPrefix(s, md5Prefix)

	return ok && len(digits) == hex.EncodedLen(md5.Size) && strings.Trim(digits, "0123456789abcdef") == ""
}

// scramSecret makes a secret of a verifier.
func scramSecret(text string, params scramParams, keys verifierKeys) Secret {
	return Secret{&storedSecret{
		kind:        SecretSCRAM,
		text:        text,
		scramParams: params,
		scramKeys:   func() verifierKeys { return keys },
	}}
}

// plainSecret makes a secret of a password.
func plainSecret(password string) Secret {
	params := scramParams{salt: make([]byte, scramSaltSize), iterations: scramIterations}
	rand.Read(params.salt) // never fails

	secret := &storedSecret{kind: SecretPlain, text: password, scramParams: params}
	secret.scramKeys = sync.OnceValue(func() verifierKeys {
		defer secret.derived.Store(true)

		return params.derive(password).verifier()
	})

	return Secret{secret}
}

// prepare has the keys of a plain password derived elsewhere, if they are not yet.
func (s *storedSecret) prepare(elsewhere func(work func())) {
	if s.kind == SecretPlain && !s.derived.Load() {
		elsewhere(func() { s.scramKeys() })
	}
}

// mockSecret makes the verifier that a user who does not exist is checked with. It is
// the same each time for the same key and user, as a real one is, and no password
// fits it.
func mockSecret(key []byte, user string) Secret {
	draw := func(purpose string) []byte {
		mac := hmac.New(sha256.New, key)
		io.WriteString(mac, purpose+user)

		return mac.Sum(nil)
	}

	return scramSecret("",
		scramParams{salt: draw("salt\x00")[:scramSaltSize], iterations: scramIterations},
		verifierKeys{stored: draw("stored\x00"), server: draw("server\x00")})
}

// Kind returns the form in which the secret is stored.
func (s Secret) Kind() SecretKind {
	if s.s == nil {
		return SecretNone
	}

	return s.s.kind
}

// Equal reports whether two secrets are stored as the same text.
func (s Secret) Equal(t Secret) bool {
	if s.s == nil || t.s == nil {
		return s.s == t.s
	}

	return s.s.text == t.s.text
}

// String returns "***".
func (Secret) String() string { return redacted }

// GoString returns "***".
func (Secret) GoString() string { return redacted }

// Format prints "***", whatever the verb is.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText returns "***".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText reads the secret as [ParseSecret] does.
func (s *Secret) UnmarshalText(text []byte) error {
	parsed, err := ParseSecret(string(text))
	if err != nil {
		return err
	}
	*s = parsed

	return nil
}

// matches reports whether password is the user's, in the same time for each that is
// not. The zero Secret matches none.
func (s Secret) matches(user, password string) bool {
	switch s.Kind() {
	case SecretPlain:
		return equalStrings(s.s.text, password)
	case SecretMD5:
		return equalStrings(s.s.text, md5Hash(password, user))
	case SecretSCRAM:
		return hmac.Equal(s.s.scramKeys().stored, s.s.derive(password).verifier().stored)
	default:
		return false
	}
}

// md5Stored returns the secret as a stored MD5 hash; ok is false if that cannot be.
func (s Secret) md5Stored(user string) (hash string, ok bool) {
	switch s.Kind() {
	case SecretPlain:
		return md5Hash(s.s.text, user), true
	case SecretMD5:
		return s.s.text, true
	default:
		return "", false
	}
}

// md5Hash returns the form in which PostgreSQL stores a password hashed with MD5.
func md5Hash(password, user string) string {
	return md5Prefix + md5Hex([]byte(password+user))
}

// md5Response returns what answers a server's request for an MD5 password, given the
// stored hash and the salt of the request.
func md5Response(hash string, salt []byte) string {
	return md5Prefix + md5Hex(append([]byte(strings.TrimPrefix(hash, md5Prefix)), salt...))
}

// md5Hex returns the MD5 hash of b in hexadecimal.
func md5Hex(b []byte) string {
	sum := md5.Sum(b)

	return hex.EncodeToString(sum[:])
}

// equalStrings compares in a time that depends on neither's content nor on the
// secret's length.
func equalStrings(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))

	return hmac.Equal(x[:], y[:])
}
