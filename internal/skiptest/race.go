//go:build race

package skiptest

// raceEnabled: the race detector, which allocates and takes time, is on.
const raceEnabled = true
