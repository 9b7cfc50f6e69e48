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
	ring []entry // circular; its length is a power of two
	head int     // place of the oldest entry
	n    int     // how many entries

	tx      byte // status of the last ReadyForQuery; 0 before the first
	skip    bool // after an error the server discards all until Sync
	copyIn  bool // the client is to send copy data: Sync means nothing until it ends
	copying bool // the server is inside a COPY FROM STDIN
}

// An entry is one thing that is owed.
type entry uint8

// The kinds of entries, by what the client sent, and what satisfies each.
const (
	oweParse             entry = iota // ParseComplete
	oweBind                           // BindComplete
	oweDescribeStatement              // ParameterDescription, then as a portal
	oweDescribePortal                 // RowDescription or NoData
	oweExecute                        // any rows or copy, then its end
	oweClose                          // CloseComplete
	oweQuery                          // any results, then ReadyForQuery
	oweFunction                       // FunctionCallResponse, then ReadyForQuery
	oweSync                           // ReadyForQuery
	oweCopyEnd                        // nothing: where CopyDone or CopyFail stands among the rest

	// internal marks what pgweir itself sent: its answer is not for the client.
	internal entry = 1 << 7
)

// maxOwed bounds the queue. A client that pipelines more than this is not read
// until the server has answered some of it, which it always can: it needs no
// more of the client's messages for that than fill its own output buffer.
const maxOwed = 1 << 16

// full reports whether the client must not be read for now.
func (o *owed) full() bool {
	return o.n >= maxOwed
}

// settled reports whether the server owes nothing and is outside a transaction.
// It is the release rule, but for what has not been sent yet.
func (o *owed) settled() bool {
	return o.n == 0 && o.tx == wire.TxIdle && !o.skip
}

// idle reports whether the server owes nothing, in a transaction or not: it
// waits for the client.
func (o *owed) idle() bool {
	return o.n == 0
}

// rowsForClient reports whether rows that come now are the client's.
func (o *owed) rowsForClient() bool {
	if o.n == 0 {
		return false
	}
	head := o.ring[o.head]

	return head == oweQuery || head == oweExecute
}

// answersOurs reports whether what comes next answers something internal.
func (o *owed) answersOurs() bool {
	return o.n > 0 && o.ring[o.head]&internal != 0
}

// sent enters a client's frame that goes to the server. what is the byte behind
// the header of a Describe, 'S' or 'P'. flags is 0 or internal.
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
			return
		}
	case wire.CopyDone, wire.CopyFail:
		o.copyIn = false
		e = oweCopyEnd
	default: // Flush and CopyData are not answered
		return
	}
	if o.skip && e != oweSync {
		return
	}
	if e == oweCopyEnd && o.n == 0 {
		return // stray, as after an error: PostgreSQL ignores it
	}
	o.push(e | flags)
}

// received strikes off a server's frame. status is the byte behind the header of
// a ReadyForQuery. ours reports that the frame answers something internal and is
// not for the client. An error means that the server has answered what nobody
// asked.
func (o *owed) received(typ, status byte) (ours bool, err error) {
	o.dropCopyEnds()
	head := oweCopyEnd // stands for "nothing"
	if o.n > 0 {
		head = o.ring[o.head]
	}
	ours = o.n > 0 && head&internal != 0

	switch typ {
	case wire.NoticeResponse, wire.ParameterStatus, wire.NotificationResponse:
		return false, nil // come at any time
	case wire.ErrorResponse:
		o.failed(head &^ internal)
	case wire.ReadyForQuery:
		return ours, o.ready(head&^internal, status)
	case wire.CopyInResponse:
		o.copyStarted()
	default:
		if typ == wire.CommandComplete && o.copying {
			o.copyEnded()
		}
		if !answers(head&^internal, typ) {
			return ours, fmt.Errorf("server sent an unexpected %q message", typ)
		}
		if ends(head&^internal, typ) {
			o.pop()
		}
	}

	return ours, nil
}

