package wire

import (
	"slices"
	"strings"
)

// Parameters are session settings, sorted by name, each name once. A value of this
// type is never changed once made, so that many sessions can share one. Nil is
// none.
type Parameters []Parameter

// NewParameters makes Parameters of a list, of which later entries win. Names count
// without regard to case, as PostgreSQL's do.
func NewParameters(list []Parameter) Parameters {
	var ps Parameters
	for _, p := range list {
		ps = ps.With(p.Name, p.Value)
	}

	return ps
}

// find returns where name stands or would stand.
func (ps Parameters) find(name string) (int, bool) {
	return slices.BinarySearchFunc(ps, name, func(p Parameter, name string) int {
		return strings.Compare(strings.ToLower(p.Name), strings.ToLower(name))
	})
}

// Get returns the value of name.
func (ps Parameters) Get(name string) (value string, ok bool) {
	i, ok := ps.find(name)
	if !ok {
		return "", false
	}

	return ps[i].Value, true
}

// With returns ps with name set to value.
func (ps Parameters) With(name, value string) Parameters {
	i, found := ps.find(name)
	if found {
		if ps[i].Value == value {
			return ps
		}
		c := slices.Clone(ps)
		c[i].Value = value

		return c
	}
	c := make(Parameters, 0, len(ps)+1)
	c = append(append(c, ps[:i]...), Parameter{Name: name, Value: value})

	return append(c, ps[i:]...)
}

// Without returns ps without name.
func (ps Parameters) Without(name string) Parameters {
	i, found := ps.find(name)
	if !found {
		return ps
	}
	c := append(make(Parameters, 0, len(ps)-1), ps[:i]...)

	return append(c, ps[i+1:]...)
}

// Equal reports whether ps and qs hold the same. It is quickest when they are the
// same memory.
func (ps Parameters) Equal(qs Parameters) bool {
	if len(ps) != len(qs) {
		return false
	}
	if len(ps) == 0 || &ps[0] == &qs[0] {
		return true
	}

	return slices.Equal(ps, qs)
}

// Difference returns the SQL that makes a session with the settings ps one with the
// settings want; empty if they are the same.
func (ps Parameters) Difference(want Parameters) string {
	var b strings.Builder
	had, hasRole := ps.Get(role)
	wanted, wantsRole := want.Get(role)
	if hasRole && had != wanted {
		b.WriteString("RESET role;")
	}
	for _, p := range ps {
		if _, ok := want.find(p.Name); !ok && p.Name != role {
			b.WriteString("RESET " + quoteIdentifier(p.Name) + ";")
		}
	}
	for _, p := range want {
		if value, ok := ps.Get(p.Name); (!ok || value != p.Value) && p.Name != role {
			writeSet(&b, p.Name, p.Value)
		}
	}
	if wantsRole && had != wanted {
		writeSet(&b, role, wanted)
	}

	return b.String()
}

// role is the setting behind SET ROLE, which decides what else may be set: it is reset
// first and set last.
const role = "role"

// writeSet writes the SQL that gives a setting a value. set_config, not SET, takes a
// list such as search_path as one string, like a startup packet does.
func writeSet(b *strings.Builder, name, value string) {
	b.WriteString("SELECT pg_catalog.set_config(" + QuoteLiteral(name) + "," + QuoteLiteral(value) + ",false);")
}

// quoteIdentifier quotes a name for SQL.
func quoteIdentifier(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral quotes a string for SQL, whatever standard_conforming_strings is.
func QuoteLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if !strings.Contains(s, `\`) {
		return quoted
	}

	return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
}
