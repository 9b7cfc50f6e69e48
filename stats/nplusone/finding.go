package nplusone

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// A Fingerprint is written as 16 hexadecimal digits.
type Fingerprint uint64

// MarshalText implements encoding.TextMarshaler.
func (f Fingerprint) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%016x", uint64(f)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	var b [8]byte
	if len(text) != hex.EncodedLen(len(b)) {
		return fmt.Errorf("fingerprint %q does not have 16 digits", text)
	}
	if _, err := hex.Decode(b[:], text); err != nil {
		return fmt.Errorf("fingerprint %q: %w", text, err)
	}
	*f = 0
	for _, c := range b {
		*f = *f<<8 | Fingerprint(c)
	}

	return nil
}

// A Reference names a statement.
type Reference struct {
	Fingerprint Fingerprint `json:"fingerprint"`
	Text        string      `json:"text"`
	Tables      []string    `json:"tables"`
}

// A Finding is one loop in the code of an application: of one kind, on one route, with
// one child and one parent, however often it was seen.
type Finding struct {
	Kind       string     `json:"kind"`
	Confidence Confidence `json:"confidence"` // the best that there was
	Count      uint64     `json:"count"`      // executions in one episode, the most that there were
	Distinct   uint64     `json:"distinct"`   // values among them, estimated
	Child      Reference  `json:"child"`
	Parent     *Reference `json:"parent"` // nil if it is not known
	// Provenance is where the values come from, such as
	// "orders.user_id <- users.id (64/64 values)"; "" if that is not proven.
	Provenance string `json:"provenance"`
	// Route is that of the tags, or controller and action; "" if there are none. Such
	// findings are told apart by application.
	Route string `json:"route"`

	// What all occurrences cost together.
	ExecMS      float64 `json:"exec_ms"` // time of the server
	GapMS       float64 `json:"gap_ms"`  // time of the application and the network in between
	RoundTrips  uint64  `json:"round_trips"`
	Occurrences uint64  `json:"occurrences"`

	FirstSeen  time.Time `json:"first_seen"`
	LastSeen   time.Time `json:"last_seen"`
	Suggestion string    `json:"suggestion"`

	SavedMS float64 `json:"-"`      // an estimate of what asking once would have saved
	Origin  Origin  `json:"origin"` // where it was seen first

	first, last time.Duration // on the clock of the detectors
}

// warnFrom is the cost of one occurrence, in milliseconds, from which on it is worth a
// warning.
const warnFrom = 20

// Warn reports whether the finding is worth a warning: there is evidence, and it takes
// 20 ms or more each time.
func (f *Finding) Warn() bool {
	return f.Confidence >= Likely && f.Kind != KindChatty && f.Kind != KindRecursive &&
		f.ExecMS+f.GapMS >= warnFrom*float64(f.Occurrences)
}

// merge adds another occurrence of the same. It reports whether it is a better example
// than the ones before.
func (f *Finding) merge(g *Finding) (better bool) {
	better = g.Confidence > f.Confidence || g.Confidence == f.Confidence && g.Count > f.Count
	if better {
		f.Confidence, f.Count, f.Distinct = g.Confidence, g.Count, g.Distinct
	}
	f.ExecMS += g.ExecMS
	f.GapMS += g.GapMS
	f.SavedMS += g.SavedMS
	f.RoundTrips += g.RoundTrips
	f.Occurrences++
	f.first, f.last = min(f.first, g.first), max(f.last, g.last)

	return better
}

// MarshalList returns findings in JSON: {"findings": [...]}.
func MarshalList(findings []Finding) ([]byte, error) {
	if findings == nil {
		findings = []Finding{}
	}

	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false) // "<-" is to be read
	err := out.Encode(struct {
		Findings []Finding `json:"findings"`
	}{findings})

	return b.Bytes(), err
}
