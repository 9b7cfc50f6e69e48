package meter

import (
	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// A Loop is what one event loop books with. It belongs to it.
type Loop struct {
	meter    *Meter
	shard    *stats.Shard
	detector *nplusone.Detector // nil: no loops are looked for
}

// newLoop returns the i-th loop of a meter.
func newLoop(m *Meter, i int) *Loop {
	l := &Loop{meter: m, shard: m.Statements.Shard(i)}
	if m.group != nil {
		l.detector = m.group.Detector()
	}

	return l
}
