package main

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSkipAnswer(t *testing.T) {
	const (
		authOK   = "R\x00\x00\x00\x08\x00\x00\x00\x00"
		authSASL = "R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00"
		row      = "D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x01x"
		ready    = "Z\x00\x00\x00\x05I"
		failure  = "E\x00\x00\x00\x25SFATAL\x00C53300\x00Mtoo many clients\x00\x00"
	)
	tests := []struct {
		name, bytes string
		wantSize    int
		wantErr     string
	}{
		{name: "login", bytes: authOK + ready, wantSize: len(authOK + ready)},
		{name: "rows", bytes: row + row + ready, wantSize: len(row + row + ready)},
		{
			name:     "a message larger than the buffer",
			bytes:    "d\x00\x00\x01\x04" + strings.Repeat("x", 256) + ready,
			wantSize: 261 + len(ready),
		},
		{name: "a password", bytes: authSASL, wantErr: errNeedsPassword.Error()},
		{name: "an error", bytes: failure, wantErr: "too many clients (SQLSTATE 53300)"},
		{name: "an end in the middle", bytes: row + "D\x00", wantErr: io.EOF.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			size, err := skipAnswer(bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(tt.bytes)), 16))
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("error %v, want one with %q", err, tt.wantErr)
				}
				return
			}
			if err != nil || size != int64(tt.wantSize) {
				t.Errorf("got %d, %v; want %d", size, err, tt.wantSize)
			}
		})
	}
}

func TestNeedsPasswordIsRecognised(t *testing.T) {
	sasl := strings.NewReader("R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00")
	if _, err := skipAnswer(bufio.NewReader(sasl)); !errors.Is(err, errNeedsPassword) {
		t.Errorf("error %v, want %v", err, errNeedsPassword)
	}
}

func TestMessages(t *testing.T) {
	got := string(startupPacket("u", "d"))
	if want := "\x00\x00\x00\x1b\x00\x03\x00\x00user\x00u\x00database\x00d\x00\x00"; got != want {
		t.Errorf("startup packet %q, want %q", got, want)
	}
	if got, want := string(queryMessage("SELECT 1")), "Q\x00\x00\x00\x0dSELECT 1\x00"; got != want {
		t.Errorf("query %q, want %q", got, want)
	}
}
