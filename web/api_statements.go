package web

import (
	"time"

	"github.com/pgweir/pgweir/stats"
)

// statementsJSON is /api/statements.
type statementsJSON struct {
	At         time.Time       `json:"at"`
	Since      time.Time       `json:"since"`
	By         string          `json:"by"`
	Tracked    int             `json:"tracked_limit"`
	Totals     totalsJSON      `json:"totals"`
	Statements []statementJSON `json:"statements"`
}

// totalsJSON is what all statements did, those that are not listed too.
type totalsJSON struct {
	Statements       int      `json:"statements"`
	Calls            uint64   `json:"calls"`
	Errors           uint64   `json:"errors"`
	Cancelled        uint64   `json:"cancelled"`
	Rows             uint64   `json:"rows"`
	ReceivedBytes    uint64   `json:"received_bytes"`
	SentBytes        uint64   `json:"sent_bytes"`
	TotalMS          float64  `json:"total_ms"`
	WaitMS           float64  `json:"wait_ms"`
	Requests         uint64   `json:"requests"`
	UniquePercent    *float64 `json:"unique_percent"`
	DuplicatePercent *float64 `json:"duplicate_percent"`
}

// statementJSON is one statement.
type statementJSON struct {
	Database      string            `json:"database"`
	User          string            `json:"user"`
	Fingerprint   string            `json:"fingerprint"`
	Summary       string            `json:"summary"`
	Query         string            `json:"query"`
	Since         time.Time         `json:"since"`
	Calls         uint64            `json:"calls"`
	Errors        uint64            `json:"errors"`
	Cancelled     uint64            `json:"cancelled"`
	ErrorClasses  map[string]uint64 `json:"error_classes"`
	Rows          uint64            `json:"rows"`
	ReceivedBytes uint64            `json:"received_bytes"`
	SentBytes     uint64            `json:"sent_bytes"`
	TotalMS       float64           `json:"total_ms"`
	TotalPercent  *float64          `json:"total_percent"`
	FailedMS      float64           `json:"failed_ms"`
	MeanMS        float64           `json:"mean_ms"`
	MinMS         float64           `json:"min_ms"`
	MaxMS         float64           `json:"max_ms"`
	P50MS         float64           `json:"p50_ms"`
	P95MS         float64           `json:"p95_ms"`
	P99MS         float64           `json:"p99_ms"`
	WaitMS        float64           `json:"wait_ms"`
	WaitMaxMS     float64           `json:"wait_max_ms"`
	GapMS         float64           `json:"gap_ms"`
	PlanStep      *float64          `json:"plan_step"`
	Routes        []routeJSON       `json:"routes"`
	Trend         []trendJSON       `json:"trend"`
	LastSlow      *lastSlowJSON     `json:"last_slow"`
}

// routeJSON is a route that calls a statement.
type routeJSON struct {
	Route string `json:"route"`
	Calls uint64 `json:"calls"`
}

// trendJSON is one minute of a statement.
type trendJSON struct {
	Minute  time.Time `json:"minute"`
	Calls   uint64    `json:"calls"`
	Errors  uint64    `json:"errors"`
	TotalMS float64   `json:"total_ms"`
}

// lastSlowJSON is the last execution that was slow.
type lastSlowJSON struct {
	At       time.Time `json:"at"`
	ServerMS float64   `json:"server_ms"`
	WaitMS   float64   `json:"wait_ms"`
	GapMS    *float64  `json:"gap_ms"`
	Rows     uint64    `json:"rows"`
	Route    string    `json:"route"`
}

// totalsOf adds up a report.
func totalsOf(r *stats.Report) totalsJSON {
	t := totalsJSON{Statements: len(r.Statements)}
	for i := range r.Statements {
		s := &r.Statements[i]
		t.Calls += s.Calls
		t.Errors += s.Errors
		t.Cancelled += s.Cancelled
		t.Rows += s.Rows
		t.ReceivedBytes += s.BytesIn
		t.SentBytes += s.BytesOut
		t.TotalMS += ms(s.Server())
		t.WaitMS += ms(s.Wait)
	}
	var all, distinct uint64
	for i := range r.Requests {
		t.Requests += r.Requests[i].Requests
		all += r.Requests[i].Statements
		distinct += r.Requests[i].Distinct
	}
	t.UniquePercent = percent(float64(distinct), float64(all))
	t.DuplicatePercent = percent(float64(all-distinct), float64(all))

	return t
}

