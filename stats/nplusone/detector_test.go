package nplusone

import (
	"fmt"
	"testing"
	"time"
)

const (
	listUsers  = "SELECT id, name FROM users"
	ordersOf   = "SELECT name FROM orders WHERE user_id = $1"
	itemsOf    = "SELECT name FROM items WHERE order_id = $1"
	addressOf  = "SELECT name FROM addresses WHERE user_id = $1"
	settingsOf = "SELECT name FROM settings WHERE name = $1"
)

// nPlusOne is one request with a loop over n users.
func (c *connection) nPlusOne(n int) {
	c.run(listUsers, ids(upto(100, n)...))
	for _, id := range upto(100, n) {
		c.one(ordersOf, id)
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		run  func(c *connection)
		want []string
	}{
		{"n+1", func(c *connection) { c.nPlusOne(20) }, []string{"n+1 proven 20"}},
		{"five rows are enough", func(c *connection) { c.nPlusOne(5) }, []string{"n+1 proven 5"}},
		{"four are not", func(c *connection) { c.nPlusOne(4) }, nil},
		{"more rows than a sketch holds", func(c *connection) { c.nPlusOne(300) }, []string{"n+1 proven 300"}},
		{"a binary list, text parameters", func(c *connection) {
			c.binary = true
			c.nPlusOne(20)
		}, []string{"n+1 proven 20"}},
		{"a loop with two statements", func(c *connection) {
			c.run(listUsers, ids(upto(100, 20)...))
			for _, id := range upto(100, 20) {
				c.one(ordersOf, id)
				c.one(addressOf, id)
			}
		}, []string{"n+1 proven 20"}},
		{"a list, then as many reads of something else", func(c *connection) {
			c.run(listUsers, ids(upto(20_000, 20)...))
			for i := range 20 {
				c.one(itemsOf, 70_000+i)
			}
		}, nil},
		{"the same rows again and again", func(c *connection) {
			c.run(listUsers, ids(upto(20_000, 10)...))
			for i := range 40 {
				c.one(ordersOf, 20_000+i%10)
			}
		}, nil},
		{"numbers that are in a column of the list by chance", func(c *connection) {
			a := answer{names: []string{"id", "quantity"}, oids: []uint32{oidInt8, oidInt4}}
			for i := range 40 {
				a.rows = append(a.rows, []string{fmt.Sprint(90_000 + i), fmt.Sprint(1 + i%30)})
			}
			c.run("SELECT id, quantity FROM items", a)
			for i := range 30 {
				c.one("SELECT name FROM lines WHERE line = $1", 1+i)
			}
		}, nil},
		{"a loop that reads a list each time", func(c *connection) {
			c.tags = request(1)
			for i := range 12 {
				c.one(ordersOf, 777*i)
				c.run(itemsOf, ids(50_000+2*i, 50_001+2*i), 333*i)
			}
		}, []string{"n+1 suspected 12", "n+1 suspected 12"}},
		{"lists, in one of which there is a loop", func(c *connection) {
			c.do("BEGIN")
			lists(c)
			c.do("COMMIT")
		}, []string{"n+1 likely 10"}},
		{"lists, in one of which there may be a loop", lists, nil},
		{"a loop, behind reads of other requests", func(c *connection) {
			for i := range 20 {
				c.one(ordersOf, 777*i)
			}
			c.nPlusOne(20)
		}, []string{"n+1 proven 20"}},
		{"a loop, behind others of the same request", func(c *connection) {
			c.tags = request(1)
			for i := range 8 {
				c.one(ordersOf, 777*i)
			}
			c.nPlusOne(30)
		}, []string{"n+1 proven 38"}},
		{"a short loop, then a list of something else", func(c *connection) {
			c.nPlusOne(6)
			c.run("SELECT id FROM teams", ids(upto(80_000, 5)...))
		}, []string{"n+1 proven 6"}},
		{"duplicates that take turns", func(c *connection) {
			c.tags = request(1)
			for i := range 12 {
				c.one(settingsOf, []string{"language", "currency"}[i%2])
			}
		}, []string{"duplicate proven 12"}},
		{"batches", func(c *connection) {
			c.tags = request(1)
			for i := range 8 {
				c.run("SELECT id FROM users WHERE id IN (...)", ids(upto(90_000*i, 30)...), 77*i)
			}
		}, nil},
		{"foreign keys that repeat", func(c *connection) {
			a := column1("user_id", oidInt8)
			for i := range 40 {
				a.rows = append(a.rows, []string{fmt.Sprint(500_000 + i%15)})
			}
			c.run("SELECT user_id FROM orders", a)
			for i := range 40 {
				c.one("SELECT name FROM users WHERE id = $1", 500_000+i%15)
			}
		}, []string{"n+1 proven 40"}},
		{"nested loops of few rows", func(c *connection) {
			c.run(listUsers, ids(upto(1000, 10)...))
			for i, id := range upto(1000, 10) {
				c.run(ordersOf, ids(50_000+2*i, 50_001+2*i), id)
				c.one(itemsOf, 50_000+2*i)
				c.one(itemsOf, 50_001+2*i)
			}
		}, []string{"n+1 proven 20", "n+1 proven 10"}},
		{"values that are not hashed", func(c *connection) {
			a := column1("at", 1114)
			for i := range 12 {
				a.rows = append(a.rows, []string{fmt.Sprintf("2024-01-%02d 00:00:00", i+1)})
			}
			c.run("SELECT at FROM events", a)
			for i := range 12 {
				c.one("SELECT name FROM events WHERE at = $1", fmt.Sprintf("2024-01-%02d 00:00:00", i+1))
			}
		}, []string{"n+1 likely 12"}},
		{"without a list, in one tagged request", func(c *connection) {
			c.tags = request(1)
			for i := range 12 {
				c.one(ordersOf, 7*i)
			}
		}, []string{"n+1 suspected 12"}},
		{"duplicates in a request", func(c *connection) {
			c.tags = request(1)
			for i := range 12 {
				c.one(settingsOf, "language")
				c.one(ordersOf, i%3)
			}
		}, []string{"duplicate proven 12"}},
		{"duplicates in a transaction", func(c *connection) {
			c.do("BEGIN")
			for range 6 {
				c.one(settingsOf, "language")
			}
			c.do("COMMIT")
		}, []string{"duplicate proven 6"}},
		{"duplicates without bounds", func(c *connection) {
			for range 6 {
				c.one(settingsOf, "language")
			}
		}, []string{"duplicate suspected 6"}},
		{"writes over a list", func(c *connection) {
			c.run(listUsers, ids(upto(100, 20)...))
			for _, id := range upto(100, 20) {
				c.do("UPDATE users SET seen = true WHERE id = $1", id)
			}
		}, []string{"write-loop proven 20"}},
		{"an import in one transaction", func(c *connection) {
			c.do("BEGIN")
			for i := range 40 {
				c.do("INSERT INTO users VALUES ($1)", i)
			}
			c.do("COMMIT")
		}, []string{"write-loop suspected 40"}},
		{"a list of parents, up to the root", func(c *connection) {
			for id := 9_000; id > 8_990; id-- {
				c.run("SELECT parent_id FROM nodes WHERE id = $1", column1("parent_id", oidInt8, id-1), id)
			}
		}, []string{"recursive proven 10"}},
		{"a tree, down from the root", func(c *connection) { walk(c, 1, 4) }, []string{"recursive proven 40"}},
		{"pages by key", func(c *connection) {
			c.tags = request(1)
			for page := range 10 {
				c.run("SELECT id FROM users WHERE id > $1 LIMIT 100", ids(upto(100*page+1, 100)...), 100*page)
			}
		}, []string{"recursive proven 10"}},
		{"pages by offset", func(c *connection) {
			c.tags = request(1)
			for page := range 10 {
				c.run("SELECT id FROM users LIMIT 100 OFFSET $1", ids(upto(100*page+7, 100)...), 100*page)
			}
		}, []string{"recursive suspected 10"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Rules{}, evidence{})
			tt.run(w.connect())
			wantFindings(t, w.end(), tt.want...)
		})
	}
}

