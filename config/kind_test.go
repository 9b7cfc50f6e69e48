package config

import (
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

// decode returns what TOML makes of a literal.
func decode(t testing.TB, literal string) any {
	t.Helper()
	var file map[string]any
	if _, err := toml.Decode("v = "+literal, &file); err != nil {
		t.Fatal(err)
	}
	return file["v"]
}

func TestDurations(t *testing.T) {
	const refused = -1
	tests := []struct {
		name, literal string
		kind          kind[time.Duration]
		want          time.Duration
	}{
		{"seconds", `30`, timeout(), 30 * time.Second},
		{"fraction", `0.5`, timeout(), 500 * time.Millisecond},
		{"string", `"1m30s"`, timeout(), 90 * time.Second},
		{"milliseconds", `"500ms"`, timeout(), 500 * time.Millisecond},
		{"shortest", `"1ms"`, timeout(), time.Millisecond},
		{"zero", `0`, timeout(), 0},
		{"zero float", `0.0`, timeout(), 0},
		{"zero string", `"0s"`, timeout(), 0},
		{"longest", `315360000`, timeout(), maxDuration},
		{"too long", `315360001`, timeout(), refused},
		{"far too long", `9223372036854775807`, timeout(), refused},
		{"too short", `"999us"`, timeout(), refused},
		{"too short float", `0.0009`, timeout(), refused},
		{"rounds to zero", `1e-12`, timeout(), refused},
		{"rounds to zero string", `"0.1ns"`, timeout(), refused},
		{"negative", `-1`, timeout(), refused},
		{"negative string", `"-1s"`, timeout(), refused},
		{"infinite", `inf`, timeout(), refused},
		{"not a number", `nan`, timeout(), refused},
		{"no unit", `"30"`, timeout(), refused},
		{"words", `"a minute"`, timeout(), refused},
		{"boolean", `true`, timeout(), refused},

		{"pause", `"1s"`, pause(), time.Second},
		{"no pause", `0`, pause(), refused},
		{"kernel", `1`, kernelSeconds(), time.Second},
		{"kernel, system", `0`, kernelSeconds(), 0},
		{"kernel, too short", `"999ms"`, kernelSeconds(), refused},
		{"unit", `"30ms"`, milliseconds(), 30 * time.Millisecond},
		{"unit, zero", `0`, milliseconds(), 0},
		{"unit, bare", `30`, milliseconds(), refused},
		{"unit, bare float", `0.5`, milliseconds(), refused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.kind.parse(decode(t, tt.literal))
			if (err != nil) != (tt.want == refused) || err == nil && got != tt.want {
				t.Errorf("parse(%s) = %v, %v, want %v", tt.literal, got, err, tt.want)
			}
		})
	}
}

// TestDurationsReadBack holds that a duration that is printed is read as the same.
func TestDurationsReadBack(t *testing.T) {
	k := timeout()
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0"},
		{time.Millisecond, "1ms"},
		{1500 * time.Millisecond, "1.5s"},
		{time.Minute, "60s"},
		{time.Hour, "3600s"},
		{maxDuration, "315360000s"},
	}
	for _, tt := range tests {
		if got := k.print(tt.d); got != tt.want {
			t.Errorf("print(%v) = %s, want %s", tt.d, got, tt.want)
		}
		for how, raw := range map[string]any{
			"literal": decode(t, k.literal(tt.d)),
			"text":    k.fromText(k.print(tt.d)),
		} {
			if got, err := k.parse(raw); err != nil || got != tt.d {
				t.Errorf("%v as %s is read as %v, %v", tt.d, how, got, err)
			}
		}
	}
}

