package config

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// A Setting is one row of the settings table.
type Setting struct {
	Section string // the table it is in: "pgweir", "stats", "databases" or "users"
	Key     string // its name in that table, PgBouncer's where it means the same
	Doc     string // what it does: a phrase, lowercase, without a period
	Zero    string // what 0, "" or another special value means, as "0: no limit"; empty: there is none

	// Restart says that a new value is used only after a restart. All other
	// settings can be changed by a reload.
	Restart bool

	// PgBouncer says how PgBouncer differs. Empty: it has the same setting with
	// the same default; notInPgBouncer: it has none like it.
	PgBouncer string

	named   bool // its table has entries
	binding binding
}

// notInPgBouncer is the Setting.PgBouncer of what PgBouncer does not have.
const notInPgBouncer = "none"

// Type returns what the value is, for people: "integer", "duration", "trust | md5".
func (s Setting) Type() string { return s.binding.typeName() }

// Default returns the default as plain text; lists are joined by ", ".
func (s Setting) Default() string { return s.binding.defaultText() }

// Path returns where the setting is in the file, such as "pgweir.listen_port" or
// "databases.shop.port". entry is the name in [databases] or [users], and is not
// used for [pgweir].
func (s Setting) Path(entry string) string {
	if entry == "" {
		return toml.Key{s.Section, s.Key}.String()
	}
	return toml.Key{s.Section, entry, s.Key}.String()
}

// A Value is a setting and what it is set to.
type Value struct {
	Setting

	Entry  string // the name in [databases] or [users]; empty for [pgweir]
	Text   string // the value as plain text; *** for a secret; lists are joined by ", "
	Origin Origin // which source it is from
}

// Values returns every setting with its value, in the order of the table, the
// entries of a table in the order of their names.
func (c *Config) Values() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, sec := range sections() {
			for _, entry := range sec.entries(c) {
				for _, v := range sec.values(c, entry) {
					if !yield(v) {
						return
					}
				}
			}
		}
	}
}

// Origin names the source a value is from.
type Origin string

// The sources, each laid over the one before.
const (
	OriginDefault Origin = "default"
	OriginFile    Origin = "file" // or the database URL
	OriginEnv     Origin = "environment"
	OriginFlag    Origin = "flag"
)

// origin is where the value of one setting is from. The zero value is the default.
type origin struct {
	source Origin
	line   int // in the file; 0: in none, or not known
}

// sections returns the settings table: the tables of the file, in the order of
// the example and of the reference page. It builds the table anew each time, so
// that there is no shared state to be changed by accident.
func sections() []section {
	return []section{
		single("pgweir", "The process, and the defaults of every database and user.",
			func(c *Config) *Pgweir { return &c.Pgweir }, pgweirSettings()),
		single("stats", "How statements are measured: what is slow, and what an application runs in a loop.",
			func(c *Config) *Stats { return &c.Stats }, statsSettings()),
		named("databases", "The databases that clients may ask for. The entry \"*\" serves any other name.",
			func(c *Config) map[string]Database { return c.Databases }, databaseSettings(),
			sample{entry: "shop", values: map[string]string{"dbname": `"shop"`}}),
		named("users", "The roles that may log in, besides those in auth_file, and their own limits.",
			func(c *Config) map[string]User { return c.Users }, userSettings(),
			sample{entry: "app", values: map[string]string{"password": `"..."`}}),
	}
}

// group is a few settings that belong together under one heading.
type group struct {
	heading  string
	settings []Setting
}

// sample is the entry of a table that config.toml.example shows.
type sample struct {
	entry  string
	values map[string]string // TOML by key, where it is not the default
}

// section is one table of the file: either a single one such as [pgweir], or a
// table of named entries such as [databases.shop].
type section struct {
	name   string
	doc    string // a sentence
	named  bool
	groups []group
	sample sample // for a table of named entries

	// entries returns the names of the entries there are, in order; for a single
	// table the one name "".
	entries func(c *Config) []string

	// get returns a pointer to the struct of the entry: of [pgweir] the one in c,
	// of a named entry a copy, and of one that is not there a new one with the
	// defaults. put stores what get returned.
	get func(c *Config, entry string) any
	put func(c *Config, entry string, dst any)
}

// single makes the section of a table that is there once, kept in at(c).
func single[S any](name, doc string, at func(*Config) *S, groups []group) section {
	return section{
		name: name, doc: doc, groups: inSection(name, false, groups),
		entries: func(*Config) []string { return []string{""} },
		get:     func(c *Config, _ string) any { return at(c) },
		put:     func(*Config, string, any) {},
	}
}

// named makes the section of a table of named entries, kept in at(c).
func named[S any](name, doc string, at func(*Config) map[string]S, groups []group, example sample) section {
	sec := section{name: name, doc: doc, named: true, groups: inSection(name, true, groups), sample: example}
	sec.entries = func(c *Config) []string { return sortedKeys(at(c)) }
	sec.get = func(c *Config, entry string) any {
		value, ok := at(c)[entry]
		if !ok {
			sec.reset(&value)
		}
		return &value
	}
	sec.put = func(c *Config, entry string, dst any) { at(c)[entry] = *dst.(*S) }
	return sec
}

// inSection writes the section's name into its rows, and whether it has entries.
func inSection(name string, named bool, groups []group) []group {
	for _, g := range groups {
		for i := range g.settings {
			g.settings[i].Section, g.settings[i].named = name, named
		}
	}
	return groups
}

// settings returns the rows of the section in order.
func (sec section) settings() []Setting {
	var all []Setting
	for _, g := range sec.groups {
		all = append(all, g.settings...)
	}
	return all
}

// setting returns the row of a key.
func (sec section) setting(key string) (Setting, bool) {
	all := sec.settings()
	i := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return all[i], true
}

// keys returns the keys of the section in order.
func (sec section) keys() []string {
	var keys []string
	for _, s := range sec.settings() {
		keys = append(keys, s.Key)
	}
	return keys
}

// header returns what the section is called in a file: [pgweir] or [databases.NAME].
func (sec section) header() string {
	if sec.named {
		return "[" + sec.name + ".NAME]"
	}
	return "[" + sec.name + "]"
}

// reset sets every setting of an entry's struct to its default.
func (sec section) reset(dst any) {
	for _, s := range sec.settings() {
		s.binding.reset(dst)
	}
}

// values returns the settings of one entry with what they are set to.
func (sec section) values(c *Config, entry string) []Value {
	var all []Value
	src := sec.get(c, entry)
	for _, s := range sec.settings() {
		from := cmp.Or(c.origins[s.Path(entry)].source, OriginDefault)
		all = append(all, Value{Setting: s, Entry: entry, Text: s.binding.text(src), Origin: from})
	}
	return all
}

// Env returns the environment variable that sets the setting. For [databases] and
// [users] it holds <NAME>, which stands for the entry's name in capitals with an
// underscore for whatever is neither letter nor digit.
func (s Setting) Env() string {
	key := strings.ToUpper(s.Key)
	if s.Section == mainSection {
		return envPrefix + key
	}
	if !s.named {
		return envPrefix + strings.ToUpper(s.Section) + "_" + key
	}
	return envPrefix + strings.ToUpper(s.Section) + "_<NAME>_" + key
}
