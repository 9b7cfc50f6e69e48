package config

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// update writes the generated files anew: go test ./config -update.
var update = flag.Bool("update", false, "write config.toml.example and docs/configuration.md")

func TestGeneratedFiles(t *testing.T) {
	tests := []struct {
		path  string
		write func(io.Writer) error
	}{
		{"../config.toml.example", WriteExample},
		{"../docs/configuration.md", WriteReference},
	}
	for _, tt := range tests {
		t.Run(filepath.Base(tt.path), func(t *testing.T) {
			var b bytes.Buffer
			if err := tt.write(&b); err != nil {
				t.Fatal(err)
			}
			if *update {
				writeFile(t, tt.path, b.String(), 0o644)
			}
			onDisk, err := os.ReadFile(tt.path)
			if err != nil {
				t.Fatalf("%v (go test ./config -update writes it)", err)
			}
			if diff := cmp.Diff(string(onDisk), b.String()); diff != "" {
				t.Errorf("the file is not what the settings table says; run go test ./config -update (-file +table):\n%s", diff)
			}
		})
	}
}

// TestExampleIsTheDefaults holds that the example file says what is so without it.
func TestExampleIsTheDefaults(t *testing.T) {
	cfg, err := Load(Source{Path: "../config.toml.example"})
	if err != nil {
		t.Fatal(err)
	}

	want := Default()
	want.Databases["shop"] = Database{
		Host: "127.0.0.1", Port: 5432, DBName: "shop",
		MinPoolSize: Inherit, ReservePoolSize: Inherit, MaxDBConnections: Inherit,
	}
	want.Users["app"] = User{Password: "...", MaxUserConnections: Inherit}
	ignore := cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreFields(Config{}, "Warnings")}
	if diff := cmp.Diff(want, cfg, ignore); diff != "" {
		t.Errorf("config.toml.example differs from the defaults (-defaults +example):\n%s", diff)
	}
}

// TestExampleHasEverySetting holds that no row is left out of the example, by
// looking at where the values of a loaded example are from.
func TestExampleHasEverySetting(t *testing.T) {
	cfg, err := Load(Source{Path: "../config.toml.example"})
	if err != nil {
		t.Fatal(err)
	}
	for v := range cfg.Values() {
		if v.Origin != OriginFile {
			t.Errorf("%s is not in config.toml.example", v.Path(v.Entry))
		}
	}
}

func TestExampleLinesFit(t *testing.T) {
	var b bytes.Buffer
	if err := WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b.Bytes()) {
		if n := len(bytes.TrimSpace(line)); n > 120 {
			t.Errorf("%d characters are too many for one line: %s", n, line)
		}
	}
}

// writeFile writes a file with the given permissions, whatever the umask.
func writeFile(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
