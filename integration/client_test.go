package integration

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A client speaks the protocol message by message. What it receives are lines of a
// transcript, as describe has them, so that the end of the connection is a line like
// any other. It does so with pgproto3, unlike that of proxy's tests, which speaks in raw
// frames with package wire: here somebody else's code judges what pgweir sends. Its
// methods but expect may be called by any one goroutine.
type client struct {
	nc  net.Conn
	fe  *pgproto3.Frontend
	key pgproto3.BackendKeyData
}

// The ends of a transcript.
const (
	closed = "closed" // by the other side, in whatever way
	silent = "silent" // nothing came within patience
)

// newClient speaks over a connection.
func newClient(nc net.Conn) *client {
	return &client{nc: nc, fe: pgproto3.NewFrontend(nc, nc)}
}

// dial connects to pgweir, until the end of the test, and says nothing.
func (p *pgweir) dial(t testing.TB) *client {
	t.Helper()
	return dialClient(t, p.addr)
}

// dialClient connects to an address, until the end of the test.
func dialClient(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })

	return newClient(nc)
}

// login logs in to the test's database with parameters, name and value in turn.
func (p *pgweir) login(t testing.TB, parameters ...string) *client {
	t.Helper()
	return p.loginTo(t, p.db, parameters...)
}

// loginTo logs in to a database.
func (p *pgweir) loginTo(t testing.TB, database string, parameters ...string) *client {
	t.Helper()
	c := p.dial(t)
	c.startup(p.cluster.User, database, parameters...)
	answer := c.answer()
	if answer[len(answer)-1] != "Z I" {
		t.Fatalf("login: got %q", answer)
	}

	return c
}

// direct logs in to PostgreSQL itself, to see what it does.
func (p *pgweir) direct(t testing.TB, parameters ...string) *client {
	t.Helper()
	path := filepath.Join(p.cluster.SocketDir, fmt.Sprintf(".s.PGSQL.%d", p.cluster.Port))
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	c := newClient(nc)
	c.startup(p.cluster.User, p.db, append(parameters, "application_name", testApplication)...)
	if answer := c.answer(); answer[len(answer)-1] != "Z I" {
		t.Fatalf("login to PostgreSQL: got %q", answer)
	}

	return c
}

// startup sends a StartupMessage.
func (c *client) startup(user, database string, parameters ...string) {
	all := map[string]string{"user": user, "database": database}
	for i := 0; i+1 < len(parameters); i += 2 {
		all[parameters[i]] = parameters[i+1]
	}
	c.send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: all})
}

// send sends messages in one write. That it fails shows in what is received.
func (c *client) send(messages ...pgproto3.FrontendMessage) {
	c.write(encode(messages...))
}

// write sends bytes.
func (c *client) write(b []byte) {
	_ = c.nc.SetWriteDeadline(time.Now().Add(patience))
	_, _ = c.nc.Write(b)
}

// encode returns the bytes of messages.
func encode(messages ...pgproto3.FrontendMessage) []byte {
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			panic("bug: " + err.Error())
		}
	}

	return b
}

// receive returns the next message.
func (c *client) receive() string {
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	m, err := c.fe.Receive()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return silent
	case err != nil:
		return closed
	}
	if key, ok := m.(*pgproto3.BackendKeyData); ok {
		c.key = *key
	}

	return describe(m)
}

// answer returns the messages up to a ReadyForQuery, or the end of the connection.
func (c *client) answer() []string {
	for lines := []string(nil); ; {
		line := c.receive()
		lines = append(lines, line)
		if line == closed || line == silent || strings.HasPrefix(line, "Z ") {
			return lines
		}
	}
}

// rest returns the messages up to the end of the connection.
func (c *client) rest() []string {
	for lines := []string(nil); ; {
		line := c.receive()
		lines = append(lines, line)
		if line == closed || line == silent {
			return lines
		}
	}
}

// query runs a simple query.
func (c *client) query(sql string) []string {
	c.send(&pgproto3.Query{String: sql})

	return c.answer()
}

// expect compares the next messages.
func (c *client) expect(t testing.TB, want ...string) {
	t.Helper()
	var got []string
	for range want {
		line := c.receive()
		got = append(got, line)
		if line == closed || line == silent {
			break
		}
	}
	wantLines(t, got, want...)
}

