package meter

import (
	"go.uber.org/zap"

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
