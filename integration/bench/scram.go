package main

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// scramIterations is PostgreSQL's own default: SCRAM_SHA_256_DEFAULT_ITERATIONS in src/include/common/scram-common.h.
const scramIterations = 4096

// scramSaltBytes is PostgreSQL's own choice too: SCRAM_DEFAULT_SALT_LEN in the same file.
const scramSaltBytes = 16

// newScramSalt returns a salt for scramVerifier.
func newScramSalt() []byte {
	salt := make([]byte, scramSaltBytes)
	rand.Read(salt) // It never returns an error.
	return salt
}

// scramVerifier returns what PostgreSQL would store for a password of plain ASCII; scram_build_secret in
// src/common/scram-common.c is its own.
func scramVerifier(password string, salt []byte) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", err
	}
	storedKey := sha256.Sum256(hmacSHA256(salted, "Client Key"))
	serverKey := hmacSHA256(salted, "Server Key")
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s",
		scramIterations, encode(salt), encode(storedKey[:]), encode(serverKey)), nil
}

// hmacSHA256 returns the HMAC-SHA-256 of message.
func hmacSHA256(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
