package proxy

import (
	"github.com/pgweir/pgweir/wire"
)

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
	// begun marks what has been answered in part.
	begun entry = 1 << 6
	// tracked marks what changes the prepared statements of client or server: the
	// link has a change for it.
	tracked entry = 1 << 5
	// ourAnswer marks what has not gone to the server: pgweir answers it when its
	// turn comes.
	ourAnswer entry = 1 << 4
)

// kind is the entry without its marks.
func (e entry) kind() entry {
	return e &^ (internal | begun | tracked | ourAnswer)
}

// endsSeries reports whether e ends what extended-protocol messages have begun, and
// the transaction if that is only theirs.
func endsSeries(e entry) bool {
	return e == oweSync || e == oweQuery || e == oweFunction
}

// works reports whether the server goes on with its transaction, or begins one, for e. It
// needs none to forget a statement, and may know nothing of what we answer.
func (e entry) works() bool {
	return e.kind() != oweClose && e&ourAnswer == 0
}

// asks reports whether a statement of the client's runs, or is described, for e: that is
// what is measured.
func (e entry) asks() bool {
	k := e.kind()

	return e&internal == 0 && (k == oweQuery || k == oweExecute || k == oweDescribeStatement)
}

// answers reports whether a frame of type typ can be an answer to e. Results may
// hold types that we do not know.
func answers(e entry, typ byte) bool {
	switch e.kind() {
	case oweParse:
		return typ == wire.ParseComplete
	case oweBind:
		return typ == wire.BindComplete
	case oweClose:
		return typ == wire.CloseComplete
	case oweDescribeStatement:
		if e&begun == 0 {
			return typ == wire.ParameterDescription
		}

		return typ == wire.RowDescription || typ == wire.NoData
	case oweDescribePortal:
		return typ == wire.RowDescription || typ == wire.NoData
	case oweFunction:
		return typ == wire.FunctionCallResponse && e&begun == 0
	case oweSync, oweCopyEnd:
		return false
	}
	switch typ {
	case wire.ParseComplete, wire.BindComplete, wire.CloseComplete,
		wire.ParameterDescription, wire.NoData, wire.FunctionCallResponse, wire.ReadyForQuery:
		return false
	case wire.RowDescription:
		return e.kind() == oweQuery
	case wire.PortalSuspended:
		return e.kind() == oweExecute
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

// endsStatement reports whether a server's frame of type typ ends a statement: what
// the server does from then on is another, with a query_timeout of its own. Like
// PostgreSQL's statement_timeout, Parse, Bind and Describe count with the Execute that
// they come before.
func endsStatement(typ byte) bool {
	switch typ {
	case wire.CommandComplete, wire.EmptyQueryResponse, wire.PortalSuspended, wire.FunctionCallResponse,
		wire.ErrorResponse, wire.ReadyForQuery:
		return true
	}

	return false
}
