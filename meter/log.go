package meter

import (
	"go.uber.org/zap"

	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// logFinding writes a line of a loop in the traffic.
func (m *Meter) logFinding(f nplusone.Finding) {
	level := m.options.Log.Info
	if f.Warn() {
		level = m.options.Log.Warn
	}
	level("loop in the traffic", zap.String("kind", f.Kind), zap.Stringer("confidence", f.Confidence))
}

// logSlow writes a line of a slow statement.
func (m *Meter) logSlow(s *stats.Slow) {
	m.options.Log.Warn("slow statement", zap.String("text", s.Text.Normalised))
}

// logRequest writes a line of a request that has needed too much.
func (m *Meter) logRequest(w stats.RequestWarning) {
	m.options.Log.Warn("large request", zap.Uint64("statements", w.Statements))
}
