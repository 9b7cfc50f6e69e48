package stats

import (
	"fmt"
	"time"
)

// A Fingerprint stands for all statements that differ in nothing but their literals.
// Three values are no statement's; that a real one hashes to them is left to chance.
type Fingerprint uint64

// What is not a statement of its own.
const (
	Other   Fingerprint = iota // what is not tracked by itself
	Utility                    // BEGIN, COMMIT and the like: the pool's figures tell more of them
	Invalid                    // a text that the lexer cannot cut
)

// specials is how many fingerprints are reserved.
const specials = 3

// String returns 16 hexadecimal digits, or the name of what is not a statement.
func (f Fingerprint) String() string {
	if f < specials {
		return [specials]string{"__other__", "__utility__", "__invalid__"}[f]
	}

	return fmt.Sprintf("%016x", uint64(f))
}

// A Key is what figures are kept by.
type Key struct {
	Fingerprint Fingerprint
	Pool        PoolID
}

// An Execution is what there is to know of one statement that has been answered: a
// simple query's, or a portal's, all its Execute messages together. A message that the
// server skipped after an error, a Describe, and the empty query are none.
type Execution struct {
	Fingerprint Fingerprint
	Pool        PoolID
	Route       RouteID // where in the application it comes from, of [Shard.Route]
	// Ordinal says how often this server has executed the prepared statement, this time
	// included: PostgreSQL chooses between plans by that. 0: it is not prepared.
	Ordinal uint32

	Rows     uint64        // returned or changed, of CommandComplete
	BytesIn  uint64        // from the client
	BytesOut uint64        // to the client
	Wait     time.Duration // for a server; 0 if it had one
	Server   time.Duration // from the last byte sent to the server to its answer's end
	Gap      time.Duration // between the answer before and this statement; negative: none before
	SQLState string        // five characters of the error; "": none
}

// queryCanceled is the SQLSTATE of a statement that was cancelled, which is neither
// a success nor the statement's mistake.
const queryCanceled = "57014"

// weight is what the execution counts for when it is decided what to track: that it
// was called, and the load it was, in milliseconds. It is bounded, so that a single
// report over lunch does not displace the work of a day.
func (x *Execution) weight() uint32 {
	return 1 + uint32(min(max(x.Server, 0)/time.Millisecond, 1000))
}
