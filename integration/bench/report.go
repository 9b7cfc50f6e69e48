package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// The generated part of a Markdown page lies between these two lines.
const (
	beginMarker = "<!-- bench:begin -->"
	endMarker   = "<!-- bench:end -->"
)

// report is everything a run has found out.
type report struct {
	machine  machine
	server   string // PostgreSQL's version
	programs programs
	when     time.Time
	duration time.Duration
	rounds   int
	results  []result
}

// write writes the report as Markdown.
func (r report) write(w io.Writer) error {
	text := new(strings.Builder)
	fmt.Fprintf(text, "Measured on %s, %d rounds, %v a measurement.\n\n",
		r.when.UTC().Format("2006-01-02 15:04 MST"), r.rounds, r.duration)
	fmt.Fprintf(text, "- Machine: %s\n", r.machine)
	fmt.Fprintf(text, "- Load average before: %.2f", r.machine.load)
	if r.machine.isBusy() {
		text.WriteString(", too much for numbers to rely on")
	}
	fmt.Fprintf(text, "\n- PostgreSQL: %s\n", r.server)
	for _, p := range []*program{r.programs.pgweir, r.programs.pgbouncer} {
		if p != nil {
			fmt.Fprintf(text, "- %s: %s\n", p.name, p.version)
		}
	}
	for kind := range contestKinds {
		writeTable(text, r.of(kind))
	}
	writeFailures(text, r.results)
	_, err := io.WriteString(w, text.String())
	return err
}

// of returns the results of one kind of contest.
func (r report) of(kind contest) []result {
	return slices.DeleteFunc(slices.Clone(r.results), func(one result) bool { return one.scenario.contest != kind })
}

// writeTable writes one table of results that have the same contestants, or nothing if there are none.
func writeTable(w io.Writer, results []result) {
	if len(results) == 0 {
		return
	}
	subject, baseline := results[0].scenario.contest.labels()
	fmt.Fprintf(w, "\n| scenario | median of | %s | %s | ratio (min..max) | bar | verdict | tps | latency, ms |\n",
		subject, baseline)
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|---|--:|--:|")
	for _, r := range results {
		fmt.Fprintln(w, r.row())
	}
}

// row returns the result as a row of the table.
func (r result) row() string {
	return "| " + strings.Join([]string{
		r.scenario.name,
		r.scenario.unit,
		formatMedian(values(r.subject)),
		formatMedian(values(r.baseline)),
		formatRatio(r.ratio()),
		r.scenario.goal.String(),
		r.verdict(),
		formatPair(formatOptional(rates(r.subject)), formatOptional(rates(r.baseline))),
		formatPair(formatOptional(latencies(r.subject)), formatOptional(latencies(r.baseline))),
	}, " | ") + " |"
}

// ratio returns the spread of the rounds' ratios, subject over baseline.
func (r result) ratio() spread { return spreadOf(ratios(values(r.subject), values(r.baseline))) }

// verdict says whether the result clears its bar: "met", "missed", "failed" if it could not be measured to the end,
// "-" if there is no bar or nothing to hold against it.
func (r result) verdict() string {
	g := r.scenario.goal
	if r.err != nil {
		return "failed"
	}
	if g.kind == noGoal || len(r.subject) == 0 || g.kind == ratioAtMost && len(r.baseline) == 0 {
		return "-"
	}
	if g.clearedBy(spreadOf(values(r.subject)).median, r.ratio().median) {
		return "met"
	}
	return "**missed**"
}

// clearedBy tells whether a value and its ratio to the baseline's reach the goal.
func (g goal) clearedBy(value, ratio float64) bool {
	switch g.kind {
	case ratioAtMost:
		return ratio <= g.limit
	case valueAtMost:
		return value <= g.limit
	case valueAtLeast:
		return value >= g.limit
	default:
		return true
	}
}

// String returns the goal as the table shows it.
func (g goal) String() string {
	switch g.kind {
	case ratioAtMost:
		return fmt.Sprintf("≤ %.2f ×", g.limit)
	case valueAtMost:
		return "≤ " + formatValue(g.limit)
	case valueAtLeast:
		return "≥ " + formatValue(g.limit)
	default:
		return "-"
	}
}

// writeFailures lists what could not be measured, and why.
func writeFailures(w io.Writer, results []result) {
	heading := "\nNot measured to the end:\n\n"
	for _, r := range results {
		if r.err == nil {
			continue
		}
		reason, _, _ := strings.Cut(r.err.Error(), "\n")
		fmt.Fprintf(w, "%s- %s\n", heading, reason)
		heading = ""
	}
}

// values returns the samples' values.
func values(samples []sample) []float64 {
	return collect(samples, func(s sample) float64 { return s.value })
}

// rates returns the samples' transactions per second.
func rates(samples []sample) []float64 {
	return collect(samples, func(s sample) float64 { return s.tps })
}

// latencies returns the samples' latencies in milliseconds.
func latencies(samples []sample) []float64 { return collect(samples, sample.latencyMillis) }

// collect returns one number of each sample.
func collect(samples []sample, number func(sample) float64) []float64 {
	numbers := make([]float64, len(samples))
	for i, s := range samples {
		numbers[i] = number(s)
	}
	return numbers
}

// formatMedian shows the median of a contestant's values, "-" if it has none.
func formatMedian(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	return formatValue(spreadOf(values).median)
}

// formatRatio shows a spread of ratios, "-" for the zero value.
func formatRatio(s spread) string {
	if s == (spread{}) {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.2f..%.2f)", s.median, s.min, s.max)
}

// formatOptional shows the median of numbers that a scenario may have none of, "-" then: the rate of a scenario without
// transactions is 0.
func formatOptional(numbers []float64) string {
	median := spreadOf(numbers).median
	if median == 0 {
		return "-"
	}
	return formatValue(median)
}

// formatPair shows both contestants' numbers in one cell.
func formatPair(subject, baseline string) string {
	if subject == "-" && baseline == "-" {
		return "-"
	}
	return subject + " / " + baseline
}

// formatValue shows a value with three significant digits, or with all those before the point if they are more.
func formatValue(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// updatePage puts text between the markers of the page at path, and leaves the rest of it alone. If there is no such
// file it makes one of the text alone.
func updatePage(path, text string) error {
	page, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		page, err = []byte(beginMarker+"\n"+endMarker+"\n"), nil
	}
	if err != nil {
		return err
	}
	updated, err := replaceSection(string(page), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(updated), 0o644)
}

// replaceSection returns page with what lies between the markers replaced by text.
func replaceSection(page, text string) (string, error) {
	before, rest, foundBegin := strings.Cut(page, beginMarker)
	_, after, foundEnd := strings.Cut(rest, endMarker)
	if !foundBegin || !foundEnd {
		return "", fmt.Errorf("no %s followed by %s", beginMarker, endMarker)
	}
	return before + beginMarker + "\n\n" + strings.TrimSpace(text) + "\n\n" + endMarker + after, nil
}
