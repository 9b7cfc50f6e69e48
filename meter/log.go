package meter

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// messages are what log lines of findings begin with, by kind.
var messages = map[string]string{
	nplusone.KindNPlusOne:  "N+1: a statement for each row of a list",
	nplusone.KindDuplicate: "duplicate: a statement again with the same values",
	nplusone.KindWriteLoop: "write loop: rows are written one by one",
	nplusone.KindRecursive: "recursive: each result leads to the next statement",
	nplusone.KindChatty:    "chatty: a statement again and again",
}

// logFinding writes a line of a loop in the traffic: a warning if it is worth one.
func (m *Meter) logFinding(f nplusone.Finding) {
	level := zapcore.InfoLevel
	if f.Warn() {
		level = zapcore.WarnLevel
	}
	line := m.options.Log.Check(level, messages[f.Kind])
	if line == nil {
		return
	}
	fields := []zap.Field{
		zap.Stringer("confidence", f.Confidence), zap.String("statement", f.Child.Text),
	}
	if f.Parent != nil {
		fields = append(fields, zap.String("parent", f.Parent.Text),
			zap.String("parent_fingerprint", stats.Fingerprint(f.Parent.Fingerprint).String()))
	}
	fields = append(fields,
		zap.Uint64("count", f.Count), zap.Uint64("distinct", f.Distinct),
		zap.Duration("server", milliseconds(f.ExecMS)), zap.Duration("between", milliseconds(f.GapMS)),
		zap.Uint64("round_trips", f.RoundTrips), zap.Uint64("occurrences", f.Occurrences),
	)
	if f.Provenance != "" {
		fields = append(fields, zap.String("provenance", f.Provenance))
	}
	if f.Route != "" {
		fields = append(fields, zap.String("route", f.Route))
	}
	line.Write(append(fields,
		zap.String("database", f.Origin.Database), zap.String("user", f.Origin.User),
		zap.String("application", f.Origin.Application),
		zap.String("fingerprint", stats.Fingerprint(f.Child.Fingerprint).String()),
		zap.String("suggestion", f.Suggestion),
	)...)
}

// milliseconds is a duration.
func milliseconds(ms float64) time.Duration {
	return time.Duration(ms * float64(time.Millisecond))
}

// logSlow writes a line of a slow statement.
func (m *Meter) logSlow(s *stats.Slow) {
	line := m.options.Log.Check(zapcore.WarnLevel, "slow statement")
	if line == nil {
		return
	}
	fields := []zap.Field{
		zap.String("statement", s.Text.Normalised), zap.Duration("server", s.Server), zap.Duration("wait", s.Wait),
		zap.Uint64("rows", s.Rows), zap.String("reason", string(s.Reason)), zap.Duration("limit", s.Limit),
	}
	for _, optional := range []struct{ key, value string }{
		{"parameters", s.Parameters}, {"route", s.Route}, {"sqlstate", s.SQLState},
	} {
		if optional.value != "" {
			fields = append(fields, zap.String(optional.key, optional.value))
		}
	}
	line.Write(append(fields,
		zap.String("database", s.Database), zap.String("user", s.User),
		zap.Stringer("fingerprint", s.Fingerprint), zap.Uint64("suppressed", s.Suppressed),
	)...)
}

// logRequest writes a line of a request that has needed too much.
func (m *Meter) logRequest(w stats.RequestWarning) {
	message := "request with many statements"
	if w.Reason == stats.TooLong {
		message = "request that took long"
	}
	fields := []zap.Field{
		zap.Uint64("statements", w.Statements), zap.Uint64("distinct", w.Distinct), zap.Duration("took", w.Took),
	}
	if w.Route != "" {
		fields = append(fields, zap.String("route", w.Route))
	}
	m.options.Log.Warn(message, append(fields,
		zap.String("database", w.Database), zap.String("user", w.User), zap.Uint64("suppressed", w.Suppressed),
	)...)
}
