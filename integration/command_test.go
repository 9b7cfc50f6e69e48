package integration

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command runs pgweir to its end and returns what it prints, and its exit code.
func command(t *testing.T, env []string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(raceBuild.Binary(t), args...)
	cmd.Env = append(os.Environ(), env...)
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}

	return string(b), code
}

// configFile writes a configuration file and returns its path.
func configFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pgweir.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}

// TestCheck checks configuration files: all problems at once, and where they are.
func TestCheck(t *testing.T) {
	t.Parallel()
	const good = "[pgweir]\nauth_type = 'trust'\n[databases.shop]\n"
	tests := []struct {
		name, content string
		env           []string
		code          int
		want          []string
	}{
		{"good", good, nil, 0, []string{"ok"}},
		{"many problems", "[pgweir]\nauth_type = 'trust'\ndefault_pool_sise = 10\nlisten_port = 'many'\n" +
			"query_wait_timeout = -1\npool_mode = 'often'\n[databases.shop]\nport = 99999\n", nil, 78, []string{
			"pgweir.default_pool_sise", "default_pool_size", "pgweir.listen_port", "pgweir.query_wait_timeout",
			"pgweir.pool_mode", "databases.shop.port",
		}},
		{"no database", "[pgweir]\nauth_type = 'trust'\n", nil, 78, []string{"there is no database", "[databases.shop]"}},
		{"nobody may log in", "[databases.shop]\n", nil, 78, []string{"pgweir.auth_type", "nobody can log in"}},
		{"syntax", "[pgweir\n", nil, 78, []string{"1"}},
		{"environment", good, []string{"PGWEIR_LISTEN_PORT=often"}, 78, []string{"PGWEIR_LISTEN_PORT"}},
		{"unknown variable", good, []string{"PGWEIR_LISTEN_PROT=1"}, 78, []string{"PGWEIR_LISTEN_PROT", "PGWEIR_LISTEN_PORT"}},
		{"missing auth_file", "[pgweir]\nauth_file = '/nowhere/users'\n[databases.shop]\n", nil, 78, []string{"/nowhere/users"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := configFile(t, tt.content)
			out, code := command(t, tt.env, "check", "-c", path)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("%q is missing from:\n%s", want, out)
				}
			}
			if tt.code != 0 {
				if _, code := command(t, tt.env, "serve", "-c", path); code != tt.code {
					t.Errorf("serve: exit code %d, want %d", code, tt.code)
				}
			}
		})
	}
	t.Run("userlist", func(t *testing.T) {
		list := configFile(t, "\"app\" \"secret\"\nnonsense\n\"other\" \"unterminated\n")
		out, code := command(t, nil, "check", "-c", configFile(t, "[pgweir]\nauth_file = '"+list+"'\n[databases.shop]\n"))
		if code != 78 || !strings.Contains(out, "line 2") || !strings.Contains(out, "line 3") {
			t.Errorf("exit code %d, output:\n%s", code, out)
		}
	})
	t.Run("no file", func(t *testing.T) {
		if out, code := command(t, nil, "check", "-c", "/nowhere/pgweir.toml"); code != 78 || !strings.Contains(out, "/nowhere/pgweir.toml") {
			t.Errorf("exit code %d, output:\n%s", code, out)
		}
	})
}

// TestUsage tests what is said to who does not know the commands.
func TestUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "Usage:"},
		{[]string{"--help"}, 0, "Usage:"},
		{[]string{"sevre"}, 2, "unknown command"},
		{[]string{"serve", "--nonsense"}, 2, "nonsense"},
		{[]string{"check", "--help"}, 0, "Usage"},
		{[]string{"version"}, 0, "pgweir "},
	}
	for _, tt := range tests {
		out, code := command(t, nil, tt.args...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("pgweir %q: exit code %d, want %d, and %q in:\n%s", tt.args, code, tt.code, tt.want, out)
		}
		if lines := strings.Count(out, "\n"); lines > 24 {
			t.Errorf("pgweir %q: %d lines are more than a screen", tt.args, lines)
		}
	}
}

// TestAddressInUse starts a second pgweir where the first one listens.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	l := listenLocal(t)
	defer l.Close()
	content := "[pgweir]\nauth_type = 'trust'\nhttp_listen = ''\n[databases.shop]\n"
	out, code := command(t, []string{"PGWEIR_LISTEN_PORT=" + strings.TrimPrefix(l.Addr().String(), "127.0.0.1:")},
		"serve", "-c", configFile(t, content))
	if code != 1 || !strings.Contains(out, "address already in use") || !strings.Contains(out, l.Addr().String()) {
		t.Errorf("exit code %d, output:\n%s", code, out)
	}
}
