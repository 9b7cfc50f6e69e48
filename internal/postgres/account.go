package postgres

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// rootUID is the user id that PostgreSQL refuses to run as.
const rootUID = 0

// UnprivilegedUser returns whom to run a program as that must not be root: nil, meaning ourselves, unless we are root;
// then the OS user postgres, or nobody where there is none.
func UnprivilegedUser() (*syscall.Credential, error) {
	if os.Geteuid() != rootUID {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("find an unprivileged user: %w", err)
	}
	return credentialOf(account)
}

// credentialOf returns the ids of account with all of its groups: postgres may need ssl-cert to read Debian's key.
func credentialOf(account *user.User) (*syscall.Credential, error) {
	uid, err := parseID(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := parseID(account.Gid)
	if err != nil {
		return nil, err
	}
	names, err := account.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("list groups of %s: %w", account.Username, err)
	}

	c := &syscall.Credential{Uid: uid, Gid: gid}
	for _, name := range names {
		group, err := parseID(name)
		if err != nil {
			return nil, err
		}
		c.Groups = append(c.Groups, group)
	}
	return c, nil
}

// parseID parses a user or group id.
func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("parse account id: %w", err)
	}
	return uint32(id), nil
}

// chown gives path to the user of c; nil leaves it ours.
func chown(path string, c *syscall.Credential) error {
	if c == nil {
		return nil
	}
	return os.Chown(path, int(c.Uid), int(c.Gid))
}

// mayEnter reports whether the user of c, for nil ourselves, can reach what is in dir: whether dir and everything above
// it may be searched by others, or by that user as the owner.
func mayEnter(dir string, c *syscall.Credential) bool {
	if c == nil {
		return true // If not, the system call to come says so better.
	}
	for {
		info, err := os.Stat(dir)
		if err != nil || !maySearch(info, c) {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// maySearch reports whether the user of c may search one directory. Groups are left out: nobody needs them here.
func maySearch(info os.FileInfo, c *syscall.Credential) bool {
	const ownerSearch, othersSearch = 0o100, 0o001
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid == c.Uid {
		return info.Mode()&ownerSearch != 0
	}
	return info.Mode()&othersSearch != 0
}
