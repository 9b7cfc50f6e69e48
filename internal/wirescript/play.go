package wirescript

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/pgweir/pgweir/wire"
)

// A Target is what a script is played against.
type Target struct {
	// Dial opens a connection to it. It lets User in to Database without a password.
	Dial           func() (net.Conn, error)
	User, Database string

	// Direct opens a connection to PostgreSQL itself, and DirectUser and
	// DirectDatabase are the names there: for what a script does behind the clients'
	// backs.
	Direct                     func() (net.Conn, error)
	DirectUser, DirectDatabase string

	// Send sends what clients say; an error shows in what is received. Nil: all at
	// once. See [Pieces].
	Send func(nc net.Conn, b []byte)

	// Oracle is set for PostgreSQL itself: it must say what the script expects.
	Oracle bool
}

// Play plays the script and returns what the clients received. An error is one of the
// script, or of the target's connections, and names the line; the transcript is then
// what there was until that line.
func (s *Script) Play(t Target) (Transcript, error) {
	p := &player{target: t, name: "@A", conns: make(map[string]*conn)}
	defer p.closeAll()
	for _, l := range s.lines {
		if !strings.HasPrefix(l.text, ">") {
			p.flush()
		}
		p.line = l.number
		p.transcript = append(p.transcript, Entry{Line: l.number, Text: l.text})
		if err := l.play(p); err != nil {
			return p.transcript, fmt.Errorf("%s:%d: %s: %w", s.Name, l.number, l.text, err)
		}
	}
	p.flush()
	if err := p.sayGoodbye(); err != nil {
		return p.transcript, fmt.Errorf("%s: at the end: %w", s.Name, err)
	}

	return p.transcript, nil
}

// A player plays one script once.
type player struct {
	target     Target
	conns      map[string]*conn // by name
	order      []string         // of the names
	name       string           // of the connection that speaks
	direct     *conn            // to PostgreSQL itself; nil until it is needed
	line       int              // being played
	transcript Transcript
}

// closeAll closes all connections.
func (p *player) closeAll() {
	for _, c := range p.conns {
		c.end()
	}
	if p.direct != nil {
		p.direct.end()
	}
}

// record adds to the transcript what was received.
func (p *player) record(text string) {
	p.transcript = append(p.transcript, Entry{Line: p.line, Text: answerIndent + text})
}

// flush sends what has been said on all connections.
func (p *player) flush() {
	for _, name := range p.order {
		if c := p.conns[name]; len(c.out) > 0 {
			c.flush()
		}
	}
}

// speaking returns the connection that speaks, and logs it in if it is not there yet.
func (p *player) speaking() (*conn, error) {
	if c := p.conns[p.name]; c != nil {
		return c, nil
	}
	err := p.login(nil)

	return p.conns[p.name], err
}

// connect opens the connection that speaks, and says nothing.
func (p *player) connect() error {
	if c := p.conns[p.name]; c != nil {
		c.end()
	} else {
		p.order = append(p.order, p.name)
	}
	nc, err := p.target.Dial()
	if err != nil {
		return err
	}
	p.conns[p.name] = newConn(nc, p.target.Send)

	return nil
}

// login opens the connection that speaks and logs it in. What it hears goes to the
// transcript only if that is not what a login ends with.
func (p *player) login(parameters []word) error {
	if err := p.connect(); err != nil {
		return err
	}
	heard, err := logIn(p.conns[p.name], p.target.User, p.target.Database, parameters)
	for _, text := range heard {
		p.record(text)
	}

	return err
}

// logIn logs a connection in. If that is refused it returns what was said.
func logIn(c *conn, user, database string, parameters []word) (refused []string, err error) {
	version := "3.0"
	if len(parameters) > 0 && parameters[0].key == "" {
		version, parameters = parameters[0].text, parameters[1:]
	}
	if c.out, err = startup(version, parameters, user, database); err != nil {
		return nil, err
	}
	c.flush()
	for {
		typ, body, err := c.receive(patience)
		switch {
		case errors.Is(err, io.EOF):
			return append(refused, closed), nil
		case err != nil:
			return refused, err
		case typ == wire.ReadyForQuery:
			return nil, nil
		}
		refused = append(refused, describe(typ, body))
	}
}