// lists runs a list of values that are not looked at, reads two rows, and the same again
// with eight.
func lists(c *connection) {
	for _, n := range []int{2, 8} {
		a := column1("at", 1114, upto(1, 5)...)
		c.run("SELECT at FROM events", a)
		for i := range n {
			c.one("SELECT name FROM events WHERE at = $1", fmt.Sprintf("2024-01-%02d 00:00:%02d", i+1, n))
		}
	}
}

// TestWhichParameter has a constant parameter whose value is in the list, too: it is not
// what the loop goes over.
func TestWhichParameter(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.run(listUsers, ids(upto(1, 20)...))
	for _, id := range upto(1, 20) {
		c.one("SELECT name FROM orders WHERE tenant = $1 AND user_id = $2", 7, id)
	}
	if got := w.end()[0].Provenance; got != "orders $2 <- users.id (20/20 values)" {
		t.Error(got)
	}
}

// walk asks for the children of a node, and of each of them: three each.
func walk(c *connection, id, depth int) {
	children := []int{}
	if depth > 1 {
		children = []int{20_000 + 3*id, 20_001 + 3*id, 20_002 + 3*id}
	}
	c.run("SELECT id FROM nodes WHERE parent_id = $1", ids(children...), id)
	for _, child := range children {
		walk(c, child, depth-1)
	}
}

