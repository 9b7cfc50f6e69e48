package integration

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestStalledReader has a client ask for 1 GB and stop reading. That costs little
// memory, disturbs nobody, and once the client is gone PostgreSQL stops.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	const limit = 64 << 20
	p := start(t, options{build: &plainBuild, settings: table{"default_pool_size": 2}})
	other := p.login(t)
	wantLines(t, other.query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
	before := p.resident()

	c := p.login(t)
	c.send(messages("SELECT repeat('x', 1000000) FROM generate_series(1, 1000)")...)
	c.expect(t, "T repeat")
	await(t, patience, "PostgreSQL to be held up by the client", func() bool {
		return p.backends("wait_event = 'ClientWrite'") == 1
	})
	for range 300 {
		wantLines(t, other.query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
	}
	if grown := p.resident() - before; grown > limit {
		t.Errorf("pgweir has grown by %d MB", grown>>20)
	}

	c.reset()
	await(t, 5*time.Second, "the end of the query of a client that is gone", func() bool {
		return p.backends("state <> 'idle'") == 0
	})
	wantLines(t, other.query("BEGIN"), "C BEGIN", "Z T")
	wantLines(t, p.login(t).query("SELECT 2 AS a"), "T a", "D 2", "C SELECT 1", "Z I")
}

// TestLargeResult reads a result of many buffers to its end.
func TestLargeResult(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	c := p.login(t)
	const rows, width = 400, 100_000
	c.send(messages(fmt.Sprintf("SELECT i || repeat('x', %d) AS v FROM generate_series(1, %d) AS i", width, rows))...)
	c.expect(t, "T v")
	for i := 1; i <= rows; i++ {
		want := "D " + strconv.Itoa(i) + strings.Repeat("x", width)
		if got := c.receive(); got != want {
			t.Fatalf("row %d: got %.40q (%d bytes)", i, got, len(got))
		}
	}
	c.expect(t, "C SELECT 400", "Z I")
}

// TestPipelineWithoutReading sends a pipeline that is larger than all buffers on its
// way, whose answers are as well, and reads only when nothing more can be sent.
func TestPipelineWithoutReading(t *testing.T) {
	t.Parallel()
	statements := 6000
	if testing.Short() {
		statements = 3000
	}
	p := start(t, options{settings: table{"default_pool_size": 1}})
	c := p.login(t)
	padding := strings.Repeat("p", 4000)
	var sent atomic.Int64
	go func() { // ends when all is read, or the connection closed
		for i := range statements {
			c.write(encode(messages(statement("SELECT $1::text, $2::text", strconv.Itoa(i), padding), syncMessage())...))
			sent.Add(1)
		}
	}()
	last := int64(-1)
	stuck := time.NewTicker(300 * time.Millisecond)
	defer stuck.Stop()
	for n := sent.Load(); n != last && n < int64(statements); n = sent.Load() {
		last = n
		<-stuck.C
	}
	if last == int64(statements) {
		t.Logf("all was sent without a pause: the buffers on the way are larger than this test assumes")
	}
	for i := range statements {
		want := []string{"ParseComplete", "BindComplete", "D " + strconv.Itoa(i) + "|" + padding, "C SELECT 1", "Z I"}
		wantLines(t, c.answer(), want...)
	}
	wantLines(t, c.query("SELECT 1 AS a"), "T a", "D 1", "C SELECT 1", "Z I")
}

// TestPipelineOfThousands sends a pipeline of many small statements in one series.
func TestPipelineOfThousands(t *testing.T) {
	t.Parallel()
	const statements = 50_000
	p := start(t, options{settings: table{"default_pool_size": 1}})
	c := p.login(t)
	var b []byte
	for i := range statements {
		b = append(b, encode(statement("SELECT "+strconv.Itoa(i))...)...)
	}
	b = append(b, encode(syncMessage())...)
	go c.write(b) // ends when all is read
	for i := range statements {
		c.expect(t, "ParseComplete", "BindComplete", "D "+strconv.Itoa(i), "C SELECT 1")
	}
	c.expect(t, "Z I")
}

// TestLargeCopy copies some 15 MB in, and out again.
func TestLargeCopy(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	p.exec("CREATE UNLOGGED TABLE big (i int, t text)")
	const lines = 150_000
	conn := p.connect(t).PgConn()
	var data bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&data, "%d\t%090d\n", i, i)
	}
	want := bytes.Clone(data.Bytes())
	tag, err := conn.CopyFrom(t.Context(), &data, "COPY big FROM STDIN")
	if err != nil || tag.RowsAffected() != lines {
		t.Fatalf("copy in: %v, %v", tag, err)
	}
	var got bytes.Buffer
	tag, err = conn.CopyTo(t.Context(), &got, "COPY big TO STDOUT")
	if err != nil || tag.RowsAffected() != lines || !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("copy out: %v, %v, %d bytes of %d", tag, err, got.Len(), len(want))
	}
}

// TestLargeMessages sends messages that are larger than any buffer.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	p := start(t, options{settings: table{"default_pool_size": 1}})
	c := p.login(t)
	long := strings.Repeat("y", 10<<20)
	wantLines(t, c.query("SELECT length('"+long+"') AS n"), "T n", "D 10485760", "C SELECT 1", "Z I")
	c.send(messages(statement("SELECT length($1) AS n", long), syncMessage())...)
	wantLines(t, c.answer(), "ParseComplete", "BindComplete", "D 10485760", "C SELECT 1", "Z I")
	c.send(&pgproto3.Query{String: "SELECT 1; /*" + long + "*/ SELECT 1/0"})
	wantLines(t, c.answer(), "T ?column?", "D 1", "C SELECT 1", "E ERROR 22012", "Z I")
}
