package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxUserlistLine bounds a line of a userlist, in bytes. A SCRAM verifier takes 133.
const maxUserlistLine = 64 << 10

// ParseUserlist reads PgBouncer's userlist.txt: a user and a secret in double quotes
// a line, a quote inside them doubled. The rest of a line is ignored, as are empty
// lines and comments, which begin with ; or #. A user with an empty secret is known
// but has none.
//
// The error joins one for each line that is wrong; none quotes a secret.
func ParseUserlist(r io.Reader) (map[string]Secret, error) {
	users := make(map[string]Secret)
	lines := make(map[string]int) // where each user is
	var problems []error

	in := bufio.NewScanner(r)
	in.Buffer(nil, maxUserlistLine)
	n := 1
	for ; in.Scan(); n++ {
		user, secret, err := parseUser(in.Text())
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("line %d: %w", n, err))
		case user == "":
		case lines[user] != 0:
			problems = append(problems, fmt.Errorf("line %d: user %q is already on line %d", n, user, lines[user]))
		default:
			users[user], lines[user] = secret, n
		}
	}
	if err := in.Err(); err != nil {
		problems = append(problems, fmt.Errorf("line %d: %w", n, err))
	}

	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}

	return users, nil
}

// parseUser reads one line; user is empty if there is none on it.
func parseUser(line string) (user string, secret Secret, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == ';' || line[0] == '#' {
		return "", Secret{}, nil
	}

	user, rest, ok := cutQuoted(line)
	if !ok {
		return "", Secret{}, errors.New(`want "user" "secret", each in double quotes`)
	}
	if user == "" || len(user) > maxNameLength {
		return "", Secret{}, fmt.Errorf("user name of %d bytes: want 1 to %d", len(user), maxNameLength)
	}
	text, rest, ok := cutQuoted(strings.TrimSpace(rest))
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t;#") {
		return "", Secret{}, fmt.Errorf("user %q: want a secret in double quotes", user)
	}
	secret, err = ParseSecret(text)
	if err != nil {
		return "", Secret{}, fmt.Errorf("user %q: %w", user, err)
	}

	return user, secret, nil
}

// cutQuoted takes a string in double quotes off the front of s.
func cutQuoted(s string) (value, rest string, ok bool) {
	s, ok = strings.CutPrefix(s, `"`)
	var b strings.Builder
	for ok {
		var part string
		part, s, ok = strings.Cut(s, `"`)
		b.WriteString(part)
		if !ok || !strings.HasPrefix(s, `"`) {
			break
		}
		b.WriteByte('"')
		s = s[1:]
	}

	return b.String(), s, ok
}
