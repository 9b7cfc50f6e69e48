package proxy

import (
	"bytes"

	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/wire"
)

// What a link sees of statements it tells its flow. Of what is owed the flow keeps a
// queue of its own, with what is asked: it grows and shrinks with the one in owed.go.

// measureUp tells of the client's frame that was entered in the queue. body is what is
// there of it; asks says that its answer is waited for, see [entry.asks].
func (k *link) measureUp(h wire.Header, body []byte, asks bool) {
	used := k.used
	k.used = nil
	if k.worker.meter == nil || k.owed.skip {
		return
	}
	k.flow.Sent(h.Size)
	switch h.Type {
	case wire.Query:
		if asks {
			if k.flow.Samples() {
				k.flow.SampleText(body, k.session.reading)
			}
			k.flow.Query(&k.query.measured, k.timing())
		}
		k.session.texts.forget(&k.query)
	case wire.Execute:
		if asks {
			k.flow.Execute(cString(body), k.timing())
		}
	case wire.Bind:
		k.measureBind(body, used)
	case wire.Describe:
		if asks {
			k.flow.Describe(k.measuredStatement(used, cString(body[1:])))
		}
	case wire.Parse:
		k.measureParse(body)
	case wire.Close:
		k.measureClose(body)
	}
}

// timing is when what is being judged was asked.
func (k *link) timing() meter.Timing {
	t := meter.Timing{At: k.asked, Arrived: k.up.last}
	if k.booked.Queries == 1 {
		t.Wait = k.waited // whoever comes behind it would have waited for it anyhow
	}

	return t
}

// cString is what comes in front of a zero byte.
func cString(b []byte) []byte {
	s, _, _ := bytes.Cut(b, []byte{0})

	return s
}

// measureBind tells of a Bind. used is its statement, if pgweir looks after that.
func (k *link) measureBind(body []byte, used *statement) {
	portal := cString(body)
	var name []byte
	if len(portal) < len(body) {
		name = cString(body[len(portal)+1:])
	}
	ordinal := uint32(0)
	if used != nil {
		ordinal = k.state.executed(used)
	}
	k.flow.Bind(portal, k.measuredStatement(used, name), body, ordinal)
}

// measuredStatement is what is known of a statement that a frame names. used is that, if
// pgweir looks after it.
func (k *link) measuredStatement(used *statement, name []byte) *meter.Statement {
	if used != nil {
		return &used.measured
	}

	return k.session.texts[string(name)]
}

// measureDown tells of a server's frame for the client. first is what was owed first
// before it came, and n how many answers it has ended, or prevented.
func (k *link) measureDown(h wire.Header, body []byte, first entry, n int) {
	f := k.flow
	f.Answered(h.Size)
	switch h.Type {
	case wire.ParameterDescription:
		f.Takes(body)
	case wire.RowDescription:
		f.Described(body)
	case wire.CommandComplete, wire.EmptyQueryResponse:
		f.Complete(body, k.heard)
	case wire.PortalSuspended:
		f.Suspend(k.heard)
	case wire.ErrorResponse:
		if (n > 0 || first.kind() == oweQuery) && !k.repeating {
			f.Fail(n, k.errorCode(h), k.heard)

			return
		}
	case wire.ReadyForQuery:
		f.Pop(n)
		f.Ready(body[0] != wire.TxIdle, k.heard)

		return
	case wire.ParseComplete, wire.BindComplete:
		f.More()
	}
	f.Pop(n)
}

// errorCode is the SQLSTATE of the server's next frame, an error, as the client gets it.
func (k *link) errorCode(h wire.Header) string {
	b := k.down.unjudged()
	e, err := wire.ParseError(b[wire.HeaderSize:min(h.Size, len(b))])
	if err != nil {
		return wire.CodeInternalError
	}

	return e.Code
}

// maxTexts is how many prepared statements are measured of a client that pgweir does not
// look after the statements of.
const maxTexts = 1000

// measuredTexts are the statements that a client has prepared and that stay where they
// are, by name.
type measuredTexts map[string]*meter.Statement

// measureParse takes in a Parse of a statement that stays where it is. A name that is
// taken stays that of the old one, as PostgreSQL refuses it.
func (k *link) measureParse(body []byte) {
	if k.manages {
		return
	}
	name, rest, _ := bytes.Cut(body, []byte{0})
	texts := &k.session.texts
	if _, taken := (*texts)[string(name)]; taken && len(name) > 0 || len(*texts) >= maxTexts {
		return
	}
	if *texts == nil {
		*texts = make(measuredTexts)
	}
	s := new(meter.Statement)
	s.Prepare(k.readBody(rest).measured, rest)
	(*texts)[string(name)] = s
}

// measureClose tells of a Close.
func (k *link) measureClose(body []byte) {
	switch {
	case len(body) == 0:
	case body[0] == 'P':
		k.flow.ClosePortal(cString(body[1:]))
	default:
		delete(k.session.texts, string(cString(body[1:])))
	}
}

// forget forgets what a Query takes away, and more if it takes only some of it: names
// that come later are then not known.
func (m *measuredTexts) forget(q *known) {
	if len(*m) == 0 {
		return
	}
	if q.effects.Has(discarding) {
		clear(*m)
	}
	delete(*m, "")
}
