package sqltext

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newLexer returns a lexer of text.
func newLexer(text []byte, o Options) (l lexer) {
	l.init(text, o)

	return l
}

// cutText returns the tokens of a text.
func cutText(text string, o Options) []string {
	all := []string{}
	var t token
	for l := newLexer([]byte(text), o); ; {
		l.next(&t)
		switch t.kind {
		case tokEnd:
			return all
		case tokInvalid:
			return append(all, "invalid")
		}
		all = append(all, text[t.start:t.end])
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want []string
	}{
		{"a b\tc\nd\fe\vf", []string{"a", "b", "c", "d", "e", "f"}},
		{"a$b_1é", []string{"a$b_1é"}},
		{"1 12_3 1__2 0x1_F 0o17 0b1_1 0x 0xg", []string{"1", "12_3", "1__2", "0x1_F", "0o17", "0b1_1", "0x", "0xg"}},
		{"1.5 .5 5. 1e5 1E+5 1.e-5 1e 1e+", []string{"1.5", ".5", "5.", "1e5", "1E+5", "1.e-5", "1e", "1e", "+"}},
		{"1..10 1.5.5 1.a", []string{"1", "..", "10", "1.5", ".5", "1.a"}},
		{"$1 $12abc $a $", []string{"$1", "$12abc", "$", "a", "$"}},
		{"'a''b' 'a' 'b'", []string{"'a''b'", "'a'", "'b'"}},
		{"'a'\n'b'", []string{"'a'\n'b'"}},
		{"'a' -- c\n\t'b'", []string{"'a' -- c\n\t'b'"}},
		{"'a' /* c */\n'b'", []string{"'a'", "'b'"}},
		{"'a' -- 'b'", []string{"'a'"}},
		{`'a\' 'b'`, []string{`'a\'`, "'b'"}},
		{`E'a\'b' e'\\' E'a'` + "\n" + `'\''`, []string{`E'a\'b'`, `e'\\'`, `E'a'` + "\n" + `'\''`}},
		{"B'0''1' x'f' N'a'", []string{"B'0'", "'1'", "x'f'", "N'a'"}},
		{`U&'\0061' u&"a" U&'a' UESCAPE '!' u & a`, []string{`U&'\0061'`, `u&"a"`, "U&'a'", "u", "&", "a"}},
		{"fe'a' ae 'b'", []string{"fe", "'a'", "ae", "'b'"}},
		{"$$a$b$$ $x$ $y$ $x$ $x$a$x$x$", []string{"$$a$b$$", "$x$ $y$ $x$", "$x$a$x$", "x$"}},
		{"a$$b", []string{"a$$b"}},
		{`"a""b" "C"`, []string{`"a""b"`, `"C"`}},
		{"a /* b /* c */ d */ e --f\ng --h", []string{"a", "e", "g"}},
		{"/*/ */ a", []string{"a"}},
		{"a+b a+-b a=-b a@-b a-+b a<-+-b a*-b", []string{
			"a", "+", "b", "a", "+", "-", "b", "a", "=", "-", "b", "a", "@-", "b", "a", "-", "+", "b", "a", "<", "-", "+", "-", "b", "a", "*", "-", "b",
		}},
		{"a->>b a#>b a||b a<=b a<>b a!=b a=>b", []string{
			"a", "->>", "b", "a", "#>", "b", "a", "||", "b", "a", "<=", "b", "a", "<>", "b", "a", "!=", "b", "a", "=>", "b",
		}},
		{"a+--b\nc */*d*/ e @--x\n", []string{"a", "+", "c", "*", "e", "@"}},
		{"a::b a:=b a:b a.b a[1:2]", []string{
			"a", "::", "b", "a", ":=", "b", "a", ":", "b", "a", ".", "b", "a", "[", "1", ":", "2", "]",
		}},
		{"(a,b);", []string{"(", "a", ",", "b", ")", ";"}},
		{`{ \ }`, []string{"{", `\`, "}"}},
		{"a 'b", []string{"a", "invalid"}},
		{`a "b`, []string{"a", "invalid"}},
		{"a /* b /* */", []string{"a", "invalid"}},
		{"a $b$ $c$", []string{"a", "invalid"}},
		{`a E'\'`, []string{"a", "invalid"}},
		{"a \x01 b", []string{"a", "invalid"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, cutText(tt.text, Options{})); diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
	}
}

func TestTokensWithBackslashes(t *testing.T) {
	t.Parallel()
	o := Options{BackslashQuotes: true}
	got := cutText(`'a\'b' N'\'' B'\' $$\$$ E'\''`, o)
	want := []string{`'a\'b'`, `N'\''`, `B'\'`, `$$\$$`, `E'\''`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTokensInEncodings: the second byte of a character may be one of ASCII, which then
// means nothing.
func TestTokensInEncodings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, encoding, text string
		want                 []string
	}{
		{"a backslash in a name", "SJIS", "\x95\\ a", []string{"\x95\\", "a"}},
		{"a backslash in a string", "SJIS", "E'\x95\\' 'a'", []string{"E'\x95\\'", "'a'"}},
		{"the same bytes elsewhere", "LATIN1", "E'\x95\\' 'a'", []string{"E'\x95\\' '", "a", "invalid"}},
		{"kana of one byte", "SJIS", "E'\xb1\\'' a", []string{"E'\xb1\\''", "a"}},
		{"an escaped character", "BIG5", "E'\\\xa5\\' a", []string{"E'\\\xa5\\'", "a"}},
		{"a bracket in a name", "GBK", "a\x81[ b", []string{"a\x81[", "b"}},
		{"four bytes", "GB18030", "E'\x810\x810\\\\' a\x810\x810b", []string{"E'\x810\x810\\\\'", "a\x810\x810b"}},
		{"three bytes", "JOHAB", "E'\x8f\xa1\\' a", []string{"E'\x8f\xa1\\'", "a"}},
		{"a quote ends no character", "UHC", "'\x81' a", []string{"'\x81'", "a"}},
		{"the end of the text", "SHIFT_JIS_2004", "a\x95", []string{"a\x95"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := cutText(tt.text, Options{Encoding: EncodingOf(tt.encoding)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFoldingInEncodings: a letter that is the second byte of a character has no case.
func TestFoldingInEncodings(t *testing.T) {
	t.Parallel()
	o := Options{Encoding: ShiftJIS}
	same := Fingerprint([]byte("SELECT \x83A"), o) == Fingerprint([]byte("select \x83A"), o)
	other := Fingerprint([]byte("SELECT \x83A"), o) != Fingerprint([]byte("SELECT \x83a"), o)
	if !same || !other {
		t.Errorf("the case of words %v, of bytes of characters %v", same, other)
	}
}

// TestShortWord: words that are read eight bytes at once are those that are read byte
// by byte, with the same hashes.
func TestShortWord(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for _, at := range []int{1, 3, 7} {
			for _, fill := range []string{"abcdefgh", "A_$9b^Z~", "A_$9\xffZ\x80z", "........"} {
				text := []byte(fill)
				text[0], text[at] = 'Q', byte(c)
				l := newLexer(text, Options{})
				end := l.wordEnd(0)
				var tok token
				plain := bytes.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
				short := plain && end < 8 && text[1] != '\'' && text[1] != '&'
				want := token{kind: tokWord, end: int32(end), hash: hashWord(text, 0, end)}
				if got := l.shortWord(&tok, 0); got != short || got && (tok != want || l.at != end) {
					t.Errorf("%q: %v, %+v up to %d, want %v, %+v", text, got, tok, l.at, short, want)
				}
			}
		}
	}
}
