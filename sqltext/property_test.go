package sqltext

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// A rewriting makes another text of one, or nil where it does not apply.
type rewriting func(text []byte, o Options) []byte

// respace returns text with a comment wherever there is space or could be.
func respace(text []byte, o Options) []byte {
	var out []byte
	var t token
	for l := newLexer(text, o); ; {
		l.next(&t)
		switch t.kind {
		case tokEnd:
			return append(out, " -- end"...)
		case tokInvalid:
			return nil
		}
		out = append(out, " /* a /* b */ ' */ "...)
		out = append(out, text[t.start:l.at]...)
	}
}

// otherValues returns text with other literals of the same classes.
func otherValues(text []byte, o Options) []byte {
	if bytes.Contains(bytes.ToLower(text), []byte("uescape")) {
		return nil // a word that belongs to a literal, and is not part of it
	}
	var out []byte
	at := 0
	Literals(text, o, func(l Literal) {
		start := cap(text) - cap(l.Text)
		out = append(append(out, text[at:start]...), ' ')
		out = append(append(out, another(l)...), ' ')
		at = start + len(l.Text)
	})

	return append(out, text[at:]...)
}

// another returns a literal of the class of l.
func another(l Literal) string {
	sign := ""
	if l.Text[0] == '-' {
		sign = "-" // without it a minus in front would be the sign
	}
	switch {
	case l.Class == Integer:
		return sign + "7_0" // no place of a column, no size of a type
	case l.Class == Numeric:
		return sign + "7.25e-3"
	case l.Class == Bits:
		return "b'1'"
	case l.Class == Null:
		return "null"
	case l.Class == Boolean:
		return "False"
	case l.Text[0] == '$':
		return "$q$ 'other' $q$"
	}

	return "E'other'''"
}

// upper returns text with words in capitals.
func upper(text []byte, o Options) []byte {
	if o.Encoding != ASCIISafe {
		return nil
	}
	out := bytes.Clone(text)
	var t token
	for l := newLexer(text, o); ; {
		l.next(&t)
		switch t.kind {
		case tokEnd:
			return out
		case tokInvalid:
			return nil
		case tokWord:
			for i := t.start; i < t.end; i++ {
				if 'a' <= out[i] && out[i] <= 'z' {
					out[i] -= 'a' - 'A'
				}
			}
		}
	}
}

// fingerprints returns those of all statements of a text.
func fingerprints(text []byte, o Options) (ids, typed []ID) {
	var s Scanner
	for s.Init(text, o); s.Next(); {
		st := s.Statement()
		ids, typed = append(ids, st.Fingerprint), append(typed, st.Typed)
	}

	return ids, typed
}

// equal reports whether two lists of fingerprints are the same.
func equal(a, b []ID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}

	return true
}

// checkBlind fails the test if a rewritten text has other fingerprints than text.
func checkBlind(t *testing.T, name string, text []byte, o Options, rewrite rewriting) {
	t.Helper()
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	other := rewrite(text, o)
	if other == nil {
		return
	}
	ids, typed := fingerprints(text, o)
	otherIDs, otherTyped := fingerprints(other, o)
	if !equal(ids, otherIDs) || !equal(typed, otherTyped) {
		t.Errorf("%s, %+v: %q and %q have other fingerprints: %q, %q",
			name, o, text, other, normalised(text, o), normalised(other, o))
	}
}

// normalised returns the normalised text of each statement of a text.
func normalised(text []byte, o Options) []string {
	var all []string
	var p printer
	s := Scanner{out: &p}
	for s.Init(text, o); s.Next(); {
		all = append(all, p.String())
	}

	return all
}

// checkIdempotent fails the test if the normalised text has another fingerprint, or
// would be normalised once more.
func checkIdempotent(t *testing.T, text []byte, o Options) {
	t.Helper()
	if o.KeepOrdinals {
		return // the parameters that stand for literals have numbers of their own
	}
	var p printer
	s := Scanner{out: &p}
	for s.Init(text, o); s.Next(); {
		if s.st.Kind == Invalid || p.full {
			continue
		}
		once := p.String()
		var again printer
		r := Scanner{out: &again}
		r.Init([]byte(once), o)
		if !r.Next() || r.st.Fingerprint != s.st.Fingerprint || again.String() != once {
			t.Errorf("%+v: %q is normalised to %q with %v, that to %q with %v",
				o, text, once, s.st.Fingerprint, again.String(), r.st.Fingerprint)
		}
	}
}

