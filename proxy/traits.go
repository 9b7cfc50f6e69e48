package proxy

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/pgweir/pgweir/wire"
)

// Traits are what a statement's text says of what it may leave in its PostgreSQL
// session. The text is not parsed: in doubt it may leave something, and PostgreSQL is
// asked. The zero value is that of nearly all statements.
type traits struct {
	// suspect: it may leave something that its CommandComplete does not tell of: it
	// calls set_config or changes pg_settings, takes or gives back an advisory lock, or
	// makes something temporary.
	suspect bool
	// local: it is a SET that ends with the transaction, and nothing else.
	local bool
	// names are those that it gives to settings of the application's own, such as
	// app.tenant, in lower case. PostgreSQL does not list them.
	names []string
	// unnamed: it sets others whose names are not in it.
	unnamed bool
}

// maxNames is how many names of settings of its own a client may use before its server
// stays with it.
const maxNames = 100

// gap is what may stand between two words of SQL.
const gap = `(?:\s|/\*(?s:.*?)\*/|--[^\n]*\n)`

var (
	// localSetting finds a SET that ends with the transaction, alone.
	localSetting = regexp.MustCompile(`(?is)^set\s+(?:local|transaction)\s[^;]*$`)
	// namedSetting finds the names that a text gives to SET, and those that it gives to
	// set_config as a string.
	namedSetting = regexp.MustCompile(`(?i)\bset` + gap + `+(?:(?:session|local)` + gap + `+)?` +
		`("?[a-z_][\w$]*"?(?:\."?[\w$]+"?)+)|\bset_config\s*\(\s*'([^']*)'\s*,`)
	// oddSetting finds a SET of a name of the application's own that namedSetting may not
	// have understood.
	oddSetting = regexp.MustCompile(`(?i)^set` + gap + `+(?:(?:session|local)` + gap + `+)?("[^"]+"|[^\s=".;/]+)` + gap + `*\.`)
	// temporary finds the making of something temporary.
	temporary = regexp.MustCompile(`(?i)\b(?:into|create|replace|local|global)` + gap + `+temp(?:orary)?\b`)
	// anySetConfig finds the calls of set_config.
	anySetConfig = regexp.MustCompile(`(?i)\bset_config\s*\(`)
	// localSetConfig finds those whose effect ends with the transaction.
	localSetConfig = regexp.MustCompile(`(?i)\bset_config\s*\((?:[^()']|'[^']*')*,\s*(?:true|'t'|'true')\s*\)`)
)

// traitsOf returns the traits of a statement with that text. It costs next to nothing
// for most.
func traitsOf(text []byte) traits {
	text = bytes.TrimRight(skipComments(text), "\x00; \t\r\n")
	anchors := anchorsOf(text)
	var t traits
	t.suspect = anchors.suspect || hasPrefixFold(text, "create") || maybeTemporary(text) && temporary.Match(text)
	sets := hasPrefixFold(text, "set")
	t.local = sets && localSetting.Match(text)
	if anchors.setConfig {
		t.suspect = t.suspect || len(localSetConfig.FindAllIndex(text, maxNames)) < len(anySetConfig.FindAllIndex(text, maxNames))
	}
	if sets || anchors.setConfig || hasPrefixFold(text, "do") || bytes.IndexByte(text, ';') >= 0 {
		t.findNames(text)
	}

	return t
}

// findNames finds the names of the application's own settings.
func (t *traits) findNames(text []byte) {
	calls := 0
	for _, m := range namedSetting.FindAllSubmatch(text, maxNames) {
		name := strings.ReplaceAll(string(m[1]), `"`, "")
		if m[2] != nil {
			calls++
			name = string(m[2])
		}
		name = strings.ToLower(name)
		if strings.Contains(name, ".") && !slices.Contains(t.names, name) {
			t.names = append(t.names, name)
		}
	}
	t.unnamed = t.suspect && calls < len(anySetConfig.FindAllIndex(text, maxNames)) ||
		len(t.names) == 0 && oddSetting.Match(text)
}

// skipComments returns what follows the white space and the comments that a text begins
// with.
func skipComments(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, " \t\r\n\f\v")
		switch {
		case bytes.HasPrefix(text, []byte("--")):
			_, text, _ = bytes.Cut(text, []byte{'\n'})
		case bytes.HasPrefix(text, []byte("/*")):
			text = text[commentLength(text):]
		default:
			return text
		}
	}
}

// commentLength is the length of the comment that a text begins with: they can be nested.
func commentLength(text []byte) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch {
		case text[i] == '/' && text[i+1] == '*':
			depth++
			i++
		case text[i] == '*' && text[i+1] == '/':
			depth--
			i++
		}
		if depth == 0 {
			return i + 1
		}
	}

	return len(text)
}

// maybeTemporary reports whether the word temporary, short or long, may be in the text:
// two of its letters that are rare together are.
func maybeTemporary(text []byte) bool {
	return bytes.Contains(text, []byte("mp")) || bytes.Contains(text, []byte("MP")) ||
		bytes.Contains(text, []byte("mP")) || bytes.Contains(text, []byte("Mp"))
}

// anchors are the words that are looked for in every text: set_config, and others that
// make it suspect.
type anchors struct {
	setConfig, suspect bool
}

// anchorsOf looks for the words at each underscore: all of them have one.
func anchorsOf(text []byte) anchors {
	var a anchors
	for at := 0; ; at++ {
		i := bytes.IndexByte(text[at:], '_')
		if i < 0 {
			return a
		}
		at += i
		a.setConfig = a.setConfig || at >= 3 && hasPrefixFold(text[at-3:], "set_config")
		if at >= 2 && hasPrefixFold(text[at-2:], "pg_") {
			rest := text[at:]
			a.suspect = a.suspect || hasPrefixFold(rest, "_temp.") || hasPrefixFold(rest, `_temp"`) ||
				hasPrefixFold(rest, "_settings")
		}
		a.suspect = a.suspect || hasPrefixFold(text[at:], "_advisory")
	}
}

// hasPrefixFold reports whether b begins with prefix, in whatever case.
func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && strings.EqualFold(string(b[:len(prefix)]), prefix)
}

// heedFrame takes in what a client's frame may leave in its session. body is what is
// there of it.
func (k *link) heedFrame(h wire.Header, body []byte) {
	switch {
	case h.Type == wire.Query, h.Type == wire.Parse && !k.manages:
		k.heedText(h, body)
	case h.Type == wire.Execute && k.boundLocal && len(body) > 0 && body[0] == 0:
		k.locals++
		k.boundLocal = false
	}
}

// heedText takes in what a Query, or a Parse that nobody else looks into, may leave in
// its session. A part of the text leaves that in doubt.
func (k *link) heedText(h wire.Header, text []byte) {
	if len(text) < h.Size-wire.HeaderSize {
		k.suspect()
	}
	if h.Type == wire.Parse {
		_, text, _ = bytes.Cut(text, []byte{0})
	}
	t := traitsOf(text)
	k.heed(&t)
	if h.Type == wire.Query && t.local {
		k.locals++
	}
}

// heed takes in what a statement that the client runs may leave in its session.
func (k *link) heed(t *traits) {
	if t.suspect {
		k.suspect()
	}
	s := k.session
	for _, name := range t.names {
		switch {
		case slices.Contains(s.names, name):
		case len(s.names) >= maxNames:
			s.unnamed = true
		default:
			s.names = append(slices.Clip(s.names), name)
		}
	}
	s.unnamed = s.unnamed || t.unnamed
}
