package wire

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A Method is a way to authenticate clients. The zero Method is [MethodSCRAM].
type Method uint8

// The methods.
const (
	MethodSCRAM Method = iota
	MethodMD5          // with a SCRAM verifier for a secret it is MethodSCRAM
	MethodPlain        // the password in clear text
	MethodTrust        // nothing is asked of a user that is known
)

// ParseMethod returns the method with this name, one of those that String returns.
func ParseMethod(name string) (Method, error) {
	for m := MethodSCRAM; m <= MethodTrust; m++ {
		if m.String() == name {
			return m, nil
		}
	}

	return 0, fmt.Errorf("unknown authentication method %q: want scram-sha-256, md5, plain or trust", name)
}

// String returns the method's name, as in PgBouncer's auth_type.
func (m Method) String() string {
	switch m {
	case MethodSCRAM:
		return "scram-sha-256"
	case MethodMD5:
		return "md5"
	case MethodPlain:
		return "plain"
	case MethodTrust:
		return "trust"
	default:
		return fmt.Sprintf("Method(%d)", uint8(m))
	}
}

// maxPasswordMessage is the largest length field of a message with a password
// (PG_MAX_AUTH_TOKEN_LENGTH in src/include/libpq/auth.h).
const maxPasswordMessage = 65_535

// Authenticate makes the client that is at the other end of rw prove that it is user,
// up to but not including AuthenticationOk. What it returns can log in to PostgreSQL
// as this user, as far as the exchange shows.
//
// A user that is not known, or has no secret, is asked for a password as any other
// and then refused. mockKey decides what it is asked in SCRAM: it must be random,
// secret, at least 32 bytes long, and the same for the life of the process.
//
// elsewhere runs work that takes a processor for a millisecond or more, and returns
// when it is done; nil: it is done right here.
//
// It reads no byte more from rw than the client's last message has; rw may be a
// [LoginConn].
//
// The error is an [*Error] if the client is to be told; io.EOF if it left instead of
// answering, as psql does to ask its user for a password; else whatever rw returned.
func Authenticate(
	rw io.ReadWriter, m Method, user string, s Secret, known bool, mockKey []byte, elsewhere func(work func()),
) (Credentials, error) {
	a := &authenticator{rw: rw, user: user, secret: s, known: known, elsewhere: elsewhere}
	if elsewhere == nil {
		a.elsewhere = func(work func()) { work() }
	}
	if !known {
		a.secret = Secret{}
	}
	if m == MethodMD5 && a.secret.Kind() == SecretSCRAM {
		m = MethodSCRAM
	}
	switch m {
	case MethodTrust:
		return a.trust()
	case MethodPlain:
		return a.plain()
	case MethodMD5:
		return a.md5()
	case MethodSCRAM:
		return a.scram(mockKey)
	default:
		panic("bug: authenticate with " + m.String())
	}
}

// An authenticator is one client's authentication.
type authenticator struct {
	rw     io.ReadWriter
	user   string
	secret Secret // none if the user is not known
	known  bool

	elsewhere func(work func())
}

// failed is the answer to a wrong password, and to an unknown user: nobody can tell
// which it was.
func (a *authenticator) failed() error {
	return Fatalf(CodeInvalidPassword, "password authentication failed for user \"%s\"", a.user)
}

// trust lets every known user in.
func (a *authenticator) trust() (Credentials, error) {
	if !a.known {
		return Credentials{}, a.failed()
	}

	return CredentialsFromSecret(a.secret), nil
}

// plain asks for the password. Whatever kind the secret is, the password is then good
// for any server.
func (a *authenticator) plain() (Credentials, error) {
	password, err := a.askPassword(&pgproto3.AuthenticationCleartextPassword{})
	if err != nil {
		return Credentials{}, err
	}
	matches := false
	a.elsewhere(func() { matches = a.secret.matches(a.user, password) })
	if !matches {
		return Credentials{}, a.failed()
	}

	return Credentials{password: password}, nil
}

// md5 asks for the password hashed with MD5 and a salt.
func (a *authenticator) md5() (Credentials, error) {
	var salt [4]byte
	rand.Read(salt[:]) // never fails
	response, err := a.askPassword(&pgproto3.AuthenticationMD5Password{Salt: salt})
	if err != nil {
		return Credentials{}, err
	}
	hash, ok := a.secret.md5Stored(a.user)
	if !equalStrings(md5Response(hash, salt[:]), response) || !ok {
		return Credentials{}, a.failed()
	}

	return CredentialsFromSecret(a.secret), nil
}

