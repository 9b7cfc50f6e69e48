package wirescript

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An explanation says why transcripts differ in some configurations, and how.
type explanation struct {
	configurations []string
	below          int    // for PostgreSQL older than this major version; 0: for all
	reason         string // in words
	text           string // of the [Difference]
}

// explains reports whether it is about a configuration with a version of PostgreSQL.
func (e *explanation) explains(configuration string, version int) bool {
	return slices.Contains(e.configurations, configuration) && (e.below == 0 || version < e.below)
}

// parseExplanations reads the file beside a script. It has sections:
//
//	## configuration ... [server<VERSION]
//	# The reason, in words.
//	 a line of both transcripts
//	-one that only PostgreSQL's has
//	+one that only the proxy's has
func parseExplanations(name, text string) ([]explanation, error) {
	var all []explanation
	number := 0
	for full := range strings.Lines(text) {
		number++
		text := strings.TrimRight(full, "\n")
		header, isHeader := strings.CutPrefix(text, "## ")
		switch {
		case isHeader:
			e, err := newExplanation(header)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, number, err)
			}
			all = append(all, e)
		case len(all) == 0:
			return nil, fmt.Errorf("%s:%d: a section begins with ## and configurations", name, number)
		default:
			all[len(all)-1].add(text)
		}
	}
	for _, e := range all {
		if e.reason == "" {
			return nil, fmt.Errorf("%s: %s: say why, in lines that begin with #", name, e.configurations)
		}
	}

	return all, nil
}

// newExplanation reads the header of a section.
func newExplanation(header string) (explanation, error) {
	var e explanation
	for _, w := range strings.Fields(header) {
		version, found := strings.CutPrefix(w, "server<")
		if !found {
			e.configurations = append(e.configurations, w)

			continue
		}
		var err error
		if e.below, err = strconv.Atoi(version); err != nil {
			return e, err
		}
	}

	return e, nil
}

// add adds a line of the section.
func (e *explanation) add(text string) {
	switch why, found := strings.CutPrefix(text, "#"); {
	case found:
		e.reason += strings.TrimSpace(why) + "\n"
	case text != "":
		e.text += text + "\n"
	}
}
