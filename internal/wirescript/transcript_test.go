package wirescript

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// transcript is one with the lines of a text, numbered.
func transcript(text string) Transcript {
	var t Transcript
	for i, line := range strings.Fields(text) {
		t = append(t, Entry{Line: i + 1, Text: line})
	}

	return t
}

func TestDiff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want, got string
		diff            *Difference
	}{
		{"same", "a b c", "a b c", nil},
		{"empty", "", "", nil},
		{"other line", "a b c d e f g", "a b c x e f g", &Difference{4, " b\n c\n-d\n+x\n e\n f\n"}},
		{"missing", "a b c", "a c", &Difference{2, " a\n-b\n c\n"}},
		{"more", "a b", "a b c", &Difference{3, " a\n b\n+c\n"}},
		{"nothing", "a", "", &Difference{1, "-a\n"}},
		{"far apart", "a b c d e f g h", "x b c d e f g y", &Difference{1, "-a\n+x\n b\n c\n...\n f\n g\n-h\n+y\n"}},
		{"moved", "a b c", "b c a", &Difference{1, "-a\n b\n c\n+a\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.diff, Diff(transcript(tt.want), transcript(tt.got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDiffParameterStatus: in which order they follow each other makes no difference.
func TestDiffParameterStatus(t *testing.T) {
	t.Parallel()
	var want, got Transcript
	for _, text := range []string{"> S", "    S a=1", "    S b=2", "    Z I", "    S c=3"} {
		want = append(want, Entry{Line: 1, Text: text})
	}
	got = Transcript{want[0], want[2], want[1], want[3], want[4]}
	if d := Diff(want, got); d != nil {
		t.Errorf("got a difference:\n%s", d.Text)
	}
	got = Transcript{want[0], want[1], want[2], want[4], want[3]}
	if Diff(want, got) == nil {
		t.Error("got none between other messages")
	}
}

func TestExplanations(t *testing.T) {
	t.Parallel()
	all, err := parseExplanations("x.diff", "## one two server<18\n# Because of\n# that.\n a\n-b\n+    #c\n...\n\n## three\n# Why.\n-x\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []explanation{
		{configurations: []string{"one", "two"}, below: 18, reason: "Because of\nthat.\n", text: " a\n-b\n+    #c\n...\n"},
		{configurations: []string{"three"}, reason: "Why.\n", text: "-x\n"},
	}
	if diff := cmp.Diff(want, all, cmp.AllowUnexported(explanation{})); diff != "" {
		t.Error(diff)
	}
	if e := all[0]; !e.explains("two", 17) || e.explains("two", 18) || e.explains("three", 17) {
		t.Error("it explains something else")
	}
	if e := all[1]; !e.explains("three", 99) {
		t.Error("it does not explain a later version")
	}
}

func TestExplanationsWithoutReason(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"-a\n":                   "x.diff:1",
		"## one\n-a\n":           "say why",
		"## one server<x\n# a\n": "x.diff:1",
	} {
		if _, err := parseExplanations("x.diff", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	s := &Script{Name: "x", explained: []explanation{{configurations: []string{"one"}, text: " a\n-b\n"}}}
	for name, test := range map[string]struct{ want, got, configuration, complaint string }{
		"same":              {"a b", "a b", "two", ""},
		"explained":         {"a b", "a", "one", ""},
		"not explained":     {"a b", "a", "two", "x.script:2, configuration two"},
		"explained, gone":   {"a b", "a b", "one", "not any more"},
		"explained, others": {"a c", "a", "one", "explains another"},
	} {
		got := s.Judge(transcript(test.want), transcript(test.got), test.configuration, 15)
		if (got == "") != (test.complaint == "") || !strings.Contains(got, test.complaint) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
