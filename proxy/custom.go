package proxy

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Settings with a dot in their name, such as app.tenant, are the application's own.
// PostgreSQL does not list them, so their names are taken from what the client sends.

// maxCustom is how many names of such settings are remembered for a client.
const maxCustom = 100

// namedSetting finds the names that a text gives to SET and RESET, and those that it
// gives to set_config as a string.
var namedSetting = regexp.MustCompile(`(?i)\bset\s+(?:session\s+|local\s+)?("?[a-z_][\w$]*"?(?:\."?[\w$]+"?)+)` +
	`|\bset_config\s*\(\s*'([^']*)'`)

// anySetConfig finds the calls of set_config.
var anySetConfig = regexp.MustCompile(`(?i)\bset_config\s*\(`)

// A customs is what a text says of an application's own settings.
type customs struct {
	names   []string // lower case
	unknown bool     // it sets others whose names are not in it
}

// customsOf returns what a statement's text says of an application's own settings.
func customsOf(text []byte) customs {
	var c customs
	if bytes.IndexByte(text, '.') < 0 && bytes.IndexByte(text, '(') < 0 || !maySet(text) {
		return c
	}
	calls := 0
	for _, m := range namedSetting.FindAllSubmatch(text, maxCustom) {
		name := strings.ToLower(strings.ReplaceAll(string(m[1]), `"`, ""))
		if m[2] != nil {
			calls++
			name = strings.ToLower(string(m[2]))
		}
		if strings.Contains(name, ".") && !slices.Contains(c.names, name) {
			c.names = append(c.names, name)
		}
	}
	c.unknown = calls < len(anySetConfig.FindAllIndex(text, maxCustom))

	return c
}

// maySet reports whether it is worth while to look for SET and set_config in a text.
func maySet(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")

	return hasPrefixFold(text, "set") || hasPrefixFold(text, "do") || bytes.IndexByte(text, ';') >= 0 ||
		textSuspects(text)
}

// heed remembers what a statement that the client runs says of its own settings.
func (s *session) heed(c customs) {
	for _, name := range c.names {
		switch {
		case slices.Contains(s.customs.names, name):
		case len(s.customs.names) >= maxCustom:
			s.customs.unknown = true
		default:
			s.customs.names = append(slices.Clip(s.customs.names), name)
		}
	}
	s.customs.unknown = s.customs.unknown || c.unknown
}
