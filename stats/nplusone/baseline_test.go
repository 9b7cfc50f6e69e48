package nplusone

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBaseline(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.tags = request(1)
	c.nPlusOne(20)
	c.tags = &Tags{Request: "2", Route: "/a"}
	for range 10 {
		c.one(settingsOf, "language")
	}
	known := w.end()
	var first, second bytes.Buffer
	if err := WriteBaseline(&first, known); err != nil {
		t.Fatal(err)
	}
	known[0], known[1] = known[1], known[0]
	if err := WriteBaseline(&second, known); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.String(), second.String()); d != "" {
		t.Errorf("the order of the file depends on that of the findings:\n%s", d)
	}
	b, err := ReadBaseline(&first)
	if err != nil {
		t.Fatal(err)
	}
	c.tags = request(3)
	c.nPlusOne(50) // more of what is known
	c.tags = &Tags{Request: "4", Route: "/b"}
	for range 10 {
		c.one(settingsOf, "language")
	}
	fresh := b.New(w.end())
	if len(fresh) != 1 || fresh[0].Route != "/b" || fresh[0].Kind != KindDuplicate {
		t.Errorf("new are %+v", fresh)
	}
}

func TestBrokenBaseline(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "{", `{"finding": []}`, `{"findings": [{"child": {"fingerprint": "12"}}]}`,
		`{"findings": [{"child": {"fingerprint": "zzzzzzzzzzzzzzzz"}}]}`,
	} {
		if _, err := ReadBaseline(strings.NewReader(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