// closed is the line of a transcript that says that the connection was closed.
const closed = "(closed)"

// until receives until messages of these types have come, one after the other; a dot
// is the end of the connection. The last one must have a text in it. A ReadyForQuery
// that is not waited for ends the wait: what is waited for will not come any more.
func (p *player) until(types, want string) error {
	c, err := p.speaking()
	if err != nil {
		return err
	}
	p.flush()
	last := ""
	for types != "" {
		typ, body, err := c.receive(patience)
		if errors.Is(err, io.EOF) {
			return p.closed(types)
		}
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", types, err)
		}
		if typ == wire.ReadyForQuery && !strings.ContainsAny(types, "Z.") {
			c.unread(body)

			return p.expect(describe(typ, body), types)
		}
		last = describe(typ, body)
		p.record(last)
		if typ == types[0] {
			types = types[1:]
		}
	}

	return p.expect(last, want)
}

// expect checks that PostgreSQL says what the script says that it says.
func (p *player) expect(got, want string) error {
	if p.target.Oracle && !strings.Contains(got, want) {
		return fmt.Errorf("got %s, want %s in it", got, want)
	}

	return nil
}

// closed records the end of a connection while messages of these types are waited for.
func (p *player) closed(types string) error {
	p.record(closed)
	if p.target.Oracle && types != "." {
		return fmt.Errorf("the connection was closed, waiting for %s", types)
	}

	return nil
}

// nothing checks that nothing comes for a while. What comes is recorded.
func (p *player) nothing() error {
	c, err := p.speaking()
	if err != nil {
		return err
	}
	typ, body, err := c.receive(lull)
	switch {
	case errors.Is(err, errNothing):
		return nil
	case errors.Is(err, io.EOF):
		p.record(closed)
	case err != nil:
		return err
	default:
		p.record(describe(typ, body))
	}

	return nil
}

// oneByte receives the answer to a request for encryption.
func (p *player) oneByte() error {
	c, err := p.speaking()
	if err != nil {
		return err
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	b, err := c.in.ReadByte()
	if err != nil {
		c.end()

		return p.closed("one byte")
	}
	p.record(string(rune(b)))

	return nil
}

// close closes the connection.
func (p *player) close() error {
	c, err := p.speaking()
	if err == nil {
		c.end()
	}

	return err
}

// reset closes the connection as a client does that dies.
func (p *player) reset() error {
	c, err := p.speaking()
	if err == nil {
		c.resetByPeer()
	}

	return err
}

// pause gives what was sent time to be read before more comes.
func (p *player) pause() error {
	time.Sleep(lull) //nolint:forbidigo // there is nothing to wait for

	return nil
}

// cancel sends a cancel request for a connection, and waits until it was read.
func (p *player) cancel(name string, wrong bool) error {
	c := p.conns[name]
	if c == nil {
		return fmt.Errorf("there is no %s", name)
	}
	secret := append([]byte(nil), c.secret...)
	if wrong {
		secret[0]++
	}
	nc, err := p.target.Dial()
	if err != nil {
		return err
	}
	defer nc.Close()
	if _, err := nc.Write(wire.AppendCancelRequest(nil, c.pid, secret)); err != nil {
		return err
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	answer, _ := io.ReadAll(nc) // the connection may be closed or reset
	if len(answer) > 0 {
		p.record(fmt.Sprintf("answer to a cancel request: %q", answer))
	}

	return nil
}

// sayGoodbye ends each connection. Whatever is left of what it was owed comes before
// that, and is recorded.
func (p *player) sayGoodbye() error {
	goodbye := append(append(frame(wire.Sync), wire.AppendQuery(nil, "SELECT 'the end'")...), frame(wire.Terminate)...)
	for _, name := range p.order {
		c := p.conns[name]
		if c.ended {
			continue
		}
		p.line++
		p.transcript = append(p.transcript, Entry{Line: p.line, Text: "(the end of " + name + ")"})
		c.out = goodbye
		c.flush()
		for {
			typ, body, err := c.receive(patience)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			p.record(describe(typ, body))
		}
	}

	return nil
}
