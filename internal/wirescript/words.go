package wirescript

import (
	"fmt"
	"strconv"
	"strings"
)

// A word is one argument of a line: bare, or quoted, or the value of an option.
type word struct {
	key    string // of key=value; else empty
	text   string
	quoted bool
}

// null is the bare word for a value that is not there.
const null = "NULL"

// value is the word as a value of Bind or FunctionCall; nil is NULL.
func (w word) value() []byte {
	if w.text == null && !w.quoted {
		return nil
	}

	return []byte(w.text)
}

// words cuts a line into words.
func words(line string) ([]word, error) {
	var all []word
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return all, nil
		}
		w, rest, err := nextWord(line)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
		line = rest
	}
}

// nextWord takes the first word off a line that begins with one.
func nextWord(line string) (w word, rest string, err error) {
	end := strings.IndexAny(line, " \t\"`")
	if end < 0 {
		end = len(line)
	}
	bare, rest := line[:end], line[end:]
	if key, value, found := strings.Cut(bare, "="); found && key != "" {
		w.key, bare = key, value
	}
	if rest == "" || isSpace(rest[0]) {
		w.text = bare

		return w, rest, nil
	}
	if bare != "" {
		return w, "", fmt.Errorf("%s: a quote in a word", line)
	}
	w.quoted = true
	w.text, rest, err = quoted(rest)

	return w, rest, err
}

// isSpace reports whether c separates words.
func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// quoted takes a sum of literals off the beginning of s: "a"*3+"b" is aaab.
func quoted(s string) (text, rest string, err error) {
	for {
		var part string
		if part, s, err = literal(s); err != nil {
			return "", "", err
		}
		text += part
		if !strings.HasPrefix(s, "+") {
			break
		}
		s = s[1:]
	}
	if s != "" && !isSpace(s[0]) {
		return "", "", fmt.Errorf("%s: not separated from the word before", s)
	}

	return text, s, nil
}

// literal takes one literal, with its factor, off the beginning of s.
func literal(s string) (text, rest string, err error) {
	prefix, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", fmt.Errorf("%s: not a quoted string", s)
	}
	if text, err = strconv.Unquote(prefix); err != nil {
		return "", "", fmt.Errorf("%s: %w", prefix, err)
	}
	rest = s[len(prefix):]
	if !strings.HasPrefix(rest, "*") {
		return text, rest, nil
	}
	end := 1
	for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[1:end])
	if err != nil {
		return "", "", fmt.Errorf("%s: how many times?", rest)
	}

	return strings.Repeat(text, n), rest[end:], nil
}
