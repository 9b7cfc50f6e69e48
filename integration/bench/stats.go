package main

import "slices"

// spread is a set of observations boiled down: its median and its range. The zero value stands for no observation.
type spread struct {
	median, min, max float64
}

// spreadOf returns the spread of values, in any order; values itself is left as it is.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return spread{median: medianOfSorted(sorted), min: sorted[0], max: sorted[len(sorted)-1]}
}

// medianOfSorted returns the middle value of a sorted, non-empty slice: the mean of the middle two when their number
// is even.
func medianOfSorted(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ratios divides the rounds of two contestants pairwise: the two measurements of one round ran next to each other, so
// what disturbed one most likely disturbed the other. A round whose divisor is 0 is left out, and so are the rounds
// that only one of them has.
func ratios(subject, baseline []float64) []float64 {
	var quotients []float64
	for i := range min(len(subject), len(baseline)) {
		if baseline[i] != 0 {
			quotients = append(quotients, subject[i]/baseline[i])
		}
	}
	return quotients
}
