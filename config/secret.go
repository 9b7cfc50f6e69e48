package config

import (
	"fmt"
	"io"
)

// redacted is what a secret prints as.
const redacted = "***"

// Secret is a string that must not reach a log, an error or a page: however it is
// printed or marshalled it shows as ***, or as nothing when it is empty. Its zero
// value is no secret.
type Secret string

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String returns ***, or "" when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString returns what String does: %#v is no way around it.
func (s Secret) GoString() string { return s.String() }

// Format prints what String returns, whatever the verb: without it %x and %q
// would print the secret.
func (s Secret) Format(f fmt.State, _ rune) {
	// An fmt.State only fails when its writer does, and fmt reports that itself.
	_, _ = io.WriteString(f, s.String())
}

// MarshalText returns what String does, so that JSON and TOML show *** too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
