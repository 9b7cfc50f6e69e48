package proxy

import (
	"strings"
	"testing"
)

// TestBytesAreBooked: all that a client sends for a server and all that it gets is
// counted, also what it takes when its server has been released already.
func TestBytesAreBooked(t *testing.T) {
	_, r, c, s := paired(t, nil)
	var sent, got int
	for _, size := range []int{1, 1000, 1 << 20} {
		q, a := query("SELECT 1"), result(strings.Repeat("x", size))
		c.send(q)
		s.want("Q")
		s.send(a)
		c.want("TDCZ")
		sent, got = sent+len(q), got+len(a)
		r.eventually("all is booked", func() bool {
			s := r.proxy.Stat().Routes[0]

			return s.FromClients == uint64(sent) && s.ToClients == uint64(got)
		})
	}
}
