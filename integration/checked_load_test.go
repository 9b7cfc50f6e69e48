package integration

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A checkedLoad is clients that check all they get while something fails: every answer is
// the asker's own, what is acknowledged is there, what has failed is not, each finds its
// own settings and nobody else's, only what was cancelled is, and nothing hangs. Who is
// told that its session ends comes back.
type checkedLoad struct {
	t       *testing.T
	p       *pgweir
	allowed []string // lines that a client may get instead of an answer
	done    atomic.Int64
	failed  atomic.Int64 // sessions that ended
	ended   chan struct{}
	group   sync.WaitGroup
	once    sync.Once

	mu      sync.Mutex // guards the following
	acked   []string   // transfers that were acknowledged
	refused []string   // transfers that have certainly not happened
}

// accounts is how many accounts there are to transfer between. All begin with nothing.
const accounts = 50

// startCheckedLoad starts clients. They end with finish, or the test.
func startCheckedLoad(t *testing.T, p *pgweir, clients int, allowed ...string) *checkedLoad {
	t.Helper()
	p.exec("CREATE TABLE IF NOT EXISTS account (id int PRIMARY KEY, balance int NOT NULL)")
	p.exec("CREATE TABLE IF NOT EXISTS transfer (token text PRIMARY KEY)")
	p.exec(fmt.Sprintf("TRUNCATE account, transfer; INSERT INTO account SELECT i, 0 FROM generate_series(1, %d) i", accounts))
	l := &checkedLoad{t: t, p: p, allowed: allowed, ended: make(chan struct{})}
	for i := range clients {
		l.group.Go(func() { l.run(i) })
	}
	t.Cleanup(l.stop)

	return l
}

// stop ends the clients.
func (l *checkedLoad) stop() {
	l.once.Do(func() { close(l.ended) })
	l.group.Wait()
}

// over reports whether the clients are to end.
func (l *checkedLoad) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// progress waits until the clients have done so much more.
func (l *checkedLoad) progress(t *testing.T, more int64) {
	t.Helper()
	goal := l.done.Load() + more
	await(t, patience, "the clients to get on", func() bool { return l.done.Load() >= goal || t.Failed() })
}

// finish ends the clients and checks what they have left behind.
func (l *checkedLoad) finish(t *testing.T) {
	t.Helper()
	l.stop()
	t.Logf("%d exchanges, %d sessions were ended, %d transfers were acknowledged, %d certainly not",
		l.done.Load(), l.failed.Load(), len(l.acked), len(l.refused))
	await(t, goneTime, "PostgreSQL to do nothing for clients that are gone", func() bool {
		return l.p.backends("state <> 'idle'") == 0
	})
	if sum := ask[int](l.p, "SELECT sum(balance)::int FROM account"); sum != 0 {
		t.Errorf("the accounts sum up to %d", sum)
	}
	if n := ask[int](l.p, "SELECT count(*) FROM transfer WHERE token = ANY($1)", l.acked); n != len(l.acked) {
		t.Errorf("%d of %d transfers that were acknowledged are there", n, len(l.acked))
	}
	if n := ask[int](l.p, "SELECT count(*) FROM transfer WHERE token = ANY($1)", l.refused); n != 0 {
		t.Errorf("%d transfers are there that have certainly not happened, by what their clients were told", n)
	}
}

// run is one client, which comes back when its session ends.
func (l *checkedLoad) run(id int) {
	for session := 0; !l.over(); session++ {
		nc, err := net.Dial("tcp", l.p.addr)
		if err != nil {
			if !slices.Contains(l.allowed, closed) {
				l.t.Error(err)
			}

			return
		}
		c := &checkedClient{load: l, client: newClient(nc), name: fmt.Sprintf("%d-%d", id, session)}
		c.rand = rand.New(rand.NewPCG(uint64(id), uint64(session)))
		wrong := c.session()
		_ = nc.Close()
		if wrong != "" {
			l.t.Errorf("client %s: %s", c.name, wrong)

			return
		}
	}
}

// A checkedClient is one session of a client of a checkedLoad.
type checkedClient struct {
	*client
	load *checkedLoad
	name string
	n    int // of the exchange
	rand *rand.Rand
	gone bool // the session has ended as it may
}

// session serves until the load is over or the session has ended as it may. It returns
// what went wrong.
func (c *checkedClient) session() string {
	c.startup(c.load.p.cluster.User, c.load.p.db, "application_name", c.name)
	if got := c.answer(); got[len(got)-1] != "Z I" {
		failed := slices.IndexFunc(got, func(line string) bool { return line == closed || strings.HasPrefix(line, "E ") })

		return c.judge("login", got, got[:max(failed, 0)])
	}
	steps := []func() string{c.echo, c.pipeline, c.transfer, c.settings, c.cancelled}
	wrong := c.expects("SET app.owner = '"+c.name+"'", "C SET", "Z I")
	for ; wrong == "" && !c.gone && !c.load.over(); c.n++ {
		wrong = steps[c.rand.IntN(len(steps))]()
		if wrong == "" && !c.gone {
			c.load.done.Add(1)
		}
	}

	return wrong
}

