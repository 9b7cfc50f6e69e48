package wire

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestParseUserlist(t *testing.T) {
	t.Parallel()
	const list = "; users of the shop\n" +
		"\"app\" \"hunter2\"\n" +
		"\n" +
		"  # another comment\r\n" +
		"\"quo\"\"te\"\t\"a\"\"\"\"b\" \"ignored\" rest\r\n" +
		"  \"md5\" \"md5d41d8cd98f00b204e9800998ecf8427e\" ; a comment\n" +
		"\"scram\" \"" + pencil + "\"#c\n" +
		"\"nopassword\" \"\"\n" +
		"\"spaces and ; #\" \" ; # \""

	got, err := ParseUserlist(iotest.OneByteReader(strings.NewReader(list)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Secret{
		"app":            mustSecret(t, "hunter2"),
		`quo"te`:         mustSecret(t, `a""b`),
		"md5":            mustSecret(t, "md5d41d8cd98f00b204e9800998ecf8427e"),
		"scram":          mustSecret(t, pencil),
		"nopassword":     {},
		"spaces and ; #": mustSecret(t, " ; # "),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got["md5"].Kind() != SecretMD5 || got["scram"].Kind() != SecretSCRAM {
		t.Errorf("kinds are %v and %v", got["md5"].Kind(), got["scram"].Kind())
	}
}

func TestParseUserlistReportsAllProblems(t *testing.T) {
	t.Parallel()
	const list = `"ok" "a"
user "s3cret"
"open "s3cret"
"alone"
"a" s3cret
"b" "s3cret
"" "s3cret"
"ok" "s3cret"
"c" "s3cret"x
"d" "SCRAM-SHA-256$s3cret"
"` + "x123456789012345678901234567890123456789012345678901234567890123" + `" "s3cret"
`
	users, err := ParseUserlist(strings.NewReader(list))
	if err == nil || users != nil {
		t.Fatalf("got %v, %v", users, err)
	}
	const want = `line 2: want "user" "secret", each in double quotes
line 3: user "open ": want a secret in double quotes
line 4: user "alone": want a secret in double quotes
line 5: user "a": want a secret in double quotes
line 6: user "b": want a secret in double quotes
line 7: user name of 0 bytes: want 1 to 63
line 8: user "ok" is already on line 1
line 9: user "c": want a secret in double quotes
line 10: user "d": malformed SCRAM-SHA-256 verifier
line 11: user name of 64 bytes: want 1 to 63`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestParseUserlistReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	_, err := ParseUserlist(iotest.ErrReader(broken))
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	_, err = ParseUserlist(strings.NewReader("\"a\" \"b\"\n" + strings.Repeat("x", maxUserlistLine+1)))
	if err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("an endless line gives %v", err)
	}
}

// FuzzUserlist checks that each user of a list that is accepted is accepted again
// when written in the simplest form.
func FuzzUserlist(f *testing.F) {
	f.Add(`"user" "secret"`)
	f.Add("; comment\n# comment\n\n\"a\"\"b\" \"\" x\r\n")
	f.Add(`"a" "` + pencil + `"`)
	f.Add(`"a" "md5d41d8cd98f00b204e9800998ecf8427e"`)
	f.Add("\"a\" \"b\n\"c\" \"d\"")
	f.Fuzz(func(t *testing.T, list string) {
		users, err := ParseUserlist(strings.NewReader(list))
		if err != nil {
			if users != nil {
				t.Fatal("users beside an error")
			}

			return
		}
		var again strings.Builder
		for user, secret := range users {
			text := ""
			if secret.Kind() != SecretNone {
				text = secret.s.text
			}
			again.WriteString(quote(user) + " " + quote(text) + "\n")
		}
		got, err := ParseUserlist(strings.NewReader(again.String()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(users, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// quote writes s as a userlist does.
func quote(s string) string {
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
