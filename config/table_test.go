package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// samples is a value other than the default for every type of setting but booleans
// and enumerations, as in the environment.
var samples = map[string]string{
	"integer":               "3",
	"duration":              "7s",
	"octal mode":            "0640",
	"host:port":             "127.0.0.1:1",
	"host or directory":     "db.internal",
	"host or list of hosts": "::1",
	"string":                "some text",
	"secret":                "hunter2",
	"list of strings":       "a, b",
	"list of fingerprints":  "0123456789abcdef",
}

// sampleFor returns a value of the setting that is not its default.
func sampleFor(s Setting) string {
	if words := strings.Split(s.Type(), " | "); len(words) > 1 {
		return slices.DeleteFunc(words, func(w string) bool { return w == s.Default() })[0]
	}
	if s.Type() == "boolean" {
		return map[string]string{"true": "false", "false": "true"}[s.Default()]
	}
	return samples[s.Type()]
}

// TestRowsReachTheirOwnFields holds that each row has a field of its own: setting
// one changes what that one reads, and nothing else.
func TestRowsReachTheirOwnFields(t *testing.T) {
	for _, sec := range sections() {
		for _, s := range sec.settings() {
			t.Run(s.Path("NAME"), func(t *testing.T) {
				dst := sec.get(Default(), "NAME")
				sample := sampleFor(s)
				if err := s.binding.setText(dst, sample); err != nil {
					t.Fatalf("setText(%q): %v", sample, err)
				}
				for _, other := range sec.settings() {
					changed := other.binding.text(dst) != other.Default()
					if changed != (other.Key == s.Key) {
						t.Errorf("%s = %q, default %q", other.Key, other.binding.text(dst), other.Default())
					}
				}
			})
		}
	}
}

// TestEveryFieldHasARow holds that no field of a section's struct was forgotten.
func TestEveryFieldHasARow(t *testing.T) {
	for _, sec := range sections() {
		structType := reflect.TypeOf(sec.get(Default(), "")).Elem()
		want := 0
		for i := range structType.NumField() {
			if f := structType.Field(i).Type; f.Kind() == reflect.Array {
				want += f.Len()
			} else {
				want++
			}
		}
		if got := len(sec.settings()); got != want {
			t.Errorf("[%s] has %d rows for the %d fields of %s", sec.name, got, want, structType)
		}
	}
}

// TestDefaultsAreValid holds that each default can be written in a file.
func TestDefaultsAreValid(t *testing.T) {
	for _, sec := range sections() {
		for _, s := range sec.settings() {
			file := "[" + sec.name + "]\n" + s.Key + " = " + s.binding.defaultLiteral()
			if sec.named {
				file = "[" + sec.name + ".x]\n" + s.Key + " = " + s.binding.defaultLiteral()
			}
			l := newLoader()
			l.parse("default.toml", []byte(file))
			if len(l.problems) > 0 {
				t.Errorf("the default of %s is refused: %v", s.Path("x"), l.problems)
			}
		}
	}
}

// TestVariablesAreUnambiguous holds that no variable of [pgweir] can be taken for
// one of another table or for one that is left alone.
func TestVariablesAreUnambiguous(t *testing.T) {
	all := sections()
	main := all[0]
	if main.name != mainSection {
		t.Fatalf("the first section is %s", main.name)
	}
	seen := map[string]bool{}
	for _, s := range main.settings() {
		env := s.Env()
		if seen[env] {
			t.Errorf("%s is there twice", env)
		}
		seen[env] = true
		if !isSettingVar(env) {
			t.Errorf("%s is never read", env)
		}
		for _, sec := range all[1:] {
			if strings.HasPrefix(env, envPrefix+strings.ToUpper(sec.name)+"_") {
				t.Errorf("%s looks like a variable of [%s]", env, sec.name)
			}
		}
	}
}

// TestRowsAreWritten holds the form of what is said about a setting.
func TestRowsAreWritten(t *testing.T) {
	for _, sec := range sections() {
		for _, s := range sec.settings() {
			if s.Doc == "" || unicode.IsUpper(rune(s.Doc[0])) && !strings.HasPrefix(s.Doc, "PgBouncer") ||
				strings.HasSuffix(s.Doc, ".") {
				t.Errorf("%s: Doc %q is not a lowercase phrase without a period", s.Path("NAME"), s.Doc)
			}
			if s.Section != sec.name {
				t.Errorf("%s is in section %q", s.Key, s.Section)
			}
		}
	}
}
