package proxy

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/internal/skiptest"
	"github.com/pgweir/pgweir/wire"
)

// A pipe is a stream with somebody at either end: one writes frames into it, one
// judges them, and one takes what comes out.
type pipe struct {
	testing.TB
	stream
	loop *reactor.Loop
	in   []byte // still to arrive
	out  []byte // has left
	want []byte // what has left or is to leave, as far as it is judged
}

// testFrame is a message of n bytes. Those of type 'x' are to be dropped.
func testFrame(typ byte, n int) []byte {
	b := make([]byte, n)
	b[0] = typ
	binary.BigEndian.PutUint32(b[1:], uint32(n-1))
	for i := wire.HeaderSize; i < n; i++ {
		b[i] = byte(i * i >> 4)
	}

	return b
}

// read lets up to n bytes arrive, as many as there is room for.
func (p *pipe) read(n int) {
	k := copy(p.room(p.loop), p.in[:min(n, len(p.in))])
	if k > 0 {
		p.in = p.in[k:]
		p.arrived(k, p.loop.Now())
	}
}

// judge judges all frames whose headers are there.
func (p *pipe) judge() {
	for p.buf != nil {
		b := p.unjudged()
		h, ok := wire.PeekHeader(b)
		if !ok {
			return
		}
		drop := h.Type == 'x'
		if !drop {
			p.want = append(p.want, testFrame(h.Type, h.Size)...)
		}
		p.take(h.Size, drop)
	}
}

// write lets up to n bytes leave.
func (p *pipe) write(n int) {
	b := p.judged()
	n = min(n, len(b))
	p.out = append(p.out, b[:n]...)
	p.sent(n)
}

// check checks what holds at any time.
func (p *pipe) check() {
	p.Helper()
	s := &p.stream
	if s.r < 0 || s.r > s.scan || s.scan > s.w || s.w > len(s.buf) {
		p.Fatalf("places out of order: %d, %d, %d of %d", s.r, s.scan, s.w, len(s.buf))
	}
	if !bytes.HasPrefix(p.want[len(p.out):], s.judged()) {
		p.Fatalf("what is to leave after %d bytes is not what was judged", len(p.out))
	}
	if s.full() && len(s.room(p.loop)) != 0 {
		p.Fatal("full, but there is room")
	}
}

// finish lets everything through and checks what came out.
func (p *pipe) finish() {
	p.Helper()
	for len(p.in) > 0 || p.r < p.w {
		before := len(p.in) + p.w - p.r
		p.read(len(p.in))
		p.judge()
		p.write(1 << 20)
		p.check()
		if len(p.in)+p.w-p.r == before {
			p.Fatalf("stuck with %d bytes outside and %d inside", len(p.in), p.w-p.r)
		}
	}
	if !bytes.Equal(p.out, p.want) {
		p.Fatalf("%d bytes came out, want %d", len(p.out), len(p.want))
	}
	if !p.empty() {
		p.Error("not empty in the end")
	}
	p.relax(p.loop)
	if p.buf != nil {
		p.Error("a buffer is kept at rest")
	}
}

// TestStreamBoundaries cuts the same messages at every place, on the way in and on
// the way out.
func TestStreamBoundaries(t *testing.T) {
	t.Parallel()
	messages := bytes.Join([][]byte{
		testFrame('a', 5), testFrame('x', 7), testFrame('b', 9), testFrame('x', 5), testFrame('x', 6),
		testFrame('c', 20), testFrame('x', 9),
	}, nil)
	want := bytes.Join([][]byte{testFrame('a', 5), testFrame('b', 9), testFrame('c', 20)}, nil)
	for in := 1; in <= len(messages); in++ {
		for out := 1; out <= len(want); out++ {
			p := &pipe{TB: t, loop: new(reactor.Loop), in: messages}
			for len(p.in) > 0 {
				p.read(in)
				p.judge()
				p.check()
				p.write(out)
				p.relax(p.loop)
			}
			p.finish()
			if !bytes.Equal(p.out, want) {
				t.Fatalf("in by %d, out by %d: %q came out", in, out, p.out)
			}
		}
	}
}

// TestStreamRandom does all that can be done with a stream, in random order.
func TestStreamRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 0))
		p := &pipe{TB: t, loop: new(reactor.Loop)}
		for range 30 {
			size := wire.HeaderSize + rng.IntN([]int{10, 500, 30_000}[rng.IntN(3)])
			p.in = append(p.in, testFrame("abxx"[rng.IntN(4)], size)...)
		}
		for range 300 {
			switch rng.IntN(10) {
			case 0, 1, 2:
				p.read(1 + rng.IntN(20_000))
			case 3, 4:
				p.judge()
			case 5, 6, 7:
				p.write(1 + rng.IntN(20_000))
			case 8:
				p.relax(p.loop)
			case 9:
				p.rarely(rng)
			}
			p.check()
		}
		p.finish()
	}
}

