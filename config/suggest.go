package config

import (
	"cmp"
	"strings"
)

// unknownSetting is the message for a key that is not in the table.
const unknownSetting = "unknown setting"

// tables returns the names of the sections.
func (l *loader) tables() []string {
	var names []string
	for _, sec := range l.sections {
		names = append(names, sec.name)
	}
	return names
}

// adviseKey returns the suggestion for a key that the section does not have.
func (l *loader) adviseKey(sec section, key string) string {
	return cmp.Or(l.adviseElsewhere(sec.name, key), didYouMean(nearest(key, sec.keys())))
}

// adviseElsewhere returns the suggestion for a key that is right, but not in the
// table: what became of PgBouncer's setting of that name, else the tables that
// have it.
func (l *loader) adviseElsewhere(table, key string) string {
	if advice := pgbouncerAdvice(table, key); advice != "" {
		return advice
	}
	var headers []string
	for _, sec := range l.sections {
		if _, ok := sec.setting(key); ok && sec.name != table {
			headers = append(headers, sec.header())
		}
	}
	if len(headers) == 0 {
		return ""
	}
	return "it belongs in " + strings.Join(headers, " or ")
}

// adviseTable returns the suggestion for a table that is in no section.
func (l *loader) adviseTable(name string) string {
	switch name {
	case "pgbouncer":
		return "call it [pgweir]"
	case "peers":
		return "peering is not supported yet"
	}
	return didYouMean(nearest(name, l.tables()))
}

// adviseLoose returns the suggestion for a key that is outside of every table.
func (l *loader) adviseLoose(key string) string {
	known := l.tables()
	for _, sec := range l.sections {
		known = append(known, sec.keys()...)
	}
	return cmp.Or(l.adviseElsewhere("", key), didYouMean(nearest(key, known)))
}

// didYouMean returns the suggestion of a word; none for "".
func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return "did you mean " + word + "?"
}

// nearest returns the known word that looks most like the given one, or "" when
// none does.
func nearest(word string, known []string) string {
	// One slip in three letters still looks like a slip; more is another word.
	limit := max(1, len(word)/3)
	best := ""
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k), limit); d <= limit {
			limit, best = d-1, k
		}
	}
	return best
}

// distance returns how many letters have to be added, dropped, replaced or swapped
// with their neighbour to turn a into b (the optimal string alignment distance),
// or any number above limit when it is above limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}

	// rows are those of the usual matrix for the last two letters of a and this one.
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