// wantLines compares a transcript.
func wantLines(t testing.TB, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("transcript (-want +got):\n%s", diff)
	}
}

// value returns the first column of the first row of a transcript.
func value(lines []string) string {
	for _, line := range lines {
		if v, ok := strings.CutPrefix(line, "D "); ok {
			first, _, _ := strings.Cut(v, "|")

			return first
		}
	}

	return ""
}

// describe returns a message as a line: its type byte and what matters of it.
func describe(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.DataRow:
		return "D " + row(m.Values)
	case *pgproto3.CommandComplete:
		return "C " + string(m.CommandTag)
	case *pgproto3.ErrorResponse:
		return "E " + m.SeverityUnlocalized + " " + m.Code
	case *pgproto3.NoticeResponse:
		return "N " + m.Code
	case *pgproto3.ReadyForQuery:
		return "Z " + string(m.TxStatus)
	case *pgproto3.RowDescription:
		return "T " + columns(m.Fields)
	case *pgproto3.CopyData:
		return "d " + string(m.Data)
	case *pgproto3.FunctionCallResponse:
		return fmt.Sprintf("V %x", m.Result)
	case *pgproto3.NotificationResponse:
		return "A " + m.Channel
	case *pgproto3.ParameterStatus:
		return "S " + m.Name + "=" + m.Value
	case *pgproto3.ParameterDescription:
		return fmt.Sprintf("t %v", m.ParameterOIDs)
	case *pgproto3.NegotiateProtocolVersion:
		return fmt.Sprintf("v %x %v", m.NewestMinorProtocol, m.UnrecognizedOptions)
	}

	return strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
}

// row returns the values of a row.
func row(values [][]byte) string {
	var texts []string
	for _, v := range values {
		if v == nil {
			v = []byte("NULL")
		}
		texts = append(texts, string(v))
	}

	return strings.Join(texts, "|")
}

// columns returns the names of columns.
func columns(fields []pgproto3.FieldDescription) string {
	var names []string
	for _, f := range fields {
		names = append(names, string(f.Name))
	}

	return strings.Join(names, "|")
}

// syncMessage, flushMessage and terminateMessage return the messages without content.
func syncMessage() *pgproto3.Sync           { return &pgproto3.Sync{} }
func flushMessage() *pgproto3.Flush         { return &pgproto3.Flush{} }
func terminateMessage() *pgproto3.Terminate { return &pgproto3.Terminate{} }

// statement returns the messages that run a statement with text parameters, by the
// unnamed statement and portal, without a Sync.
func statement(sql string, parameters ...string) []pgproto3.FrontendMessage {
	var values [][]byte
	for _, p := range parameters {
		values = append(values, []byte(p))
	}

	return []pgproto3.FrontendMessage{
		&pgproto3.Parse{Query: sql}, &pgproto3.Bind{Parameters: values}, &pgproto3.Execute{},
	}
}

// messages joins messages and lists of them.
func messages(parts ...any) []pgproto3.FrontendMessage {
	var all []pgproto3.FrontendMessage
	for _, part := range parts {
		switch m := part.(type) {
		case pgproto3.FrontendMessage:
			all = append(all, m)
		case []pgproto3.FrontendMessage:
			all = append(all, m...)
		case string:
			all = append(all, &pgproto3.Query{String: m})
		default:
			panic(fmt.Sprintf("bug: messages of a %T", part))
		}
	}

	return all
}

// reset closes the connection with a RST.
func (c *client) reset() {
	if tcp, ok := c.nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.nc.Close()
}

// cancelRequest asks pgweir to cancel what the client with that key does, and waits
// until the request was read.
func (p *pgweir) cancelRequest(key pgproto3.BackendKeyData) error {
	nc, err := net.Dial("tcp", p.addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	b := binary.BigEndian.AppendUint32(nil, uint32(12+len(key.SecretKey)))
	b = binary.BigEndian.AppendUint32(b, 1234<<16|5678)
	b = binary.BigEndian.AppendUint32(b, key.ProcessID)
	if _, err := nc.Write(append(b, key.SecretKey...)); err != nil {
		return err
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, nc); err != nil {
		return err
	}

	return nil
}
