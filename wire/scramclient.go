package wire

import (
	"crypto/hmac"
	"strconv"
	"strings"
)

// A scramClient logs in: first, final and verify are called in turn.
type scramClient struct {
	nonce     string // our part
	firstBare string // the first message without its header

	// keys gives the keys for what the server says the password was hashed with.
	keys func(scramParams) (loginKeys, error)

	signature []byte // that the server has to show, known after final
}

// newScramClient starts an exchange. The user's name is left empty: PostgreSQL takes
// the one of the startup.
func newScramClient(nonce string, keys func(scramParams) (loginKeys, error)) *scramClient {
	return &scramClient{nonce: nonce, firstBare: "n=,r=" + nonce, keys: keys}
}

// first returns the message that starts the exchange. Its header says that we do not
// support channel binding.
func (c *scramClient) first() []byte {
	return []byte("n,," + c.firstBare)
}

// final answers the server's first message. No error quotes the server.
func (c *scramClient) final(serverFirst []byte) ([]byte, error) {
	if len(serverFirst) > maxSASLMessage {
		return nil, protocolErrorf("sent a SCRAM message of %d bytes", len(serverFirst))
	}
	first := string(serverFirst)
	nonce, params, err := parseServerFirst(first)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(nonce, c.nonce) || len(nonce) == len(c.nonce) {
		return nil, protocolErrorf("sent a SCRAM nonce that does not continue ours")
	}
	keys, err := c.keys(params)
	if err != nil {
		return nil, err
	}

	withoutProof := "c=biws,r=" + nonce // biws is the base64 of "n,,"
	message := authMessage(c.firstBare, first, withoutProof)
	c.signature = mac(keys.server, message)
	proof := xor(keys.client, mac(keys.verifier().stored, message))

	return []byte(withoutProof + ",p=" + encodeBase64(proof)), nil
}

// parseServerFirst reads the server's first message.
func parseServerFirst(msg string) (nonce string, p scramParams, err error) {
	nonce, rest, ok1 := cutAttribute(msg, 'r')
	salt, rest, ok2 := cutAttribute(rest, 's')
	iterations, rest, ok3 := cutAttribute(rest, 'i')
	if !ok1 || !ok2 || !ok3 || rest != "" || !isNonce(nonce) {
		return "", p, protocolErrorf("sent a malformed SCRAM message")
	}
	p.salt = decodeBase64(salt)
	if len(p.salt) == 0 {
		return "", p, protocolErrorf("sent a malformed SCRAM salt")
	}
	n, err := strconv.ParseUint(iterations, 10, 64)
	if err != nil || n == 0 || n > maxSCRAMIterations {
		return "", p, protocolErrorf("asks for an unacceptable number of SCRAM iterations (1 to %d are accepted)",
			maxSCRAMIterations)
	}
	p.iterations = int(n)

	return nonce, p, nil
}

// verify checks the server's last message, which proves that it knows the password
// too, or its verifier.
func (c *scramClient) verify(serverFinal []byte) error {
	signature, rest, ok := cutAttribute(string(serverFinal), 'v')
	if !ok || rest != "" {
		return protocolErrorf("sent a malformed SCRAM message")
	}
	if !hmac.Equal(decodeBase64(signature), c.signature) {
		return protocolErrorf("does not prove that it knows the password")
	}

	return nil
}