// quietly are programs that have no loop to report. Each is one request; it is given a
// number that is another each time.
func quietly() map[string]func(c *connection, n int) {
	return map[string]func(c *connection, n int){
		"a page": func(c *connection, n int) {
			c.one("SELECT name FROM sessions WHERE id = $1", n)
			c.one(ordersOf, n%17)
			c.one(settingsOf, "language")
		},
		"a list and its rows at once": func(c *connection, _ int) {
			c.run(listUsers, ids(upto(100, 20)...))
			c.run("SELECT id FROM orders WHERE user_id = ANY($1)", ids(upto(7000, 60)...), "{100,101,102}")
		},
		"a list and one of its rows": func(c *connection, n int) {
			c.run(listUsers, ids(upto(100, 20)...))
			c.one(ordersOf, 100+n%20)
		},
		"a poll of a queue": func(c *connection, n int) {
			c.one("SELECT id FROM jobs WHERE due < $1 FOR UPDATE SKIP LOCKED LIMIT 1", n)
		},
		"a number from a sequence": func(c *connection, _ int) { c.one("SELECT nextval($1)", "users_id_seq") },
		"a lock":                   func(c *connection, n int) { c.one("SELECT pg_try_advisory_lock($1)", n) },
		"a catalog":                func(c *connection, n int) { c.one("SELECT relname FROM pg_class WHERE oid = $1", n) },
		"a check for uniqueness": func(c *connection, n int) {
			c.do("BEGIN")
			for i := range 6 {
				c.one("SELECT 1 AS one FROM users WHERE email = $1 LIMIT $2", fmt.Sprint(6*n+i), 1)
			}
			c.do("COMMIT")
		},
		"tenants": func(c *connection, n int) {
			for i := range 6 {
				c.do(fmt.Sprintf("SET search_path = tenant%d", i))
				c.one("SELECT count(*) FROM orders")
			}
			c.do("SET search_path = public")
			c.one(ordersOf, n)
		},
		"retries": func(c *connection, n int) {
			for i := range 8 {
				c.failing = i < 7
				c.one(ordersOf, n)
			}
		},
		"a batch": func(c *connection, _ int) {
			c.run(listUsers, ids(upto(100, 20)...))
			c.pipelined = true
			for _, id := range upto(100, 20) {
				c.one(ordersOf, id)
			}
			c.pipelined = false
		},
		"a read after each write": func(c *connection, n int) {
			c.do("BEGIN")
			for i := range 4 {
				c.do("INSERT INTO orders VALUES ($1)", 10*n+i)
				c.one("SELECT count(*) FROM orders")
			}
			c.do("COMMIT")
		},
		"batches of a loader": func(c *connection, n int) {
			for i := range 3 {
				c.run(fmt.Sprintf("SELECT id FROM t%d WHERE id IN (...)", i), ids(upto(90*n, 30)...), n, n+1, n+2)
			}
		},
	}
}

// TestQuiet runs requests without a loop back to back, on 1, 16 and 64 connections whose
// statements are interleaved, with and without tags.
func TestQuiet(t *testing.T) {
	t.Parallel()
	for name, program := range quietly() {
		for _, clients := range []int{1, 16, 64} {
			for _, tagged := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", name, clients, tagged), func(t *testing.T) {
					t.Parallel()
					w := newWorld(Rules{}, evidence{})
					connections := make([]*connection, clients)
					for i := range connections {
						connections[i] = w.connect()
					}
					for n := range 200 {
						c := connections[n%clients]
						if tagged {
							c.tags = request(n)
						}
						program(c, n)
					}
					wantFindings(t, w.end())
				})
			}
		}
	}
}

// TestBackToBack has two kinds of requests take turns on one busy connection.
func TestBackToBack(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	for n := range 500 {
		c.run(listUsers, ids(upto(100, 10)...))
		c.one(ordersOf, 100+n%10)
		c.one(settingsOf, "language")
		if n%3 == 0 {
			c.one(itemsOf, n)
		}
	}
	wantFindings(t, w.end())
}

// TestListsOfTheSameIDs has requests show two lists whose ids are the same numbers, and
// one row of each.
func TestListsOfTheSameIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	for n := range 50 {
		numbers := ids(upto(20_000+37*n, 20)...)
		c.run(listUsers, numbers)
		c.one(ordersOf, 20_001+37*n)
		c.run("SELECT id FROM items WHERE id > $1", numbers, n)
		c.one(itemsOf, 20_001+37*n)
	}
	wantFindings(t, w.end())
}

