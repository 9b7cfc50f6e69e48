package meter

import "time"

// An ask is a Query, an Execute or a Describe of a statement that a server has been sent
// and has not answered whole.
type ask struct {
	text      Text
	portal    portal // of an Execute; of a Describe only the statement
	describes bool   // it is a Describe

	at        time.Duration // when it was sent
	wait      time.Duration // for a server, before
	gap       time.Duration // the application's, before; negative: it had none, see stats
	in        uint64        // bytes
	pipelined bool
	done      int    // of a Query: so many of its statements are over
	sample    []byte // its values, if samples are kept
}

// current is what is known of the statement that is being answered.
func (a *ask) current() *Text {
	switch {
	case a.done == 0:
		return &a.text
	case a.done <= len(a.text.more):
		return &a.text.more[a.done-1]
	}

	return new(Text)
}

// asks is a queue of them. The zero value is empty.
type asks struct {
	ring    []ask // circular; its length is a power of two
	head, n int
}

// first is the one that is answered next. There must be one.
func (q *asks) first() *ask {
	return &q.ring[q.head]
}

// push appends an empty one, for the caller to fill in.
func (q *asks) push() *ask {
	if q.n == len(q.ring) {
		bigger := make([]ask, max(2, 2*q.n))
		for i := range q.n {
			bigger[i] = q.ring[(q.head+i)&(q.n-1)]
		}
		q.ring, q.head = bigger, 0
	}
	a := &q.ring[(q.head+q.n)&(len(q.ring)-1)]
	q.n++
	*a = ask{sample: a.sample[:0]}

	return a
}

// pop takes the first off.
func (q *asks) pop() {
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
}

// keepAsks is how many places a queue keeps that is at rest.
const keepAsks = 64

// reset empties the queue. A long pipeline's memory is given back.
func (q *asks) reset() {
	q.head, q.n = 0, 0
	if len(q.ring) > keepAsks {
		q.ring = nil
	}
}

// formats are the codes of a Bind message for the columns of its result, those of the
// first 64. The zero value is text for all.
type formats struct {
	binary uint64 // a bit for each code
	n      uint8  // codes
}

// formatsOf keeps codes as they are in the message.
func formatsOf(codes []byte) (f formats) {
	for ; len(codes) >= 2 && f.n < 64; codes = codes[2:] {
		f.binary |= uint64(codes[1]&1) << f.n
		f.n++
	}

	return f
}

// append appends the codes as they are in a message.
func (f formats) append(dst []byte) []byte {
	for i := range f.n {
		dst = append(dst, 0, byte(f.binary>>i&1))
	}

	return dst
}
