package wire

import "testing"

func TestSASLprep(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, give, want string }{
		{"ASCII", "pencil \x01~", "pencil \x01~"},
		{"composed already", "pässword", "pässword"},
		{"decomposed", "pa\u0308ssword", "pässword"},
		{"RFC 4013: soft hyphen", "I\u00adX", "IX"},
		{"RFC 4013: ordinal", "\u00aa", "a"},
		{"RFC 4013: roman nine", "\u2168", "IX"},
		{"RFC 4013: prohibited", "\u00a0\u0007", "\u00a0\u0007"},
		{"no-break space", "a\u00a0b", "a b"},
		{"zero-width space", "a\u200bb", "a b"},
		{"private use stays whole", "\u2168\ue000", "\u2168\ue000"},
		{"noncharacter stays whole", "\u2168\ufdd0", "\u2168\ufdd0"},
		{"direction mark stays whole", "\u2168\u202e", "\u2168\u202e"},
		{"nothing left", "\u00ad", "\u00ad"},
		{"not UTF-8", "\u2168\xff", "\u2168\xff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := saslprep(tt.give); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
