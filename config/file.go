package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
)

// readFile lays the TOML file over the defaults.
func (l *loader) readFile(path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		l.incomplete = true
		p := Problem{File: path, Message: "cannot be read: " + reason(err)}
		if errors.Is(err, fs.ErrNotExist) {
			p.Suggestion = "config.toml.example is a file to start from"
		}
		l.add(p)
		return
	}

	l.parse(path, data)
	l.warnOfSecrets(path)
}

// reason returns what the system said about a file, without its name, which the
// problem has already.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// warnOfSecrets warns when the file has passwords in it and others can read it.
func (l *loader) warnOfSecrets(path string) {
	for v := range l.cfg.Values() {
		if v.Key == "password" && v.Origin == OriginFile && v.Text != "" {
			l.warnIfShared(path, "the file has passwords in it and")
			return
		}
	}
}

// parse lays the text of a file over the defaults. name is for messages only.
func (l *loader) parse(name string, data []byte) {
	l.file = name
	var tables map[string]toml.Primitive
	md, err := toml.Decode(string(data), &tables)
	if err != nil {
		l.incomplete = true
		l.add(syntaxProblem(name, data, err))
		return
	}

	doc := document{name: name, md: &md}
	for _, key := range sortedKeys(tables) {
		l.readTable(doc, key, tables[key])
	}
}

// readTable reads one table of the file.
func (l *loader) readTable(doc document, name string, table toml.Primitive) {
	sec, ok := l.section(name)
	if !ok {
		l.incomplete = true
		l.add(doc.problem(table, toml.Key{name}, l.unknownTable(doc, name, table)))
		return
	}
	if !sec.named {
		l.readEntry(doc, sec, "", table)
		return
	}

	entries, ok := doc.table(table)
	if !ok {
		l.incomplete = true
		l.add(doc.problem(table, toml.Key{name}, notTable(doc, table, sec.header())))
		return
	}
	for _, entry := range sortedKeys(entries) {
		l.readEntry(doc, sec, entry, entries[entry])
	}
}

// readEntry reads the settings of one entry, or of a table that has no entries.
func (l *loader) readEntry(doc document, sec section, entry string, table toml.Primitive) {
	path := toml.Key{sec.name}
	if sec.named {
		path = append(path, entry)
	}

	values, ok := doc.table(table)
	if !ok {
		l.incomplete = true
		l.add(doc.problem(table, path, notTable(doc, table, "["+path.String()+"]")))
		return
	}
	if sec.named && (entry == "" || strings.ContainsRune(entry, 0)) {
		l.incomplete = true
		l.add(doc.problem(table, path, Problem{Message: "the name must not be empty nor contain a NUL byte"}))
		return
	}

	dst := sec.get(l.cfg, entry)
	for _, key := range sortedKeys(values) {
		l.readValue(doc, sec, dst, append(path[:len(path):len(path)], key), values[key])
	}
	sec.put(l.cfg, entry, dst)
}

// readValue reads one setting into the struct of its entry.
func (l *loader) readValue(doc document, sec section, dst any, path toml.Key, value toml.Primitive) {
	key := path[len(path)-1]
	s, ok := sec.setting(key)
	if !ok {
		l.add(doc.problem(value, path, Problem{Message: unknownSetting, Suggestion: l.adviseKey(sec, key)}))
		return
	}
	if err := s.binding.set(dst, doc.value(value)); err != nil {
		l.refused[path.String()] = true
		l.add(doc.problem(value, path, Problem{Message: err.Error()}))
		return
	}
	l.cfg.origins[path.String()] = origin{source: OriginFile, line: doc.line(value)}
}

// unknownTable says what is wrong with a table, or a key outside all tables, that
// no section has.
func (l *loader) unknownTable(doc document, name string, value toml.Primitive) Problem {
	if _, ok := doc.table(value); ok {
		return Problem{Message: "unknown table", Suggestion: l.adviseTable(name)}
	}
	return Problem{Message: "a setting outside of every table", Suggestion: l.adviseLoose(name)}
}

