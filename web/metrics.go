package web

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/proxy"
	"github.com/pgweir/pgweir/stats"
)

// The labels of a pool's metrics.
var poolLabels = []string{"database", "user"}

// desc describes a metric of ours.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("pgweir_"+name, help, labels, nil)
}

// poolDesc describes a metric of each pool.
func poolDesc(name, help string, labels ...string) *prometheus.Desc {
	return desc(name, help, append(poolLabels[:len(poolLabels):len(poolLabels)], labels...)...)
}

// A collector makes metrics of snapshots at each scrape.
type collector struct {
	sources Sources
	process processDescs
	pool    poolDescs
	traffic trafficDescs
}

// processDescs are of the whole process.
type processDescs struct {
	info, clients, logins, acceptErrors, refused, panics, cancels, badCancels, unheard, errors *prometheus.Desc
	loopBusy, logDropped, pinned, pins                                                         *prometheus.Desc
}

// poolDescs are of what a pool is.
type poolDescs struct {
	clients, servers, size, utilisation, maxWait *prometheus.Desc
	opened, openFailed, closed, cancels          *prometheus.Desc
}

// trafficDescs are of what goes through a pool.
type trafficDescs struct {
	transactions, queries, fromClients, toClients, wait, use *prometheus.Desc
}

// newCollector returns a collector over sources.
func newCollector(s Sources) *collector {
	return &collector{
		sources: s,
		process: processDescs{
			info:         desc("info", "Always 1; the version is its label.", "version"),
			clients:      desc("clients", "Clients that are logged in."),
			logins:       desc("logins_in_progress", "Connections that have not logged in yet."),
			acceptErrors: desc("accept_errors_total", "Errors when accepting connections."),
			refused:      desc("connections_refused_total", "Connections closed at once because too many were logging in."),
			panics:       desc("panics_recovered_total", "Panics that ended one client and were survived. Any is a bug."),
			cancels:      desc("cancel_requests_total", "Cancel requests from clients."),
			badCancels:   desc("cancel_requests_unknown_total", "Cancel requests with a key that no client has."),
			unheard:      desc("cancel_requests_ignored_total", "Cancel requests not looked at: too many with unknown keys came from their address."),
			errors:       desc("client_errors_total", "Errors made by pgweir and told to clients.", "sqlstate"),
			pinned:       desc("clients_pinned", "Clients that keep their server outside transactions, for what cannot go along."),
			pins:         desc("pins_total", "How often a client began to keep its server.", "reason"),
			logDropped:   desc("log_lines_dropped_total", "Log lines dropped because nobody took them in time."),
			loopBusy:     desc("loop_busy_seconds_total", "Time that an event loop has worked rather than waited.", "loop"),
		},
		pool: poolDescs{
			clients:     poolDesc("pool_clients", "Clients of the pool by state.", "state"),
			servers:     poolDesc("pool_servers", "Connections to PostgreSQL by state.", "state"),
			size:        poolDesc("pool_size", "How many servers the pool may have, without its reserve."),
			utilisation: poolDesc("pool_utilisation_ratio", "Share of the pool's size that is in use."),
			maxWait:     poolDesc("pool_max_wait_seconds", "How long the first client in the queue has waited so far."),
			opened:      poolDesc("server_opens_total", "Connections to PostgreSQL opened."),
			openFailed:  poolDesc("server_open_failures_total", "Attempts to open one that failed."),
			closed:      poolDesc("server_closes_total", "Connections to PostgreSQL closed.", "reason"),
			cancels:     poolDesc("server_cancels_total", "Cancel requests sent to PostgreSQL."),
		},
		traffic: trafficDescs{
			transactions: poolDesc("transactions_total", "Transactions ended, which is also how many checkouts there were."),
			queries:      poolDesc("queries_total", "Simple queries, executed portals and function calls."),
			fromClients:  poolDesc("client_received_bytes_total", "Bytes from clients to PostgreSQL."),
			toClients:    poolDesc("client_sent_bytes_total", "Bytes from PostgreSQL to clients."),
			wait:         poolDesc("client_wait_seconds", "How long checkouts waited for a server."),
			use:          poolDesc("server_use_seconds", "How long transactions had their server."),
		},
	}
}

