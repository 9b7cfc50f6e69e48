package meter

// A recent remembers what was used of late: at least the last keep things, at most twice
// as many. The zero value is not ready: keep must be set.
//
// There are two halves. What is looked for in vain in the young one and found in the old
// one is young again; when the young one is full it becomes the old one, and what was
// old by then is forgotten. So a flood of strangers costs two maps, and who comes often
// stays, or is back at once.
type recent[K comparable, V any] struct {
	keep       int
	young, old map[K]V
}

// get returns what is known of k.
func (r *recent[K, V]) get(k K) (V, bool) {
	if v, ok := r.young[k]; ok {
		return v, true
	}
	v, ok := r.old[k]
	if ok {
		r.put(k, v)
	}

	return v, ok
}

// put remembers v.
func (r *recent[K, V]) put(k K, v V) {
	if r.young == nil || len(r.young) >= r.keep {
		r.old, r.young = r.young, make(map[K]V)
	}
	r.young[k] = v
}
