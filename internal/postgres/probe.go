package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const (
	// protocolVersion is 3.0 as a startup packet has it.
	protocolVersion = 3 << 16

	// terminate is the message that ends a session.
	terminate = "X\x00\x00\x00\x04"

	// authenticationType is the type byte of the first message to a client that the server lets in.
	authenticationType = 'R'

	// probeTimeout is how long a server may take to answer a startup packet.
	probeTimeout = 5 * time.Second
)

// probe returns nil if a server takes connections on the unix socket. The port would not do: somebody else's server
// may be listening on it, while nobody else's is on the socket, in a directory of ours.
func probe(ctx context.Context, socket, user string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // A frozen server never answers.

	// Saying goodbye and reading everything keeps a complaint about us out of the server's log.
	if _, err := conn.Write(append(startupPacket(user), terminate...)); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if len(answer) == 0 || answer[0] != authenticationType {
		return fmt.Errorf("server answers %q to the startup packet", answer)
	}
	return nil
}

// startupPacket returns the packet that asks for user's session in database postgres.
func startupPacket(user string) []byte {
	const lengthBytes = 4
	parameters := strings.Join([]string{"user", user, "database", "postgres", "", ""}, "\x00")
	packet := make([]byte, lengthBytes, 64)
	packet = binary.BigEndian.AppendUint32(packet, protocolVersion)
	packet = append(packet, parameters...)
	binary.BigEndian.PutUint32(packet, uint32(len(packet)))
	return packet
}
