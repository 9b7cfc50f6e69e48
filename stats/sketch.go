package stats

// A sketch estimates how much has been counted for each of any number of keys, in
// memory that does not grow. An estimate is never too low; it is too high by what other
// keys with the same cells have counted, in the row where that is least. It is a
// count-min sketch with conservative update.
type sketch struct {
	cells [sketchRows][sketchWidth]uint32
	seed  uint64 // so that nobody outside knows which keys share cells
}

// With a window of 32 000 executions a row's cell holds 8 strangers' on average.
const (
	sketchRows  = 4
	sketchWidth = 1 << sketchBits
	sketchBits  = 12
)

// count adds to a key and returns its estimate.
func (s *sketch) count(k Key, n uint32) uint32 {
	var cells [sketchRows]*uint32
	h := mix(uint64(k.Fingerprint) ^ s.seed ^ uint64(k.Pool)<<32)
	least := ^uint32(0)
	for row := range cells {
		cells[row] = &s.cells[row][h&(sketchWidth-1)]
		h >>= sketchBits
		least = min(least, *cells[row])
	}
	least += n
	for _, c := range cells {
		*c = max(*c, least)
	}

	return least
}

// halve halves all estimates, so that what was does not count forever.
func (s *sketch) halve() {
	for row := range s.cells {
		for i := range s.cells[row] {
			s.cells[row][i] /= 2
		}
	}
}

// mix spreads a number's bits, as the finaliser of splitmix64 does.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb

	return x ^ x>>31
}
