package meter

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/skiptest"
)

// oneNumber is a result of one integer column, and its row.
var (
	oneNumber = append([]byte("\x00\x01id\x00\x00\x00\x40\x00\x00\x01\x00\x00\x00\x17\x00\x04"), 255, 255, 255, 255, 0, 0)
	number7   = []byte("\x00\x01\x00\x00\x00\x017")
)

// TestMeasuringAllocs: nothing is allocated for a statement that came before, also with
// other values.
func TestMeasuringAllocs(t *testing.T) {
	skiptest.UnderRace(t)
	r := newRig(t, nil)
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 1234567")
	n := 0
	one := func() {
		n++
		strconv.AppendInt(text[:len(text)-7], int64(1_000_000+n), 10)
		r.query(text, oneNumber, number7)
	}
	for range 100 {
		one()
	}
	if allocs := testing.AllocsPerRun(1000, one); allocs != 0 {
		t.Errorf("%v allocations for each statement, want 0", allocs)
	}
}

func BenchmarkQuery(b *testing.B) {
	r := newRig(b, nil)
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 1234567")
	t := r.read(text)
	b.ReportAllocs()
	for b.Loop() {
		r.flow.Query(&t, r.timing())
		r.now += time.Millisecond
		r.flow.Described(oneNumber)
		r.flow.Row(len(number7), number7)
		r.flow.Complete([]byte("SELECT 1"), r.now)
		r.flow.Pop(1)
		r.flow.Ready(false, r.now)
	}
}

func BenchmarkExecute(b *testing.B) {
	r := newRig(b, nil)
	s := &Statement{Text: r.read([]byte("SELECT abalance FROM pgbench_accounts WHERE aid = $1"))}
	s.describe(oneNumber)
	body := []byte("\x00s\x00\x00\x00\x00\x01\x00\x00\x00\x047777\x00\x00")
	b.ReportAllocs()
	for b.Loop() {
		r.flow.Bind(nil, s, body, 7)
		r.flow.Execute(nil, r.timing())
		r.now += time.Millisecond
		r.flow.More()
		r.flow.Row(len(number7), number7)
		r.flow.Complete([]byte("SELECT 1"), r.now)
		r.flow.Pop(1)
		r.flow.Ready(false, r.now)
	}
}

// BenchmarkRead reads texts that differ in a number.
func BenchmarkRead(b *testing.B) {
	r := newRig(b, nil)
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 1234567")
	b.ReportAllocs()
	for b.Loop() {
		_ = r.read(text)
	}
}

// TestMemoryOfHostileTexts sends statements of which no two are the same, with
// tags of which no two are: what is kept does not grow with their number.
func TestMemoryOfHostileTexts(t *testing.T) {
	skiptest.UnderRace(t)
	const statements = 1_000_000
	r := newRig(t, nil)
	send := func(from, to int) {
		for i := from; i < to; i++ {
			tags := fmt.Sprintf("/*route='%%2Fr%d',traceparent='00-%032x-0000000000000001-01',application='a%d'*/", i, i, i)
			r.query(fmt.Appendf(nil, "SELECT c%d FROM t%d WHERE x = 'y' %s", i, i, tags), oneNumber, number7)
			if i%100 == 0 {
				r.loop.Rename(&r.client, strconv.Itoa(i))
				r.sweep()
			}
		}
		r.Statements.Collect(t.Context())
	}
	send(0, statements/2)
	before := heap()
	send(statements/2, statements)
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("memory grew by %d KB with the second half of %d statements", grown>>10, statements)
	}
	runtime.KeepAlive(r)
}

// heap is how many bytes are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)

	return int(m.HeapAlloc)
}
