package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// actAsPgweir names the environment variable that makes the test binary behave as
// the command itself, for the tests that need a process.
const actAsPgweir = "TEST_ACT_AS_PGWEIR"

func TestMain(m *testing.M) {
	if os.Getenv(actAsPgweir) != "" {
		main() // exits
	}
	os.Exit(pgtest.Main(m))
}

// pgweir runs a command line and returns what comes of it.
func pgweir(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)

	return code, out.String(), errs.String()
}

// writeConfig writes a configuration file and returns its path.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pgweir.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}

// goodConfig is a small configuration without a mistake.
const goodConfig = `
[databases.shop]
host = "127.0.0.1"

[users.app]
password = "secret"
`

func TestExitCodes(t *testing.T) {
	good := writeConfig(t, goodConfig)
	bad := writeConfig(t, "[pgweir]\npool_modus = \"transaction\"\nlisten_port = -1\n"+goodConfig)
	badAuthFile := writeConfig(t, "[pgweir]\nauth_file = \""+good+"\"\n"+goodConfig)
	missing := filepath.Join(t.TempDir(), "none.toml")
	tests := []struct {
		name           string
		args           []string
		want           int
		stdout, stderr string // what each must contain; "": it must be empty
	}{
		{"nothing", nil, exitUsage, "", "Usage:"},
		{"help", []string{"help"}, exitOK, "Usage:", ""},
		{"help of a command", []string{"serve", "--help"}, exitOK, "Usage: pgweir serve [flags]\n", ""},
		{"help of a command, short", []string{"check", "-h"}, exitOK, "Usage: pgweir check [flags]\n", ""},
		{"help of one without flags", []string{"version", "--help"}, exitOK, "Usage: pgweir version\n", ""},
		{"help among flags", []string{"dev", "--set", "loops=1", "--help"}, exitOK, "Usage: pgweir dev [flags]\n", ""},
		{"unknown command", []string{"swerve"}, exitUsage, "", `unknown command "swerve"`},
		{"unknown flag", []string{"serve", "-d"}, exitUsage, "", "not defined: -d; see pgweir serve --help\n"},
		{"stray argument", []string{"check", "pgweir.toml"}, exitUsage, "", `unexpected argument "pgweir.toml"`},
		{"malformed setting", []string{"check", "--set", "loops"}, exitUsage, "", "want key=value"},
		{"version", []string{"version"}, exitOK, "pgweir " + version, ""},
		{"version as a flag", []string{"--version"}, exitOK, "pgweir " + version, ""},
		{"check", []string{"check", "-c", good}, exitOK, "ok", ""},
		{"check bad", []string{"check", "-c", bad}, exitConfig, "", "pool_mode"},
		{"check bad, all at once", []string{"check", "-c", bad}, exitConfig, "", "listen_port"},
		{"check bad auth_file", []string{"check", "-c", badAuthFile}, exitConfig, "", "auth_file"},
		{"check missing", []string{"check", "-c", missing}, exitConfig, "", missing},
		{"check bad flag", []string{"check", "-c", good, "--set", "loops=many"}, exitConfig, "", "loops"},
		{"serve bad", []string{"serve", "-c", bad}, exitConfig, "", "pool_mode"},
		{"serve missing", []string{"serve", "-c", missing}, exitConfig, "", missing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := pgweir(t, tt.args...)
			if code != tt.want {
				t.Errorf("exit code %d, want %d", code, tt.want)
			}
			mustSay(t, "stdout", stdout, tt.stdout)
			mustSay(t, "stderr", stderr, tt.stderr)
		})
	}
}

// mustSay fails the test unless text contains want, or is empty if want is.
func mustSay(t *testing.T, where, text, want string) {
	t.Helper()
	if want == "" && text != "" || !strings.Contains(text, want) {
		t.Errorf("%s: %q, want %q", where, text, want)
	}
}

func TestHelpFitsOnAScreen(t *testing.T) {
	screens := [][]string{{"--help"}}
	for _, c := range commands() {
		screens = append(screens, []string{c.name, "--help"})
	}
	for _, args := range screens {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			code, stdout, stderr := pgweir(t, args...)
			if code != exitOK {
				t.Errorf("exit code %d", code)
			}
			mustSay(t, "stdout", stdout, "Usage:")
			mustSay(t, "stderr", stderr, "")
			const rows, columns = 24, 80
			lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
			if len(lines) > rows || lines[len(lines)-1] == "" {
				t.Errorf("help of %d lines:\n%s", len(lines), stdout)
			}
			for _, line := range lines {
				if utf8.RuneCountInString(line) > columns {
					t.Errorf("line is longer than %d columns: %s", columns, line)
				}
			}
		})
	}
}
