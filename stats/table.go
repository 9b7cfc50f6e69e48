package stats

import "math/rand/v2"

// A table decides which statements a shard tracks. It belongs to its loop.
//
// Who is in it stays until somebody weightier comes: a stranger is first counted in a
// sketch, and admitted when it has more weight there than the lightest of a few that
// are tracked. A million statements that come once each are so all booked in the tail,
// and who comes often is in the table whatever else there is. Plain "space saving" lets
// every stranger in, in place of the lightest: the flood would empty and fill a place
// of a kilobyte for each of its statements. Weight halves with each window, so that
// yesterday's heavy ones make room.
type table struct {
	index map[Key]int32 // into slots
	slots []slot        // those without a special fingerprint
	limit int           // of slots
	tail  sketch
	hand  int    // where to look for a light one next
	age   uint32 // windows that have passed
	left  int    // executions until the next

	admitted, evicted uint64
}

// A slot is what the shard knows of a statement that it tracks, besides its figures.
type slot struct {
	key       Key
	weight    uint32
	age       uint32 // when weight was right
	described bool   // text is set
	fresh     bool   // text is still to be handed over
	lastSlow  int64  // when one was last told of, UNIX nanoseconds
	text      Text
}

// A Text is what a statement looks like.
type Text struct {
	Summary    string // a few words: what it does, to which tables
	Normalised string // without literals
}

// sampled is how many slots are looked at for a light one.
const sampled = 8

// init makes a table for so many statements.
func (t *table) init(limit int) {
	t.limit = limit
	t.index = make(map[Key]int32, limit)
	t.slots = make([]slot, 0, limit)
	t.tail.seed = rand.Uint64()
	t.left = t.window()
}

// window is after how many executions weights are halved.
func (t *table) window() int {
	return 16 * t.limit
}

// find returns the slot of a statement, and gives it one if it deserves that. evicted
// says that it was another's until now. It returns -1 if there is none for it.
func (t *table) find(k Key, weight uint32) (i int32, evicted bool) {
	if t.left--; t.left == 0 {
		t.grow()
	}
	i, ok := t.index[k]
	if !ok {
		return t.admit(k, weight)
	}
	s := &t.slots[i]
	s.weight = s.weigh(t.age) + weight
	s.age = t.age

	return i, false
}

// grow begins the next window.
func (t *table) grow() {
	t.left = t.window()
	t.age++
	t.tail.halve()
}

// weigh is what the slot weighs now.
func (s *slot) weigh(age uint32) uint32 {
	return s.weight >> min(age-s.age, 31)
}

// admit gives a statement a slot if one is free, or its weight is more than that of the
// lightest in the sample.
func (t *table) admit(k Key, weight uint32) (i int32, evicted bool) {
	if len(t.slots) < t.limit {
		t.slots = append(t.slots, slot{})
		i = int32(len(t.slots) - 1)
	} else {
		weight = t.tail.count(k, weight)
		i = t.lightest()
		if weight <= max(t.slots[i].weigh(t.age), 1) { // 1: it has come once, and was quick
			return -1, false
		}
		delete(t.index, t.slots[i].key)
		t.evicted++
		evicted = true
	}
	t.admitted++
	t.index[k] = i
	t.slots[i] = slot{key: k, weight: weight, age: t.age, fresh: t.slots[i].fresh}

	return i, evicted
}

// lightest returns the lightest of the next few slots.
func (t *table) lightest() int32 {
	best := t.hand
	for range min(sampled, len(t.slots)) {
		if t.slots[t.hand].weigh(t.age) < t.slots[best].weigh(t.age) {
			best = t.hand
		}
		if t.hand++; t.hand == len(t.slots) {
			t.hand = 0
		}
	}

	return int32(best)
}
