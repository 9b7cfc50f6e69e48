package proxy

import (
	"github.com/pgweir/pgweir/internal/reactor"
)

// A worker is what the proxy keeps per loop: links for reuse.
type worker struct {
	loop  *reactor.Loop
	links []*link
}

// keepLinks is how many unused links a worker keeps.
const keepLinks = 128

// takeLink returns a link that serves nobody.
func (w *worker) takeLink() *link {
	n := len(w.links)
	if n == 0 {
		return new(link)
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
