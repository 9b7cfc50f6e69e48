package config

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A kind is a type of value: how it is read, and how it is printed.
type kind[V any] struct {
	name string // for the reference page
	want string // completes "expected ...", with its article

	// parse turns what a TOML file has (string, int64, float64, bool, []any,
	// map[string]any, []map[string]any or time.Time) into the value. Its errors
	// are complete messages. A kind that must not repeat the value says so itself.
	parse func(raw any) (V, error)

	// fromText turns the text of an environment variable or a flag into what
	// parse takes. nil: the text itself.
	fromText func(text string) any

	print   func(V) string // as plain text
	literal func(V) string // as TOML
}

// A binding ties a row of the table to the field its value goes to. All its
// methods take a pointer to the section's struct.
type binding interface {
	typeName() string
	defaultText() string
	defaultLiteral() string

	reset(dst any)                      // to the default
	set(dst, raw any) error             // from TOML
	setText(dst any, text string) error // from the environment or a flag
	text(src any) string                // what it is now, as plain text
}

// bound is the binding of a field of type V in the struct S.
type bound[S, V any] struct {
	field func(*S) *V
	kind  kind[V]
	def   V
}

// bind ties the field to its kind and its default. The default must not be shared
// with anybody who writes to it.
func bind[S, V any](field func(*S) *V, k kind[V], def V) binding {
	return bound[S, V]{field: field, kind: k, def: def}
}

// at returns the field in the section's struct, which must be a *S.
func (b bound[S, V]) at(section any) *V { return b.field(section.(*S)) }

// typeName returns what the value is, for the reference page.
func (b bound[S, V]) typeName() string { return b.kind.name }

// defaultText returns the default as plain text.
func (b bound[S, V]) defaultText() string { return b.kind.print(b.def) }

// defaultLiteral returns the default as TOML.
func (b bound[S, V]) defaultLiteral() string { return b.kind.literal(b.def) }

// text returns the value the field has, as plain text.
func (b bound[S, V]) text(src any) string { return b.kind.print(*b.at(src)) }

// reset gives the field its default.
func (b bound[S, V]) reset(dst any) { *b.at(dst) = b.def }

// set gives the field a value from TOML. After an error it has the one it had.
func (b bound[S, V]) set(dst, raw any) error {
	value, err := b.kind.parse(raw)
	if err != nil {
		return err
	}
	*b.at(dst) = value
	return nil
}

// setText gives the field a value from the environment or a flag, as set does.
func (b bound[S, V]) setText(dst any, text string) error {
	if b.kind.fromText == nil {
		return b.set(dst, text)
	}
	return b.set(dst, b.kind.fromText(text))
}

// mismatch is the error of a value that is not what the kind wants.
func mismatch(want string, raw any) error {
	return fmt.Errorf("expected %s, got %s", want, describe(raw))
}

// describe says what a TOML value is, and which one when that is short.
func describe(raw any) string {
	switch v := raw.(type) {
	case string:
		return "the string " + strconv.Quote(abbreviate(v))
	case bool, int64, float64:
		return fmt.Sprint(v)
	default:
		return typeOf(raw)
	}
}

// typeOf says what type a TOML value has, with its article and without the value.
func typeOf(raw any) string {
	switch raw.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case time.Time:
		return "a date or time"
	case map[string]any:
		return "a table"
	case []any:
		return "an array"
	case []map[string]any:
		return "an array of tables"
	default:
		return fmt.Sprintf("a %T", raw)
	}
}

