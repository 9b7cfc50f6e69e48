package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// check looks for what is wrong between settings that are right by themselves.
func (l *loader) check() {
	l.checkListening()
	l.checkUsers()
	l.checkAuthFile()
	l.checkDatabases()
	l.checkPools()
}

// maxSocketPath is the longest path of a unix socket on every system: sun_path of
// sockaddr_un has 104 bytes on the BSDs and macOS, 108 on Linux, one of them for
// the NUL.
const maxSocketPath = 103

// checkListening looks at where pgweir is reached.
func (l *loader) checkListening() {
	p := &l.cfg.Pgweir
	if len(p.ListenAddr) == 0 && p.UnixSocketDir == "" && l.taken("pgweir.listen_addr") {
		l.complain("pgweir.listen_addr", "clients can connect neither by TCP nor by a unix socket",
			"set listen_addr or unix_socket_dir")
	}

	socket := fmt.Sprintf("%s/.s.PGSQL.%d", p.UnixSocketDir, p.ListenPort)
	if p.UnixSocketDir != "" && len(socket) > maxSocketPath {
		l.complain("pgweir.unix_socket_dir",
			fmt.Sprintf("%s is longer than the %d bytes a socket's path may have", socket, maxSocketPath), "")
	}
}

// checkUsers looks whether anybody can log in.
func (l *loader) checkUsers() {
	p := &l.cfg.Pgweir
	if p.AuthType == AuthTrust || p.AuthFile != "" || l.incomplete || !l.taken("pgweir.auth_type", "pgweir.auth_file") {
		return
	}

	known := false
	for _, name := range sortedKeys(l.cfg.Users) {
		u := l.cfg.Users[name]
		if u.Password != "" || u.PasswordFile != "" || !l.taken(userPath(name, "password"), userPath(name, "password_file")) {
			known = true
			continue
		}
		l.cfg.Warnings = append(l.cfg.Warnings,
			entryHeader("users", name)+" has no password and there is no auth_file: this user cannot log in")
	}
	if !known {
		l.complain("pgweir.auth_type", fmt.Sprintf("nobody can log in: %q needs passwords and there are none", p.AuthType),
			`set auth_file, or a password in [users.NAME]; or auth_type = "trust" where everybody may log in`)
	}
}

// checkAuthFile looks whether auth_file is there. Reading it is not this package's
// job.
func (l *loader) checkAuthFile() {
	name := l.cfg.Pgweir.AuthFile
	if name == "" {
		return
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.complain("pgweir.auth_file", "there is no file "+name, "")
	case err != nil:
		l.complain("pgweir.auth_file", name+" cannot be read: "+reason(err), "")
	case info.IsDir():
		l.complain("pgweir.auth_file", name+" is a directory", "")
	default:
		l.warnIfShared(name, "pgweir.auth_file: the file")
	}
}

// consoleDatabase is the name clients ask for to reach PgBouncer's admin console.
const consoleDatabase = "pgbouncer"

// checkDatabases looks whether there is anything to pool.
func (l *loader) checkDatabases() {
	if len(l.cfg.Databases) == 0 && !l.incomplete {
		l.add(Problem{
			File: l.file, Path: "databases", Message: "there is no database",
			Suggestion: `add a table such as [databases.shop], or [databases."*"] for every name`,
		})
	}
	if _, ok := l.cfg.Databases[consoleDatabase]; ok {
		l.add(Problem{
			File: l.file, Path: "databases." + consoleDatabase, Message: "this name is kept for the admin console",
			Suggestion: "call it something else, and set its dbname",
		})
	}

	for _, name := range sortedKeys(l.cfg.Databases) {
		db := l.cfg.Databases[name]
		if db.Password != "" && db.User == "" && l.taken(databasePath(name, "user")) {
			l.complain(databasePath(name, "password"), "a password without a user",
				"set user beside it; the passwords of clients' own users are in [users] or auth_file")
		}
	}
}

// checkPools looks whether every pool can hold what it is to keep open.
func (l *loader) checkPools() {
	p := &l.cfg.Pgweir
	global := l.taken("pgweir.min_pool_size", "pgweir.default_pool_size")
	if global && p.MinPoolSize > p.DefaultPoolSize {
		l.complain("pgweir.min_pool_size",
			fmt.Sprintf("%d is more than default_pool_size, which is %d", p.MinPoolSize, p.DefaultPoolSize), "")
		global = false
	}

	for _, name := range sortedKeys(l.cfg.Databases) {
		set := l.cfg.Databases[name]
		if set.MinPoolSize == Inherit && set.PoolSize == 0 {
			continue // what [pgweir] says, checked above
		}
		db, _ := l.cfg.Database(name)
		own := l.taken(databasePath(name, "min_pool_size"), databasePath(name, "pool_size"))
		if own && global && db.MinPoolSize > db.PoolSize {
			l.complain(databasePath(name, "min_pool_size"),
				fmt.Sprintf("%d is more than the size of the pool, which is %d", db.MinPoolSize, db.PoolSize), "")
		}
	}
}

// databasePath returns the path of a setting of an entry of [databases].
func databasePath(name, key string) string { return Setting{Section: "databases", Key: key}.Path(name) }

// userPath returns the path of a setting of an entry of [users].
func userPath(name, key string) string { return Setting{Section: "users", Key: key}.Path(name) }
