package wirescript

import (
	"fmt"
	"strconv"
	"strings"
)

// A Script is a conversation.
type Script struct {
	Name string

	// Servers is how many servers the script needs at a time, at least 1.
	Servers int

	lines     []line
	explained []explanation
}

// A line is one line of a script that does something.
type line struct {
	number int
	text   string // as it is written
	play   action
}

// An action is what a line does. An error is one of the script, or of the target; what
// a server says goes to the transcript.
type action func(p *player) error

// Parse reads a script. An error says which line is wrong.
func Parse(name, text string) (*Script, error) {
	s := &Script{Name: name, Servers: 1}
	number := 0
	for full := range strings.Lines(text) {
		number++
		text := strings.TrimSpace(full)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		all, err := words(text)
		if err == nil {
			err = s.add(line{number: number, text: text}, all)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}

	return s, nil
}

// add adds a line to the script.
func (s *Script) add(l line, all []word) error {
	var err error
	verb, args := all[0].text, all[1:]
	switch {
	case verb == "servers":
		s.Servers, err = oneNumber(args)

		return err
	case verb == ">":
		l.play, err = sending(args)
	case verb == "<":
		l.play, err = receiving(args)
	case strings.HasPrefix(verb, "@"):
		l.play, err = switching(verb), none(args)
	default:
		l.play, err = other(verb, args)
	}
	s.lines = append(s.lines, l)

	return err
}

// none checks that a line has no more arguments.
func none(args []word) error { return newMessage(args).end() }

// oneText returns the only argument of a line.
func oneText(args []word) (string, error) {
	m := newMessage(args)

	return m.next("argument"), m.end()
}

// oneNumber returns the only argument of a line, a positive number.
func oneNumber(args []word) (int, error) {
	text, err := oneText(args)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err == nil && n < 1 {
		err = fmt.Errorf("%d: not a positive number", n)
	}

	return n, err
}

// factor takes a leading word such as *3 off the arguments.
func factor(args []word) (int, []word, error) {
	if len(args) == 0 || args[0].quoted || !strings.HasPrefix(args[0].text, "*") {
		return 1, args, nil
	}
	times, err := strconv.Atoi(args[0].text[1:])

	return times, args[1:], err
}

// sending returns the action of a ">" line.
func sending(args []word) (action, error) {
	times, args, err := factor(args)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("which message?")
	}
	kind, args := args[0].text, args[1:]
	switch kind {
	case "startup":
		return starting(args)
	case "ssl":
		return sendingBytes(uint32s(8, sslRequest), 1), none(args)
	case "gssenc":
		return sendingBytes(uint32s(8, gssEncRequest), 1), none(args)
	}
	b, err := encode(kind, args)

	return sendingBytes(b, times), err
}

// The codes of the requests for encryption.
const (
	sslRequest    = 80877103
	gssEncRequest = 80877104
)

// sendingBytes returns the action that sends bytes some times.
func sendingBytes(b []byte, times int) action {
	return func(p *player) error {
		c, err := p.speaking()
		if err != nil {
			return err
		}
		for range times {
			c.out = append(c.out, b...)
		}

		return nil
	}
}

// starting returns the action of "> startup".
func starting(args []word) (action, error) {
	if len(args) == 0 || args[0].key != "" {
		return nil, fmt.Errorf("which version?")
	}
	version, parameters := args[0].text, args[1:]
	if _, err := startup(version, parameters, "", ""); err != nil {
		return nil, err
	}

	return func(p *player) error {
		c, err := p.speaking()
		if err != nil {
			return err
		}
		b, err := startup(version, parameters, p.target.User, p.target.Database)
		c.out = append(c.out, b...)

		return err
	}, nil
}

// receiving returns the action of a "<" line.
func receiving(args []word) (action, error) {
	times, args, err := factor(args)
	if err != nil {
		return nil, err
	}
	m := newMessage(args)
	types, want := strings.Repeat(m.next("type of message"), times), ""
	if len(m.args) > 0 {
		want = m.next("text")
	}
	if err := m.end(); err != nil {
		return nil, err
	}
	switch types {
	case "nothing":
		return (*player).nothing, nil
	case "byte":
		return (*player).oneByte, nil
	}

	return func(p *player) error { return p.until(types, want) }, nil
}

// switching returns the action of a line such as "@B".
func switching(name string) action {
	return func(p *player) error {
		p.name = name

		return nil
	}
}

// other returns the action of a line that begins with a verb.
func other(verb string, args []word) (action, error) {
	switch verb {
	case "connect":
		return (*player).connect, none(args)
	case "login":
		return loggingIn(args), nil
	case "close":
		return (*player).close, none(args)
	case "reset":
		return (*player).reset, none(args)
	case "pause":
		return (*player).pause, none(args)
	case "sql":
		sql, err := oneText(args)

		return func(p *player) error { return p.sql(sql) }, err
	case "wait":
		sql, err := oneText(args)

		return func(p *player) error { return p.wait(sql) }, err
	case "cancel":
		return cancelling(args)
	}

	return nil, fmt.Errorf("no line begins with %s", verb)
}

// loggingIn returns the action of a "login" line.
func loggingIn(parameters []word) action {
	return func(p *player) error { return p.login(parameters) }
}

// cancelling returns the action of a "cancel" line.
func cancelling(args []word) (action, error) {
	m := newMessage(args)
	name, wrong := m.next("connection"), false
	if len(m.args) > 0 {
		if wrong = m.next("") == "wrong"; !wrong {
			return nil, fmt.Errorf("only a wrong key may be asked for")
		}
	}

	return func(p *player) error { return p.cancel(name, wrong) }, m.end()
}
