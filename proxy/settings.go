package proxy

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/pgweir/pgweir/wire"
)

// A client's settings go with it from server to server, as far as pgweir knows
// them: those of its startup packet, and changes of those that PostgreSQL reports.

// followed reports whether changes of a reported parameter are followed: those that
// a session can set. The rest of what is reported is a fact about the server.
func followed(name string) bool {
	switch name {
	case "application_name", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone",
		"standard_conforming_strings", "default_transaction_read_only", "search_path":
		return true
	}

	return false
}

// ofTransaction reports whether a setting is that of one transaction: each begins with
// its default_..., whatever it was before. PostgreSQL 16 and later refuse to reset it.
func ofTransaction(name string) bool {
	switch strings.ToLower(name) {
	case "transaction_deferrable", "transaction_isolation", "transaction_read_only":
		return true
	}

	return false
}

// startupSettings returns the settings in a startup packet. An error is for the
// client.
func startupSettings(start *wire.StartupRequest) (wire.Parameters, error) {
	var list []wire.Parameter
	for _, p := range start.Parameters {
		switch p.Name {
		case "replication":
			return nil, wire.Fatalf(wire.CodeFeatureNotSupported, "replication connections are not supported by pgweir").
				WithHint("Connect to PostgreSQL directly for replication.")
		case "options":
			switches, err := wire.ParseOptions(p.Value)
			if err != nil {
				return nil, err
			}
			list = append(switches, list...) // the others win
		default:
			list = append(list, p)
		}
	}

	// They mean nothing there.
	list = slices.DeleteFunc(list, func(p wire.Parameter) bool { return ofTransaction(p.Name) })

	return wire.NewParameters(list), nil
}

// safeSettings reports whether a server takes the settings for certain.
func safeSettings(ps wire.Parameters) bool {
	for _, p := range ps {
		if p.Name != "application_name" {
			return false
		}
	}

	return true
}

// uncertain reports whether a server may refuse settings that another has taken before:
// what they name may be gone from the database, or the user may have lost the right to
// them.
func uncertain(before, after wire.Parameters) bool {
	for _, name := range [...]string{
		"role", "session_replication_role", "default_tablespace", "temp_tablespaces", "default_table_access_method",
		"default_text_search_config",
	} {
		was, _ := before.Get(name)
		if value, ok := after.Get(name); ok && value != was {
			return true
		}
	}

	return false
}

// hurried reports whether the server's last client has left its statements so little
// time that a statement of our own may not be done in it.
func hurried(before wire.Parameters) bool {
	_, ok := before.Get("statement_timeout")

	return ok
}

// applySettings gives the server the client's settings. Those that any server takes
// go in front of the client's own bytes. Others are tried first: if they are refused
// nothing of the client's may be executed, or it would be with the settings of the
// server's last client. It may wait.
func (k *link) applySettings() error {
	s, state := k.session, k.state
	if state.settings.Equal(s.settings) {
		return nil
	}
	before := state.settings
	sql := before.Difference(s.settings)
	state.settings = s.settings
	if sql == "" {
		return nil
	}
	taken := (s.proven || safeSettings(s.settings)) && !uncertain(before, s.settings)
	if taken && !hurried(before) {
		k.prepend(sql)

		return nil
	}
	if err := k.execute(sql); err != nil {
		state.settings = before // several statements in one query: all or none
		var e *wire.Error
		if hurried(before) && errors.As(err, &e) && e.Code == wire.CodeQueryCanceled {
			return errStale
		}

		return settingsRefused(err)
	}
	s.proven = true

	return nil
}

// resettle gives a server that stays with its client what a RESET has taken away: those
// settings of the startup packet that were reset go back to what the packet says.
func (k *link) resettle() error {
	sql := k.state.settings.Difference(k.session.settings)
	k.state.settings = k.session.settings
	if sql == "" {
		return nil
	}
	k.up.room(k.loop)
	k.prepend(sql)

	return k.writeServer()
}

// settingsRefused is what a client is told whose settings no server takes: what
// PostgreSQL would have told it at login.
func settingsRefused(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	fatal := wire.Fatalf(e.Code, "%s", e.Message)
	fatal.Detail, fatal.Hint = e.Detail, e.Hint

	return fatal
}

// knows reports whether a ParameterStatus tells the client only what it has been told
// at login, or has set itself.
func (k *link) knows(body []byte) bool {
	name, value, ok := parameterStatus(body)
	if !ok {
		return false
	}
	known, set := k.session.settings.Get(name)
	if !set {
		known, set = k.session.told.Get(name)
	}
	if !set {
		known = initial(k.server.Welcome, name)
	}

	return value == known
}

// follow books a ParameterStatus: a change that the client made goes with it.
func (k *link) follow(body []byte) {
	name, value, ok := parameterStatus(body)
	s := k.session
	switch {
	case !ok:
		return
	case !followed(name):
		s.told = s.told.With(name, value)

		return
	}
	if value == initial(k.server.Welcome, name) {
		s.settings = s.settings.Without(name)
	} else {
		s.settings = s.settings.With(name, value)
	}
	k.state.settings = s.settings
	s.readAs(k.server.Welcome)
}

// initial is what a server reported at login.
func initial(w *wire.Welcome, name string) string {
	for _, p := range w.Parameters {
		if p.Name == name {
			return p.Value
		}
	}

	return ""
}

// parameterStatus takes a ParameterStatus apart.
func parameterStatus(body []byte) (name, value string, ok bool) {
	n, rest, ok := bytes.Cut(body, []byte{0})
	if !ok {
		return "", "", false
	}
	v, _, ok := bytes.Cut(rest, []byte{0})

	return string(n), string(v), ok
}
