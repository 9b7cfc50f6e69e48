package skiptest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSkip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skipped")
	t.Setenv(FileVariable, path)
	reached, skipped := false, false
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			defer func() { skipped = t.Skipped() }()
			Skip(t, "of the moon")
			reached = true
		})
	}
	if reached || !skipped {
		t.Errorf("the test goes on: %v; it is skipped: %v", reached, skipped)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const want = "TestSkip/one is skipped: of the moon\nTestSkip/two is skipped: of the moon\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}