// statementOf makes one statement's JSON, with its share of all time.
func statementOf(s *stats.Statement, all float64) statementJSON {
	j := statementJSON{
		Database: s.Database, User: s.User, Fingerprint: s.Fingerprint.String(), Summary: s.Text.Summary,
		Query: s.Text.Normalised, Since: s.Since, Calls: s.Calls, Errors: s.Errors, Cancelled: s.Cancelled,
		ErrorClasses: map[string]uint64{}, Rows: s.Rows, ReceivedBytes: s.BytesIn, SentBytes: s.BytesOut,
		TotalMS: ms(s.Server()), TotalPercent: percent(ms(s.Server()), all), FailedMS: ms(s.Failed),
		MeanMS: ms(s.Mean()), MinMS: ms(s.Min), MaxMS: ms(s.Max), P50MS: ms(s.Latency.Quantile(0.5)),
		P95MS: ms(s.Latency.Quantile(0.95)), P99MS: ms(s.Latency.Quantile(0.99)),
		WaitMS: ms(s.Wait), WaitMaxMS: ms(s.MaxWait), GapMS: ms(s.Gap), Routes: []routeJSON{}, Trend: []trendJSON{},
	}
	if factor, found := s.PlanStep(); found {
		j.PlanStep = &factor
	}
	for _, c := range s.ErrorClass {
		j.ErrorClasses[c.Class] = c.Count
	}
	for _, r := range s.TopRoutes {
		j.Routes = append(j.Routes, routeJSON(r))
	}
	for _, p := range s.Trend {
		j.Trend = append(j.Trend, trendJSON{time.Unix(60*p.Minute, 0).UTC(), p.Calls, p.Errors, ms(p.Server)})
	}
	if l := s.Last; l.At != 0 {
		j.LastSlow = &lastSlowJSON{time.Unix(0, l.At).UTC(), ms(l.Server), ms(l.Wait), gapMS(l.Gap), l.Rows, s.LastRoute}
	}

	return j
}

// gapMS is the gap before a statement, or nil if there was none.
func gapMS(d time.Duration) *float64 {
	if d < 0 {
		return nil
	}

	return new(ms(d))
}

// slowsJSON is /api/slow.
type slowsJSON struct {
	At   time.Time  `json:"at"`
	Slow []slowJSON `json:"slow"`
}

// slowJSON is one execution that was slow.
type slowJSON struct {
	At          time.Time `json:"at"`
	Database    string    `json:"database"`
	User        string    `json:"user"`
	Fingerprint string    `json:"fingerprint"`
	Summary     string    `json:"summary"`
	Query       string    `json:"query"`
	Parameters  string    `json:"parameters"`
	Reason      string    `json:"reason"`
	LimitMS     float64   `json:"limit_ms"`
	ServerMS    float64   `json:"server_ms"`
	WaitMS      float64   `json:"wait_ms"`
	GapMS       *float64  `json:"gap_ms"`
	Rows        uint64    `json:"rows"`
	Route       string    `json:"route"`
	SQLState    string    `json:"sqlstate"`
	Suppressed  uint64    `json:"suppressed"`
}

// slowOf makes one slow execution's JSON.
func slowOf(s stats.Slow) slowJSON {
	return slowJSON{
		At: s.At, Database: s.Database, User: s.User, Fingerprint: s.Fingerprint.String(), Summary: s.Text.Summary,
		Query: s.Text.Normalised, Parameters: s.Parameters, Reason: string(s.Reason), LimitMS: ms(s.Limit), ServerMS: ms(s.Server),
		WaitMS: ms(s.Wait), GapMS: gapMS(s.Gap), Rows: s.Rows, Route: s.Route, SQLState: s.SQLState,
		Suppressed: s.Suppressed,
	}
}
