package wirescript

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Explanation says why transcripts differ in some configurations, and how.
type Explanation struct {
	Configurations []string
	Below          int    // for PostgreSQL older than this major version; 0: for all
	Reason         string // in words
	Text           string // of the [Difference]
}

// Explains reports whether it is about a configuration with a version of PostgreSQL.
func (e *Explanation) Explains(configuration string, version int) bool {
	return slices.Contains(e.Configurations, configuration) && (e.Below == 0 || version < e.Below)
}

// ParseExplanations reads the file beside a script. It has sections:
//
//	## configuration ... [server<VERSION]
//	# The reason, in words.
//	 a line of both transcripts
//	-one that only PostgreSQL's has
//	+one that only the proxy's has
func ParseExplanations(name, text string) ([]Explanation, error) {
	var all []Explanation
	number := 0
	for full := range strings.Lines(text) {
		number++
		text := strings.TrimRight(full, "\n")
		header, isHeader := strings.CutPrefix(text, "## ")
		if isHeader {
			e, err := newExplanation(header)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, number, err)
			}
			all = append(all, e)
		} else if len(all) == 0 {
			return nil, fmt.Errorf("%s:%d: a section begins with ## and configurations", name, number)
		} else {
			all[len(all)-1].add(text)
		}
	}
	for _, e := range all {
		if e.Reason == "" {
			return nil, fmt.Errorf("%s: %s: say why, in lines that begin with #", name, e.Configurations)
		}
	}

	return all, nil
}

// newExplanation reads the header of a section.
func newExplanation(header string) (Explanation, error) {
	var e Explanation
	for _, w := range strings.Fields(header) {
		version, found := strings.CutPrefix(w, "server<")
		if !found {
			e.Configurations = append(e.Configurations, w)

			continue
		}
		var err error
		if e.Below, err = strconv.Atoi(version); err != nil {
			return e, err
		}
	}

	return e, nil
}

// add adds a line of the section.
func (e *Explanation) add(text string) {
	switch reason, found := strings.CutPrefix(text, "#"); {
	case found:
		e.Reason += strings.TrimSpace(reason) + "\n"
	case text != "":
		e.Text += text + "\n"
	}
}
