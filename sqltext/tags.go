package sqltext

import (
	"bytes"
	"strings"
	"unicode"
)

// Limits on tags: what is in a comment anybody can have written.
const (
	maxTags       = 16   // of a statement
	maxTagKey     = 32   // bytes of a key
	maxTagValue   = 256  // bytes of a value; what is longer is cut
	maxTagComment = 4096 // bytes of a comment; a longer one has no tags
	maxComments   = 8    // at each edge
)

// A Tag is something that an application says of a statement in a comment. Tags are for
// attribution; they are never part of a fingerprint.
type Tag struct {
	// Key is in lower case. Where frameworks have several words for a thing it is one of
	// application, framework, db_driver, route, controller, action, job, request_id,
	// trace_id, tenant and source_location. A hint for pg_hint_plan has the key hint.
	Key string
	// Value is of at most 256 bytes of UTF-8 without control characters. Some are other
	// with each request, as request_id and trace_id are: they are no labels.
	Value string
}

// Tags appends to dst the tags of a statement of text, and returns it. They are in the
// comments at the statement's edges, in one of two forms:
//
//	/*route='%2Fusers',traceparent='00-...'*/   sqlcommenter, OpenTelemetry, Rails
//	/*application:shop,controller:users*/       marginalia, older Rails
//
// A comment in another form is ignored. The first tag with a key counts. It allocates
// only for what it finds.
func (st *Statement) Tags(dst []Tag, text []byte) []Tag {
	c := st.comments
	if c.first == 0 {
		return dst
	}
	n := len(dst)
	dst = tagsOf(dst, n, text, c.first-1, c.lastEnd-1)
	if c.last != c.first {
		dst = tagsOf(dst, n, text, c.last-1, c.lastEnd-1)
	}

	return dst
}

// Commented reports whether the statement has a comment, and so may have tags.
func (st *Statement) Commented() bool {
	return st.comments.first != 0
}

// tagsOf appends the tags of the comments that follow one another from i on, as long
// as nothing but space is between them. Those of the same statement are dst[n:].
func tagsOf(dst []Tag, n int, text []byte, i, end int) []Tag {
	for range maxComments {
		for i < end && byteClass[text[i]] == byteSpace {
			i++
		}
		behind, _ := skipComment(text, i)
		if behind == i || i >= end {
			break
		}
		switch {
		case text[i] != '/' || behind-i > maxTagComment:
		case text[i+2] == '+':
			if len(dst)-n < maxTags && !hasTag(dst[n:], "hint") {
				dst = append(dst, Tag{Key: "hint", Value: clean(bytes.TrimSpace(text[i+3 : behind-2]))})
			}
		default:
			dst = parseTags(dst, n, bytes.TrimSpace(text[i+2:behind-2]))
		}
		i = behind
	}

	return dst
}

// parseTags appends the tags of a comment, or none if it is of another form.
func parseTags(dst []Tag, n int, b []byte) []Tag {
	old := len(dst)
	quoted := bytes.IndexByte(b, '=') >= 0 && bytes.IndexByte(b, '\'') >= 0
	for len(b) > 0 {
		var t Tag
		var ok bool
		if quoted {
			t, b, ok = quotedTag(b)
		} else {
			t, b, ok = plainTag(b)
		}
		if !ok {
			return dst[:old]
		}
		if len(dst)-n < maxTags && !hasTag(dst[n:], t.Key) {
			dst = append(dst, t)
		}
	}

	return dst
}

// hasTag reports whether there is a tag with that key.
func hasTag(tags []Tag, key string) bool {
	for _, t := range tags {
		if t.Key == key {
			return true
		}
	}

	return false
}

// quotedTag takes key='value' from the beginning of b, with the comma behind it.
func quotedTag(b []byte) (Tag, []byte, bool) {
	key, rest, ok := bytes.Cut(b, []byte("='"))
	key, escaped := unescapeValue(key)
	if !ok || !isTagKey(key) || escaped {
		return Tag{}, nil, false
	}
	end := 0
	for ; end < len(rest) && rest[end] != '\''; end++ {
		if rest[end] == '\\' {
			end++
		}
	}
	if end >= len(rest) {
		return Tag{}, nil, false
	}
	value, _ := unescapeValue(rest[:end])
	rest = bytes.TrimLeft(rest[end+1:], " \t\r\n")
	if len(rest) > 0 {
		if rest[0] != ',' {
			return Tag{}, nil, false
		}
		rest = bytes.TrimLeft(rest[1:], " \t\r\n")
	}

	return newTag(key, value), rest, true
}

// plainTag takes key:value from the beginning of b, with the comma behind it. A value
// does not begin with a space or a slash twice: that is prose, or an address.
func plainTag(b []byte) (Tag, []byte, bool) {
	item, rest, _ := bytes.Cut(b, []byte{','})
	key, value, ok := bytes.Cut(bytes.TrimSpace(item), []byte{':'})
	if !ok || !isTagKey(key) || len(value) == 0 || value[0] == ' ' || bytes.HasPrefix(value, []byte("//")) {
		return Tag{}, nil, false
	}

	return newTag(key, value), rest, true
}

// isTagKey reports whether b may be a key.
func isTagKey(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}

	return len(b) > 0 && len(b) <= maxTagKey
}

// unescapeValue undoes what sqlcommenter does to keys and values, and reports whether
// there was anything: percent signs, which some drivers double, and backslashes.
func unescapeValue(b []byte) ([]byte, bool) {
	if bytes.IndexByte(b, '%') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return b, false
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\' && i+1 < len(b):
			i++
			out = append(out, b[i])
		case c == '%':
			if i+1 < len(b) && b[i+1] == '%' {
				i++
			}
			if i+2 < len(b) && isHex(b[i+1]) && isHex(b[i+2]) {
				c = hexValue(b[i+1])<<4 | hexValue(b[i+2])
				i += 2
			}
			out = append(out, c)
		default:
			out = append(out, c)
		}
	}

	return out, true
}

// hexValue returns the value of a hexadecimal digit.
func hexValue(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}

	return c | 0x20 - 'a' + 10
}

// newTag returns a tag with its key in pgweir's words and its value made harmless.
func newTag(key, value []byte) Tag {
	t := Tag{Key: strings.ToLower(string(key)), Value: clean(value)}
	switch t.Key {
	case "app", "app_name", "application_name", "service", "service_name":
		t.Key = "application"
	case "db_framework":
		t.Key = "framework"
	case "job_class":
		t.Key = "job"
	case "line", "source", "file":
		t.Key = "source_location"
	case "traceparent":
		if parts := strings.Split(t.Value, "-"); len(parts) == 4 && len(parts[1]) == 32 {
			t.Key, t.Value = "trace_id", parts[1]
		}
	}

	return t
}

// clean returns what may be shown of a value: valid text without control characters.
func clean(value []byte) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}

		return r
	}, string(value[:min(len(value), 4*maxTagValue)]))
	if len(text) > maxTagValue {
		text = strings.ToValidUTF8(text[:maxTagValue], "")
	}

	return text
}
