package wire

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// scramMechanism is the one SASL mechanism that we speak (RFC 7677, with the messages
// of RFC 5802). Its variant with channel binding, -PLUS, needs TLS.
const scramMechanism = "SCRAM-SHA-256"

// Sizes and bounds of SCRAM (src/include/common/scram-common.h unless noted).
const (
	scramKeySize    = sha256.Size
	scramSaltSize   = 16   // SCRAM_DEFAULT_SALT_LEN
	scramNonceSize  = 18   // SCRAM_RAW_NONCE_LEN
	scramIterations = 4096 // SCRAM_SHA_256_DEFAULT_ITERATIONS

	// maxSCRAMIterations bounds the work that a server may ask of us, some 25 ms; an
	// unbounded one was CVE-2026-42198 of pgjdbc.
	maxSCRAMIterations = 100_000

	// maxSASLMessage is the largest length field of a SASL message
	// (PG_MAX_SASL_MESSAGE_LENGTH in src/include/libpq/sasl.h).
	maxSASLMessage = 1024
)

// scramParams is what a password is hashed with.
type scramParams struct {
	salt       []byte
	iterations int
}

// loginKeys is what a client needs to log in without knowing the password, and to
// make sure that its server knows it.
type loginKeys struct {
	client, server []byte
}

// verifierKeys is what a server keeps of a password.
type verifierKeys struct {
	stored, server []byte
}

// derive hashes a password. It takes about a millisecond at 4096 iterations.
func (p scramParams) derive(password string) loginKeys {
	salted, err := pbkdf2.Key(sha256.New, saslprep(password), p.salt, p.iterations, scramKeySize)
	if err != nil {
		panic("bug: " + err.Error()) // sizes that are not acceptable; ours are constant
	}

	return loginKeys{client: mac(salted, "Client Key"), server: mac(salted, "Server Key")}
}

// verifier returns what a server keeps of the keys.
func (k loginKeys) verifier() verifierKeys {
	stored := sha256.Sum256(k.client)

	return verifierKeys{stored: stored[:], server: k.server}
}

// mac returns the HMAC-SHA-256 of text.
func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))

	return h.Sum(nil)
}

// xor returns a XOR b, which are of one size.
func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	subtle.XORBytes(out, a, b)

	return out
}

// newNonce returns a party's part of the nonce.
func newNonce() string {
	raw := make([]byte, scramNonceSize)
	rand.Read(raw) // never fails

	return base64.StdEncoding.EncodeToString(raw)
}

// parseVerifier reads a verifier as it is in pg_authid:
// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>.
func parseVerifier(s string) (scramParams, verifierKeys, error) {
	malformed := errors.New("malformed SCRAM-SHA-256 verifier")
	parts := strings.Split(s, "$")
	if len(parts) != 3 {
		return scramParams{}, verifierKeys{}, malformed
	}
	iterations, salt, ok1 := strings.Cut(parts[1], ":")
	stored, server, ok2 := strings.Cut(parts[2], ":")
	n, err := strconv.ParseUint(iterations, 10, 31)
	if !ok1 || !ok2 || err != nil || n == 0 {
		return scramParams{}, verifierKeys{}, malformed
	}

	p := scramParams{salt: decodeBase64(salt), iterations: int(n)}
	k := verifierKeys{stored: decodeBase64(stored), server: decodeBase64(server)}
	if len(p.salt) == 0 || len(k.stored) != scramKeySize || len(k.server) != scramKeySize {
		return scramParams{}, verifierKeys{}, malformed
	}

	return p, k, nil
}

// decodeBase64 returns what s is the base64 of, and nil if it is none.
func decodeBase64(s string) []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // which the decoder skips
		return nil
	}

	return b
}

// encodeBase64 returns the base64 of b.
func encodeBase64(b []byte) string {
	return base64.StdEncoding.EncodeToString(b)
}

// cutAttribute takes an attribute such as "r=..." off the front of a message. The
// value has no comma.
func cutAttribute(msg string, name byte) (value, rest string, ok bool) {
	if len(msg) < 2 || msg[0] != name || msg[1] != '=' {
		return "", msg, false
	}
	value, rest, _ = strings.Cut(msg[2:], ",")

	return value, rest, true
}

// isNonce reports whether s may be a nonce: printable ASCII without a comma.
func isNonce(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e || r == ',' })
}

// authMessage is what the proofs of both sides are made over.
func authMessage(clientFirstBare, serverFirst, clientFinalWithoutProof string) string {
	return clientFirstBare + "," + serverFirst + "," + clientFinalWithoutProof
}
