package proxy

import (
	"slices"

	"github.com/pgweir/pgweir/wire"
)

// A command is one step of what a query or portal does.
type command byte

// The commands that the model knows.
const (
	selectRows  command = 'r'
	noStatement command = 'e' // an empty query
	begin       command = 'b'
	commit      command = 'c'
	failing     command = 'x'
	suspended   command = 's' // portals only
	copyOut     command = 'o'
	copyIn      command = 'i' // takes all data
	copyInStart command = '0' // fails before it has read any data
	copyInData  command = '2' // fails at its second piece of data
	copyInEnd   command = '9' // fails at CopyDone
)

// A request is a client's message as far as a backend's answers depend on it.
type request struct {
	typ   byte
	what  byte      // of a Describe
	do    []command // of a Query, or the one of an Execute
	fails bool      // the others
	ours  bool      // pgweir itself sends it
}

// A reply is a backend's message.
type reply struct {
	typ, status byte
	ours        bool // it answers what pgweir itself has sent
}

// A backend is a model of PostgreSQL's main loop (PostgresMain in
// src/backend/tcop/postgres.c and CopyGetData in
// src/backend/commands/copyfromparse.c): which messages it answers with which.
type backend struct {
	in  []request // sent by the client, not read yet
	out []reply   // sent by the backend, not arrived yet

	tx       byte      // wire.TxIdle and so on
	ignore   bool      // until Sync
	ours     bool      // the message in hand is pgweir's own
	extended bool      // and belongs to the extended protocol
	open     bool      // an implicit transaction waits for its Sync
	copy     command   // the COPY that is reading; 0: none
	data     int       // how many pieces of data it has read
	rest     []command // of the query that the COPY stands in
	dead     bool      // it has ended the connection
}

// step reads one message and answers it.
func (b *backend) step() {
	r := b.in[0]
	b.in = b.in[1:]
	b.ours = r.ours
	switch {
	case b.copy != 0:
		b.readCopy(r)
	case b.ignore && r.typ != wire.Sync:
	default:
		b.read(r)
	}
}

// read answers one message outside a COPY.
func (b *backend) read(r request) {
	switch r.typ {
	case wire.Query:
		b.extended, b.open = false, false
		b.run(r.do)
	case wire.FunctionCall:
		b.extended, b.open = false, false
		if b.attempt(r, wire.FunctionCallResponse) {
			b.say(wire.ReadyForQuery)
		}
	case wire.Sync:
		commits := b.open && !b.ignore && b.tx == wire.TxIdle
		b.extended, b.open, b.ignore = false, false, false
		if commits && r.fails {
			b.fail()
		} else {
			b.say(wire.ReadyForQuery)
		}
	case wire.Parse:
		b.extended, b.open = true, true
		b.attempt(r, wire.ParseComplete)
	case wire.Bind:
		b.extended, b.open = true, true
		b.attempt(r, wire.BindComplete)
	case wire.Close:
		b.extended, b.open = true, true
		b.attempt(r, wire.CloseComplete)
	case wire.Describe:
		b.extended, b.open = true, true
		b.describe(r)
	case wire.Execute:
		b.extended, b.open = true, true
		b.run(r.do)
	}
}

// attempt answers with typ, or fails.
func (b *backend) attempt(r request, typ byte) bool {
	if r.fails {
		b.fail()

		return false
	}
	b.say(typ)

	return true
}

// describe answers a Describe.
func (b *backend) describe(r request) {
	switch {
	case r.fails:
		b.fail()
	case r.what == 'S':
		b.say(wire.ParameterDescription, wire.NoData)
	default:
		b.say(wire.RowDescription)
	}
}

// run executes statements until all are done, one fails, or one reads from the
// client.
func (b *backend) run(do []command) {
	for i, s := range do {
		if b.tx == wire.TxFailed && s != commit {
			s = failing
		}
		switch s {
		case failing:
			b.fail()

			return
		case copyIn, copyInStart, copyInData, copyInEnd:
			b.say(wire.CopyInResponse)
			if s == copyInStart {
				b.fail()
			} else {
				b.copy, b.data, b.rest = s, 0, do[i+1:]
			}

			return
		}
		b.succeed(s)
	}
	b.finish()
}

// succeed answers for a statement that reads nothing from the client.
func (b *backend) succeed(s command) {
	switch s {
	case selectRows:
		if !b.extended {
			b.say(wire.RowDescription)
		}
		b.say(wire.DataRow, wire.DataRow, wire.CommandComplete)
	case noStatement:
		b.say(wire.EmptyQueryResponse)
	case begin:
		b.tx = wire.TxActive
		b.say(wire.CommandComplete)
	case commit:
		b.tx = wire.TxIdle
		b.say(wire.CommandComplete)
	case suspended:
		b.say(wire.DataRow, wire.PortalSuspended)
	case copyOut:
		b.say(wire.CopyOutResponse, wire.CopyData, wire.CopyDone, wire.CommandComplete)
	}
}

// finish ends a query or portal that has gone well.
func (b *backend) finish() {
	if !b.extended {
		b.say(wire.ReadyForQuery)
	}
}

// readCopy reads one message inside a COPY FROM STDIN.
func (b *backend) readCopy(r request) {
	switch r.typ {
	case wire.CopyData:
		b.data++
		if b.copy == copyInData && b.data == 2 {
			b.fail()
		}
	case wire.Sync, wire.Flush:
	case wire.CopyDone:
		if b.copy == copyInEnd {
			b.fail()

			return
		}
		b.say(wire.CommandComplete)
		b.copy = 0
		b.run(b.rest)
	case wire.CopyFail:
		b.fail()
	default: // it can no longer tell messages apart
		b.say(wire.ErrorResponse, wire.ErrorResponse)
		b.dead = true
	}
}

// fail reports an error and recovers from it.
func (b *backend) fail() {
	b.copy = 0
	if b.tx == wire.TxActive {
		b.tx = wire.TxFailed
	}
	b.say(wire.ErrorResponse)
	if b.extended {
		b.ignore = true
	} else {
		b.say(wire.ReadyForQuery)
	}
}

// say sends messages to the client.
func (b *backend) say(types ...byte) {
	for _, typ := range types {
		b.out = append(b.out, reply{typ, b.tx, b.ours})
	}
}

// quiet reports whether nothing will come from the backend any more and it is
// outside a transaction, whatever it has not read yet.
func (b *backend) quiet() bool {
	unread := slices.ContainsFunc(b.in, func(r request) bool {
		switch r.typ {
		case wire.Flush, wire.CopyData, wire.CopyDone, wire.CopyFail:
			return false
		}

		return true
	})

	return !unread && len(b.out) == 0 && b.tx == wire.TxIdle && !b.ignore && !b.open && b.copy == 0
}
