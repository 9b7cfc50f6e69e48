package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/pgweir/pgweir/sqltext"
)

// aboutFingerprint goes on the help screen of fingerprint.
const aboutFingerprint = "Prints what pgweir makes of SQL statements: fingerprint, kind, tables, tags and\n" +
	"the text without literals. They are the arguments, each of which may hold some;\n" +
	"without arguments they come from standard input, as JSON, one object a line:\n\n" +
	"  {\"query\": \"SELECT 1\"}\n\n" +
	"docs/fingerprints.md explains the rules."

// maxInputLine is how long a line of standard input may be: PostgreSQL takes messages
// of 1 GB, but nobody means that here.
const maxInputLine = 64 << 20

// runFingerprint prints fingerprints.
func runFingerprint(_ context.Context, args []string, stdout, stderr io.Writer) error {
	return fingerprint(args, os.Stdin, stdout, stderr)
}

// fingerprint is runFingerprint with a standard input.
func fingerprint(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	fs := newFlags("fingerprint", aboutFingerprint)
	fs.operands = "[STATEMENT...]"
	asJSON := fs.Bool("json", false, "print JSON, one object a line for each statement")
	encoding := fs.String("encoding", "UTF8", "read the text in that `client_encoding`")
	backslashes := fs.Bool("backslashes", false, "read '...' as with standard_conforming_strings off")
	numbered := fs.Bool("merge-numbered", false, "take tables for one that differ in numbers of two digits or more")
	if err := fs.parse(args, stdout); err != nil {
		return err
	}
	if !isEncoding(*encoding) {
		return &exitError{code: exitUsage, err: fmt.Errorf("unknown encoding %q; see pgweir fingerprint --help", *encoding)}
	}
	out := bufio.NewWriter(stdout)
	f := fingerprinter{out: out, errors: stderr, json: *asJSON, options: sqltext.Options{
		BackslashQuotes: *backslashes, Encoding: sqltext.EncodingOf(*encoding), MergeNumbered: *numbered,
	}}
	var err error
	if fs.NArg() > 0 {
		for _, text := range fs.Args() {
			f.print([]byte(text))
		}
	} else {
		err = f.readLines(stdin)
	}

	return errors.Join(err, out.Flush())
}

// isEncoding reports whether the name is one that PostgreSQL reports as client_encoding.
func isEncoding(name string) bool {
	name = strings.ToUpper(name)
	others := []string{
		"UTF8", "SQL_ASCII", "EUC_JP", "EUC_CN", "EUC_KR", "EUC_TW", "EUC_JIS_2004", "MULE_INTERNAL",
		"KOI8R", "KOI8U", "ISO_8859_5", "ISO_8859_6", "ISO_8859_7", "ISO_8859_8",
	}

	return sqltext.EncodingOf(name) != sqltext.ASCIISafe || slices.Contains(others, name) ||
		strings.HasPrefix(name, "LATIN") || strings.HasPrefix(name, "WIN")
}

// A fingerprinter prints what sqltext makes of texts.
type fingerprinter struct {
	out     io.Writer
	errors  io.Writer
	json    bool
	options sqltext.Options
	printed bool // something, so that an empty line comes next
}

// readLines prints the statements in JSON lines. Lines that are none are reported, and
// are an error in the end.
func (f *fingerprinter) readLines(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxInputLine)
	n, bad := 0, 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		query, err := parseLine(lines.Bytes())
		if err != nil {
			fmt.Fprintf(f.errors, "pgweir: line %d: %v\n", n, err)
			bad++

			continue
		}
		f.print([]byte(query))
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	if bad > 0 {
		return &exitError{code: exitFailure} // said above
	}

	return nil
}

// parseLine returns the query in a line of standard input. Other fields do not matter.
// An error has nothing of the line in it: that may be a secret.
func parseLine(line []byte) (string, error) {
	var in struct {
		Query *string `json:"query"`
	}
	var syntax *json.SyntaxError
	err := json.Unmarshal(line, &in)
	switch {
	case errors.As(err, &syntax):
		return "", fmt.Errorf("not JSON, at byte %d", syntax.Offset)
	case err != nil, in.Query == nil:
		return "", errors.New(`want an object with a string "query"`)
	}

	return *in.Query, nil
}

// A finding is what is printed of a statement.
type finding struct {
	Fingerprint sqltext.ID        `json:"fingerprint"`
	Kind        sqltext.Kind      `json:"kind"`
	Summary     string            `json:"summary,omitempty"` // in JSON only
	Tables      []string          `json:"tables,omitempty"`
	Written     []string          `json:"written,omitempty"` // those of the tables that are
	Tags        map[string]string `json:"tags,omitempty"`
	Text        string            `json:"text"`
	tags        []string          // key=value, in order
}

// print prints what there is to say of each statement of a text.
func (f *fingerprinter) print(text []byte) {
	var s sqltext.Scanner
	none := true
	for s.Init(text, f.options); s.Next(); none = false {
		f.write(f.find(text, s.Statement()))
	}
	if none {
		f.write(finding{Fingerprint: sqltext.Fingerprint(text, f.options)})
	}
}

// find collects what there is to say of a statement.
func (f *fingerprinter) find(text []byte, st sqltext.Statement) finding {
	part := text[st.Start:st.End]
	found := finding{Fingerprint: st.Fingerprint, Kind: st.Kind}
	found.Summary = strings.ToValidUTF8(sqltext.Summary(part, f.options), "\ufffd")
	found.Text = strings.ToValidUTF8(sqltext.Normalise(part, f.options), "\ufffd")
	for _, t := range sqltext.DetailsOf(part, f.options).Tables {
		found.Tables = append(found.Tables, t.String())
		if t.Written {
			found.Written = append(found.Written, t.String())
		}
	}
	for _, tag := range st.Tags(nil, text) {
		if found.Tags == nil {
			found.Tags = make(map[string]string)
		}
		found.Tags[tag.Key] = tag.Value
		found.tags = append(found.tags, tag.Key+"="+tag.Value)
	}

	return found
}

// printable returns a text without control characters, which the names in a statement may
// have: a terminal would obey them.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}

		return r
	}, text)
}

// write writes a finding.
func (f *fingerprinter) write(found finding) {
	if f.json {
		encoder := json.NewEncoder(f.out)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(found) // a finding can be encoded, and Flush tells what cannot be written

		return
	}
	if f.printed {
		fmt.Fprintln(f.out)
	}
	f.printed = true
	found.Text = printable(found.Text)
	fmt.Fprintf(f.out, "fingerprint  %s\nkind         %s\n", found.Fingerprint, found.Kind)
	if len(found.Tables) > 0 {
		fmt.Fprintf(f.out, "tables       %s\n", printable(strings.Join(found.Tables, ", ")))
	}
	if len(found.Written) > 0 {
		fmt.Fprintf(f.out, "written      %s\n", printable(strings.Join(found.Written, ", ")))
	}
	if len(found.tags) > 0 {
		fmt.Fprintf(f.out, "tags         %s\n", strings.Join(found.tags, ", "))
	}
	if found.Text != "" {
		fmt.Fprintf(f.out, "text         %s\n", found.Text)
	}
}
