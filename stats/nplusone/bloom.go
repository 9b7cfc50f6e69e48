package nplusone

// A bloom is a Bloom filter of 8 words. A value is in one word, as 4 bits, so that it
// costs one access. Of the 64 values that a sketch has at most, it takes 3.4 % of others
// to be in it, too.
type bloom [8]uint64

// place returns where a value is in the filter.
func place(v value) (word int, bits uint64) {
	return int(v >> 1 & 7), 1<<(v>>4&63) | 1<<(v>>10&63) | 1<<(v>>16&63) | 1<<(v>>22&63)
}

// add puts a value in, and reports whether it was not in before.
func (b *bloom) add(v value) bool {
	word, bits := place(v)
	known := b[word]
	b[word] = known | bits

	return known&bits != bits
}

// has reports whether a value may be in. 0 never is.
func (b *bloom) has(v value) bool {
	word, bits := place(v)

	return v != 0 && b[word]&bits == bits
}

// merge puts in what is in another.
func (b *bloom) merge(other *bloom) {
	for i := range b {
		b[i] |= other[i]
	}
}
