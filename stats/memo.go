package stats

import (
	"hash/maphash"
)

// A Memo remembers what is known of the texts of statements, so that a text is read
// once however often it comes. K is how a text is to be read, which is part of what it
// is looked up by; V is what is known. A Memo belongs to one loop.
//
// It is bounded: [memoSets] times [memoWays] texts of up to [memoText] bytes each. A
// text is kept when it comes for the second time: where literals are written into
// statements each text is another, comes once, and takes nobody's place. Nor do those
// that come twice take the place of those that come all the time: a place is free only
// when its count of hits, which is at most 3, has been worn down to 0, once for each
// text that asked for it.
//
// Where hardly any text comes again, looking for it is a waste: the memo then rests for a
// while. It tries again with a few texts out of many, so that it is back soon.
//
// A text is found by a 64-bit hash with a seed of the process's own, which nobody
// outside can make collide, and then compared in full: a wrong answer would book one
// statement as another, or worse where the value says what a statement may do.
type Memo[K comparable, V any] struct {
	read     func(text []byte, how K) V
	seed     maphash.Seed
	sets     []memoSet
	memories []memory[K, V] // memoWays for each set

	window     int    // how many texts have come since it was decided whether to rest
	hitsBefore uint64 // Hits then
	rest       int    // how many texts are read without being looked for
	pause      int    // how many they were the last time; 0: the memo was of use since

	Hits, Misses uint64
}

// Of memoWindow texts at least one of memoUseful must be known, or as many are not looked
// for, and twice as many the next time, up to memoRest. A text that is not known costs a
// third of reading it.
const (
	memoWindow = 256
	memoUseful = 8
	memoRest   = 16 * memoWindow
)

// The size of a Memo: 4096 texts, which with 200 bytes each are 1 MB, at most 8 MB; and
// how many that came once are remembered. Texts whose hashes end alike share a set.
const (
	memoSets = 512
	memoWays = 8
	memoText = 2 << 10 // bytes; a longer text is read each time
	memoSeen = 16      // for each set
)

// A memoSet is what is looked at first of a set, and all that is of a text that is not
// known: two lines of the processor's cache, where the memories would be one each.
type memoSet struct {
	hashes [memoWays]uint32 // the upper halves; 0: free, or a hash of 0
	seen   onceSeen
	hits   [memoWays]uint8
	_      [20]byte // to 128
}

// onceSeen are the last texts of a set that were not known, by the upper half of their
// hash. All of a set are looked at: two that come in turns must not hide each other.
type onceSeen struct {
	hashes [memoSeen]uint32
	next   uint32
}

// A memory is one text with what is known of it.
type memory[K comparable, V any] struct {
	how  K
	text string // "": free
	v    V
}

// memoHits is as far as hits are counted.
const memoHits = 3

// NewMemo returns an empty memo of what a function finds out about a text. The function
// must not keep the text.
func NewMemo[K comparable, V any](read func(text []byte, how K) V) *Memo[K, V] {
	return &Memo[K, V]{
		read: read, seed: maphash.MakeSeed(),
		sets: make([]memoSet, memoSets), memories: make([]memory[K, V], memoSets*memoWays),
	}
}

// Get returns what is known of a text, which it reads if it is not known. The text is
// not kept.
func (m *Memo[K, V]) Get(text []byte, how K) V {
	if m.resting() {
		m.Misses++

		return m.read(text, how)
	}
	hash := maphash.Bytes(m.seed, text)
	upper, i := uint32(hash>>32), int(hash%memoSets)
	set, memories := &m.sets[i], m.memories[i*memoWays:(i+1)*memoWays]
	for i, h := range set.hashes {
		if e := &memories[i]; h == upper && e.text == string(text) && e.how == how && e.text != "" {
			m.Hits++
			set.hits[i] = min(set.hits[i]+1, memoHits)

			return e.v
		}
	}
	m.Misses++
	v := m.read(text, how)
	if len(text) <= memoText && len(text) > 0 && set.seen.again(upper) {
		if i := set.place(); i >= 0 {
			set.hashes[i], set.hits[i] = upper, 1
			memories[i] = memory[K, V]{how: how, text: string(text), v: v}
		}
	}

	return v
}

// resting reports whether the next text is not looked for.
func (m *Memo[K, V]) resting() bool {
	if m.rest > 0 {
		m.rest--

		return true
	}
	if m.window++; m.window == memoWindow {
		m.pause = min(max(2*m.pause, memoWindow), memoRest)
		if m.Hits-m.hitsBefore >= memoWindow/memoUseful {
			m.pause = 0
		}
		m.window, m.hitsBefore, m.rest = 0, m.Hits, m.pause
	}

	return false
}

// again reports whether a text has come before, not too long ago.
func (o *onceSeen) again(hash uint32) bool {
	for _, h := range o.hashes {
		if h == hash {
			return true
		}
	}
	o.hashes[o.next%memoSeen] = hash
	o.next++

	return false
}

// place returns a free place; -1 if there is none, and then wears all of them down, so
// that there is one some time.
func (s *memoSet) place() int {
	for i, hits := range s.hits {
		if hits == 0 {
			return i
		}
	}
	for i := range s.hits {
		s.hits[i]--
	}

	return -1
}