// ready books a ReadyForQuery.
func (o *owed) ready(head entry, status byte) error {
	expected := o.n > 0 && (head == oweSync || head == oweQuery || head == oweFunction)
	if expected {
		o.pop()
	}
	// A Sync that we took for one inside a copy, when the server had failed
	// already, is answered while we skip.
	if !expected && !o.skip {
		return fmt.Errorf("server sent an unexpected %q message", byte(wire.ReadyForQuery))
	}
	o.tx = status
	o.skip, o.copyIn, o.copying = false, false, false

	return nil
}

// failed books an ErrorResponse. After an error in an extended-protocol message
// the server discards everything up to the next Sync, simple queries included.
func (o *owed) failed(head entry) {
	o.copyIn, o.copying = false, false
	if o.n == 0 {
		return
	}
	switch head {
	case oweQuery, oweFunction, oweSync: // ReadyForQuery follows
		return
	}
	for o.n > 0 && o.ring[o.head]&^internal != oweSync {
		o.pop()
	}
	o.skip = o.n == 0
}

// copyStarted books a CopyInResponse. While it reads copy data the server takes
// no notice of Sync, so those that the client sent ahead of its data are not
// answered. Anything else that the client sent by now ends the copy: CopyDone and
// CopyFail in order, other messages in an error.
func (o *owed) copyStarted() {
	o.copying = true
	for o.n > 1 && *o.at(1)&^internal == oweSync {
		o.popSecond()
	}
	o.copyIn = o.n == 1
}

// copyEnded books the end of a copy inside a query: the client's CopyDone has had
// its effect.
func (o *owed) copyEnded() {
	o.copying = false
	if o.n > 1 && *o.at(1)&^internal == oweCopyEnd {
		o.popSecond()
	}
}

// popSecond takes off the entry behind the oldest.
func (o *owed) popSecond() {
	*o.at(1) = *o.at(0)
	o.pop()
}

// dropCopyEnds strikes off the marks of CopyDone and CopyFail, which nothing
// answers, once all before them is answered.
func (o *owed) dropCopyEnds() {
	for o.n > 0 && o.ring[o.head]&^internal == oweCopyEnd {
		o.pop()
	}
}

// answers reports whether a frame of type typ can be an answer to e.
func answers(e entry, typ byte) bool {
	switch e {
	case oweParse:
		return typ == wire.ParseComplete
	case oweBind:
		return typ == wire.BindComplete
	case oweClose:
		return typ == wire.CloseComplete
	case oweDescribeStatement:
		return typ == wire.ParameterDescription || typ == wire.RowDescription || typ == wire.NoData
	case oweDescribePortal:
		return typ == wire.RowDescription || typ == wire.NoData
	case oweFunction:
		return typ == wire.FunctionCallResponse
	case oweSync, oweCopyEnd:
		return false
	}

	return true
}

// ends reports whether a frame of type typ is the last of the answer to e.
func ends(e entry, typ byte) bool {
	switch e {
	case oweExecute:
		switch typ {
		case wire.CommandComplete, wire.EmptyQueryResponse, wire.PortalSuspended:
			return true
		}

		return false
	case oweDescribeStatement:
		return typ != wire.ParameterDescription
	case oweQuery, oweFunction:
		return false // ReadyForQuery does
	}

	return true
}

// at is the i-th entry, counted from the oldest.
func (o *owed) at(i int) *entry {
	return &o.ring[(o.head+i)&(len(o.ring)-1)]
}

// push appends an entry.
func (o *owed) push(e entry) {
	if o.n == len(o.ring) {
		o.grow()
	}
	*o.at(o.n) = e
	o.n++
}

// pop takes the oldest entry off.
func (o *owed) pop() {
	o.head = (o.head + 1) & (len(o.ring) - 1)
	o.n--
}

// firstRing is how many entries a queue holds before it first grows.
const firstRing = 16

// grow doubles the ring.
func (o *owed) grow() {
	bigger := make([]entry, max(firstRing, 2*len(o.ring)))
	for i := range o.n {
		bigger[i] = *o.at(i)
	}
	o.ring, o.head = bigger, 0
}

// reset makes the queue that of a server which is outside a transaction and owes
// nothing. It keeps its memory unless a pipeline has made that large.
func (o *owed) reset() {
	ring := o.ring
	if len(ring) > 1<<10 {
		ring = nil
	}
	*o = owed{ring: ring, tx: wire.TxIdle}
}
