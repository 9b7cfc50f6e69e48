package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// The requests in Authentication messages (src/include/libpq/protocol.h).
const (
	authOk           = 0
	authKerberos5    = 2
	authPassword     = 3
	authMD5          = 5
	authSCM          = 6
	authGSS          = 7
	authGSSContinue  = 8
	authSSPI         = 9
	authSASL         = 10
	authSASLContinue = 11
	authSASLFinal    = 12
)

// ErrAuthMethod is returned, wrapped, by [Login] when the server asks for a kind of
// authentication that we do not speak.
var ErrAuthMethod = errors.New("authentication method not supported by pgweir")

// authenticate answers what the server asks, once, until it is satisfied.
func (l *login) authenticate() error {
	request, data, err := l.authRequest()
	if err != nil {
		return err
	}
	if request == authOk {
		return nil
	}
	if err := l.answer(request, data); err != nil {
		return err
	}

	_, err = l.readAuth(authOk)

	return err
}

// authRequest reads what the server asks. Before that it may say that it speaks
// another version than the one that we asked for.
func (l *login) authRequest() (request uint32, data []byte, err error) {
	typ, body, err := l.next()
	if err == nil && typ == negotiateProtocolVersion {
		if err := l.negotiate(body); err != nil {
			return 0, nil, err
		}
		typ, body, err = l.next()
	}
	if err != nil {
		return 0, nil, err
	}

	return parseAuth(typ, body)
}

// parseAuth splits an Authentication message.
func parseAuth(typ byte, body []byte) (request uint32, data []byte, err error) {
	if typ != authentication {
		return 0, nil, protocolErrorf("sent a %q message before it authenticated us", typ)
	}
	d := decoder{b: body}
	request, data = d.uint32(), d.rest()
	if d.failed {
		return 0, nil, protocolErrorf("sent a malformed authentication request")
	}

	return request, data, nil
}

// readAuth reads the next Authentication message, which must be this one.
func (l *login) readAuth(want uint32) ([]byte, error) {
	typ, body, err := l.next()
	if err != nil {
		return nil, err
	}
	request, data, err := parseAuth(typ, body)
	if err != nil {
		return nil, err
	}
	if request != want {
		return nil, protocolErrorf("sent authentication request %d where %d belongs", request, want)
	}

	return data, nil
}

// negotiate takes in the version that the server settled for. As we ask for no
// option, it has none to turn down.
func (l *login) negotiate(body []byte) error {
	d := decoder{b: body}
	version, options := Version(d.uint32()), d.uint32()
	if !d.done() || options != 0 || version >= l.params.Version || !version.spoken() {
		return protocolErrorf("negotiates protocol version %s where %s was asked for", version, l.params.Version)
	}
	l.welcome.Version = version

	return nil
}

// answer answers a request for authentication.
func (l *login) answer(request uint32, data []byte) error {
	switch request {
	case authPassword:
		return l.answerPassword()
	case authMD5:
		return l.answerMD5(data)
	case authSASL:
		return l.answerSASL(data)
	default:
		return fmt.Errorf("server requires %s: %w", authName(request), ErrAuthMethod)
	}
}

// authName names a request that we cannot answer.
func authName(request uint32) string {
	switch request {
	case authKerberos5:
		return "Kerberos 5"
	case authSCM:
		return "SCM credentials"
	case authGSS, authGSSContinue:
		return "GSSAPI"
	case authSSPI:
		return "SSPI"
	default:
		return fmt.Sprintf("authentication type %d", request)
	}
}

// answerPassword answers a request for the password in clear text.
func (l *login) answerPassword() error {
	password := l.params.Credentials.password
	if password == "" {
		return l.params.Credentials.unusable("the password itself")
	}

	return l.send(&pgproto3.PasswordMessage{Password: password})
}

// answerMD5 answers a request for the password hashed with this salt.
func (l *login) answerMD5(salt []byte) error {
	if len(salt) != 4 {
		return protocolErrorf("sent a malformed MD5 salt")
	}
	hash, err := l.params.Credentials.md5Stored(l.params.User)
	if err != nil {
		return err
	}

	return l.send(&pgproto3.PasswordMessage{Password: md5Response(hash, salt)})
}

// answerSASL runs SCRAM-SHA-256, if it is among the mechanisms that the server
// offers. The server has to prove itself before it may let us in.
func (l *login) answerSASL(mechanisms []byte) error {
	offered, err := parseMechanisms(mechanisms)
	if err != nil {
		return err
	}
	if !slices.Contains(offered, scramMechanism) {
		return fmt.Errorf("server requires SASL %s: %w", clean(strings.Join(offered, " or ")), ErrAuthMethod)
	}

	if err := l.params.Credentials.scramUsable(); err != nil {
		return err
	}

	client := newScramClient(newNonce(), l.params.Credentials.scramKeys)
	if err := l.send(&pgproto3.SASLInitialResponse{AuthMechanism: scramMechanism, Data: client.first()}); err != nil {
		return err
	}
	challenge, err := l.readAuth(authSASLContinue)
	if err != nil {
		return err
	}
	response, err := client.final(challenge)
	if err != nil {
		return err
	}
	if err := l.send(&pgproto3.SASLResponse{Data: response}); err != nil {
		return err
	}
	outcome, err := l.readAuth(authSASLFinal)
	if err != nil {
		return err
	}

	return client.verify(outcome)
}

// parseMechanisms reads the list of mechanisms, which ends in an empty string.
func parseMechanisms(b []byte) ([]string, error) {
	d := decoder{b: b}
	var names []string
	for name := d.cstring(); name != ""; name = d.cstring() {
		names = append(names, name)
	}
	if !d.done() {
		return nil, protocolErrorf("sent a malformed list of SASL mechanisms")
	}

	return names, nil
}

// send sends one message.
func (l *login) send(m pgproto3.FrontendMessage) error {
	return sendMessage(l.rw, m)
}
