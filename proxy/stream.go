package proxy

import (
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
)

// A stream is one direction of a link: bytes on their way from one side to the
// other through a borrowed buffer. They arrive at the end, are judged frame by
// frame, and leave at the front once judged:
//
//	buf[r:scan] judged, may leave    buf[scan:w] not judged yet
//
// The zero value is empty and holds no buffer.
type stream struct {
	buf        []byte // borrowed; nil while empty
	r, scan, w int
	left       int  // bytes of the last judged frame that have not arrived yet
	dropping   bool // those bytes are not for the other side
	bulk       bool // the last read filled the buffer: take a large one

	flow int           // how many bytes have come in one go; see streaming
	last time.Duration // when something last came
}

// room returns the free part of the buffer, to read into. It is empty while the
// other side does not take what is there.
func (s *stream) room(l *reactor.Loop) []byte {
	if s.r == s.w {
		s.r, s.scan, s.w = 0, 0, 0
		if s.bulk && len(s.buf) == reactor.SmallBuffer {
			s.giveBack(l)
		}
	}
	if s.buf == nil {
		s.borrow(l)
	}
	if rest := s.w - s.r; s.r > 0 && (s.w == len(s.buf) || rest <= cheapCopy) {
		copy(s.buf, s.buf[s.r:s.w])
		s.w -= s.r
		s.scan -= s.r
		s.r = 0
	}

	return s.buf[s.w:]
}

// cheapCopy is how many bytes, the beginning of a frame mostly, are moved to the front
// for the sake of a larger read.
const cheapCopy = 64

// borrow takes a buffer that fits what has been coming of late.
func (s *stream) borrow(l *reactor.Loop) {
	size := reactor.SmallBuffer
	if s.bulk {
		size = reactor.LargeBuffer
	}
	s.buf = l.Borrow(size)
}

// widen makes a small buffer that is full a large one, for a frame that must be
// seen whole.
func (s *stream) widen(l *reactor.Loop) {
	old := s.buf
	s.buf = l.Borrow(reactor.LargeBuffer)
	s.w = copy(s.buf, old[s.r:s.w])
	s.scan -= s.r
	s.r = 0
	l.Return(old)
}

// arrived notes that n bytes were read into room, at that time of the loop.
func (s *stream) arrived(n int, now time.Duration) {
	s.w += n
	s.flow += n
	s.last = now
	s.bulk = s.w == len(s.buf) || s.streaming()
	if s.left > 0 {
		s.take(s.left, s.dropping)
	}
}

// unjudged returns the bytes that begin with the next frame to judge.
func (s *stream) unjudged() []byte {
	return s.buf[s.scan:s.w]
}

// take judges the frame of that size that unjudged begins with, as much of it as
// is there; the rest follows as it arrives. With drop it goes nowhere.
func (s *stream) take(size int, drop bool) {
	n := min(size, s.w-s.scan)
	s.left = size - n
	s.dropping = drop
	switch {
	case !drop:
		s.scan += n
	case s.r == s.scan: // nothing is before it
		s.scan += n
		s.r = s.scan
	default:
		copy(s.buf[s.scan:], s.buf[s.scan+n:s.w])
		s.w -= n
	}
}

// insert puts bytes of our own, already judged, behind those that are judged and
// before the rest. They need no room.
func (s *stream) insert(b []byte) {
	s.shift(0, len(b))
	copy(s.buf[s.scan:], b)
	s.scan += len(b)
}

// replace replaces n bytes of what is not judged yet, from at on. The others need no
// room.
func (s *stream) replace(at, n int, with string) {
	s.shift(at+n, len(with)-n)
	copy(s.buf[s.scan+at:], with)
}

// shift moves what is not judged yet, from at on, by so many bytes, which may be
// negative.
func (s *stream) shift(at, by int) {
	if len(s.buf)-s.w < by {
		bigger := make([]byte, s.w-s.r+by) // rare: only behind a full buffer
		s.w = copy(bigger, s.buf[s.r:s.w])
		s.scan -= s.r
		s.r = 0
		s.buf = bigger
	}
	from := s.scan + at
	copy(s.buf[from+by:s.w+by], s.buf[from:s.w])
	s.w += by
}

// make makes room for a frame of that size, which must be there whole before it is
// judged, little by little as it comes.
func (s *stream) make(size int) {
	if s.scan > s.r || s.w < len(s.buf) || size <= len(s.buf) {
		return // it is not for want of room that it is not there
	}
	bigger := make([]byte, min(size, 2*len(s.buf)))
	s.w = copy(bigger, s.buf[s.r:s.w])
	s.r, s.scan = 0, 0
	s.buf = bigger
}

// restore makes b all that is there, not judged.
func (s *stream) restore(l *reactor.Loop, b []byte) {
	if len(s.buf) < len(b) {
		s.giveBack(l)
		s.buf = make([]byte, len(b)) // rare
	}
	s.r, s.scan, s.left = 0, 0, 0
	s.w = copy(s.buf, b)
}

// judged returns the bytes that may leave.
func (s *stream) judged() []byte {
	return s.buf[s.r:s.scan]
}

// sent notes that n of the judged bytes have left.
func (s *stream) sent(n int) {
	s.r += n
}

// unjudge takes back the judgement of all that has not left.
func (s *stream) unjudge() {
	s.scan, s.left = s.r, 0
}

// cut forgets what is not judged yet, and does not wait for the rest of a frame: its
// source is gone.
func (s *stream) cut() {
	s.w, s.left = s.scan, 0
}

// empty reports whether nothing is there, judged or not, and nothing of a judged
// frame is still to come.
func (s *stream) empty() bool {
	return s.r == s.w && s.left == 0
}

// full reports whether there is no room for more until some of it has left.
func (s *stream) full() bool {
	return s.buf != nil && s.w-s.r == len(s.buf)
}

// relax gives the buffer back if it holds nothing. It is taken again when needed.
func (s *stream) relax(l *reactor.Loop) {
	if s.r == s.w {
		s.giveBack(l)
	}
}

// giveBack gives the buffer back and forgets what it held.
func (s *stream) giveBack(l *reactor.Loop) {
	l.Return(s.buf)
	s.buf = nil
	s.r, s.scan, s.w = 0, 0, 0
}

// reset makes s empty for another use.
func (s *stream) reset(l *reactor.Loop) {
	s.giveBack(l)
	*s = stream{}
}

const (
	// streamAfter is how many bytes in one go make a stream: many times what
	// PostgreSQL sends at once (8 KB), so that a result which is not large is passed
	// on as it comes.
	streamAfter = 256 << 10
	// lull is how long a stream's source may be silent until it is one no more. The
	// end of a large result may come that much later: less time than it takes to make.
	lull = 200 * time.Microsecond
)

// streaming reports whether bytes flow in such numbers that it pays to let them
// collect before they are read.
func (s *stream) streaming() bool {
	return s.flow >= streamAfter
}

// settle forgets what has flowed: the other side is to speak, or there was a lull.
func (s *stream) settle() {
	s.flow = 0
}

// thirst says what to want of the source in a wait for more, and until when:
// deadline, or the end of the lull if that is earlier.
func (s *stream) thirst(now, deadline time.Duration) (reactor.Events, time.Duration) {
	if s.streaming() && now >= s.last+lull {
		s.settle()
	}
	if !s.streaming() {
		return reactor.Readable, deadline
	}
	if end := s.last + lull; deadline == 0 || end < deadline {
		deadline = end
	}

	return reactor.Readable | reactor.Bulk, deadline
}
