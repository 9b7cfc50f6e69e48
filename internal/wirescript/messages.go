package wirescript

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pgweir/pgweir/wire"
)

// A message is the rest of a ">" line behind its first word, being read.
type message struct {
	args    []word
	options map[string]string
	err     error
}

// newMessage separates arguments from the options named in allowed.
func newMessage(all []word, allowed ...string) *message {
	m := &message{options: make(map[string]string)}
	for _, w := range all {
		switch {
		case w.key == "":
			m.args = append(m.args, w)
		case strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+w.key+" "):
			m.options[w.key] = w.text
		default:
			m.fail("no option is called %s; quote a value that has a = in it", w.key)
		}
	}

	return m
}

// fail keeps the first error.
func (m *message) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

// next takes the next argument, of which what says the meaning.
func (m *message) next(what string) string {
	if len(m.args) == 0 {
		m.fail("the %s is missing", what)

		return ""
	}
	w := m.args[0]
	m.args = m.args[1:]

	return w.text
}

// number takes the next argument as a number, or returns 0 if there is none.
func (m *message) number() uint32 {
	if len(m.args) == 0 {
		return 0
	}
	n, err := strconv.ParseUint(m.next("number"), 10, 32)
	if err != nil {
		m.fail("%w", err)
	}

	return uint32(n)
}

// numbers returns the list of numbers in an option.
func (m *message) numbers(option string) []uint32 {
	if m.options[option] == "" {
		return nil
	}
	var list []uint32
	for text := range strings.SplitSeq(m.options[option], ",") {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			m.fail("%s: %w", option, err)
		}
		list = append(list, uint32(n))
	}

	return list
}

// values takes all arguments that are left, as values.
func (m *message) values() [][]byte {
	var list [][]byte
	for _, w := range m.args {
		list = append(list, w.value())
	}
	m.args = nil

	return list
}

// end returns the error, if any. Nothing may be left.
func (m *message) end() error {
	if len(m.args) > 0 {
		m.fail("%q is too much", m.args[0].text)
	}

	return m.err
}

// encode returns the bytes of what a ">" line sends.
func encode(kind string, args []word) ([]byte, error) {
	m := newMessage(args, optionsOf(kind)...)
	var b []byte
	switch kind {
	case "Q":
		b = wire.AppendQuery(nil, m.next("SQL"))
	case "P":
		b = parse(m.next("name"), m.next("SQL"), m.numbers("types"))
	case "B":
		b = m.bind(m.next("portal"), m.next("statement"))
	case "D", "C":
		b = frame(kind[0], []byte(m.letter()), cstring(m.next("name")))
	case "E":
		b = frame(wire.Execute, cstring(m.next("portal")), uint32s(m.number()))
	case "S", "H", "X", "c":
		b = frame(kind[0])
	case "d":
		b = frame(wire.CopyData, []byte(m.next("data")))
	case "f":
		b = frame(wire.CopyFail, cstring(m.next("reason")))
	case "F":
		b = m.functionCall()
	case "raw":
		b = []byte(m.next("bytes"))
	case "BE":
		b = append(m.bind("", m.next("statement")), execute()...)
	case "PBE", "PBDE":
		b = append(parse("", m.next("SQL"), m.numbers("types")), m.bind("", "")...)
		if kind == "PBDE" {
			b = append(b, frame(wire.Describe, []byte("P"), cstring(""))...)
		}
		b = append(b, execute()...)
	default:
		return nil, fmt.Errorf("no message is called %s", kind)
	}

	return b, m.end()
}

// optionsOf returns the options that a message may have.
func optionsOf(kind string) []string {
	switch kind {
	case "P":
		return []string{"types"}
	case "B", "BE", "F":
		return []string{"formats", "results"}
	case "PBE", "PBDE":
		return []string{"types", "formats", "results"}
	}

	return nil
}

// letter takes an argument that says whether a statement or a portal is meant.
func (m *message) letter() string {
	kind := m.next("kind, S or P,")
	if kind != "S" && kind != "P" {
		m.fail("%q is neither S, a statement, nor P, a portal", kind)
	}

	return kind
}

// bind returns a Bind with the values that are left.
func (m *message) bind(portal, statement string) []byte {
	return frame(wire.Bind, cstring(portal), cstring(statement),
		uint16s(m.numbers("formats")), values(m.values()), uint16s(m.numbers("results")))
}

// functionCall returns a FunctionCall with the values that are left.
func (m *message) functionCall() []byte {
	oid := m.number()
	result := append(m.numbers("results"), 0)[0]

	return frame(wire.FunctionCall, uint32s(oid), uint16s(m.numbers("formats")), values(m.values()),
		binary.BigEndian.AppendUint16(nil, uint16(result)))
}

// parse returns a Parse.
func parse(name, sql string, types []uint32) []byte {
	return frame(wire.Parse, cstring(name), cstring(sql),
		binary.BigEndian.AppendUint16(nil, uint16(len(types))), uint32s(types...))
}

// execute returns an Execute of the unnamed portal, to the end.
func execute() []byte { return frame(wire.Execute, cstring(""), uint32s(0)) }

// frame returns a message of some parts.
func frame(typ byte, parts ...[]byte) []byte {
	b := []byte{typ, 0, 0, 0, 0}
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-1))

	return b
}

// cstring returns a string as the protocol has it.
func cstring(s string) []byte { return append([]byte(s), 0) }

// uint32s returns numbers of 32 bits.
func uint32s(list ...uint32) []byte {
	var b []byte
	for _, n := range list {
		b = binary.BigEndian.AppendUint32(b, n)
	}

	return b
}

// uint16s returns numbers of 16 bits, with their count before them.
func uint16s(list []uint32) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(list)))
	for _, n := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}

	return b
}

// values returns values with their lengths, and their count before them.
func values(list [][]byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(list)))
	for _, v := range list {
		if v == nil {
			b = binary.BigEndian.AppendUint32(b, math.MaxUint32)

			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		b = append(b, v...)
	}

	return b
}

// startup returns a StartupMessage of a version such as 3.0, for a user and a database
// unless the parameters name others.
func startup(version string, parameters []word, user, database string) ([]byte, error) {
	major, minor, _ := strings.Cut(version, ".")
	high, err := strconv.ParseUint(major, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	low, err := strconv.ParseUint(minor, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	all := []word{{key: "user", text: user}, {key: "database", text: database}}
	b := uint32s(0, uint32(high<<16|low))
	for _, w := range merge(all, parameters) {
		b = append(append(b, cstring(w.key)...), cstring(w.text)...)
	}
	b = append(b, 0)
	binary.BigEndian.PutUint32(b, uint32(len(b)))

	return b, nil
}

// merge returns the parameters, with those of defaults before them that they do not
// have.
func merge(defaults, parameters []word) []word {
	given := make(map[string]bool)
	for _, w := range parameters {
		given[w.key] = true
	}
	var all []word
	for _, w := range defaults {
		if !given[w.key] {
			all = append(all, w)
		}
	}

	return append(all, parameters...)
}
