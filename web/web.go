package web

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/proxy"
)

// Sources are what the pages show. All must be set but Meter.
type Sources struct {
	Proxy *proxy.Proxy
	Pools *pool.Pools
	Loops *reactor.Group
	// Meter has the figures of statements; nil: there are none.
	Meter *meter.Meter
	// LogDropped returns how many log lines were dropped since the start. It may be
	// called from any goroutine.
	LogDropped func() uint64
	Version    string
	Log        *zap.Logger // for errors of the HTTP server
}

// Timeouts of a request. A scrape takes milliseconds; a reader that stalls must not
// hold on to its connection.
const (
	readTimeout  = 5 * time.Second
	writeTimeout = 10 * time.Second
	idleTimeout  = 2 * time.Minute
)

// NewServer returns an HTTP server for the pages, which the caller starts and
// closes.
func NewServer(s Sources) *http.Server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newCollector(s),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	if s.Meter != nil {
		registry.MustRegister(&statementCollector{s.Meter, newStatementDescs()})
	}
	health := &health{sources: s}
	errors, _ := zap.NewStdLogAt(s.Log, zap.WarnLevel) // fails for unknown levels only
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		Registry: registry, ErrorLog: errors, ErrorHandling: promhttp.ContinueOnError, // the rest is of use
	}))
	mux.HandleFunc("GET /livez", health.live)
	mux.HandleFunc("GET /readyz", health.ready)
	mux.HandleFunc("GET /healthz", health.health)
	mux.HandleFunc("GET /{$}", index)
	(&api{sources: s}).handle(mux)

	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          errors,
	}
}

// index lists the pages, for a person.
func index(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "pgweir\n\n"+
		"/metrics  Prometheus metrics\n"+
		"/livez    200 while the event loops turn\n"+
		"/readyz   200 while new clients are welcome\n"+
		"/healthz  the state of loops and pools, in words\n"+
		"\nAs JSON, see docs/api.md:\n"+
		"/api/pools       the pools\n"+
		"/api/clients     who is there, and who keeps a server\n"+
		"/api/statements  what statements cost\n"+
		"/api/slow        those that were slow\n"+
		"/api/nplusone    those that applications run in loops\n")
}

// say answers a health check.
func say(w http.ResponseWriter, ok bool, format string, args ...any) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = fmt.Fprintf(w, format, args...)
}
