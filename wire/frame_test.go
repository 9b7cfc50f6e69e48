package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// header is a frame's header with that type and length field.
func header(typ byte, length uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{typ}, length)
}

func TestPeekHeader(t *testing.T) {
	t.Parallel()
	whole := append(header('Q', 9), "rest and more"...)
	for n := range len(whole) {
		h, ok := PeekHeader(whole[:n])
		switch {
		case n < HeaderSize && (ok || h != Header{}):
			t.Errorf("%d bytes: got %+v, %v", n, h, ok)
		case n >= HeaderSize && (!ok || h != Header{Type: 'Q', Size: 10}):
			t.Errorf("%d bytes: got %+v, %v", n, h, ok)
		}
	}
}

// clientTypes are the messages that a client may send, with the largest length that
// PostgreSQL takes for each.
var clientTypes = map[byte]uint32{
	Parse: 1<<30 - 2, Bind: 1<<30 - 2, Query: 1<<30 - 2, FunctionCall: 1<<30 - 2, CopyData: 1<<30 - 2,
	Close: 10_000, Describe: 10_000, Execute: 10_000, Flush: 10_000, Sync: 10_000,
	CopyDone: 10_000, CopyFail: 10_000, Terminate: 10_000,
}

func TestCheckClient(t *testing.T) {
	t.Parallel()
	for typ, limit := range clientTypes {
		for length, allowed := range map[uint32]bool{
			0: false, 3: false, 4: true, 5: true, 9_999: true, 10_000: true, limit: true,
			limit + 1: false, 1 << 30: false, math.MaxInt32: false, 1 << 31: false, math.MaxUint32: false,
			math.MaxUint32 - 3: false,
		} {
			h, _ := PeekHeader(header(typ, length))
			err := h.CheckClient()
			switch {
			case allowed && err != nil:
				t.Errorf("%q of length %#x: %v", typ, length, err)
			case !allowed && err == nil:
				t.Errorf("%q of length %#x is allowed", typ, length)
			case !allowed:
				wantError(t, err, CodeProtocolViolation, "invalid message length")
			}
		}
	}
}

func TestCheckClientType(t *testing.T) {
	t.Parallel()
	for typ := range 256 {
		h := Header{Type: byte(typ), Size: HeaderSize}
		err := h.CheckClient()
		if _, known := clientTypes[byte(typ)]; known != (err == nil) {
			t.Errorf("type %d: %v", typ, err)
		}
	}
	wantError(t, Header{Type: 'p', Size: 10}.CheckClient(), CodeProtocolViolation, "invalid frontend message type 112")
	wantError(t, Header{Type: 0, Size: -1}.CheckClient(), CodeProtocolViolation, "invalid frontend message type 0")
}

func TestCheckServer(t *testing.T) {
	t.Parallel()
	for length, allowed := range map[uint32]bool{
		0: false, 3: false, 4: true, 5: true, math.MaxInt32: true, 1 << 31: false, math.MaxUint32: false,
	} {
		for _, typ := range []byte{ReadyForQuery, DataRow, '?', 0} {
			h, _ := PeekHeader(header(typ, length))
			if err := h.CheckServer(); (err == nil) != allowed {
				t.Errorf("%q of length %#x: %v", typ, length, err)
			}
		}
	}
}

func TestAppendQuery(t *testing.T) {
	t.Parallel()
	got := AppendQuery([]byte("before"), "SELECT 1")
	if want := "beforeQ\x00\x00\x00\x0dSELECT 1\x00"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	h, ok := PeekHeader(got[len("before"):])
	if !ok || h.CheckClient() != nil || h.Size != len(got)-len("before") {
		t.Errorf("its header is %+v, %v", h, ok)
	}
}

// cut cuts a client's stream into frames, as far as it goes: the sizes of those that
// are whole, and the error that ends it.
func cut(stream []byte) (sizes []int, err error) {
	for {
		h, ok := PeekHeader(stream)
		if !ok {
			return sizes, nil
		}
		if err := h.CheckClient(); err != nil {
			return sizes, err
		}
		if h.Size > len(stream) {
			return sizes, nil
		}
		sizes = append(sizes, h.Size)
		stream = stream[h.Size:]
	}
}

// FuzzFrame checks that no stream makes the frame reader panic or lose its place, and
// that it makes no difference in which pieces the stream comes.
func FuzzFrame(f *testing.F) {
	f.Add(bytes.Join([][]byte{AppendQuery(nil, "SELECT 1"), header(Sync, 4), header(Terminate, 4)}, nil), 3)
	f.Add(append(header(Bind, 1<<30-2), "data"...), 1)
	f.Add(header(Sync, 10_001), 2)
	f.Add(header(CopyData, math.MaxUint32), 4)
	f.Add([]byte(strings.Repeat("H\x00\x00\x00\x04", 20)), 7)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		whole, wantErr := cut(stream)
		piece = max(piece&0xff, 1)
		var pieces []int
		done, arrived := 0, 0
		var err error
		for arrived < len(stream) && err == nil {
			arrived = min(arrived+piece, len(stream))
			var sizes []int
			sizes, err = cut(stream[done:arrived])
			for _, size := range sizes {
				done += size
			}
			pieces = append(pieces, sizes...)
		}
		if len(pieces) != len(whole) || (err == nil) != (wantErr == nil) {
			t.Fatalf("in pieces %v, %v; as a whole %v, %v", pieces, err, whole, wantErr)
		}
		for i := range whole {
			if whole[i] != pieces[i] || whole[i] < HeaderSize {
				t.Fatalf("in pieces %v; as a whole %v", pieces, whole)
			}
		}
	})
}