// token is a text that nobody else has.
func (c *checkedClient) token() string {
	return fmt.Sprintf("%s-%d", c.name, c.n)
}

// expects runs a query that must be answered so.
func (c *checkedClient) expects(sql string, want ...string) string {
	return c.judge(sql, c.query(sql), want)
}

// judge compares an answer. If it is not as it must be it may be one of those that end
// the session in the present circumstances; that is for the next session to go on from.
func (c *checkedClient) judge(what string, got, want []string) string {
	got = slices.DeleteFunc(got, func(line string) bool { return strings.HasPrefix(line, "N ") })
	if slices.Equal(got, want) {
		return ""
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	fatal := at < len(got) && strings.HasPrefix(got[at], "E FATAL ")
	ends := at < len(got) && slices.Contains(c.load.allowed, got[at]) &&
		(!fatal || slices.Equal(got[at+1:], []string{closed}))
	if !ends {
		return fmt.Sprintf("%s: got %q, want %q", what, got, want)
	}
	c.gone = true
	c.load.failed.Add(1)

	return ""
}

// echo asks for a token.
func (c *checkedClient) echo() string {
	return c.expects("SELECT '"+c.token()+"' AS t", "T t", "D "+c.token(), "C SELECT 1", "Z I")
}

// pipeline asks for a token three times, with an error in the middle.
func (c *checkedClient) pipeline() string {
	for _, e := range exchanges(c.token()) {
		if len(e.want) != 11 { // another kind
			continue
		}
		c.send(e.send...)
		var got []string
		for len(got) < len(e.want) && !slices.Contains(got, closed) && !slices.Contains(got, silent) {
			got = append(got, c.answer()...)
		}

		return c.judge("a pipeline", got, e.want)
	}

	return ""
}

// settings looks for the client's own settings, and for what others may have left.
func (c *checkedClient) settings() string {
	return c.expects("SELECT current_setting('app.owner') AS o, current_setting('application_name') AS a,"+
		" current_setting('role') AS r, current_setting('work_mem') AS w,"+
		" txid_current_if_assigned() IS NULL AND now() = statement_timestamp() AS fresh",
		"T o|a|r|w|fresh", "D "+c.name+"|"+c.name+"|none|4MB|t", "C SELECT 1", "Z I")
}

// cancelled cancels a query at some time.
func (c *checkedClient) cancelled() string {
	c.send(&pgproto3.Query{String: "SELECT '" + c.token() + "' AS t FROM pg_sleep(0.002)"})
	time.Sleep(time.Duration(c.rand.IntN(4)) * time.Millisecond)
	if err := c.load.p.cancelRequest(c.key); err != nil && !slices.Contains(c.load.allowed, closed) {
		return fmt.Sprintf("a cancel request: %v", err)
	}
	got, whole := c.answer(), []string{"T t", "D " + c.token(), "C SELECT 1", "Z I"}
	for sent := range 3 { // PostgreSQL may be anywhere in its answer when the request comes
		if slices.Equal(got, append(slices.Clone(whole[:sent]), "E ERROR 57014", "Z I")) {
			return ""
		}
	}

	return c.judge("a cancelled query", got, whole)
}

// transfer moves 1 from an account to another, and remembers what it was told of it.
func (c *checkedClient) transfer() string {
	from, to := 1+c.rand.IntN(accounts), 1+c.rand.IntN(accounts)
	sign := 1
	if from > to { // in one order, or there would be deadlocks
		from, to, sign = to, from, -1
	}
	for _, step := range [][]string{
		{"BEGIN", "C BEGIN", "Z T"},
		{"INSERT INTO transfer VALUES ('" + c.token() + "')", "C INSERT 0 1", "Z T"},
		{fmt.Sprintf("UPDATE account SET balance = balance - %d WHERE id = %d", sign, from), "C UPDATE 1", "Z T"},
		{fmt.Sprintf("UPDATE account SET balance = balance + %d WHERE id = %d", sign, to), "C UPDATE 1", "Z T"},
	} {
		if wrong := c.expects(step[0], step[1:]...); wrong != "" || c.gone {
			c.load.remember(&c.load.refused, c.token())

			return wrong
		}
	}
	got := c.query("COMMIT")
	switch {
	case slices.Contains(got, "C COMMIT"):
		c.load.remember(&c.load.acked, c.token())
	case slices.Contains(got, "E FATAL 08006"): // 08007 says that it may have happened
		c.load.remember(&c.load.refused, c.token())
	}

	return c.judge("COMMIT", got, []string{"C COMMIT", "Z I"})
}

// remember adds a token to a list.
func (l *checkedLoad) remember(list *[]string, token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, token)
}
