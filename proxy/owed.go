package proxy

import (
	"fmt"

	"github.com/pgweir/pgweir/wire"
)

// owed is the expectation queue of a link: what the server will still answer, in
// order. Every frame that goes to the server is entered with sent, every frame
// that comes from it is struck off with received. Release, error skipping, COPY
// and cancel safety all read this one queue; nothing else may guess.
//
// The zero value owes nothing, outside a transaction. See docs/protocol.md.
type owed struct {
	ring   []entry // circular; its length is a power of two
	head   int     // place of the oldest entry
	n      int     // how many entries
	marked int     // how many of them are tracked
	asks   int     // how many of them run or describe statements of the client's

	tx      byte // status of the last ReadyForQuery, as [owed.ready] takes it; 0 before the first
	worked  bool // the server has begun something since then
	mixed   bool // a query has come in an open series, and the server has not been at rest since
	skip    bool // after an error the server discards all until Sync
	open    bool // the client has begun a series of extended-protocol messages: Sync ends it
	held    int  // how many of the newest entries came since the client last asked for answers
	copyIn  bool // the client is to send copy data: Sync means nothing until it ends
	copying bool // the server is inside a COPY FROM STDIN
	eaten   int  // Syncs struck off because they are read inside that COPY

	// When a COPY fails nobody can tell how many of its eaten Syncs the server
	// had read by then: those that it had not are answered. They may be until
	// the server answers something later.
	unsure int
	// vague is set when the client has gone on while that decides whether the
	// server discards what it sends. What is owed stays unknown for good.
	vague bool
}

// maxOwed bounds the queue. A client that pipelines more than this is not read
// until the server has answered some of it, which it always can: it needs no
// more of the client's messages for that than fill its own output buffer.
const maxOwed = 1 << 16

// full reports whether the client must not be read for now.
func (o *owed) full() bool {
	return o.n >= maxOwed
}

// settled reports whether the server owes nothing and is outside a transaction,
// one that is open until the next Sync included. It is the release rule, but for
// what has not been sent yet.
func (o *owed) settled() bool {
	return o.unsure == 0 && o.wouldSettle()
}

// doubtful reports whether the queue would be settled but for Syncs of a failed COPY
// that may still be answered. The answer to a query that is sent now ends the doubt.
func (o *owed) doubtful() bool {
	return o.unsure > 0 && o.wouldSettle()
}

// wouldSettle reports whether the queue is settled, but for what a failed COPY has left
// unsure.
func (o *owed) wouldSettle() bool {
	return o.n == 0 && o.tx == wire.TxIdle && !o.skip && !o.open && !o.vague
}

// idle reports whether the server owes nothing, in a transaction or not: it
// waits for the client.
func (o *owed) idle() bool {
	return o.n == 0
}

// stalled reports whether the server has to answer nothing that it can be expected to
// answer before the client sends more: it holds back its answers in an open series, and
// has none to the newest message while that is only partial. In a COPY the client may
// take its time: that is the server's statement.
func (o *owed) stalled(partial bool) bool {
	return o.n <= o.held && (o.open || partial) && !o.copying
}

// mayCommit reports whether the server may have committed something that the client
// has not been told of: it owes an answer to what may be a COMMIT, as nobody looks, or
// has one at its end.
func (o *owed) mayCommit() bool {
	for i := range o.n {
		switch e := *o.at(i); {
		case e&internal != 0:
		case e.kind() == oweQuery, e.kind() == oweFunction, e.kind() == oweExecute:
			return true
		case e.kind() == oweSync && o.tx == wire.TxIdle:
			return true
		}
	}

	return false
}

// rowsForClient reports whether rows that come now are the client's.
func (o *owed) rowsForClient() bool {
	if o.n == 0 {
		return false
	}
	head := o.ring[o.head] &^ (begun | tracked)

	return head == oweQuery || head == oweExecute
}

// answersOurs reports whether what comes next answers something internal.
func (o *owed) answersOurs() bool {
	return o.n > 0 && o.ring[o.head]&internal != 0
}

// owesOurs reports whether all that is owed answers something internal.
func (o *owed) owesOurs() bool {
	for i := range o.n {
		if *o.at(i)&internal == 0 {
			return false
		}
	}

	return true
}

// readies is how many ReadyForQuery are owed.
func (o *owed) readies() int {
	n := 0
	for i := range o.n {
		if endsSeries(o.at(i).kind()) {
			n++
		}
	}

	return n
}

// runsOurs reports whether the server runs a query of pgweir's own first, and says so
// when it is over. What else is internal belongs to a series of the client's: the server
// may hold back its answers until that is over.
func (o *owed) runsOurs() bool {
	return o.answersOurs() && o.at(0).kind() == oweQuery
}

// answersItself reports whether what comes next is not the server's to answer.
func (o *owed) answersItself() bool {
	return o.n > 0 && o.ring[o.head]&ourAnswer != 0
}

// follows reports whether what comes next answers something tracked.
func (o *owed) follows() bool {
	return o.n > 0 && o.ring[o.head]&tracked != 0
}

