package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Bounds of what a server may send before it is ready: generous, PostgreSQL needs
// about 600 bytes.
const (
	maxLoginMessage = 64 << 10
	maxLoginBytes   = 1 << 20
)

// LoginParams say how to log in to a server.
type LoginParams struct {
	User     string
	Database string // empty: the server takes the user's name

	// Parameters are sent along with the startup, in this order.
	Parameters []Parameter

	// Version is the one to ask for. Zero means 3.0, which every server speaks. A
	// server may settle for a lower one.
	Version Version

	Credentials Credentials
}

// A Welcome is what a server says of itself at login.
type Welcome struct {
	Version Version // that the session speaks

	// Parameters are the settings that the server reports, in its order, each name
	// once.
	Parameters []Parameter

	// The key to cancel what this session does. Secret is nil if the server gave none.
	PID    uint32
	Secret []byte
}

// Login logs in to the PostgreSQL at the other end of rw, and returns when the
// session is ready and idle.
//
// It reads no byte beyond that from rw; rw should be a [LoginConn], for there are
// many small messages to read.
//
// The error is the [*Error] that the server sent; or wraps [ErrProtocol],
// [ErrCredentials] or [ErrAuthMethod]; else it is whatever rw returned, with io.EOF
// if the server closed the connection. A server that is not yet authenticated may be
// anyone: its error is for the log, not for a client (CVE-2024-10977).
func Login(rw io.ReadWriter, p LoginParams) (*Welcome, error) {
	if p.Version == 0 {
		p.Version = Version30
	}
	if _, err := rw.Write(p.startup()); err != nil {
		return nil, err
	}
	l := &login{
		rw: rw, params: p, welcome: &Welcome{Version: p.Version}, left: maxLoginBytes, seen: make(map[string]int),
	}
	if err := l.authenticate(); err != nil {
		return nil, err
	}
	for ready := false; !ready; {
		var err error
		if ready, err = l.readWelcome(); err != nil {
			return nil, err
		}
	}

	return l.welcome, nil
}

// startup returns the StartupMessage.
func (p LoginParams) startup() []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(p.Version))
	b = appendCString(appendCString(b, "user"), p.User)
	if p.Database != "" {
		b = appendCString(appendCString(b, "database"), p.Database)
	}
	for _, q := range p.Parameters {
		b = appendCString(appendCString(b, q.Name), q.Value)
	}

	return endMessage(append(b, 0), 0)
}

// A login is one login in progress.
type login struct {
	rw      io.ReadWriter
	params  LoginParams
	welcome *Welcome
	left    int            // bytes that the server may still send
	seen    map[string]int // where in the welcome's Parameters a name is
}

// next reads the next message that is not a notice. An ErrorResponse is returned as
// the error.
func (l *login) next() (typ byte, body []byte, err error) {
	for {
		typ, body, err = readMessage(l.rw, min(l.left, maxLoginMessage))
		var impossible *lengthError
		switch {
		case errors.As(err, &impossible):
			return 0, nil, protocolErrorf("sent a %v at login", err)
		case err != nil:
			return 0, nil, err
		}
		l.left -= HeaderSize + len(body)
		switch typ {
		case NoticeResponse:
		case ErrorResponse:
			e, err := ParseError(body)
			if err != nil {
				return 0, nil, err
			}

			return 0, nil, e
		default:
			return typ, body, nil
		}
	}
}

// readWelcome reads one message of those that follow the authentication. ready is
// true after the last.
func (l *login) readWelcome() (ready bool, err error) {
	typ, body, err := l.next()
	if err != nil {
		return false, err
	}
	d := decoder{b: body}
	switch typ {
	case ParameterStatus:
		l.setParameter(Parameter{d.cstring(), d.cstring()})
	case backendKeyData:
		l.welcome.PID, l.welcome.Secret = d.uint32(), d.rest()
		if n := len(l.welcome.Secret); n < minCancelSecret || n > maxCancelSecret {
			return false, protocolErrorf("sent a cancel key of %d bytes", n)
		}
	case ReadyForQuery:
		if ready = bytes.Equal(d.rest(), []byte{TxIdle}); !ready {
			d.fail()
		}
	default:
		return false, protocolErrorf("sent a %q message at login", typ)
	}
	if !d.done() {
		return false, protocolErrorf("sent a malformed %q message at login", typ)
	}

	return ready, nil
}

// setParameter takes in a setting that the server reports.
func (l *login) setParameter(p Parameter) {
	w := l.welcome
	if i, ok := l.seen[p.Name]; ok {
		w.Parameters[i].Value = p.Value

		return
	}
	l.seen[p.Name] = len(w.Parameters)
	w.Parameters = append(w.Parameters, p)
}
