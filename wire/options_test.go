package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOptions(t *testing.T) {
	t.Parallel()
	for options, want := range map[string][]Parameter{
		"":                          nil,
		"  \t\n":                    nil,
		"-c a=b":                    {{"a", "b"}},
		"-ca=b":                     {{"a", "b"}},
		"--a=b":                     {{"a", "b"}},
		"--statement-timeout=":      {{"statement_timeout", ""}},
		" -c a=b  --c=d -c\te=f=g ": {{"a", "b"}, {"c", "d"}, {"e", "f=g"}},
		`-c search_path=a,\ b`:      {{"search_path", "a, b"}},
		`-c a=\\b\-c`:               {{"a", `\b-c`}},
		`-c a=b\`:                   {{"a", "b"}},
		"-c app.x=1 -c geqo=off":    {{"app.x", "1"}, {"geqo", "off"}},
	} {
		got, err := ParseOptions(options)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", options, err, diff)
		}
	}
}

func TestParseOptionsErrors(t *testing.T) {
	t.Parallel()
	for options, code := range map[string]string{
		"-e":        CodeFeatureNotSupported,
		"a=b":       CodeFeatureNotSupported,
		"-S 100":    CodeFeatureNotSupported,
		"-c":        CodeSyntaxError,
		"-c a":      CodeSyntaxError,
		"--a":       CodeSyntaxError,
		"--=b":      CodeSyntaxError,
		"--":        CodeSyntaxError,
		"-c a=b -x": CodeFeatureNotSupported,
	} {
		list, err := ParseOptions(options)
		e, ok := err.(*Error)
		if !ok || e.Code != code || !e.Fatal() || e.Hint == "" || list != nil {
			t.Errorf("%q: %v, %v", options, list, err)
		}
	}
}

func FuzzParseOptions(f *testing.F) {
	f.Add("-c a=b --c-d=e\\ f -cg=h")
	f.Fuzz(func(t *testing.T, options string) {
		list, err := ParseOptions(options)
		if _, ok := err.(*Error); err != nil && !ok {
			t.Errorf("not for a client: %v", err)
		}
		for _, p := range list {
			if p.Name == "" {
				t.Errorf("a setting without a name: %q", options)
			}
		}
	})
}
