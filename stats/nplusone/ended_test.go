package nplusone

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestEnded checks which episodes count as requests, and what is told of them.
func TestEnded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		do   func(c *connection)
		want []Request
	}{
		{"pause", func(c *connection) {
			c.run(listUsers, ids(1, 2))
			c.run(settingsOf, ids(1), 1)
			c.run(settingsOf, ids(1), 2)
			c.think(time.Second)
			c.run(listUsers, ids(1, 2))
		}, []Request{{Statements: 3, Distinct: 2}}},
		{"a transaction", func(c *connection) {
			c.do("BEGIN")
			c.run(listUsers, ids(1, 2))
			c.run(settingsOf, ids(1), 1)
			c.do("COMMIT")
			c.detector.Disconnect(&c.client)
		}, []Request{{Statements: 2, Distinct: 2, Certain: true}}},
		{"two transactions", func(c *connection) {
			for range 2 {
				c.do("BEGIN")
				c.run(listUsers, ids(1, 2))
				c.do("COMMIT")
			}
			c.detector.Disconnect(&c.client)
		}, []Request{{Statements: 2, Distinct: 1}}},
		{"end of the client", func(c *connection) {
			c.run(listUsers, ids(1, 2))
			c.detector.Disconnect(&c.client)
		}, []Request{{Statements: 1, Distinct: 1}}},
		{"another id", func(c *connection) {
			c.tags = request(1)
			c.run(listUsers, ids(1, 2))
			c.tags = request(2)
			c.run(listUsers, ids(1, 2))
			c.group.Close()
		}, []Request{{Statements: 1, Distinct: 1, Certain: true}, {Statements: 1, Distinct: 1, Certain: true}}},
		{"too many statements", func(c *connection) {
			for range maxStatements + 1 {
				c.step = time.Microsecond
				c.run(settingsOf, ids(1), 1)
			}
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Rules{}, evidence{})
			var got []Request
			w.group.ended = func(r Request) {
				if r.Origin.Database != "shop" || r.Took <= 0 {
					t.Errorf("request %+v, want one of the database shop, which took some time", r)
				}
				got = append(got, r)
			}
			test.do(w.connect())
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(Request{}, "Origin", "Tags", "Took")); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
