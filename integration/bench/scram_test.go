package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"testing"
)

// The example of RFC 7677, section 3: the password is "pencil".
const (
	rfcSalt        = "W22ZaJ0SNY7soEsUEjb6gQ=="
	rfcAuthMessage = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=" + rfcSalt + ",i=4096," +
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	rfcProof     = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	rfcSignature = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

// TestScramVerifier has a verifier do what a server does with it: check the client's proof and sign the exchange.
func TestScramVerifier(t *testing.T) {
	verifier, err := scramVerifier("pencil", decode(t, rfcSalt))
	if err != nil {
		t.Fatal(err)
	}
	keys, found := strings.CutPrefix(verifier, "SCRAM-SHA-256$4096:"+rfcSalt+"$")
	stored, server, foundKeys := strings.Cut(keys, ":")
	if !found || !foundKeys {
		t.Fatalf("verifier %s", verifier)
	}

	clientKey := decode(t, rfcProof)
	subtle.XORBytes(clientKey, clientKey, hmacSHA256(decode(t, stored), rfcAuthMessage))
	if hash := sha256.Sum256(clientKey); base64.StdEncoding.EncodeToString(hash[:]) != stored {
		t.Error("the stored key refuses the RFC's client proof")
	}
	signature := hmacSHA256(decode(t, server), rfcAuthMessage)
	if got := base64.StdEncoding.EncodeToString(signature); got != rfcSignature {
		t.Errorf("server signature %s, want %s", got, rfcSignature)
	}
}

// decode decodes base64.
func decode(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
