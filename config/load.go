package config

import (
	"slices"
	"strings"
)

// Source says where settings come from. Later fields win over earlier ones, and
// all of them over the defaults. Fields left empty are not used.
type Source struct {
	Path string // of the TOML file

	// DatabaseURL is a postgres:// URL to stand in front of. The database it
	// names, AnyDatabase and its user are added to those of the file.
	DatabaseURL string

	// Env is the environment, as os.Environ returns it. PGWEIR_<KEY> sets a
	// setting of [pgweir]; PGWEIR_DATABASES_<NAME>_<KEY> and
	// PGWEIR_USERS_<NAME>_<KEY> set one of an entry that the file has: the name
	// is compared in capitals, with an underscore for whatever is neither letter
	// nor digit ("my-shop" is MY_SHOP, "*" is _). The environment makes no
	// entries, so that a mistyped name is found out.
	Env []string

	// Flags are settings from the command line: the path as in the file, with or
	// without "pgweir." in front ("listen_port", "databases.shop.port"), and the
	// text of the value. As in Env, the entry must be there already.
	Flags map[string]string
}

// Load reads the settings from their sources, checks them, and reads the password
// files they name. Its error is of type Problems and holds everything that is
// wrong; then there is no Config.
func Load(src Source) (*Config, error) {
	l := newLoader()
	if src.Path != "" {
		l.readFile(src.Path)
	}
	if src.DatabaseURL != "" {
		l.readURL(src.DatabaseURL)
	}
	l.readEnv(src.Env)
	l.readFlags(src.Flags)
	return l.finish()
}

// loader is one Load at work.
type loader struct {
	cfg      *Config
	sections []section
	problems Problems
	file     string // the name of the file, once it has been read

	// refused holds the paths whose values were not taken. What depends on one of
	// them is not checked: it would only be found wrong for the same reason.
	refused map[string]bool

	// incomplete says that whole tables or entries were not understood, so that
	// nothing can be said about what is missing.
	incomplete bool
}

// newLoader returns a loader that knows the defaults.
func newLoader() *loader {
	return &loader{cfg: Default(), sections: sections(), refused: make(map[string]bool)}
}

// finish checks what the sources say together and returns the result of Load.
func (l *loader) finish() (*Config, error) {
	l.readPasswords()
	l.nameDatabases()
	l.check()

	if len(l.problems) > 0 {
		l.problems.sort()
		return nil, l.problems
	}
	return l.cfg, nil
}

// nameDatabases fills in the name a database has on its server where it is the
// name clients ask for.
func (l *loader) nameDatabases() {
	for name, db := range l.cfg.Databases {
		if db.DBName == "" && name != AnyDatabase {
			db.DBName = name
			l.cfg.Databases[name] = db
		}
	}
}

// add notes a problem.
func (l *loader) add(p Problem) { l.problems = append(l.problems, p) }

// complain notes a problem with a value that was taken, at the line it is from.
func (l *loader) complain(path, message, suggestion string) {
	p := Problem{Path: path, Message: message, Suggestion: suggestion}
	if from := l.cfg.origins[path]; from.line > 0 {
		p.File, p.Line = l.file, from.line
	}
	l.add(p)
}

// taken reports whether none of the paths was refused.
func (l *loader) taken(paths ...string) bool {
	return !slices.ContainsFunc(paths, func(path string) bool { return l.refused[path] })
}

// section returns the section of a name.
func (l *loader) section(name string) (section, bool) {
	i := slices.IndexFunc(l.sections, func(sec section) bool { return sec.name == name })
	if i < 0 {
		return section{}, false
	}
	return l.sections[i], true
}

// assign takes a value from the environment or a flag. where is how that source
// calls the setting.
func (l *loader) assign(sec section, s Setting, entry, text, where string, from Origin) {
	path := s.Path(entry)
	dst := sec.get(l.cfg, entry)
	if err := s.binding.setText(dst, text); err != nil {
		l.refused[path] = true
		l.add(Problem{Path: where, Message: err.Error()})
		return
	}
	sec.put(l.cfg, entry, dst)
	l.cfg.origins[path] = origin{source: from}
	delete(l.refused, path)
}

// readFlags lays the flags over the other sources.
func (l *loader) readFlags(flags map[string]string) {
	for _, name := range sortedKeys(flags) {
		l.readFlag(name, flags[name])
	}
}

// readFlag sets the setting a flag names.
func (l *loader) readFlag(name, text string) {
	where := "--" + name
	table, entry, key := splitPath(name)

	sec, ok := l.section(table)
	if !ok {
		l.add(Problem{Path: where, Message: unknownSetting, Suggestion: didYouMean(nearest(table, l.tables()))})
		return
	}
	s, ok := sec.setting(key)
	if !ok {
		l.add(Problem{Path: where, Message: unknownSetting, Suggestion: l.adviseKey(sec, key)})
		return
	}
	if !slices.Contains(sec.entries(l.cfg), entry) {
		l.add(Problem{
			Path: where, Message: "there is no " + entryHeader(sec.name, entry),
			Suggestion: "add it to the file; a flag only changes what is there",
		})
		return
	}
	l.assign(sec, s, entry, text, where, OriginFlag)
}

// splitPath takes a flag's path apart. Only the name of an entry may itself have
// dots in it.
func splitPath(path string) (table, entry, key string) {
	table, rest, ok := strings.Cut(path, ".")
	if !ok {
		return mainSection, "", path
	}
	if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		return table, rest[:i], rest[i+1:]
	}
	return table, "", rest
}
