package web

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/stats"
)

// statementDescs are of what statements and requests did. Their names count statements
// as PostgreSQL's clients do: queries.
type statementDescs struct {
	duration, errors, cancelled, rows, fromClients, toClients, wait, gap, failed *prometheus.Desc // of each
	info, admitted, evicted                                                      *prometheus.Desc
	sizes, took, overTarget, warnings                                            *prometheus.Desc // of requests
	findings, cut, memory                                                        *prometheus.Desc // of loops in the traffic
}

// statementDesc describes a metric of each statement of each pool.
func statementDesc(name, help string, labels ...string) *prometheus.Desc {
	return poolDesc(name, help, append([]string{"fingerprint"}, labels...)...)
}

// newStatementDescs returns the descriptions.
func newStatementDescs() statementDescs {
	return statementDescs{
		duration:    statementDesc("query_duration_seconds", "How long PostgreSQL took for statements that succeeded."),
		errors:      statementDesc("query_errors_total", "Statements that ended in an error, by the first two characters of its SQLSTATE.", "class"),
		cancelled:   statementDesc("query_cancellations_total", "Statements that were cancelled."),
		rows:        statementDesc("query_rows_total", "Rows returned or changed."),
		fromClients: statementDesc("query_received_bytes_total", "Bytes of the statements and their parameters."),
		toClients:   statementDesc("query_sent_bytes_total", "Bytes of their answers."),
		wait:        statementDesc("query_wait_seconds_total", "How long statements waited for a server."),
		gap:         statementDesc("query_gap_seconds_total", "How long the application took between the answer before and the statement."),
		failed:      statementDesc("query_failed_seconds_total", "How long PostgreSQL took for statements that did not succeed."),
		info:        desc("query_info", "Always 1; what a fingerprint stands for is its labels.", "fingerprint", "summary", "query"),
		admitted:    desc("fingerprint_admissions_total", "Statements that got figures of their own."),
		evicted:     desc("fingerprint_evictions_total", "Statements that lost them to heavier ones."),
		sizes:       poolDesc("request_queries", "Statements by request."),
		took:        poolDesc("request_duration_seconds", "How long requests took."),
		overTarget:  poolDesc("request_over_target_total", "Requests with as many statements as the target, or more."),
		findings: desc("nplusone_findings_total", "Loops in the traffic, however often each was seen.",
			"database", "kind", "confidence", "route"),
		cut:      desc("nplusone_evictions_total", "Requests that were judged before their end, for lack of memory."),
		memory:   desc("nplusone_memory_bytes", "What looking for loops in the traffic takes."),
		warnings: poolDesc("request_warnings_total", "Requests with too many statements, or that took too long.", "reason"),
	}
}

// A statementCollector makes metrics of a report at each scrape.
type statementCollector struct {
	meter *meter.Meter
	statementDescs
}

// Describe implements [prometheus.Collector]. What there is is found out by collecting.
func (c *statementCollector) Describe(ch chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, ch)
}

// Collect implements [prometheus.Collector].
func (c *statementCollector) Collect(ch chan<- prometheus.Metric) {
	report := c.meter.Statements.Snapshot(context.Background()) // which has a deadline of its own
	counter(ch, c.admitted, report.Admitted)
	counter(ch, c.evicted, report.Evicted)
	told := make(map[stats.Fingerprint]bool)
	for i := range report.Statements {
		s := &report.Statements[i]
		c.collectStatement(ch, s)
		if !told[s.Fingerprint] && s.Text.Normalised != "" {
			told[s.Fingerprint] = true
			gauge(ch, c.info, 1, s.Fingerprint.String(), s.Text.Summary, s.Text.Normalised)
		}
	}
	for i := range report.Requests {
		c.collectRequests(ch, &report.Requests[i])
	}
	if c.meter.Findings != nil {
		counter(ch, c.cut, c.meter.Evicted())
		gauge(ch, c.memory, float64(c.meter.NPlusOneMemory()))
		for l, n := range c.meter.Findings.Counts() {
			counter(ch, c.findings, n, l.Database, l.Kind, l.Confidence.String(), label(l.Route))
		}
	}
}

// collectStatement makes the metrics of one statement.
func (c *statementCollector) collectStatement(ch chan<- prometheus.Metric, s *stats.Statement) {
	labels := []string{s.Database, s.User, s.Fingerprint.String()}
	ch <- latency(c.duration, s, labels)
	counter(ch, c.cancelled, s.Cancelled, labels...)
	counter(ch, c.rows, s.Rows, labels...)
	counter(ch, c.fromClients, s.BytesIn, labels...)
	counter(ch, c.toClients, s.BytesOut, labels...)
	secondsCounter(ch, c.wait, s.Wait.Seconds(), labels)
	secondsCounter(ch, c.gap, s.Gap.Seconds(), labels)
	secondsCounter(ch, c.failed, s.Failed.Seconds(), labels)
	for _, class := range s.ErrorClass {
		counter(ch, c.errors, class.Count, append(labels[:3:3], label(class.Class))...)
	}
}

// collectRequests makes the metrics of the requests of one pool.
func (c *statementCollector) collectRequests(ch chan<- prometheus.Metric, r *stats.PoolRequests) {
	ch <- prometheus.MustNewConstHistogram(c.sizes, r.Requests, float64(r.Statements), r.CumulativeSizes(), r.Database, r.User)
	ch <- prometheus.MustNewConstHistogram(c.took, r.Requests, r.Took.Sum.Seconds(), r.Took.Cumulative(), r.Database, r.User)
	counter(ch, c.overTarget, r.OverTarget, r.Database, r.User)
	counter(ch, c.warnings, r.TooMany, r.Database, r.User, string(stats.TooManyStatements))
	counter(ch, c.warnings, r.TooLong, r.Database, r.User, string(stats.TooLong))
}

// secondsCounter makes a counter of time.
func secondsCounter(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels []string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

// A latencyMetric is a native histogram, all buckets, that carries a classic one too, for
// who scrapes it as text.
type latencyMetric struct {
	prometheus.Metric // the native one
	classic           prometheus.Metric
}

// latency makes a histogram of what a statement took.
func latency(d *prometheus.Desc, s *stats.Statement, labels []string) prometheus.Metric {
	l := &s.Latency
	native, err := prometheus.NewConstNativeHistogram(d, l.Count(), l.Sum.Seconds(), l.Native(), nil, 0,
		stats.LatencySchema, prometheus.DefNativeHistogramZeroThreshold, s.Since, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}

	return latencyMetric{native, prometheus.MustNewConstHistogram(d, l.Count(), l.Sum.Seconds(), l.Cumulative(), labels...)}
}

// Write implements [prometheus.Metric].
func (m latencyMetric) Write(out *dto.Metric) error {
	var classic dto.Metric
	if err := m.classic.Write(&classic); err != nil {
		return err
	}
	if err := m.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = classic.Histogram.Bucket

	return nil
}