// abbreviate cuts a value that is too long for one line.
func abbreviate(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// errNUL is the error of a string with a zero byte. The protocol and the system
// end strings with one, so the rest would be lost without a word.
var errNUL = errors.New("must not contain a NUL byte")

// anyString is a string with anything in it.
func anyString() kind[string] {
	return stringKind[string]("string", "a string", func(string) bool { return true })
}

// oneOf is one of a few words. The word "" stands for a setting left to another one.
func oneOf[V ~string](words ...V) kind[V] {
	var quoted, bare []string
	for _, w := range words {
		quoted = append(quoted, strconv.Quote(string(w)))
		if w != "" {
			bare = append(bare, string(w))
		}
	}
	want := "one of " + strings.Join(quoted, ", ")
	return stringKind(strings.Join(bare, " | "), want, func(w V) bool { return slices.Contains(words, w) })
}

// stringKind is a string that ok accepts.
func stringKind[V ~string](name, want string, ok func(V) bool) kind[V] {
	return kind[V]{
		name: name,
		want: want,
		parse: func(raw any) (V, error) {
			s, isString := raw.(string)
			if isString && strings.ContainsRune(s, 0) {
				return "", errNUL
			}
			if !isString || !ok(V(s)) {
				return "", mismatch(want, raw)
			}
			return V(s), nil
		},
		print:   func(v V) string { return string(v) },
		literal: func(v V) string { return strconv.Quote(string(v)) },
	}
}

// secret is a string that no message may repeat.
func secret() kind[Secret] {
	return kind[Secret]{
		name: "secret",
		want: "a string",
		parse: func(raw any) (Secret, error) {
			s, ok := raw.(string)
			if !ok {
				return "", fmt.Errorf("expected a string, got %s", typeOf(raw))
			}
			if strings.ContainsRune(s, 0) {
				return "", errNUL
			}
			return Secret(s), nil
		},
		print:   Secret.String,
		literal: func(s Secret) string { return strconv.Quote(s.String()) },
	}
}

const (
	// maxPort is the highest TCP port.
	maxPort = 1<<16 - 1

	// maxCount bounds counts of connections: what PostgreSQL and PgBouncer keep
	// in an int.
	maxCount = math.MaxInt32
)

// serverPort is a TCP port to connect to.
func serverPort() kind[int] { return integer(1, maxPort) }

// count is a number of things, at least the given one.
func count(least int) kind[int] { return integer(least, maxCount) }

// integer is a whole number from least to most.
func integer(least, most int) kind[int] {
	want := fmt.Sprintf("an integer from %d to %d", least, most)
	if most == maxCount {
		want = fmt.Sprintf("an integer of at least %d", least)
	}
	return kind[int]{
		name: "integer",
		want: want,
		parse: func(raw any) (int, error) {
			n, ok := raw.(int64)
			if !ok || n < int64(least) || n > int64(most) {
				return 0, mismatch(want, raw)
			}
			return int(n), nil
		},
		fromText: func(s string) any {
			if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
				return n
			}
			return s
		},
		print:   strconv.Itoa,
		literal: strconv.Itoa,
	}
}

// boolean is true or false; in the environment also PgBouncer's 1 and 0, yes and
// no, on and off.
func boolean() kind[bool] {
	return kind[bool]{
		name: "boolean",
		want: "true or false",
		parse: func(raw any) (bool, error) {
			v, ok := raw.(bool)
			if !ok {
				return false, mismatch("true or false", raw)
			}
			return v, nil
		},
		fromText: func(s string) any {
			switch strings.ToLower(strings.TrimSpace(s)) {
			case "true", "1", "yes", "on":
				return true
			case "false", "0", "no", "off":
				return false
			}
			return s
		},
		print:   strconv.FormatBool,
		literal: strconv.FormatBool,
	}
}

// octalMode is the permission bits of a file, as an octal string. A TOML integer
// is refused because 777 without its quotes would silently be another mode.
func octalMode() kind[fs.FileMode] {
	want := `a quoted octal mode such as "0770"`
	return kind[fs.FileMode]{
		name: "octal mode",
		want: want,
		parse: func(raw any) (fs.FileMode, error) {
			s, _ := raw.(string)
			mode, err := strconv.ParseUint(s, 8, 32)
			if err != nil || mode > uint64(fs.ModePerm) {
				return 0, mismatch(want, raw)
			}
			return fs.FileMode(mode), nil
		},
		print:   func(m fs.FileMode) string { return fmt.Sprintf("%04o", uint32(m)) },
		literal: func(m fs.FileMode) string { return fmt.Sprintf(`"%04o"`, uint32(m)) },
	}
}
