package config

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// exampleHead begins config.toml.example.
const exampleHead = `# pgweir's settings, all of them, at their defaults. Only what differs has to be
# in your file; "pgweir check -c FILE" finds what is wrong with it.
#
# Durations are strings such as "500ms", "30s" or "1m30s"; a bare number is in
# seconds. docs/configuration.md says more about every setting. This file is
# generated from the settings table in package config.
`

// WriteExample writes config.toml.example: every setting at its default with a
// line about it, and one entry each of [databases] and [users].
func WriteExample(w io.Writer) error {
	var b strings.Builder
	b.WriteString(exampleHead)
	for _, sec := range sections() {
		sec.writeExample(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeExample writes the section as it is in the example file.
func (sec section) writeExample(b *strings.Builder) {
	name := toml.Key{sec.name}
	if sec.named {
		name = append(name, sec.sample.entry)
	}
	fmt.Fprintf(b, "\n# %s\n[%s]\n", sec.doc, name)

	width := sec.exampleWidth()
	for i, g := range sec.groups {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "# %s\n", g.heading)
		for _, s := range g.settings {
			line := sec.assignment(s)
			pad := strings.Repeat(" ", width-utf8.RuneCountInString(line))
			fmt.Fprintf(b, "%s%s  # %s\n", line, pad, s.comment())
		}
	}
}

// exampleWidth returns the length of the section's longest assignment, for its
// comments to stand under each other.
func (sec section) exampleWidth() int {
	width := 0
	for _, s := range sec.settings() {
		width = max(width, utf8.RuneCountInString(sec.assignment(s)))
	}
	return width
}

// assignment returns the line of a setting without its comment.
func (sec section) assignment(s Setting) string {
	return s.Key + " = " + cmp.Or(sec.sample.values[s.Key], s.binding.defaultLiteral())
}

// comment returns what is said about a setting on its line.
func (s Setting) comment() string {
	text := s.Doc
	if strings.Contains(s.Type(), " | ") {
		text += ": " + s.Type()
	}
	if s.Zero != "" {
		text += "; " + s.Zero
	}
	return text
}
