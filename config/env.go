package config

import (
	"slices"
	"strings"
)

const (
	// envPrefix begins the name of every variable that is meant for pgweir.
	envPrefix = "PGWEIR_"

	// EnvConfig is the variable with the path of the file. It is the command's to
	// read, not a setting.
	EnvConfig = envPrefix + "CONFIG"

	// envPGBinDir says where PostgreSQL's programs are, for pgweir dev and the tests.
	envPGBinDir = envPrefix + "PG_BINDIR"
)

// readEnv lays the environment over the file. The last of several variables of one
// name counts, as for os/exec.
func (l *loader) readEnv(env []string) {
	vars := make(map[string]string)
	for _, assignment := range env {
		name, text, ok := strings.Cut(assignment, "=")
		if ok && isSettingVar(name) {
			vars[name] = text
		}
	}
	for _, name := range sortedKeys(vars) {
		l.readVar(name, vars[name])
	}
}

// isSettingVar reports whether a variable is meant to set something. Kubernetes
// tells every container about a service called pgweir by variables such as
// PGWEIR_SERVICE_HOST and PGWEIR_PORT_6432_TCP; these are left alone.
// See https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables.
func isSettingVar(name string) bool {
	rest, ok := strings.CutPrefix(name, envPrefix)
	return ok && name != EnvConfig && name != envPGBinDir &&
		rest != "PORT" && !strings.HasPrefix(rest, "PORT_") && !strings.HasPrefix(rest, "SERVICE_")
}

// readVar sets the setting a variable names.
func (l *loader) readVar(name, text string) {
	rest := strings.TrimPrefix(name, envPrefix)
	for _, sec := range l.sections {
		if sec.name == mainSection {
			continue
		}
		if key, ok := strings.CutPrefix(rest, strings.ToUpper(sec.name)+"_"); ok {
			l.readTableVar(sec, name, key, text)
			return
		}
	}

	sec, _ := l.section(mainSection)
	for _, s := range sec.settings() {
		if s.Env() == name {
			l.assign(sec, s, "", text, name, OriginEnv)
			return
		}
	}
	l.unknownVar(sec, name)
}

// unknownVar notes that no setting of [pgweir] has the variable.
func (l *loader) unknownVar(sec section, name string) {
	key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
	advice := l.adviseElsewhere(sec.name, key)
	if s, ok := sec.setting(nearest(key, sec.keys())); ok && advice == "" {
		advice = didYouMean(s.Env())
	}
	l.add(Problem{Path: name, Message: "no setting has this variable", Suggestion: advice})
}

// target is a setting of an entry that a variable may mean.
type target struct {
	entry   string
	setting Setting
}

// readTableVar sets the setting of an entry. suffix is the variable's name after
// the table: the name of the entry, an underscore, and the key.
func (l *loader) readTableVar(sec section, name, suffix, text string) {
	var found []target
	for _, entry := range sec.entries(l.cfg) {
		for _, s := range sec.settings() {
			if suffix == envSuffix(sec, entry, s) {
				found = append(found, target{entry, s})
			}
		}
	}

	switch len(found) {
	case 0:
		l.unmatchedVar(sec, name, suffix)
	case 1:
		l.assign(sec, found[0].setting, found[0].entry, text, name, OriginEnv)
	default:
		l.add(Problem{
			Path:       name,
			Message:    "could mean " + found[0].path() + " or " + found[1].path(),
			Suggestion: "set it in the file",
		})
	}
}

// path returns the setting's path in the file.
func (t target) path() string { return t.setting.Path(t.entry) }

// envSuffix returns what follows the table in the name of a setting's variable.
func envSuffix(sec section, entry string, s Setting) string {
	key := strings.ToUpper(s.Key)
	if !sec.named {
		return key
	}
	return envName(entry) + "_" + key
}

// envName writes the name of an entry as it is in a variable.
func envName(entry string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		default:
			return '_'
		}
	}, entry)
}

// unmatchedVar notes that a variable of a table means no setting of any entry, and
// says whether it is the entry or the key that is missing.
func (l *loader) unmatchedVar(sec section, name, suffix string) {
	p := Problem{Path: name, Message: "no setting of [" + sec.name + "] has this variable"}
	isKey := func(key string) bool { return strings.HasSuffix(suffix, "_"+strings.ToUpper(key)) }
	if sec.named && slices.ContainsFunc(sec.keys(), isKey) {
		p.Message = "no entry of [" + sec.name + "] has this name"
		p.Suggestion = "add it to the file; the environment only changes what is there"
	}
	l.add(p)
}
