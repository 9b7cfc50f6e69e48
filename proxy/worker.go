package proxy

import (
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats"
)

// A worker is what the proxy keeps per loop: links for reuse, and what is known of the
// texts of statements.
type worker struct {
	loop  *reactor.Loop
	links []*link
	texts *stats.Memo[sqltext.Options, known]
	meter *meter.Loop // nil: nothing is measured
}

// newWorker returns the worker of a loop.
func newWorker(l *reactor.Loop, m *meter.Meter) *worker {
	w := &worker{loop: l}
	w.texts = stats.NewMemo(w.look)
	if m != nil {
		w.meter = m.Loop(l.Index())
	}

	return w
}

// keepLinks is how many unused links a worker keeps.
const keepLinks = 128

// takeLink returns a link that serves nobody.
func (w *worker) takeLink() *link {
	n := len(w.links)
	if n == 0 {
		return &link{flow: new(meter.Flow)}
	}
	k := w.links[n-1]
	w.links[n-1] = nil
	w.links = w.links[:n-1]

	return k
}

// returnLink takes back a link whose run is over.
func (w *worker) returnLink(k *link) {
	if len(w.links) < keepLinks {
		w.links = append(w.links, k)
	}
}
