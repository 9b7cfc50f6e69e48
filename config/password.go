package config

import (
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// maxPasswordFile bounds what is read of a password file. PostgreSQL itself
	// takes passwords of up to 65535 bytes.
	maxPasswordFile = 1 << 16

	// othersRead is the permission bits by which anybody but the owner can read a
	// file.
	othersRead = 0o044
)

// readPasswords reads the password files of all entries.
func (l *loader) readPasswords() {
	for _, name := range sortedKeys(l.cfg.Databases) {
		db := l.cfg.Databases[name]
		l.readPassword("databases", name, &db.Password, &db.PasswordFile)
		l.cfg.Databases[name] = db
	}
	for _, name := range sortedKeys(l.cfg.Users) {
		user := l.cfg.Users[name]
		l.readPassword("users", name, &user.Password, &user.PasswordFile)
		l.cfg.Users[name] = user
	}
}

// readPassword fills in the password of one entry from its file. Of a password and
// a file from different sources the later source wins, and the other one is
// emptied; from the same source they contradict each other.
func (l *loader) readPassword(table, entry string, password *Secret, file *string) {
	if *file == "" {
		return
	}

	path := Setting{Section: table, Key: "password_file"}.Path(entry)
	if *password != "" {
		own := l.cfg.origins[Setting{Section: table, Key: "password"}.Path(entry)].source
		switch from := l.cfg.origins[path].source; {
		case from == own:
			l.complain(path, "password is set as well", "keep one of the two")
			return
		case from.before(own):
			*file = ""
			return
		}
	}

	secret, err := l.readSecret(*file, path)
	if err != nil {
		l.complain(path, err.Error(), "")
		return
	}
	*password = secret
}

// before reports whether a source is laid under another one.
func (o Origin) before(other Origin) bool {
	rank := map[Origin]int{OriginFile: 1, OriginEnv: 2, OriginFlag: 3}
	return rank[o] < rank[other]
}

// readSecret returns what is in the file, without the newline at its end, and
// warns when others can read it too.
func (l *loader) readSecret(name, path string) (Secret, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: %s", name, reason(err))
	}
	if !info.Mode().IsRegular() {
		// A pipe or a terminal might never end.
		return "", fmt.Errorf("%s is not a regular file", name)
	}

	data, err := readAtMost(name, maxPasswordFile)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: %s", name, reason(err))
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" {
		return "", fmt.Errorf("%s is empty", name)
	}
	if strings.ContainsRune(text, 0) {
		return "", fmt.Errorf("%s: the password %w", name, errNUL)
	}

	l.warnIfShared(name, path+": the file")
	return Secret(text), nil
}

// readAtMost returns the content of a file, which must not be longer than most.
func readAtMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()

	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("it is longer than %d bytes", most)
	}
	return data, err
}

// warnIfShared warns when the group or everybody can read a file with secrets. what
// begins the sentence.
func (l *loader) warnIfShared(name, what string) {
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm()&othersRead == 0 {
		return
	}
	l.cfg.Warnings = append(l.cfg.Warnings,
		fmt.Sprintf("%s can be read by others than its owner (mode %04o): chmod 600 %s", what, info.Mode().Perm(), name))
}
