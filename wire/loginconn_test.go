package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLoginConnReads(t *testing.T) {
	t.Parallel()
	content := []byte(strings.Repeat("0123456789", 1000))
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(content), "halves": iotest.HalfReader(bytes.NewReader(content)),
		"bytes": iotest.OneByteReader(bytes.NewReader(content)), "with error": iotest.DataErrReader(bytes.NewReader(content)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := iotest.TestReader(NewLoginConn(&stream{Reader: r}, make([]byte, LoginBuffer)), content); err != nil {
				t.Error(err)
			}
		})
	}
}

// counter counts the reads of a connection.
type counter struct {
	io.ReadWriter
	reads int
}

func (c *counter) Read(p []byte) (int, error) {
	c.reads++

	return c.ReadWriter.Read(p)
}

func TestLoginConnReadsOnce(t *testing.T) {
	t.Parallel()
	server := AppendAuthenticationOk(nil)
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		server = AppendParameterStatus(server, name, "on")
	}
	server = AppendReadyForQuery(server, TxIdle)
	c := &counter{ReadWriter: &stream{Reader: bytes.NewReader(server)}}
	if _, err := Login(NewLoginConn(c, make([]byte, LoginBuffer)), LoginParams{User: "u"}); err != nil {
		t.Fatal(err)
	}
	if c.reads != 1 {
		t.Errorf("%d reads, want 1", c.reads)
	}
}

func TestLoginConnErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	s := &stream{Reader: iotest.ErrReader(broken)}
	c := NewLoginConn(s, make([]byte, LoginBuffer))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != broken {
		t.Errorf("read %d, %v", n, err)
	}
	if len(c.Buffered()) != 0 {
		t.Errorf("buffered are %q", c.Buffered())
	}
}

// TestLoginConnHolds checks that writes are held until somebody must wait for the
// other side.
func TestLoginConnHolds(t *testing.T) {
	t.Parallel()
	s := &stream{Reader: strings.NewReader("12")}
	c := NewLoginConn(s, make([]byte, LoginBuffer))
	write := func(p, want string) {
		t.Helper()
		if n, err := c.Write([]byte(p)); n != len(p) || err != nil || s.String() != want {
			t.Errorf("wrote %d, %v: %q has left, want %q", n, err, s.String(), want)
		}
	}
	read := func(want string) {
		t.Helper()
		if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil || s.String() != want {
			t.Errorf("read %d, %v: %q has left, want %q", n, err, s.String(), want)
		}
	}
	write("a", "")
	write("b", "")
	read("ab")
	write("c", "ab")
	read("ab") // it was read ahead
	if err := c.Flush(); err != nil || s.String() != "abc" {
		t.Errorf("flushed %q, %v", s.String(), err)
	}
	if err := c.Flush(); err != nil || s.String() != "abc" {
		t.Errorf("flushed nothing: %q, %v", s.String(), err)
	}
}
