package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// columns is how wide what is printed for a person may be.
const columns = 100

// cut returns a text in one line of at most so many characters.
func cut(text string, width int) string {
	text = printable(strings.Join(strings.Fields(text), " "))
	if utf8.RuneCountInString(text) <= width {
		return text
	}

	return string([]rune(text)[:width-1]) + "…"
}

// wrap returns a text in lines of at most so many characters, and no more lines than
// that.
func wrap(text string, width, most int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch word = cut(word, width); {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	lines = append(lines, line)
	if len(lines) > most {
		lines = lines[:most]
		lines[most-1] = cut(lines[most-1], width-2) + " …"
	}

	return lines
}

// took writes milliseconds with three digits that count, in at most 8 characters up to
// some hundred years.
func took(ms float64) string {
	for _, u := range []struct {
		name string
		ms   float64 // of one
		most float64 // from which on the next unit is easier to read
	}{{"µs", 1e-3, 999.5}, {"ms", 1, 999.5}, {"s", 1e3, 99.95}, {"min", 60e3, 99.95}} {
		if v := ms / u.ms; v < u.most {
			return digits(v) + " " + u.name
		}
	}

	return digits(ms/3_600_000) + " h"
}

// digits writes a number with three digits that count, and all those before the point.
func digits(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}

	return fmt.Sprintf("%.0f", v)
}
