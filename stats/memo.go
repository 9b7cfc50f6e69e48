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
// A text is found by a 64-bit hash with a seed of the process's own, which nobody
// outside can make collide, and then compared in full: a wrong answer would book one
// statement as another, or worse where the value says what a statement may do.
type Memo[K comparable, V any] struct {
	read func(text []byte, how K) V
	seed maphash.Seed
	sets [memoSets][memoWays]memory[K, V]
	seen [memoSets]onceSeen

	Hits, Misses uint64
}

// The size of a Memo: 4096 texts, which with 200 bytes each are 1 MB, at most 8 MB; and
// how many that came once are remembered. Texts whose hashes end alike share a set.
const (
	memoSets = 512
	memoWays = 8
	memoText = 2 << 10 // bytes; a longer text is read each time
	memoSeen = 32      // for each set
)

// onceSeen are the last texts of a set that were not known, by the upper half of their
// hash. All of a set are looked at: two that come in turns must not hide each other.
type onceSeen struct {
	hashes [memoSeen]uint32
	next   uint32
}

// A memory is one text with what is known of it.
type memory[K comparable, V any] struct {
	hash uint64
	hits uint8
	how  K
	text string // "": free
	v    V
}

// memoHits is as far as hits are counted.
const memoHits = 3

// NewMemo returns an empty memo of what a function finds out about a text. The function
// must not keep the text.
func NewMemo[K comparable, V any](read func(text []byte, how K) V) *Memo[K, V] {
	return &Memo[K, V]{read: read, seed: maphash.MakeSeed()}
}

// Get returns what is known of a text, which it reads if it is not known. The text is
// not kept.
func (m *Memo[K, V]) Get(text []byte, how K) V {
	hash := maphash.Bytes(m.seed, text)
	set := &m.sets[hash%memoSets]
	for i := range set {
		e := &set[i]
		if e.hash == hash && e.how == how && e.text == string(text) && e.text != "" {
			m.Hits++
			if e.hits < memoHits {
				e.hits++
			}

			return e.v
		}
	}
	m.Misses++
	v := m.read(text, how)
	if len(text) <= memoText && len(text) > 0 && m.seen[hash%memoSets].again(uint32(hash>>32)) {
		keep(set, memory[K, V]{hash: hash, how: how, hits: 1}, text, v)
	}

	return v
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

// keep keeps a text if there is a place in its set; if not it wears all of them down,
// so that there is one some time.
func keep[K comparable, V any](set *[memoWays]memory[K, V], e memory[K, V], text []byte, v V) {
	for i := range set {
		if set[i].hits == 0 {
			e.text, e.v = string(text), v
			set[i] = e

			return
		}
	}
	for i := range set {
		set[i].hits--
	}
}