func TestListenHosts(t *testing.T) {
	k := listenHosts()
	tests := []struct {
		literal string
		want    []string
		refused bool
	}{
		{`""`, nil, false},
		{`[]`, nil, false},
		{`"127.0.0.1"`, []string{"127.0.0.1"}, false},
		{`"*"`, []string{"*"}, false},
		{`"a, ::1,fe80::1%eth0"`, []string{"a", "::1", "fe80::1%eth0"}, false},
		{`["a", "b"]`, []string{"a", "b"}, false},
		{`"a,,b"`, nil, true},
		{`"127.0.0.1:6432"`, nil, true},
		{`"/tmp"`, nil, true},
		{`["a,b"]`, nil, true},
		{`["a", ""]`, nil, true},
		{`[["a"]]`, nil, true},
		{`6432`, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.literal, func(t *testing.T) {
			got, err := k.parse(decode(t, tt.literal))
			if (err != nil) != tt.refused {
				t.Fatalf("parse = %v, %v", got, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}

			again, err := k.parse(decode(t, k.literal(got)))
			if err != nil || !cmp.Equal(got, again) {
				t.Errorf("%s is read as %v, %v", k.literal(got), again, err)
			}
		})
	}
}

func TestStrings(t *testing.T) {
	tests := []struct {
		kind    kind[string]
		value   string
		refused bool
	}{
		{serverHost(), "localhost", false},
		{serverHost(), "/var/run/with space", false},
		{serverHost(), "::1", false},
		{serverHost(), "", true},
		{serverHost(), "a b", true},
		{serverHost(), "run/postgresql", true},
		{hostPort(), "", false},
		{hostPort(), ":9127", false},
		{hostPort(), "[::1]:0", false},
		{hostPort(), "localhost", true},
		{hostPort(), "localhost:http", true},
		{hostPort(), "localhost:70000", true},
		{hostPort(), "::1:9127", true},
		{hostPort(), "http://h:9127", true},
		{anyString(), "", false},
		{anyString(), "a\x00b", true},
	}
	for _, tt := range tests {
		if _, err := tt.kind.parse(tt.value); (err != nil) != tt.refused {
			t.Errorf("%s: parse(%q) = %v", tt.kind.name, tt.value, err)
		}
	}
}

func TestOctalMode(t *testing.T) {
	k := octalMode()
	for _, text := range []string{"0777", "0700", "0000"} {
		mode, err := k.parse(text)
		if err != nil || k.print(mode) != text || decode(t, k.literal(mode)) != text {
			t.Errorf("%s is read as %v, %v", text, mode, err)
		}
	}
	for _, raw := range []any{"", "0888", "01777", "-1", "rwx", int64(777), true} {
		if mode, err := k.parse(raw); err == nil {
			t.Errorf("parse(%v) = %v", raw, mode)
		}
	}
}

// TestLongValuesAreCut holds that a message stays a line, and valid UTF-8.
func TestLongValuesAreCut(t *testing.T) {
	_, err := parsePort(strings.Repeat("ä", 100) + "x")
	if err == nil || len(err.Error()) > 150 || strings.ContainsRune(err.Error(), '\uFFFD') {
		t.Errorf("error %v", err)
	}
}

// parsePort reads a port from text.
func parsePort(text string) (int, error) { return serverPort().parse(serverPort().fromText(text)) }

// TestNewSection holds what a later table of the file needs: one struct and one
// section give it a file, variables, flags and advice.
func TestNewSection(t *testing.T) {
	type numbers struct{ Statements int }
	var at numbers
	sec := single("numbers", "Numbers.", func(*Config) *numbers { return &at }, []group{{"Size", []Setting{{
		Key: "statements", Doc: "statements kept",
		binding: bind(func(s *numbers) *int { return &s.Statements }, count(1), 1000),
	}}}})
	sec.reset(&at)

	l := newLoader()
	l.sections = append(l.sections, sec)
	l.parse("x.toml", []byte("[pgweir]\nauth_type = \"trust\"\nstatements = 1\n[numbers]\nstatements = 2\n[databases.a]\n"))
	if at.Statements != 2 {
		t.Errorf("from the file: %d", at.Statements)
	}
	l.readEnv([]string{"PGWEIR_NUMBERS_STATEMENTS=3"})
	if at.Statements != 3 {
		t.Errorf("from the environment: %d", at.Statements)
	}
	l.readFlags(map[string]string{"numbers.statements": "4"})
	if at.Statements != 4 {
		t.Errorf("from a flag: %d", at.Statements)
	}
	_, err := l.finish()
	want := "x.toml:3: pgweir.statements: unknown setting; it belongs in [numbers]"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