// notTable says that a table was expected. It does not repeat the value, which may
// be a connection string with a password in it.
func notTable(doc document, value toml.Primitive, header string) Problem {
	p := Problem{Message: "expected a table, got " + typeOf(doc.value(value))}
	if _, ok := doc.value(value).(string); ok {
		p.Suggestion = "write a table " + header + ` with host = "..." and so on on lines of their own`
	}
	return p
}

// document is a decoded file that still knows the lines of its values.
type document struct {
	name string
	md   *toml.MetaData
}

// value returns a value as what TOML decodes to: see kind.parse.
func (d document) value(p toml.Primitive) any {
	var raw any
	if err := d.md.PrimitiveDecode(p, &raw); err != nil {
		panic("bug: decode a TOML value into an interface: " + err.Error())
	}
	return raw
}

// table returns the values of a table; it reports false when the value is none.
func (d document) table(p toml.Primitive) (map[string]toml.Primitive, bool) {
	if _, ok := d.value(p).(map[string]any); !ok {
		return nil, false
	}
	var values map[string]toml.Primitive
	if err := d.md.PrimitiveDecode(p, &values); err != nil {
		panic("bug: decode a TOML table into a map: " + err.Error())
	}
	return values, true
}

// line returns the line of a value. A table that only headers of its own tables
// mention, as [databases.shop] does databases, begins where the first of them does.
// It returns 0 when the parser does not know.
func (d document) line(p toml.Primitive) int {
	var parseErr toml.ParseError
	if errors.As(d.md.PrimitiveDecode(p, locator{}), &parseErr) && parseErr.Position.Line > 0 {
		return parseErr.Position.Line
	}

	first := 0
	values, _ := d.table(p)
	for _, value := range values {
		if n := d.line(value); first == 0 || n > 0 && n < first {
			first = n
		}
	}
	return first
}

// problem completes a problem with the place of a value.
func (d document) problem(value toml.Primitive, path toml.Key, p Problem) Problem {
	p.File, p.Line, p.Path = d.name, d.line(value), path.String()
	return p
}

// locator is a decoding target that takes nothing. The toml package keeps the
// places of values to itself but puts them into the errors of an Unmarshaler.
type locator struct{}

// errLocate is the error of a locator; nobody sees it.
var errLocate = errors.New("locate")

// UnmarshalTOML returns an error, whatever the value.
func (locator) UnmarshalTOML(any) error { return errLocate }

// syntaxProblem turns an error of the TOML parser into a problem.
func syntaxProblem(name string, data []byte, err error) Problem {
	parseErr, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return Problem{File: name, Message: "not valid TOML: " + err.Error()}
	}

	pos := parseErr.Position
	message := strings.TrimSuffix(parseErr.Message, ".")
	p := Problem{File: name, Line: pos.Line, Col: pos.Col, Message: "not valid TOML: " + message}
	if strings.Contains(lineAt(data, pos.Line)+parseErr.LastKey, "password") {
		// The parser quotes what it could not read, and that may be the password.
		p.Message = "not valid TOML in the line of a password"
		p.Suggestion = `write it in quotes: password = "..."`
	}
	if bytes.Contains(data, []byte("[pgbouncer]")) {
		p.Suggestion = "this looks like a pgbouncer.ini; pgweir reads TOML, where strings are quoted and " +
			"each database has a table: [databases.NAME]"
	}
	return p
}

// lineAt returns a line of the text, counting from 1.
func lineAt(data []byte, n int) string {
	for line := range strings.Lines(string(data)) {
		if n--; n == 0 {
			return line
		}
	}
	return ""
}

// entryHeader returns the header of an entry's table.
func entryHeader(table, entry string) string {
	return fmt.Sprintf("[%s]", toml.Key{table, entry})
}
