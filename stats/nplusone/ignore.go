package nplusone

import (
	"bytes"
	"slices"
)

// Rules say what is not to be reported. The zero value leaves out only what is left out
// always: the catalog, health checks, queues polled with SKIP LOCKED, advisory locks,
// sequences, and the probes of uniqueness checks.
type Rules struct {
	Fingerprints []uint64
	Tables       []string
	Applications []string
	Routes       []string
	Users        []string
	// Jobs are applications whose work is to go over rows: they are reported from 50
	// repeats on instead of 5.
	Jobs []string
}

// The repeats from which on something is reported.
const (
	minRepeats       = 5
	minRepeatsOfJobs = 50
	minChatty        = 50
)

// ignores reports whether a statement is never part of a finding.
func (r *Rules) ignores(d *Description) bool {
	return slices.Contains(r.Fingerprints, d.Fingerprint) ||
		slices.ContainsFunc(d.Tables, func(t string) bool { return slices.Contains(r.Tables, t) })
}

// ignoresEpisode reports whether nothing of the episode is reported.
func (r *Rules) ignoresEpisode(e *episode) bool {
	return slices.Contains(r.Applications, e.origin.Application) || slices.Contains(r.Users, e.origin.User) ||
		e.tags != nil && slices.Contains(r.Routes, e.tags.Where())
}

// repeats is from how many repeats on a statement of the application is reported.
func (r *Rules) repeats(application string) uint32 {
	if slices.Contains(r.Jobs, application) {
		return minRepeatsOfJobs
	}

	return minRepeats
}

// probe is how Rails looks whether a value is taken before it writes a row. Without the
// alias, as in a normalised text, others ask like that for what they could ask at once.
const probe = "SELECT 1 AS one FROM "

// IsProbe reports whether a text only looks whether a value is taken, which a uniqueness
// check cannot do without: it is kept out of the findings.
func IsProbe(text []byte) bool {
	return bytes.HasPrefix(text, []byte(probe))
}

// ignoreComment is what an application writes into a comment.
const ignoreComment = "pgweir:n1 ignore"

// Ignored reports whether a text has the comment that keeps it out of the findings,
// /* pgweir:n1 ignore */. Only texts with comments need be asked for.
func Ignored(text []byte) bool {
	for {
		_, behind, ok := bytes.Cut(text, []byte("/*"))
		if !ok {
			return false
		}
		comment, rest, ok := bytes.Cut(behind, []byte("*/"))
		if ok && string(bytes.TrimSpace(comment)) == ignoreComment {
			return true
		}
		text = rest
	}
}
