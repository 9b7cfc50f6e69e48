package nplusone

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// A Baseline is the findings that are known, such as those of a test suite: what is in
// it passes, what is not fails. How often a statement ran is recorded for the reader and
// does not matter.
type Baseline struct {
	known map[key]bool
}

// An entry is a finding in the file of a baseline.
type entry struct {
	Kind   string    `json:"kind"`
	Where  string    `json:"where"` // the route, or "application " and its name
	Child  Reference `json:"child"`
	Parent Reference `json:"parent"` // of fingerprint 0 if it is not known
	Count  uint64    `json:"count"`
}

// A baselineFile is the content of the file.
type baselineFile struct {
	Findings []entry `json:"findings"`
}

// key is that of the finding.
func (e *entry) key() key {
	return key{kind: e.Kind, where: e.Where, child: e.Child.Fingerprint, parent: e.Parent.Fingerprint}
}

// WriteBaseline writes findings as a baseline, in an order that does not depend on what
// they cost, so that the file can be read as a diff.
func WriteBaseline(w io.Writer, findings []Finding) error {
	file := baselineFile{Findings: make([]entry, 0, len(findings))}
	for i := range findings {
		f := &findings[i]
		e := entry{Kind: f.Kind, Where: f.key().where, Child: f.Child, Count: f.Count}
		if f.Parent != nil {
			e.Parent = *f.Parent
		}
		file.Findings = append(file.Findings, e)
	}
	slices.SortFunc(file.Findings, func(a, b entry) int { return compareKeys(a.key(), b.key()) })
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")

	return out.Encode(file)
}

// ReadBaseline reads what WriteBaseline has written. What is unknown in it is an error:
// it may be a misspelt name.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	var file baselineFile
	in := json.NewDecoder(r)
	in.DisallowUnknownFields()
	if err := in.Decode(&file); err != nil {
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	b := &Baseline{known: make(map[key]bool, len(file.Findings))}
	for i := range file.Findings {
		b.known[file.Findings[i].key()] = true
	}

	return b, nil
}

// New returns the findings that are not in the baseline, in their order.
func (b *Baseline) New(findings []Finding) []Finding {
	var fresh []Finding
	for i := range findings {
		if !b.known[findings[i].key()] {
			fresh = append(fresh, findings[i])
		}
	}

	return fresh
}
