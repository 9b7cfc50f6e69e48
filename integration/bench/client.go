package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// answerTimeout is the longest that a client waits for the whole answer to one request.
const answerTimeout = 30 * time.Second

// errNeedsPassword is returned by dialClient when the server asks for one: a client has none.
var errNeedsPassword = errors.New("the server asks for a password")

// client is a PostgreSQL connection as bare as can be: it logs in where no password is needed, asks simple queries and
// skips the answers. It keeps no buffer between requests, so thousands of them cost little more than their sockets.
type client struct {
	conn net.Conn
}

// dialClient connects to a port of this machine and logs in.
func dialClient(ctx context.Context, port int) (*client, error) {
	dialer := net.Dialer{Timeout: answerTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn}
	if _, err := c.ask(ctx, startupPacket(benchUser, benchDatabase), 4<<10); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// query runs sql and returns the size of the answer in bytes. It reads bufferBytes at a time.
func (c *client) query(ctx context.Context, sql string, bufferBytes int) (int64, error) {
	return c.ask(ctx, queryMessage(sql), bufferBytes)
}

// close ends the connection as a client should, with Terminate.
func (c *client) close() error {
	_, err := c.conn.Write([]byte{'X', 0, 0, 0, 4})
	return errors.Join(err, c.conn.Close())
}

// ask sends a request and skips the answer, up to and including ReadyForQuery.
func (c *client) ask(ctx context.Context, request []byte, bufferBytes int) (int64, error) {
	deadline := time.Now().Add(answerTimeout)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := c.conn.SetDeadline(deadline); err != nil {
		return 0, err
	}
	// A deadline in the past makes a blocked read return.
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	return skipAnswer(bufio.NewReaderSize(c.conn, bufferBytes))
}

// skipAnswer reads up to and including ReadyForQuery and returns the number of bytes. An ErrorResponse is an error, and
// so is a request for a password.
func skipAnswer(r *bufio.Reader) (int64, error) {
	var size int64
	for {
		header, err := r.Peek(5)
		if err != nil {
			return size, err
		}
		kind, length := header[0], int(binary.BigEndian.Uint32(header[1:]))+1
		size += int64(length)
		switch kind {
		case 'E':
			return size, readError(r, length)
		case 'R':
			if err := checkAuthentication(r, length); err != nil {
				return size, err
			}
		}
		if _, err := r.Discard(length); err != nil {
			return size, err
		}
		if kind == 'Z' {
			return size, nil
		}
	}
}

// checkAuthentication looks at an authentication request without consuming it: only AuthenticationOk, code 0, will do.
func checkAuthentication(r *bufio.Reader, length int) error {
	message, err := r.Peek(min(length, 9))
	if err != nil {
		return err
	}
	if !bytes.Equal(message[5:], make([]byte, 4)) {
		return errNeedsPassword
	}
	return nil
}

// readError turns an ErrorResponse into an error: its fields are a letter and a text that ends in a zero byte; M is the
// message and C the SQLSTATE.
func readError(r *bufio.Reader, length int) error {
	message := make([]byte, length)
	if _, err := io.ReadFull(r, message); err != nil {
		return err
	}
	var text, code []byte
	for field := range bytes.SplitSeq(message[5:], []byte{0}) {
		if value, found := bytes.CutPrefix(field, []byte{'M'}); found {
			text = value
		} else if value, found := bytes.CutPrefix(field, []byte{'C'}); found {
			code = value
		}
	}
	return fmt.Errorf("the server answers: %s (SQLSTATE %s)", text, code)
}

// startupPacket returns a protocol 3.0 startup packet.
func startupPacket(user, database string) []byte {
	packet := []byte{0, 0, 0, 0, 0, 3, 0, 0}
	for _, text := range []string{"user", user, "database", database} {
		packet = append(append(packet, text...), 0)
	}
	packet = append(packet, 0)
	binary.BigEndian.PutUint32(packet, uint32(len(packet)))
	return packet
}

// queryMessage returns a Query message.
func queryMessage(sql string) []byte {
	message := append([]byte{'Q', 0, 0, 0, 0}, sql...)
	message = append(message, 0)
	binary.BigEndian.PutUint32(message[1:], uint32(len(message)-1))
	return message
}
