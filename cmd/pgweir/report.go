package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
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
		Database    string  `json:"database"`
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
		return usageError(fs, "-n %d is not from 1 to 10000", *n)
	case *format == "json":
		return reportJSON(ctx, ask, *n, stdout)
	case *format != "table":
		return usageError(fs, "-format %q is neither table nor json", *format)
	}

	r := report{rows: *n}
	if err := r.fetch(ctx, ask); err != nil {
		return err
	}
	var b bytes.Buffer
	r.print(&b)
	_, err := stdout.Write(b.Bytes())

	return err
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
	switch err := ask.do(ctx, http.MethodGet, "/api/nplusone", &found); {
	case err == nil:
		all["nplusone"] = found
	case !isOff(err):
		return err
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")

	return out.Encode(all)
}

// A report is what a person gets to read.
type report struct {
	rows   int // of each table
	tables []statements
	looked bool // for loops
	loops  findings
}

// fetch asks for all of it.
func (r *report) fetch(ctx context.Context, ask *asker) error {
	for _, order := range rankings {
		var s statements
		if err := ask.do(ctx, http.MethodGet, statementsPath(order.by, r.rows), &s); err != nil {
			return err
		}
		r.tables = append(r.tables, s)
	}
	err := ask.do(ctx, http.MethodGet, "/api/nplusone", &r.loops)
	r.looked = err == nil
	if isOff(err) {
		return nil
	}

	return err
}
