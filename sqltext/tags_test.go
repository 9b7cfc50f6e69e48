package sqltext

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tagsIn returns the tags of the first statement of a text.
func tagsIn(text string) []Tag {
	var s Scanner
	s.Init([]byte(text), Options{})
	s.Next()
	st := s.Statement()

	return st.Tags(nil, []byte(text))
}

func TestTags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []Tag
	}{
		{"none", "SELECT 1", nil},
		{"prose", "/* select u from User u, see http://x */ SELECT 1 /* it's 1 = one */", nil},
		{
			"sqlcommenter", "SELECT 1 /*controller='users',route='%2Fusers%2F%3Aid'*/",
			[]Tag{{"controller", "users"}, {"route", "/users/:id"}},
		},
		{"doubled percent signs", "SELECT 1 /*route='%%2Fusers'*/", []Tag{{"route", "/users"}}},
		{"escaped quotes", `SELECT 1 /*route='it\'s'*/`, []Tag{{"route", "it's"}}},
		{
			"a trace", "SELECT 1 /*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/",
			[]Tag{{"trace_id", "0af7651916cd43dd8448eb211c80319c"}},
		},
		{
			"marginalia", "/*application:Shop,controller:users,line:/app/x.rb:12*/ SELECT 1",
			[]Tag{{"application", "Shop"}, {"controller", "users"}, {"source_location", "/app/x.rb:12"}},
		},
		{"a directive", "/* pgweir:n1 ignore */ SELECT 1", []Tag{{"pgweir", "n1 ignore"}}},
		{"both edges, the first wins", "/*route='a'*/ SELECT 1 /*route='b',job='c'*/", []Tag{{"route", "a"}, {"job", "c"}}},
		{"several in a row", "SELECT 1 /* see below */ /*app:a*/ -- x\n /*action='b'*/", []Tag{{"application", "a"}, {"action", "b"}}},
		{"in front of the semicolon", "SELECT 1 /*route='a'*/;", []Tag{{"route", "a"}}},
		{"behind it", "SELECT 1; /*route='a'*/", []Tag{{"route", "a"}}},
		{"of the next statement", "SELECT 1; /*route='a'*/ SELECT 2", nil},
		{"control characters", "SELECT 1 /*route='a%0Ab%00c\x01'*/", []Tag{{"route", "abc"}}},
		{"not UTF-8", "SELECT 1 /*route='a%FFb'*/", []Tag{{"route", "ab"}}},
		{"in a string", "SELECT '/*route=''a''*/'", nil},
		{"a hint", "/*+ SeqScan(t) */ SELECT 1", []Tag{{"hint", "SeqScan(t)"}}},
		{"an empty hint", "/*+*/ SELECT 1", []Tag{{"hint", ""}}},
		{"broken", "SELECT 1 /*route='a*/", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tagsIn(tt.text)); diff != "" {
				t.Errorf("%s: %s", tt.text, diff)
			}
		})
	}
}

// TestTagsAreBounded: a comment is text of whoever sends it.
func TestTagsAreBounded(t *testing.T) {
	t.Parallel()
	many := "SELECT 1 /*"
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		many += string(c) + "='x',"
	}
	if n := len(tagsIn(many + "z='x'*/")); n != maxTags {
		t.Errorf("%d tags", n)
	}
	long := tagsIn("SELECT 1 /*route='" + strings.Repeat("é", 1000) + "'*/")
	if len(long) != 1 || len(long[0].Value) > maxTagValue {
		t.Errorf("%v", long)
	}
	if got := tagsIn("SELECT 1 /*route='" + strings.Repeat("x", maxTagComment) + "'*/"); got != nil {
		t.Errorf("a long comment has tags: %.100v", got)
	}
}

func FuzzTags(f *testing.F) {
	f.Add("route='%2Fa',b='c'")
	f.Add("application:a,b:c")
	f.Fuzz(func(t *testing.T, comment string) {
		for _, tag := range tagsIn("SELECT 1 /*" + comment + "*/") {
			if len(tag.Key) > maxTagKey || len(tag.Value) > maxTagValue || strings.ContainsAny(tag.Value, "\n\x00") {
				t.Errorf("%q", tag)
			}
		}
	})
}