// checkShown fails the test if statements are other ones when their text is wanted: what
// is plain is passed over only if it is not.
func checkShown(t *testing.T, text []byte, o Options) {
	t.Helper()
	var p printer
	var plain Scanner
	plain.Init(text, o)
	shown := Scanner{out: &p, watch: &observer{}}
	for shown.Init(text, o); shown.Next(); {
		if !plain.Next() || plain.Statement() != shown.Statement() {
			t.Errorf("%+v: %q is %+v, and when it is shown %+v", o, text, plain.st, shown.st)
		}
	}
}

// checkFirst fails the test if the first literals of a statement are not those that
// Literals finds.
func checkFirst(t *testing.T, text []byte, o Options) {
	t.Helper()
	var want []Span
	w := observer{each: func(l Literal) {
		start := cap(text) - cap(l.Text)
		want = append(want, Span{int32(start), int32(start + len(l.Text))})
	}}
	s := Scanner{watch: &w}
	for s.Init(text, o); s.Next(); want = nil {
		var first [4]Span
		copy(first[:], want)
		if s.st.Kind != Invalid && s.st.First != first {
			t.Errorf("%+v: %q has the first literals %v, want %v", o, text, s.st.First, first)
		}
	}
}

// checkCompared fails the test if there is not an entry for each literal that Literals
// finds and each parameter.
func checkCompared(t *testing.T, text []byte, o Options) {
	t.Helper()
	literals, parameters := 0, 0
	w := observer{each: func(Literal) { literals++ }}
	s := Scanner{watch: &w}
	for s.Init(text, o); s.Next(); w.finish(&s) {
		parameters += len(w.values)
	}
	got := DetailsOf(text, o).Compared
	if len(got) != min(literals+parameters, maxCompared) {
		t.Errorf("%+v: %q has %d literals and %d parameters, compared are %+v", o, text, literals, parameters, got)
	}
}

// checkSummary fails the test if a summary is too long, or tells of other literals.
func checkSummary(t *testing.T, text []byte, o Options) {
	t.Helper()
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	got := Summary(text, o)
	if n := utf8.RuneCountInString(got); n > MaxSummary {
		t.Errorf("%+v: the summary of %q has %d characters", o, text, n)
	}
	if other := otherValues(text, o); other != nil && Summary(other, o) != got {
		t.Errorf("%+v: %q and %q have the summaries %q and %q", o, text, other, got, Summary(other, o))
	}
}

// checkText holds a text to all that is true of every text.
func checkText(t *testing.T, text []byte) {
	t.Helper()
	for _, o := range settings() {
		checkShown(t, text, o)
		checkFirst(t, text, o)
		checkCompared(t, text, o)
		checkSummary(t, text, o)
		checkIdempotent(t, text, o)
		checkBlind(t, "space and comments", text, o, respace)
		checkBlind(t, "literals", text, o, otherValues)
		checkBlind(t, "case", text, o, upper)
		_ = Look(text, o)
		_ = DetailsOf(text, o)
		var s Scanner
		for s.Init(text, o); s.Next(); {
			if st := s.Statement(); st.Start > st.End || st.End > len(text) {
				t.Errorf("%q: a statement from %d to %d", text, st.Start, st.End)
			} else {
				_ = st.Tags(nil, text)
			}
		}
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	for _, text := range corpus() {
		checkText(t, []byte(text))
	}
}

func FuzzFingerprint(f *testing.F) {
	for _, text := range corpus() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) <= 1000 {
			checkText(t, text)
		}
	})
}

func TestNormalisedTextHoldsNoLiterals(t *testing.T) {
	t.Parallel()
	for _, text := range corpus() {
		for _, shown := range append(normalised([]byte(text), Options{}), Summary([]byte(text), Options{})) {
			for _, secret := range []string{"hunter2", "secret", "example.com", "payload"} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s shows %s", shown, secret)
				}
			}
		}
	}
}
