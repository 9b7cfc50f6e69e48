package config

import (
	_ "embed" // for referenceHead
	"fmt"
	"io"
	"strings"
)

// referenceHead begins docs/configuration.md: what is not in the table.
//
//go:embed reference_head.md
var referenceHead string

// WriteReference writes docs/configuration.md: a Markdown page about every setting.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, sec := range sections() {
		sec.writeReference(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeReference writes the section's part of the page.
func (sec section) writeReference(b *strings.Builder) {
	fmt.Fprintf(b, "\n## `%s`\n\n%s\n", sec.header(), sec.doc)
	for _, g := range sec.groups {
		fmt.Fprintf(b, "\n### %s\n\n", g.heading)
		b.WriteString("| setting | type | default | meaning | reload | environment | PgBouncer |\n")
		b.WriteString("|---|---|---|---|---|---|---|\n")
		for _, s := range g.settings {
			b.WriteString(s.referenceRow())
		}
	}
}

// referenceRow returns the setting's row in a table of the page.
func (s Setting) referenceRow() string {
	reload := "yes"
	if s.Restart {
		reload = "no"
	}
	cells := []string{
		"`" + s.Key + "`",
		s.Type(),
		"`" + s.binding.defaultLiteral() + "`",
		s.meaning(),
		reload,
		"`" + s.Env() + "`",
		s.pgbouncerNote(),
	}
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// meaning returns what a setting does, and what its zero means, as sentences.
func (s Setting) meaning() string {
	text := strings.ToUpper(s.Doc[:1]) + s.Doc[1:] + "."
	if s.Zero != "" {
		text += " " + s.Zero + "."
	}
	return text
}

// pgbouncerNote returns how PgBouncer differs.
func (s Setting) pgbouncerNote() string {
	switch s.PgBouncer {
	case "":
		return "same"
	case notInPgBouncer:
		return "pgweir's own"
	}
	return s.PgBouncer
}