// Describe implements [prometheus.Collector]. The pools come and go, so what there
// is is found out by collecting.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, ch)
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	st := c.sources.Proxy.Stat()
	c.collectProcess(ch, st)
	for _, p := range c.sources.Pools.All() {
		c.collectPool(ch, p.Stat())
	}
	for _, r := range st.Routes {
		c.collectTraffic(ch, r)
	}
}

// collectProcess makes the metrics of the process.
func (c *collector) collectProcess(ch chan<- prometheus.Metric, st proxy.Stat) {
	d := &c.process
	gauge(ch, d.info, 1, c.sources.Version)
	gauge(ch, d.clients, float64(st.Clients))
	gauge(ch, d.logins, float64(st.Logins))
	counter(ch, d.acceptErrors, st.AcceptErrors)
	counter(ch, d.refused, st.Refused)
	counter(ch, d.panics, st.Panics)
	counter(ch, d.cancels, st.Cancels)
	counter(ch, d.badCancels, st.BadCancels)
	counter(ch, d.unheard, st.Unheard)
	counter(ch, d.logDropped, c.sources.LogDropped())
	gauge(ch, d.pinned, float64(st.Pinned))
	for reason, n := range st.Pins {
		counter(ch, d.pins, n, reason)
	}
	for code, n := range st.Errors {
		counter(ch, d.errors, n, code)
	}
	for i, l := range c.sources.Loops.Loops() {
		ch <- prometheus.MustNewConstMetric(d.loopBusy, prometheus.CounterValue,
			l.Busy().Seconds(), strconv.Itoa(i))
	}
}

// collectPool makes the metrics of one pool.
func (c *collector) collectPool(ch chan<- prometheus.Metric, s pool.Stat) {
	d, db, user := &c.pool, label(s.Key.Database), label(s.Key.User)
	gauge(ch, d.clients, float64(s.InUse()), db, user, "active")
	gauge(ch, d.clients, float64(s.Waiting), db, user, "waiting")
	gauge(ch, d.clients, float64(max(s.Clients-s.InUse()-s.Waiting, 0)), db, user, "idle")
	gauge(ch, d.servers, float64(s.InUse()), db, user, "active")
	gauge(ch, d.servers, float64(s.Idle), db, user, "idle")
	gauge(ch, d.servers, float64(s.Opening), db, user, "login")
	gauge(ch, d.size, float64(s.Size), db, user)
	gauge(ch, d.utilisation, float64(s.InUse())/float64(s.Size), db, user)
	gauge(ch, d.maxWait, s.MaxWait.Seconds(), db, user)
	counter(ch, d.opened, s.Opened, db, user)
	counter(ch, d.openFailed, s.OpenFailed, db, user)
	counter(ch, d.cancels, s.Cancels, db, user)
	for reason, n := range s.Closed {
		counter(ch, d.closed, n, db, user, string(reason))
	}
}

// collectTraffic makes the metrics of what went through one pool.
func (c *collector) collectTraffic(ch chan<- prometheus.Metric, r proxy.RouteStat) {
	d, db, user := &c.traffic, label(r.Key.Database), label(r.Key.User)
	counter(ch, d.transactions, r.Transactions, db, user)
	counter(ch, d.queries, r.Queries, db, user)
	counter(ch, d.fromClients, r.FromClients, db, user)
	counter(ch, d.toClients, r.ToClients, db, user)
	histogram(ch, d.wait, r.Wait, db, user)
	histogram(ch, d.use, r.Transaction, db, user)
}

// label returns a name as the value of a label. PostgreSQL's names are bytes, and a
// client may ask for any; those that are not UTF-8, which labels are, are written out.
func label(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for i, r := range name {
		if _, n := utf8.DecodeRuneInString(name[i:]); r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteRune(r)
		}
	}

	return b.String()
}

// gauge makes a gauge.
func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

// counter makes a counter.
func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, v uint64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
}

// histogram makes a histogram.
func histogram(ch chan<- prometheus.Metric, d *prometheus.Desc, s stats.Snapshot, labels ...string) {
	ch <- prometheus.MustNewConstHistogram(d, s.Count(), s.Sum.Seconds(), s.Cumulative(), labels...)
}
