package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/pgweir/pgweir/stats/nplusone"
)

// aboutReport goes on the help screen of report.
const aboutReport = "Prints what a running pgweir has measured: totals; the statements that cost\n" +
	"most, by total and mean time, by calls and by the wait for a server; loops."

// rankings are what statements are ordered by, in the order of the report.
var rankings = []struct{ by, title string }{
	{"total", "Most time in PostgreSQL"},
	{"mean", "Slowest"},
	{"calls", "Most often"},
	{"wait", "Longest wait for a server"},
}

// statements is what /api/statements answers, as far as it is printed.
type statements struct {
	At     time.Time `json:"at"`
	Since  time.Time `json:"since"`
	Totals struct {
		Statements       int      `json:"statements"`
		Calls            uint64   `json:"calls"`
		Errors           uint64   `json:"errors"`
		Cancelled        uint64   `json:"cancelled"`
		Rows             uint64   `json:"rows"`
		TotalMS          float64  `json:"total_ms"`
		WaitMS           float64  `json:"wait_ms"`
		Requests         uint64   `json:"requests"`
		UniquePercent    *float64 `json:"unique_percent"`
		DuplicatePercent *float64 `json:"duplicate_percent"`
	} `json:"totals"`
	Statements []struct {
		Fingerprint string  `json:"fingerprint"`
		Query       string  `json:"query"`
		Calls       uint64  `json:"calls"`
		TotalMS     float64 `json:"total_ms"`
		MeanMS      float64 `json:"mean_ms"`
		P95MS       float64 `json:"p95_ms"`
		WaitMS      float64 `json:"wait_ms"`
	} `json:"statements"`
}

// runReport prints a report.
func runReport(ctx context.Context, args []string, stdout, _ io.Writer) error {
	fs := newFlags("report", aboutReport)
	ask := newAsker(fs)
	n := fs.Int("n", 10, "how many statements in each table")
	format := fs.String("format", "table", "table or `json`")
	if err := fs.parse(args, stdout); err != nil {
		return err
	}
	switch {
	case *n < 1 || *n > 10_000:
		return &exitError{code: exitUsage, err: fmt.Errorf("-n %d is not from 1 to 10000", *n)}
	case *format == "json":
		return reportJSON(ctx, ask, *n, stdout)
	case *format != "table":
		return &exitError{code: exitUsage, err: fmt.Errorf("-format %q is neither table nor json", *format)}
	}

	return reportTables(ctx, ask, *n, stdout)
}

// statementsPath is where statements by some order are.
func statementsPath(by string, n int) string {
	return "/api/statements?by=" + by + "&limit=" + strconv.Itoa(n)
}

// reportJSON prints what the API answers, in one object.
func reportJSON(ctx context.Context, ask *asker, n int, w io.Writer) error {
	all := make(map[string]json.RawMessage)
	for _, r := range rankings {
		var answer json.RawMessage
		if err := ask.do(ctx, http.MethodGet, statementsPath(r.by, n), &answer); err != nil {
			return err
		}
		all["by_"+r.by] = answer
	}
	var found json.RawMessage
	if err := ask.do(ctx, http.MethodGet, "/api/nplusone", &found); err == nil { // else it is switched off
		all["nplusone"] = found
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")

	return out.Encode(all)
}

// reportTables prints tables for a person.
func reportTables(ctx context.Context, ask *asker, n int, w io.Writer) error {
	for i, r := range rankings {
		var s statements
		if err := ask.do(ctx, http.MethodGet, statementsPath(r.by, n), &s); err != nil {
			return err
		}
		if i == 0 {
			printTotals(w, &s)
		}
		printStatements(w, r.title, &s)
	}
	var found findings
	if err := ask.do(ctx, http.MethodGet, "/api/nplusone", &found); err != nil {
		return err
	}
	fmt.Fprintln(w, "N+1 and its like")
	for i := range found.Findings[:min(n, len(found.Findings))] {
		printFinding(w, &found.Findings[i])
	}
	if len(found.Findings) == 0 {
		fmt.Fprintln(w, "  none")
	}
	fmt.Fprintln(w, "\npgweir nplusone tells more of these.")

	return nil
}

// printTotals prints what all statements come to.
func printTotals(w io.Writer, s *statements) {
	t := &s.Totals
	fmt.Fprintf(w, "Since %s, for %s\n\n", s.Since.Local().Format(time.DateTime), s.At.Sub(s.Since).Round(time.Second))
	fmt.Fprintf(w, "  %-22s %d, of %d kinds; %d rows\n", "statements", t.Calls, t.Statements, t.Rows)
	fmt.Fprintf(w, "  %-22s %d, and %d cancelled\n", "errors", t.Errors, t.Cancelled)
	fmt.Fprintf(w, "  %-22s %s, and %s of waiting for a server\n", "time in PostgreSQL", duration(t.TotalMS), duration(t.WaitMS))
	if t.UniquePercent != nil && t.DuplicatePercent != nil {
		fmt.Fprintf(w, "  %-22s %d; %.0f %% of their statements are unique, %.0f %% repeat one of the same request\n",
			"requests", t.Requests, *t.UniquePercent, *t.DuplicatePercent)
	}
	fmt.Fprintln(w)
}

// queryWidth is how much of a text there is room for in a table.
const queryWidth = 48

// printStatements prints one table.
func printStatements(w io.Writer, title string, s *statements) {
	fmt.Fprintf(w, "%s\n  %9s %4s %9s %9s %9s %9s  %s\n", title, "total", "%", "calls", "mean", "p95", "wait", "statement")
	for i := range s.Statements {
		one := &s.Statements[i]
		fmt.Fprintf(w, "  %9s %4.0f %9d %9s %9s %9s  %s\n", duration(one.TotalMS), 100*one.TotalMS/max(s.Totals.TotalMS, 1e-9),
			one.Calls, duration(one.MeanMS), duration(one.P95MS), duration(one.WaitMS),
			shorten(cmp.Or(one.Query, one.Fingerprint), queryWidth))
	}
	fmt.Fprintln(w)
}

// printFinding prints a finding in two lines.
func printFinding(w io.Writer, f *nplusone.Finding) {
	fmt.Fprintf(w, "  %-10s %-9s %5d x %3d  %9s  %s\n", f.Kind, f.Confidence, f.Count, f.Occurrences,
		duration(f.ExecMS+f.GapMS), shorten(f.Child.Text, queryWidth))
	if f.Provenance != "" || f.Route != "" {
		fmt.Fprintf(w, "  %-10s %s\n", "", shorten(f.Route+" "+f.Provenance, 2*queryWidth))
	}
}

// shorten cuts a text to so many characters, and makes one line of it.
func shorten(text string, width int) string {
	text = fold(text, 1<<30)[0]
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}

	return string(runes[:width-1]) + "…"
}

// duration prints milliseconds as a person reads them: three digits and a unit.
func duration(ms float64) string {
	d := time.Duration(ms * float64(time.Millisecond))
	switch {
	case d >= 100*time.Minute:
		return fmt.Sprintf("%.1f h", d.Hours())
	case d >= 100*time.Second:
		return fmt.Sprintf("%.1f min", d.Minutes())
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.0f ms", ms)
	}

	return fmt.Sprintf("%.2f ms", ms)
}