// rarely does what is rarely done.
func (p *pipe) rarely(rng *rand.Rand) {
	switch {
	case len(p.buf) == reactor.SmallBuffer && rng.IntN(2) == 0:
		p.widen(p.loop)
	case p.left == 0:
		ours := testFrame('o', wire.HeaderSize+rng.IntN(200))
		p.room(p.loop)
		p.insert(ours)
		p.want = append(p.want, ours...)
	}
}

func TestStreamUnjudge(t *testing.T) {
	t.Parallel()
	p := &pipe{TB: t, loop: new(reactor.Loop), in: append(testFrame('a', 10), testFrame('b', 30)...)}
	p.read(20)
	p.judge()
	if p.left != 20 || p.empty() {
		t.Errorf("%d bytes to come, empty %v", p.left, p.empty())
	}
	p.unjudge()
	if got := p.unjudged(); !bytes.HasPrefix(got, testFrame('a', 10)) || len(got) != 20 || p.left != 0 {
		t.Errorf("%d bytes to judge, %d to come", len(got), p.left)
	}
	p.want = nil
	p.finish()
}

// TestStreamBuffers checks which buffers a stream takes: a small one first, a large
// one for bulk, and a small one again after that.
func TestStreamBuffers(t *testing.T) {
	t.Parallel()
	p := &pipe{TB: t, loop: new(reactor.Loop), in: testFrame('a', 1<<20)}
	if p.buf != nil {
		t.Error("a stream has a buffer from the start")
	}
	sizes := make(map[int]int)
	for len(p.in) > 0 {
		p.read(1 << 20)
		sizes[len(p.buf)]++
		p.judge()
		p.write(1 << 20)
		p.relax(p.loop)
	}
	if sizes[reactor.SmallBuffer] != 1 || sizes[reactor.LargeBuffer] < 16 || len(sizes) != 2 {
		t.Errorf("buffers used, by size: %v", sizes)
	}
	p.finish()
	p.settle()
	p.in = testFrame('b', 100)
	p.read(100)
	p.judge()
	p.write(100)
	p.relax(p.loop)
	if p.room(p.loop); len(p.buf) != reactor.SmallBuffer {
		t.Errorf("a buffer of %d for little", len(p.buf))
	}
	p.reset(p.loop)
	if p.buf != nil || !p.empty() || p.full() {
		t.Error("not empty after reset")
	}
}

// TestStreaming checks when a stream lets bytes collect, and until when.
func TestStreaming(t *testing.T) {
	t.Parallel()
	const now, deadline, step = time.Hour, 2 * time.Hour, lull / 2
	for name, test := range map[string]struct {
		flow       int           // bytes that came, the last of them at now
		after      time.Duration // since then
		deadline   time.Duration
		want       reactor.Events
		until      time.Duration
		stillFlows bool
	}{
		"little":                   {streamAfter - 1, 0, deadline, reactor.Readable, deadline, false},
		"much":                     {streamAfter, 0, deadline, reactor.Readable | reactor.Bulk, now + lull, true},
		"much, no deadline":        {streamAfter, 0, 0, reactor.Readable | reactor.Bulk, now + lull, true},
		"much, an early deadline":  {streamAfter, 0, now + step, reactor.Readable | reactor.Bulk, now + step, true},
		"much, a moment later":     {streamAfter, step, deadline, reactor.Readable | reactor.Bulk, now + lull, true},
		"much, and then a silence": {streamAfter, lull, deadline, reactor.Readable, deadline, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stream{buf: make([]byte, streamAfter)}
			s.arrived(test.flow, now)
			want, until := s.thirst(now+test.after, test.deadline)
			if want != test.want || until != test.until {
				t.Errorf("wants %b until %v, want %b until %v", want, until, test.want, test.until)
			}
			if s.streaming() != test.stillFlows {
				t.Errorf("streaming: %v", s.streaming())
			}
		})
	}
}

func TestStreamAllocs(t *testing.T) {
	skiptest.UnderRace(t)
	var s stream
	l := new(reactor.Loop)
	message := testFrame('a', 100)
	through := func() {
		s.arrived(copy(s.room(l), message), l.Now())
		s.take(len(message), false)
		s.sent(len(s.judged()))
		s.relax(l)
	}
	through()
	if n := testing.AllocsPerRun(100, through); n != 0 {
		t.Errorf("%v allocations for a message, want 0", n)
	}
}
