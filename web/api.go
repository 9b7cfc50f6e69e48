package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/pgweir/pgweir/stats"
)

// An api answers with JSON. docs/api.md documents the fields, which keep their names
// and meaning.
type api struct {
	sources Sources
}

// handle adds the API's pages.
func (a *api) handle(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/pools", a.pools)
	mux.HandleFunc("GET /api/clients", a.clients)
	measured := func(page http.HandlerFunc) http.HandlerFunc {
		if a.sources.Meter != nil {
			return page
		}

		return turnedOff("enabled")
	}
	mux.HandleFunc("GET /api/statements", measured(a.statements))
	mux.HandleFunc("GET /api/slow", measured(a.slow))
	mux.HandleFunc("GET /api/nplusone", measured(a.nplusone))
	mux.HandleFunc("POST /api/reset", measured(a.reset))
}

// turnedOff returns what answers for a page that a setting of [stats] turns off.
func turnedOff(setting string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		sendError(w, http.StatusNotFound, "turned off by "+setting+" = false in [stats]")
	}
}

// How many statements are told of.
const (
	defaultLimit = 100
	maxLimit     = 10_000
)

// rankings are what statements may be ordered by, the most first.
func rankings() map[string]func(*stats.Statement) float64 {
	return map[string]func(*stats.Statement) float64{
		"total": func(s *stats.Statement) float64 { return float64(s.Server()) },
		"mean":  func(s *stats.Statement) float64 { return float64(s.Mean()) },
		"calls": func(s *stats.Statement) float64 { return float64(s.Calls) },
		"wait":  func(s *stats.Statement) float64 { return float64(s.Wait) },
	}
}

// statements answers /api/statements.
func (a *api) statements(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	by := cmp.Or(query.Get("by"), "total")
	rank, ok := rankings()[by]
	if !ok {
		sendError(w, http.StatusBadRequest, "by must be total, mean, calls or wait")

		return
	}
	limit, ok := limitOf(w, query, defaultLimit)
	if !ok {
		return
	}
	report := a.sources.Meter.Statements.Snapshot(r.Context())
	slices.SortStableFunc(report.Statements, func(x, y stats.Statement) int { return cmp.Compare(rank(&y), rank(&x)) })
	answer := statementsJSON{At: report.At, Since: report.Since, By: by, Tracked: report.Tracked, Totals: totalsOf(report)}
	for i := range report.Statements[:min(limit, len(report.Statements))] {
		answer.Statements = append(answer.Statements, statementOf(&report.Statements[i], answer.Totals.TotalMS))
	}
	sendJSON(w, answer)
}

// limitOf returns how many the list of an answer may have: the parameter limit, or if that
// is not given, usual. If it makes no sense the request is answered, with ok false.
func limitOf(w http.ResponseWriter, query url.Values, usual int) (limit int, ok bool) {
	limit, err := strconv.Atoi(cmp.Or(query.Get("limit"), strconv.Itoa(usual)))
	if err != nil || limit < 1 || limit > maxLimit {
		sendError(w, http.StatusBadRequest, "limit must be a number from 1 to "+strconv.Itoa(maxLimit))

		return 0, false
	}

	return limit, true
}

// slow answers /api/slow, the newest first.
func (a *api) slow(w http.ResponseWriter, r *http.Request) {
	report := a.sources.Meter.Statements.Snapshot(r.Context())
	answer := slowsJSON{At: report.At, Slow: []slowJSON{}}
	for _, s := range slices.Backward(report.Slow) {
		answer.Slow = append(answer.Slow, slowOf(s))
	}
	sendJSON(w, answer)
}

// nplusone answers /api/nplusone, the costliest first.
func (a *api) nplusone(w http.ResponseWriter, r *http.Request) {
	m := a.sources.Meter
	if m.Findings == nil {
		turnedOff("nplusone")(w, r)

		return
	}
	switch r.URL.Query().Get("settle") {
	case "", "false":
	case "true":
		m.EndRequests(r.Context())
	default:
		sendError(w, http.StatusBadRequest, "settle must be true or false")

		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = m.Findings.WriteJSON(w) // the reader may be gone
}

// reset answers /api/reset: all figures begin anew, but for the counters in /metrics.
func (a *api) reset(w http.ResponseWriter, r *http.Request) {
	a.sources.Meter.Reset(r.Context())
	w.WriteHeader(http.StatusNoContent)
}

// sendJSON sends an answer.
func sendJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the reader may be gone
}

// errorJSON is an answer that is none.
type errorJSON struct {
	Error string `json:"error"`
}

// sendError sends what is wrong.
func sendError(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(errorJSON{text}) // the reader may be gone
}

// ms is a duration in milliseconds.
func ms(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}

// percent is a share, or nil if there is nothing to have a share of.
func percent(part, of float64) *float64 {
	if of == 0 {
		return nil
	}

	return new(100 * part / of)
}