// answer enters a client's Parse or Close that does not go to the server.
func (o *owed) answer(e entry) {
	o.begin(e | tracked | ourAnswer)
}

// begin enters what belongs to a series of extended-protocol messages, or ends one.
func (o *owed) begin(e entry) {
	if !o.open {
		o.held = 0
	}
	o.held++
	o.mixed = o.mixed || o.open && endsSeries(e.kind()) && e.kind() != oweSync
	o.open = !endsSeries(e.kind())
	o.push(e)
}

// sent enters a client's frame that goes to the server. what is the byte behind
// the header of a Describe, 'S' or 'P'. flags are internal and tracked, or 0.
func (o *owed) sent(typ, what byte, flags entry) {
	e := oweSync
	switch typ {
	case wire.Parse:
		e = oweParse
	case wire.Bind:
		e = oweBind
	case wire.Describe:
		e = oweDescribePortal
		if what == 'S' {
			e = oweDescribeStatement
		}
	case wire.Execute:
		e = oweExecute
	case wire.Close:
		e = oweClose
	case wire.Query:
		e = oweQuery
	case wire.FunctionCall:
		e = oweFunction
	case wire.Sync:
		if o.copyIn {
			o.eaten++

			return
		}
		o.skip = false // for what follows
	case wire.CopyDone, wire.CopyFail:
		e = oweCopyEnd
	case wire.Flush:
		o.held = 0

		return
	default: // CopyData is not answered
		return
	}
	o.copyIn = false // anything else breaks the connection, unless the copy has failed
	if o.skip {
		o.vague = o.vague || o.unsure > 0 && e != oweCopyEnd

		return
	}
	if e == oweCopyEnd {
		if o.n > 0 { // else stray, as after an error: PostgreSQL ignores it
			o.push(e | flags)
		}

		return
	}
	o.begin(e | flags)
}

// received strikes off a server's frame. status is the byte behind the header of
// a ReadyForQuery. ours reports that the frame answers something internal and is
// not for the client; of what is tracked the client gets errors nevertheless, since
// its own message, behind, is not answered then. An error means that the server has answered what nobody
// asked.
func (o *owed) received(typ, status byte) (ours bool, err error) {
	switch typ {
	case wire.NoticeResponse, wire.ParameterStatus, wire.NotificationResponse:
		return false, nil // come at any time
	}
	ours = o.answersOurs() && (typ != wire.ErrorResponse || !o.follows())
	switch {
	case typ == wire.ErrorResponse:
		o.failed()
	case typ == wire.ReadyForQuery && o.awaitsReady():
		o.pop()
		o.ready(status)
	case typ == wire.ReadyForQuery && o.unsure > 0:
		ours = false
		o.lateSync(status)
	case o.n > 0 && answers(*o.at(0), typ):
		o.answered(typ)
	case !o.vague:
		return ours, fmt.Errorf("server sent an unexpected %q message", typ)
	}
	o.dropCopyEnds()

	return ours, nil
}

// awaitsReady reports whether a ReadyForQuery answers the oldest entry. A query or
// function call always has another answer before that.
func (o *owed) awaitsReady() bool {
	if o.n == 0 {
		return false
	}
	switch o.at(0).kind() {
	case oweSync:
		return true
	case oweQuery, oweFunction:
		return *o.at(0)&begun != 0 || o.unsure == 0
	}

	return false
}

// ready books a ReadyForQuery.
//
// A Sync by itself ends no transaction. PostgreSQL 18 says so nevertheless after a query
// in an open series: it leaves the transaction of that series open, and the next
// statement fails in it (XX000). That must be the same client's.
func (o *owed) ready(status byte) {
	if o.tx != wire.TxActive || status != wire.TxIdle || o.worked {
		o.tx = status
	}
	o.worked = false
	o.mixed = o.mixed && (o.n > 0 || o.tx != wire.TxIdle)
	o.skip, o.copyIn, o.copying = false, false, false
}

// answered books an answer to the oldest entry.
func (o *owed) answered(typ byte) {
	if !o.vague {
		o.unsure = 0 // the entry was sent after all that
	}
	*o.at(0) |= begun
	o.worked = o.worked || o.at(0).works()
	switch {
	case typ == wire.CopyInResponse:
		o.copyStarted()
	case typ == wire.CommandComplete && o.copying:
		o.copyEnded()
	}
	if ends(o.at(0).kind(), typ) {
		o.pop()
	}
}

// failed books an ErrorResponse. After an error in an extended-protocol message
// the server discards everything up to the next Sync, simple queries included.
func (o *owed) failed() {
	o.unsure += o.eaten
	o.copyIn, o.copying, o.eaten, o.worked = false, false, 0, true
	if o.n == 0 {
		return
	}
	switch o.at(0).kind() {
	case oweQuery, oweFunction, oweSync: // ReadyForQuery follows
		*o.at(0) |= begun

		return
	}
	o.pop()
	for o.n > 0 && o.at(0).kind() != oweSync {
		o.vague = o.vague || o.unsure > 0 && o.at(0).kind() != oweCopyEnd
		o.pop()
	}
	o.skip = o.n == 0
}
