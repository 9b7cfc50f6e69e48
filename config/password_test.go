package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// userFile is a configuration with one user, whose settings follow.
const userFile = "[databases.a]\n[users.app]\n"

func TestPasswordFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "password")
	tests := []struct{ name, content, want, wantErr string }{
		{"plain", "hunter2", "hunter2", ""},
		{"newline", "hunter2\n", "hunter2", ""},
		{"carriage return", "hunter2\r\n", "hunter2", ""},
		{"one newline only", "hunter2\n\n", "hunter2\n", ""},
		{"spaces are part of it", " hunter2 \n", " hunter2 ", ""},
		{"empty", "", "", path + " is empty"},
		{"only a newline", "\n", "", path + " is empty"},
		{"NUL", "hunter2\x00", "", path + ": the password must not contain a NUL byte"},
		{"too long", strings.Repeat("x", maxPasswordFile+1), "", path + " cannot be read: it is longer than 65536 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			writeFile(t, path, tt.content, 0o600)
			l := newLoader()
			l.parse("x.toml", []byte(userFile+"password_file = '"+path+"'\n"))
			cfg, err := l.finish()
			if tt.wantErr != "" {
				if want := "x.toml:3: users.app.password_file: " + tt.wantErr; err == nil || err.Error() != want {
					t.Errorf("finish = %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Users["app"].Password.Reveal(); got != tt.want {
				t.Errorf("password %q, want %q", got, tt.want)
			}
			if len(cfg.Warnings) > 0 {
				t.Errorf("warnings %q, want none", cfg.Warnings)
			}
		})
	}
}

func TestPasswordFileShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	writeFile(t, path, "p", 0o640)
	l := newLoader()
	l.parse("x.toml", []byte("[pgweir]\nauth_type = \"trust\"\n[databases.a]\nuser = \"u\"\npassword_file = '"+path+"'\n"))
	cfg, err := l.finish()
	if err != nil {
		t.Fatal(err)
	}
	want := "databases.a.password_file: the file can be read by others than its owner (mode 0640): chmod 600 " + path
	if got := strings.Join(cfg.Warnings, "\n"); got != want {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

// TestPasswordFileNotRegular holds that what might never end is not read.
func TestPasswordFileNotRegular(t *testing.T) {
	l := newLoader()
	l.parse("x.toml", []byte(userFile+"password_file = '"+os.DevNull+"'\n"))
	_, err := l.finish()
	want := "x.toml:3: users.app.password_file: " + os.DevNull + " is not a regular file"
	if err == nil || err.Error() != want {
		t.Errorf("finish = %v, want %s", err, want)
	}
}

// TestPasswordAndFile holds which of the two wins when both are set.
func TestPasswordAndFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	writeFile(t, path, "from the file", 0o600)

	tests := []struct {
		name, user string
		env        []string
		want       string // "": they contradict each other
		wantFile   string
	}{
		{"file over a password", `password = "p"`, []string{"PGWEIR_USERS_APP_PASSWORD_FILE=" + path}, "from the file", path},
		{"password over a file", "password_file = '" + path + "'", []string{"PGWEIR_USERS_APP_PASSWORD=p"}, "p", ""},
		{"both in the file", "password = \"p\"\npassword_file = '" + path + "'", nil, "", ""},
		{"both in the environment", "", []string{
			"PGWEIR_USERS_APP_PASSWORD=p", "PGWEIR_USERS_APP_PASSWORD_FILE=" + path,
		}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoader()
			l.parse("x.toml", []byte(userFile+tt.user))
			l.readEnv(tt.env)
			cfg, err := l.finish()
			if tt.want == "" {
				const both = "users.app.password_file: password is set as well; keep one of the two"
				if err == nil || !strings.HasSuffix(err.Error(), both) {
					t.Errorf("finish = %v, want a contradiction", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			u := cfg.Users["app"]
			if u.Password.Reveal() != tt.want || u.PasswordFile != tt.wantFile {
				t.Errorf("password %q, file %q; want %q, %q", u.Password.Reveal(), u.PasswordFile, tt.want, tt.wantFile)
			}
		})
	}
}