// TestListThatIsEmptyNow has a list run again without a result: what comes then is not of
// its rows.
func TestListThatIsEmptyNow(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	c.run(listUsers, ids(upto(100, 10)...))
	for round := range 3 {
		for _, id := range upto(100+3*round, 3) {
			c.one(ordersOf, id)
		}
		c.run(listUsers, ids())
	}
	wantFindings(t, w.end())
}

// TestBackToBackLoops has a loop in each of many requests: each counts for itself.
func TestBackToBackLoops(t *testing.T) {
	t.Parallel()
	for _, tagged := range []bool{false, true} {
		w := newWorld(Rules{}, evidence{})
		c := w.connect()
		for n := range 50 {
			if tagged {
				c.tags = request(n)
			}
			c.nPlusOne(20)
			c.one(settingsOf, "language")
		}
		found := w.end()
		wantFindings(t, found, "n+1 proven 20")
		if found[0].Occurrences != 50 || found[0].RoundTrips != 1000 {
			t.Errorf("tagged %v: %d occurrences of %d round trips", tagged, found[0].Occurrences, found[0].RoundTrips)
		}
	}
}

// TestInterleaved has loops on many connections at once: each is one.
func TestInterleaved(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{1, 16, 64} {
		w := newWorld(Rules{}, evidence{})
		all := make([]*connection, clients)
		for i := range all {
			all[i] = w.connect()
			all[i].step = time.Microsecond
			all[i].run(listUsers, ids(upto(10_000*i, 20)...))
		}
		for j := range 20 {
			for i, c := range all {
				c.one(ordersOf, 10_000*i+j)
			}
		}
		found := w.end()
		wantFindings(t, found, "n+1 proven 20")
		if found[0].Occurrences != uint64(clients) {
			t.Errorf("%d occurrences, want %d", found[0].Occurrences, clients)
		}
	}
}

// TestRequestOverConnections has one tagged request use several connections of two loops
// at the same time.
func TestRequestOverConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	second := w.group.Detector()
	all := make([]*connection, 4)
	for i := range all {
		all[i] = w.connect()
		all[i].tags = request(1)
	}
	all[0].run(listUsers, ids(upto(100, 40)...))
	for i, id := range upto(100, 40) {
		c := all[i%4]
		if i%2 == 1 {
			w.detector, second = second, w.detector
		}
		c.gap = 2 * time.Millisecond
		c.one(ordersOf, id)
		w.now -= 2 * time.Millisecond // the others were at it meanwhile
	}
	found := w.end()
	wantFindings(t, found, "n+1 proven 40")
	if found[0].GapMS > 40*2-20 {
		t.Errorf("%v ms of gaps: time that overlaps was counted more than once", found[0].GapMS)
	}
}

// TestSmallNumbers has a list whose keys are 1 to 64 and then something else that is
// numbered from 1: the count is all that there is, and only a tag makes it count.
func TestSmallNumbers(t *testing.T) {
	t.Parallel()
	for _, tagged := range []bool{false, true} {
		w := newWorld(Rules{}, evidence{})
		c := w.connect()
		var want []string
		if tagged {
			c.tags = request(1)
			want = []string{"n+1 suspected 5"}
		}
		c.run(listUsers, ids(upto(1, 64)...))
		for attempt := range 5 {
			c.one("SELECT name FROM limits WHERE attempt = $1", attempt+1)
		}
		wantFindings(t, w.end(), want...)
	}
}

// TestEndlessConnection never pauses: its episodes end all the same.
func TestEndlessConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	c := w.connect()
	for i := range 25_000 {
		c.one(ordersOf, i)
	}
	found := w.end()
	wantFindings(t, found)
	if len(found) != 1 || found[0].Kind != KindChatty || found[0].Count != maxStatements || found[0].Occurrences != 3 {
		t.Errorf("%+v", found)
	}
}

// TestTraceOverApplications has two applications in one trace, with a list in one and a
// loop in the other that has nothing to do with it.
func TestTraceOverApplications(t *testing.T) {
	t.Parallel()
	w := newWorld(Rules{}, evidence{})
	first, second := w.connect(), w.connect()
	first.tags, second.tags = request(1), request(1)
	second.client.Origin = NewOrigin("shop", "app", "billing")
	first.run(listUsers, ids(upto(100, 20)...))
	for _, id := range upto(100, 20) {
		second.one(ordersOf, id)
	}
	wantFindings(t, w.end(), "n+1 suspected 20")
}
