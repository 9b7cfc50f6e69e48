package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
)

// A scramServer lets a client log in: first and final are called in turn. Its errors
// are of the form [*Error], in the words of PostgreSQL
// (src/backend/libpq/auth-scram.c).
type scramServer struct {
	secret *storedSecret
	nonce  string // our part

	header          string // the client's, base64, which its last message repeats
	clientFirstBare string
	serverFirst     string
}

// first answers the client's first message.
func (s *scramServer) first(msg []byte) ([]byte, error) {
	if err := s.parseClientFirst(msg); err != nil {
		return nil, err
	}
	_, rest, ok := cutAttribute(s.clientFirstBare, 'n') // the startup's user counts
	if !ok {
		return nil, malformedSCRAM("Expected attribute \"n\".")
	}
	nonce, _, ok := cutAttribute(rest, 'r') // extensions may follow; we know none
	if !ok {
		return nil, malformedSCRAM("Expected attribute \"r\".")
	}
	if !isNonce(nonce) {
		return nil, Fatalf(CodeProtocolViolation, "non-printable characters in SCRAM nonce")
	}

	s.serverFirst = fmt.Sprintf("r=%s%s,s=%s,i=%d",
		nonce, s.nonce, encodeBase64(s.secret.salt), s.secret.iterations)

	return []byte(s.serverFirst), nil
}

// parseClientFirst splits the client's first message into header and the rest.
func (s *scramServer) parseClientFirst(msg []byte) error {
	if len(msg) == 0 {
		return malformedSCRAM("The message is empty.")
	}
	if bytes.IndexByte(msg, 0) >= 0 {
		return malformedSCRAM("Message length does not match input length.")
	}
	first := string(msg)
	switch first[0] {
	case 'n', 'y': // y: the client could bind channels but believes that we cannot; it is right
	case 'p':
		return malformedSCRAM("The client selected SCRAM-SHA-256 without channel binding, " +
			"but the SCRAM message includes channel binding data.")
	default:
		return malformedSCRAM("Unexpected channel-binding flag.")
	}
	if rest := first[1:]; strings.HasPrefix(rest, ",a=") {
		return Fatalf(CodeFeatureNotSupported, "client uses authorization identity, but it is not supported")
	} else if !strings.HasPrefix(rest, ",,") {
		return malformedSCRAM("Unexpected attribute in the header.")
	}

	s.header = encodeBase64(msg[:3])
	s.clientFirstBare = first[3:]
	if strings.HasPrefix(s.clientFirstBare, "m=") {
		return Fatalf(CodeFeatureNotSupported, "client requires an unsupported SCRAM extension")
	}

	return nil
}

// final checks the client's last message and answers it. ok is false if the proof is
// wrong. With the client's key, which the proof reveals, we can log in elsewhere as
// the client does.
func (s *scramServer) final(msg []byte) (answer, clientKey []byte, ok bool, err error) {
	withoutProof, proof, err := s.parseClientFinal(msg)
	if err != nil {
		return nil, nil, false, err
	}

	keys := s.secret.scramKeys()
	message := authMessage(s.clientFirstBare, s.serverFirst, withoutProof)
	clientKey = xor(proof, mac(keys.stored, message))
	stored := sha256.Sum256(clientKey)
	if !hmac.Equal(stored[:], keys.stored) {
		return nil, nil, false, nil
	}

	return []byte("v=" + encodeBase64(mac(keys.server, message))), clientKey, true, nil
}

// parseClientFinal reads the client's last message.
func (s *scramServer) parseClientFinal(msg []byte) (withoutProof string, proof []byte, err error) {
	if bytes.IndexByte(msg, 0) >= 0 {
		return "", nil, malformedSCRAM("Message length does not match input length.")
	}
	// The proof is the last attribute; base64 has no comma.
	last := bytes.LastIndexByte(msg, ',')
	if last < 0 {
		return "", nil, malformedSCRAM("Expected attribute \"p\".")
	}
	withoutProof = string(msg[:last])
	encoded, _, ok := cutAttribute(string(msg[last+1:]), 'p')
	proof = decodeBase64(encoded)
	if !ok || len(proof) != scramKeySize {
		return "", nil, malformedSCRAM("Malformed proof in client-final-message.")
	}

	header, rest, ok := cutAttribute(withoutProof, 'c')
	if !ok || header != s.header {
		return "", nil, Fatalf(CodeProtocolViolation,
			"unexpected SCRAM channel-binding attribute in client-final-message")
	}
	nonce, _, ok := cutAttribute(rest, 'r') // extensions may follow; we know none
	expected, _, _ := cutAttribute(s.serverFirst, 'r')
	if !ok || !hmac.Equal([]byte(nonce), []byte(expected)) {
		return "", nil, Fatalf(CodeProtocolViolation, "invalid SCRAM response").WithDetail("Nonce does not match.")
	}

	return withoutProof, proof, nil
}

// malformedSCRAM says what is wrong with a client's message.
func malformedSCRAM(detail string) *Error {
	return Fatalf(CodeProtocolViolation, "malformed SCRAM message").WithDetail(detail)
}
