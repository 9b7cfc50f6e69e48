package nplusone

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A world is a simulated application with pgweir's detectors before it. Its clock goes on
// with what its clients do.
type world struct {
	group      *Group
	detector   *Detector
	now        time.Duration
	statements map[string]*Statement
}

// newWorld returns a world of one loop. How a group is made without a part of the
// evidence says without.
func newWorld(rules Rules, without evidence) *world {
	g := New(Options{Rules: rules, Start: time.Unix(1_700_000_000, 0).UTC()})
	g.without = without

	return &world{group: g, detector: g.Detector(), statements: make(map[string]*Statement)}
}

// end ends all episodes and returns what was found.
func (w *world) end() []Finding {
	w.detector.Close()
	w.group.Close()

	return w.group.Findings.List()
}

// statement makes the statement of a text, as package sqltext and the proxy would.
func (w *world) statement(text string) *Statement {
	if st := w.statements[text]; st != nil {
		return st
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	d := Description{Fingerprint: h.Sum64(), Text: text, Kind: kindOf(text)}
	if m := regexp.MustCompile(`(?i)(?:FROM|INTO|UPDATE) (\w+)`).FindStringSubmatch(text); m != nil {
		d.Tables = []string{m[1]}
	}
	if m := regexp.MustCompile(`(\w+) [=>] \$1`).FindStringSubmatch(text); m != nil && d.Tables != nil {
		d.Columns = []string{d.Tables[0] + "." + m[1]}
	}
	st := w.group.Statement(d)
	w.statements[text] = st

	return st
}

// kindOf reads the first word.
func kindOf(text string) Kind {
	switch word, _, _ := strings.Cut(text, " "); word {
	case "SELECT":
		return Read
	case "INSERT", "UPDATE", "DELETE":
		return Write
	case "BEGIN", "COMMIT", "ROLLBACK":
		return Transaction
	}

	return Session
}

// A connection is a client of the simulated application.
type connection struct {
	*world
	client    Client
	sketcher  Sketcher
	tags      *Tags
	inTx      bool
	binary    bool // formats of results; parameters are text
	pipelined bool
	failing   bool
	gap       time.Duration // before the next statement
	step      time.Duration // what gap is by default
}

// connect opens a connection.
func (w *world) connect() *connection {
	return &connection{
		world: w, client: Client{Origin: NewOrigin("shop", "app", "web")},
		step: 300 * time.Microsecond,
	}
}

// think lets time pass before the next statement.
func (c *connection) think(d time.Duration) {
	c.gap = d
}

// a is a result: a column a number, the type given, and rows.
type answer struct {
	names []string
	oids  []uint32
	rows  [][]string
}

// ids is a result of one integer column named id.
func ids(numbers ...int) answer {
	return column1("id", oidInt4, numbers...)
}

// column1 is a result of one column of numbers.
func column1(name string, oid uint32, numbers ...int) answer {
	a := answer{names: []string{name}, oids: []uint32{oid}}
	for _, n := range numbers {
		a.rows = append(a.rows, []string{strconv.Itoa(n)})
	}

	return a
}

// upto returns n numbers from first on.
func upto(first, n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = first + i
	}

	return numbers
}

// description is the body of the RowDescription.
func (a answer) description(isBinary bool) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(a.names)))
	for i, name := range a.names {
		b = append(append(b, name...), 0)
		b = binary.BigEndian.AppendUint32(b, 16384)
		b = binary.BigEndian.AppendUint16(b, uint16(i+1))
		b = binary.BigEndian.AppendUint32(b, a.oids[i])
		b = append(b, 0, 4, 255, 255, 255, 255, 0, 0)
		if isBinary {
			b[len(b)-1] = 1
		}
	}

	return b
}

// row is the body of DataRow i.
func (a answer) row(i int, isBinary bool) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(a.names)))
	for c, text := range a.rows[i] {
		v := []byte(text)
		if isBinary {
			v = inBinary(text, a.oids[c])
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	}

	return b
}

// inBinary returns a value in binary format.
func inBinary(text string, oid uint32) []byte {
	n, _ := strconv.ParseInt(text, 10, 64)
	switch oid {
	case oidInt2:
		return binary.BigEndian.AppendUint16(nil, uint16(n))
	case oidInt4:
		return binary.BigEndian.AppendUint32(nil, uint32(n))
	case oidInt8:
		return binary.BigEndian.AppendUint64(nil, uint64(n))
	case oidUUID:
		var uuid [16]byte
		parseUUID(&uuid, []byte(text))

		return uuid[:]
	}

	return []byte(text)
}

// bindBody is the body of a Bind message with parameters in text.
func bindBody(parameters []any) []byte {
	b := []byte{0, 's', '1', 0, 0, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(parameters)))
	for _, p := range parameters {
		v := fmt.Sprint(p)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	}

	return append(b, 0, 0)
}

// run runs a statement that has a result.
func (c *connection) run(text string, a answer, parameters ...any) {
	st := c.statement(text)
	bind, ok := ReadBind(bindBody(parameters), nil)
	if !ok {
		panic("bug: a Bind that is not well formed")
	}
	if c.sketcher.Start(st, a.description(c.binary), nil) {
		for i := range a.rows {
			c.sketcher.Row(a.row(i, c.binary))
		}
		if len(a.rows) > 0 {
			c.sketcher.Last(a.row(len(a.rows)-1, c.binary))
		}
		c.sketcher.End()
	}
	c.book(st, bind.Parameters, len(a.rows))
}

// do runs a statement without a result.
func (c *connection) do(text string, parameters ...any) {
	c.run(text, answer{}, parameters...)
}

// one runs a statement whose result is one row.
func (c *connection) one(text string, parameters ...any) {
	c.run(text, answer{names: []string{"name"}, oids: []uint32{oidText}, rows: [][]string{{"a name"}}}, parameters...)
}

// book lets the time pass and tells the detector.
func (c *connection) book(st *Statement, p Parameters, rows int) {
	gap := c.step
	if c.gap != 0 {
		gap, c.gap = c.gap, 0
	}
	const exec = time.Millisecond
	c.now += gap + exec
	switch st.Text {
	case "BEGIN":
		c.inTx = true
	case "COMMIT", "ROLLBACK":
		c.inTx = false
	}
	if c.pipelined {
		gap = 0
	}
	c.detector.Book(&Execution{
		Statement: st, Client: &c.client, Tags: c.tags, Parameters: p, Sketcher: &c.sketcher,
		At: c.now, Exec: exec, Gap: gap, Rows: uint64(rows),
		Pipelined: c.pipelined, InTransaction: c.inTx, Failed: c.failing, Ignored: IsProbe([]byte(st.Text)),
	})
}

// request returns the tags of a request.
func request(id int) *Tags {
	return &Tags{Request: fmt.Sprintf("%032x", id), Route: "/users", Framework: "django"}
}

// wantFindings compares what was found, chatty ones left out, with lines such as
// "n+1 proven 20".
func wantFindings(t *testing.T, found []Finding, want ...string) {
	t.Helper()
	var got []string
	for i := range found {
		if f := &found[i]; f.Kind != KindChatty {
			got = append(got, fmt.Sprintf("%s %s %d", f.Kind, f.Confidence, f.Count))
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("found %q, want %q", got, want)
		for i := range found {
			t.Logf("%+v", found[i])
		}
	}
}
