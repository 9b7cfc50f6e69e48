package wire

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrCredentials is returned, wrapped, by [Login] when the credentials cannot answer
// what the server asks for. The server has then not refused them: it was not asked.
var ErrCredentials = errors.New("no usable credentials")

// Credentials are what a user can be logged in to PostgreSQL with. Like a [Secret]
// they print as "***". The zero Credentials are none, which is enough for a server
// that trusts us.
type Credentials struct {
	password string // empty: unknown
	md5      string // the stored hash; empty: unknown

	// What a client's SCRAM proof reveals. It fits a server that has hashed the
	// password with the same parameters, that is one whose verifier we were given.
	keys   loginKeys
	params scramParams
}

// CredentialsFromSecret returns what a stored secret is good for by itself: a plain
// password for everything, an MD5 hash for a server that asks for one, a SCRAM
// verifier for nothing, since it needs a client's proof.
func CredentialsFromSecret(s Secret) Credentials {
	switch s.Kind() {
	case SecretPlain:
		return Credentials{password: s.s.text}
	case SecretMD5:
		return Credentials{md5: s.s.text}
	default:
		return Credentials{}
	}
}

// IsZero reports whether there are none.
func (c Credentials) IsZero() bool {
	return c.password == "" && c.md5 == "" && c.keys.client == nil
}

// String returns "***".
func (Credentials) String() string { return redacted }

// GoString returns "***".
func (Credentials) GoString() string { return redacted }

// Format prints "***", whatever the verb is.
func (Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText returns "***".
func (Credentials) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// md5Stored returns the stored MD5 hash of the user's password.
func (c Credentials) md5Stored(user string) (string, error) {
	switch {
	case c.password != "":
		return md5Hash(c.password, user), nil
	case c.md5 != "":
		return c.md5, nil
	default:
		return "", c.unusable("an MD5 password")
	}
}

// scramUsable checks that there is something to do SCRAM with, before a server is
// made to count a failed login.
func (c Credentials) scramUsable() error {
	if c.password == "" && c.keys.client == nil {
		return c.unusable(scramMechanism)
	}

	return nil
}

// scramKeys returns the keys for a password hashed with p; see scramUsable.
func (c Credentials) scramKeys(p scramParams) (loginKeys, error) {
	switch {
	case c.password != "":
		return p.derive(c.password), nil
	case p.iterations != c.params.iterations || !slices.Equal(p.salt, c.params.salt):
		return loginKeys{}, fmt.Errorf(
			"the server's SCRAM verifier is not the one that the client was checked with: %w", ErrCredentials,
		)
	default:
		return c.keys, nil
	}
}

// unusable says that the server asks for what these credentials do not have.
func (c Credentials) unusable(asked string) error {
	have := "nothing"
	switch {
	case c.md5 != "":
		have = "an MD5 hash"
	case c.keys.client != nil:
		have = "SCRAM keys"
	}

	return fmt.Errorf("server asks for %s, we have %s: %w", asked, have, ErrCredentials)
}
