package wire

import (
	"strings"
)

// ParseOptions reads the startup parameter "options": command-line switches of
// PostgreSQL, of which those that set something are understood, -c name=value and
// --name=value (src/backend/utils/init/postinit.c, pg_split_opts, and
// src/backend/tcop/postgres.c, process_postgres_switches). The error is for the client.
func ParseOptions(options string) ([]Parameter, error) {
	var list []Parameter
	words := splitOptions(options)
	for i := 0; i < len(words); i++ {
		word := words[i]
		setting, ok := strings.CutPrefix(word, "--")
		if !ok {
			setting, ok = strings.CutPrefix(word, "-c")
			if ok && setting == "" && i+1 < len(words) {
				i++
				setting = words[i]
			}
		}
		if !ok {
			return nil, Fatalf(CodeFeatureNotSupported, "the switch \"%s\" in the startup parameter \"options\" is not supported by pgweir", word).
				WithHint("Use -c name=value or --name=value.")
		}
		name, value, ok := strings.Cut(setting, "=")
		if !ok || name == "" {
			return nil, Fatalf(CodeSyntaxError, "\"%s\" in the startup parameter \"options\" requires a name and a value", word).
				WithHint("Use -c name=value or --name=value.")
		}
		list = append(list, Parameter{Name: strings.ReplaceAll(name, "-", "_"), Value: value})
	}

	return list, nil
}

// splitOptions splits at white space. A backslash takes the meaning from what follows
// it.
func splitOptions(options string) []string {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(options); i++ {
		c := options[i]
		switch {
		case isSpace(c):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}

			continue
		case c == '\\' && i+1 < len(options):
			i++
			c = options[i]
		case c == '\\':
			continue // of what does not follow
		}
		inWord = true
		word.WriteByte(c)
	}
	if inWord {
		words = append(words, word.String())
	}

	return words
}

// isSpace reports whether c is white space to isspace in the C locale.
func isSpace(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r'
}
