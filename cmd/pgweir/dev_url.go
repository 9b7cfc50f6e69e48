package main

import (
	"net"
	"net/url"
	"path/filepath"
	"strconv"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/postgres"
)

// clientURL returns the connection string for clients of a. The sample database's
// password is in it, as everybody knows that one; no other is.
func (d *dev) clientURL(a *app) string {
	database := frontedDatabase(a.config)
	u := url.URL{
		Scheme:  "postgres",
		User:    url.User(frontedUser(a.config)),
		Path:    "/" + database,
		RawPath: "/" + url.PathEscape(database), // a name may have a slash in it
	}
	if d.throwaway {
		u.User = url.UserPassword(postgres.SampleUser, postgres.SamplePassword)
	}
	switch addr := a.listeners[0].Addr().(type) { // the configuration makes sure of one
	case *net.UnixAddr:
		socket := url.Values{
			"host": {filepath.Dir(addr.Name)},
			"port": {strconv.Itoa(a.config.Pgweir.ListenPort)},
		}
		u.RawQuery = socket.Encode()
	default:
		u.Host = dialable(addr)
	}

	return u.String()
}

// frontedDatabase returns the name of the database that a configuration made from
// a URL serves under its own name.
func frontedDatabase(cfg *config.Config) string {
	for name := range cfg.Databases {
		if name != config.AnyDatabase {
			return name
		}
	}

	return config.AnyDatabase
}

// frontedUser returns the one user of a configuration made from a URL.
func frontedUser(cfg *config.Config) string {
	for name := range cfg.Users {
		return name
	}

	return ""
}