// askPassword sends a request for a password and reads the answer.
func (a *authenticator) askPassword(request pgproto3.BackendMessage) (string, error) {
	if err := a.send(request); err != nil {
		return "", err
	}
	body, err := a.receive("password", maxPasswordMessage)
	if err != nil {
		return "", err
	}
	d := decoder{b: body}
	password := d.cstring()
	if !d.done() {
		return "", Fatalf(CodeProtocolViolation, "invalid password packet size")
	}
	if password == "" {
		return "", Fatalf(CodeInvalidPassword, "empty password returned by client")
	}

	return password, nil
}

// scram runs SCRAM-SHA-256. A user without a secret that SCRAM can use goes the same
// way, with a verifier that nothing fits.
func (a *authenticator) scram(mockKey []byte) (Credentials, error) {
	secret, mock := a.secret, false
	if k := secret.Kind(); k != SecretPlain && k != SecretSCRAM {
		secret, mock = mockSecret(mockKey, a.user), true
	}
	secret.s.prepare(a.elsewhere)
	server := scramServer{secret: secret.s, nonce: newNonce()}

	first, err := a.askSASL()
	if err != nil {
		return Credentials{}, err
	}
	challenge, err := server.first(first)
	if err != nil {
		return Credentials{}, err
	}
	final, err := a.continueSASL(challenge)
	if err != nil {
		return Credentials{}, err
	}
	answer, clientKey, ok, err := server.final(final)
	if err != nil {
		return Credentials{}, err
	}
	if !ok || mock {
		return Credentials{}, a.failed()
	}
	if err := a.send(&pgproto3.AuthenticationSASLFinal{Data: answer}); err != nil {
		return Credentials{}, err
	}

	return secret.credentials(clientKey), nil
}

// credentials returns what a client's proof makes of the secret that it was checked
// with.
func (s Secret) credentials(clientKey []byte) Credentials {
	if s.Kind() != SecretSCRAM {
		return CredentialsFromSecret(s)
	}

	return Credentials{
		keys:   loginKeys{client: clientKey, server: s.s.scramKeys().server},
		params: s.s.scramParams,
	}
}

// askSASL offers SCRAM-SHA-256, makes sure that the client takes it, and returns its
// first message.
func (a *authenticator) askSASL() ([]byte, error) {
	if err := a.send(&pgproto3.AuthenticationSASL{AuthMechanisms: []string{scramMechanism}}); err != nil {
		return nil, err
	}
	body, err := a.receive("SASL", maxSASLMessage)
	if err != nil {
		return nil, err
	}
	d := decoder{b: body}
	mechanism, length, data := d.cstring(), int32(d.uint32()), d.rest()
	switch {
	case d.failed || length != -1 && int(length) != len(data) || length == -1 && len(data) > 0:
		return nil, Fatalf(CodeProtocolViolation, "malformed SASL response")
	case mechanism != scramMechanism:
		return nil, Fatalf(CodeProtocolViolation, "client selected an invalid SASL authentication mechanism")
	case length == -1: // the client has kept its first message for the answer to an empty challenge
		return a.continueSASL(nil)
	default:
		return data, nil
	}
}

// continueSASL sends a challenge and reads the response.
func (a *authenticator) continueSASL(challenge []byte) ([]byte, error) {
	if err := a.send(&pgproto3.AuthenticationSASLContinue{Data: challenge}); err != nil {
		return nil, err
	}

	return a.receive("SASL", maxSASLMessage)
}

// send sends one message.
func (a *authenticator) send(m pgproto3.BackendMessage) error {
	return sendMessage(a.rw, m)
}

// sendMessage sends one message of either side.
func sendMessage(w io.Writer, m pgproto3.Message) error {
	var room []byte
	if c, ok := w.(*LoginConn); ok {
		room = c.AvailableBuffer()
	}
	frame, err := m.Encode(room)
	if err != nil {
		return fmt.Errorf("encode %T: %w", m, err)
	}
	_, err = w.Write(frame)

	return err
}

// receive reads the body of the client's answer, whose length field may be up to
// limit.
func (a *authenticator) receive(what string, limit int) ([]byte, error) {
	typ, body, err := readMessage(a.rw, limit)
	var impossible *lengthError
	isLength := errors.As(err, &impossible)
	if err != nil && !isLength {
		return nil, err
	}
	if typ != passwordMessage {
		return nil, Fatalf(CodeProtocolViolation, "expected %s response, got message type %d", what, typ)
	}
	if isLength {
		return nil, Fatalf(CodeProtocolViolation, "invalid message length")
	}

	return body, nil
}
