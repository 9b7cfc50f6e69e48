package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// urlVar is the name a database URL has in problems: that of the variable it is
// usually in.
const urlVar = "DATABASE_URL"

// FromDatabaseURL returns the settings for standing in front of the one PostgreSQL
// that a URL names, with everything else as by default:
//
//	postgres://user:password@host:port/dbname?sslmode=disable
//
// A socket directory is given as ?host=/directory. The database is served under
// its own name, and so are all others under theirs; the URL's user logs in with
// the URL's password. A URL without a password has nothing to check clients by:
// then auth_type is "trust". The error is of type Problems and never repeats the
// URL.
func FromDatabaseURL(databaseURL string) (*Config, error) {
	return Load(Source{DatabaseURL: databaseURL})
}

// readURL adds what a database URL names.
func (l *loader) readURL(databaseURL string) {
	t, err := parseURL(databaseURL)
	if err != nil {
		l.incomplete = true
		l.add(Problem{Path: urlVar, Message: err.Error()})
		return
	}

	for _, name := range []string{t.dbname, AnyDatabase} {
		l.cfg.Databases[name] = t.database()
		for _, key := range []string{"host", "port"} {
			l.cfg.origins[databasePath(name, key)] = origin{source: OriginFile}
		}
	}

	sec, _ := l.section("users")
	user := sec.get(l.cfg, t.user).(*User)
	user.Password = t.password
	sec.put(l.cfg, t.user, user)
	l.cfg.origins[userPath(t.user, "password")] = origin{source: OriginFile}

	if t.password == "" {
		l.cfg.Pgweir.AuthType = AuthTrust
		l.cfg.origins["pgweir.auth_type"] = origin{source: OriginFile}
	}
	for _, name := range t.ignored {
		l.cfg.Warnings = append(l.cfg.Warnings, fmt.Sprintf("%s: the parameter %s is not used", urlVar, name))
	}
}

// urlTarget is what a database URL names.
type urlTarget struct {
	host, dbname, user string
	port               int
	password           Secret
	ignored            []string // parameters that pgweir has no use for
}

// database returns the entry that leads to the target's server. The name of the
// database is left open.
func (t urlTarget) database() Database {
	var db Database
	for _, sec := range sections() {
		if sec.name == "databases" {
			sec.reset(&db)
		}
	}
	db.Host, db.Port = t.host, t.port
	return db
}

// errNotURL is returned for what net/url cannot parse, or parses as something else
// than was meant.
var errNotURL = errors.New("not a URL: special characters in the user and the password have to be " +
	"percent-encoded (@ as %40, / as %2F, # as %23), and a socket directory is given as ?host=/directory")

// isCutShort reports whether a # or / in a password ended the host's part of the
// URL too early.
func isCutShort(u *url.URL) bool {
	return u.Fragment != "" || u.User == nil && strings.Contains(u.EscapedPath(), "@")
}

// parseURL takes a database URL apart, as libpq does where it is as lenient. Its
// errors do not repeat what is in the URL, because any part of it may turn out to
// be a piece of the password.
func parseURL(databaseURL string) (urlTarget, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || isCutShort(u) {
		return urlTarget{}, errNotURL
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return urlTarget{}, errors.New("expected postgres://user:password@host:port/dbname")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return urlTarget{}, errors.New("the parameters after the ? are not percent-encoded as they should be")
	}

	t := urlTarget{host: u.Hostname(), dbname: strings.TrimPrefix(u.Path, "/"), user: u.User.Username()}
	password, _ := u.User.Password()
	t.password = Secret(password)
	portText := u.Port()
	for _, name := range sortedKeys(query) {
		value := query.Get(name)
		switch name {
		case "host":
			t.host = value
		case "port":
			portText = value
		case "dbname":
			t.dbname = value
		case "user":
			t.user = value
		case "password":
			t.password = Secret(value)
		case "sslmode":
			if err := checkSSLMode(value); err != nil {
				return urlTarget{}, err
			}
		default:
			t.ignored = append(t.ignored, strconv.Quote(abbreviate(name)))
		}
	}
	return t.complete(portText)
}

// checkSSLMode refuses the modes that insist on TLS; the others allow to do
// without.
func checkSSLMode(mode string) error {
	switch mode {
	case "disable", "allow", "prefer":
		return nil
	case "require", "verify-ca", "verify-full":
		return fmt.Errorf("sslmode=%s needs TLS to the server, which is not supported yet: use sslmode=disable "+
			"where the network is trusted", mode)
	default:
		return errors.New("sslmode is not one of disable, allow, prefer, require, verify-ca, verify-full")
	}
}

// complete fills in what the URL leaves out and checks the rest by the rules of
// the settings table.
func (t urlTarget) complete(portText string) (urlTarget, error) {
	if t.user == "" {
		return urlTarget{}, errors.New("it names no user: write postgres://user@host/dbname")
	}
	if t.dbname == "" {
		t.dbname = t.user // libpq's default
	}
	if t.host == "" {
		t.host = "127.0.0.1"
	}
	if strings.ContainsRune(t.user+t.dbname+t.password.Reveal()+t.host, 0) {
		return urlTarget{}, errNUL
	}
	if _, err := serverHost().parse(t.host); err != nil {
		return urlTarget{}, fmt.Errorf("the host is not %s", serverHost().want)
	}

	t.port = defaultPort
	if portText != "" {
		n, err := strconv.Atoi(portText)
		if err != nil || n < 1 || n > maxPort {
			return urlTarget{}, fmt.Errorf("the port is not %s", serverPort().want)
		}
		t.port = n
	}
	return t, nil
}
