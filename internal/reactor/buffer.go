package reactor

// Buffer sizes. A transaction starts with a small buffer and takes a large one
// only while a bulk transfer fills it: 8 KB is what PostgreSQL itself sends at a
// time (PQ_SEND_BUFFER_SIZE in src/backend/libpq/pqcomm.c); past 64 KB the cost
// per byte no longer falls.
const (
	SmallBuffer = 8 << 10
	LargeBuffer = 64 << 10
)

// How many returned buffers a loop keeps of each size; the rest is left to the
// garbage collector.
const (
	keepSmall = 64
	keepLarge = 8
)

// buffers are a loop's free lists.
type buffers struct {
	small, large [][]byte
}

// Borrow lends a buffer of SmallBuffer or LargeBuffer bytes, whichever size asks
// for. It is the borrower's until [Loop.Return].
func (l *Loop) Borrow(size int) []byte {
	if size == LargeBuffer {
		return pop(&l.buffers.large, LargeBuffer)
	}

	return pop(&l.buffers.small, SmallBuffer)
}

// Return takes back a buffer that Borrow lent; nil is ignored. The caller must
// hold no slice of it any more.
func (l *Loop) Return(b []byte) {
	switch cap(b) {
	case SmallBuffer:
		push(&l.buffers.small, b, keepSmall)
	case LargeBuffer:
		push(&l.buffers.large, b, keepLarge)
	}
}

// pop takes a buffer off a free list, or makes one.
func pop(list *[][]byte, size int) []byte {
	n := len(*list)
	if n == 0 {
		return make([]byte, size)
	}
	b := (*list)[n-1]
	(*list)[n-1] = nil
	*list = (*list)[:n-1]

	return b
}

// push puts a buffer on a free list that holds at most keep.
func push(list *[][]byte, b []byte, keep int) {
	if len(*list) < keep {
		*list = append(*list, b[:cap(b)])
	}
}
