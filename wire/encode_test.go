package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{0xab}, 32)
	tests := []struct {
		name string
		got  []byte
		want pgproto3.BackendMessage
	}{
		{"authentication ok", AppendAuthenticationOk(nil), &pgproto3.AuthenticationOk{}},
		{
			"parameter status", AppendParameterStatus(nil, "TimeZone", "UTC"),
			&pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"},
		},
		{
			"parameter status with NUL", AppendParameterStatus(nil, "a\x00b", "\x00c\x00"),
			&pgproto3.ParameterStatus{Name: "ab", Value: "c"},
		},
		{
			"backend key data", AppendBackendKeyData(nil, 7, secret),
			&pgproto3.BackendKeyData{ProcessID: 7, SecretKey: secret},
		},
		{"ready for query", AppendReadyForQuery(nil, TxActive), &pgproto3.ReadyForQuery{TxStatus: 'T'}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, err := tt.want.Encode(nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tt.got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 256)
	secret := make([]byte, 32)
	allocs := testing.AllocsPerRun(100, func() {
		b := AppendAuthenticationOk(buf)
		b = AppendParameterStatus(b, "client_encoding", "UTF8")
		b = AppendBackendKeyData(b, 1, secret)
		AppendReadyForQuery(b, TxIdle)
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

func TestAppendCancelRequest(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789")
	want, err := (&pgproto3.CancelRequest{ProcessID: 1 << 30, SecretKey: secret}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := AppendCancelRequest([]byte("x"), 1<<30, secret)
	if diff := cmp.Diff(want, got[1:]); diff != "" {
		t.Error(diff)
	}
}

func TestNewCancelKey(t *testing.T) {
	t.Parallel()
	// The first draw makes a pid of zero, once its sign and its instance are cleared.
	random := append([]byte{0xff, 0x80, 0, 0, 1, 1, 1, 1}, []byte{0xff, 0xff, 0, 9, 5, 6, 7, 8}...)

	pid, secret, err := NewCancelKey(Version30, bytes.NewReader(random))
	if err != nil {
		t.Fatal(err)
	}
	if pid != 0x007f0009 || !bytes.Equal(secret, []byte{5, 6, 7, 8}) {
		t.Errorf("key is %x %x", pid, secret)
	}

	_, secret, err = NewCancelKey(Version32, bytes.NewReader(make([]byte, 0, 64)))
	if !errors.Is(err, io.EOF) || secret != nil {
		t.Errorf("without randomness: %x, %v", secret, err)
	}
	pid, secret, err = NewCancelKey(Version32, iotest.OneByteReader(bytes.NewReader(bytes.Repeat([]byte{1}, 36))))
	if err != nil || pid != 0x00010101 || len(secret) != 32 {
		t.Errorf("for 3.2: %x, %d bytes, %v", pid, len(secret), err)
	}
}
