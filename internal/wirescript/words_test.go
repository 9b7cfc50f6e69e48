package wirescript

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]word{
		``:                       nil,
		` a  b	c `:               {{text: "a"}, {text: "b"}, {text: "c"}},
		`"" NULL "NULL"`:         {{quoted: true}, {text: "NULL"}, {text: "NULL", quoted: true}},
		`"a \"b\"\n\x00"`:        {{text: "a \"b\"\n\x00", quoted: true}},
		"`a \"b\" \\n`":          {{text: `a "b" \n`, quoted: true}},
		`"a"*3+"b"+"c"*2 d`:      {{text: "aaabcc", quoted: true}, {text: "d"}},
		`k=v k="a b" app.x=""`:   {{key: "k", text: "v"}, {key: "k", text: "a b", quoted: true}, {key: "app.x", quoted: true}},
		`=1 "k=v"`:               {{text: "=1"}, {text: "k=v", quoted: true}},
		`"SELECT '"+"x"*2+"'" 1`: {{text: "SELECT 'xx'", quoted: true}, {text: "1"}},
	} {
		got, err := words(line)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(word{})); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", line, err, diff)
		}
	}
}

func TestWordsThatAreNone(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`"a`:    "not a quoted string",
		`"a"b`:  "not separated",
		`a"b"`:  "a quote in a word",
		`"a"*`:  "how many times",
		`"a"+b`: "not a quoted string",
	} {
		if _, err := words(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	s, err := Parse("x", "# comment\n\nservers 2\n> Q \"SELECT 1\"\n< Z I\n@B\nsql \"x\"\nwait \"x\"\ncancel @A wrong\n"+
		"connect\nlogin 3.2 a=b\n> startup 3.0 a=b\n> *3 S\n< *3 Z\n< byte N\n< nothing\npause\nclose\nreset\n> ssl\n> gssenc\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.Servers != 2 || len(s.lines) != 18 || s.lines[0].number != 4 {
		t.Errorf("got %d servers, %d lines, the first of them line %d", s.Servers, len(s.lines), s.lines[0].number)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"frobnicate":         "no line begins with",
		"> Y":                "no message is called Y",
		">":                  "which message",
		"> Q":                "SQL is missing",
		"> Q a b":            "too much",
		"> Q a=b":            "quote a value",
		"> P s x types=a":    "types",
		"> D x y":            "neither S",
		"> E p x":            "invalid syntax",
		"> startup":          "which version",
		"> startup 3.x":      "version",
		"> *x S":             "invalid syntax",
		"<":                  "missing",
		"< Z I x":            "too much",
		"servers 0":          "not a positive number",
		"cancel @A politely": "only a wrong key",
		"@A b":               "too much",
		"pause 1":            "too much",
		`> Q "`:              "not a quoted string",
	} {
		_, err := Parse("x.script", "\n"+line+"\n")
		if err == nil || !strings.HasPrefix(err.Error(), "x.script:2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}
