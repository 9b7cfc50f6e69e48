//go:build race

package reactor

// raceEnabled tells tests that the race detector, which allocates, is on.
const raceEnabled = true
