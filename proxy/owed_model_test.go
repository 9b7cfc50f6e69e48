package proxy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pgweir/pgweir/wire"
)

// A move is one thing that happens between a client, a queue and a backend.
type move struct {
	kind byte // 's' the client sends, 'r' the backend reads, 'a' an answer arrives, 'n' a notice does
	send request
}

// String is a move as a failing test shows it.
func (m move) String() string {
	if m.kind != 's' {
		return string(m.kind)
	}
	text := ">" + string(m.send.typ)
	if m.send.what != 0 {
		text += string(m.send.what)
	}
	if m.send.do != nil {
		text += "(" + string(m.send.do) + ")"
	}
	if m.send.fails {
		text += "!"
	}

	return text
}

// An author writes random scripts.
type author struct {
	*rand.Rand
	copying bool // the last statement wants copy data
}

// moves writes a script. Clients tend to send copy data when a COPY has been asked
// for, since anything else ends the connection.
func (a *author) moves() []move {
	var script []move
	eager := a.IntN(9) + 1 // how far the client runs ahead of the answers
	for range 5 + a.IntN(40) {
		kind := "sran"[min(a.IntN(10)/3, 3)]
		if a.IntN(10) < eager {
			kind = 's'
		}
		m := move{kind: kind}
		if kind == 's' {
			m.send = a.request()
		}
		script = append(script, m)
	}

	if a.IntN(2) == 0 { // a client in its right mind
		for _, typ := range []byte{wire.CopyDone, wire.Sync} {
			script = append(script, move{kind: 's', send: request{typ: typ}})
		}
	}

	return script
}

// request writes one message of a client.
func (a *author) request() request {
	types := "PBDECSSSHQQFdcf"
	if a.copying && a.IntN(20) > 0 {
		types = "ddddSHccf"
	}
	r := request{typ: types[a.IntN(len(types))], fails: a.IntN(12) == 0}
	switch r.typ {
	case wire.Describe:
		r.what = "SP"[a.IntN(2)]
	case wire.Execute:
		r.do = a.statements("rrrebcxsoi029", 1)
	case wire.Query:
		r.do = a.statements("rrrebcxoi029", 1+a.IntN(3))
	case wire.CopyDone, wire.CopyFail:
		a.copying = a.copying && a.IntN(3) == 0
	}

	return r
}

// statements writes n of those that kinds holds.
func (a *author) statements(kinds string, n int) []command {
	do := make([]command, n)
	for i := range do {
		do[i] = command(kinds[a.IntN(len(kinds))])
		a.copying = a.copying || strings.IndexByte("i029", byte(do[i])) >= 0
	}

	return do
}

// A stage is a queue between a client and a backend.
type stage struct {
	owed    owed
	backend backend
	asked   int // how often a doubt had to be ended
}

// newStage returns a stage as it is at a checkout.
func newStage() *stage {
	g := new(stage)
	g.owed.reset()
	g.backend.tx = wire.TxIdle

	return g
}

// perform plays a script, then lets everything arrive that is on its way. It
// returns what the queue got wrong.
func (g *stage) perform(script []move) error {
	for i, m := range script {
		if err := g.move(m); err != nil {
			return fmt.Errorf("move %d: %w", i, err)
		}
	}
	for len(g.backend.in) > 0 || len(g.backend.out) > 0 {
		kind := byte('r')
		if len(g.backend.out) > 0 {
			kind = 'a'
		}
		if err := g.move(move{kind: kind}); err != nil {
			return fmt.Errorf("in the end: %w", err)
		}
		if g.backend.dead && len(g.backend.out) == 0 {
			return nil
		}
	}

	return nil
}

// move plays one move, if it is possible, and compares queue and backend.
func (g *stage) move(m move) error {
	b := &g.backend
	switch {
	case m.kind == 's':
		b.in = append(b.in, m.send)
		g.owed.sent(m.send.typ, m.send.what, 0)
	case m.kind == 'r' && len(b.in) > 0 && !b.dead:
		b.step()
	case m.kind == 'a' && len(b.out) > 0:
		next := b.out[0]
		b.out = b.out[1:]
		ours, err := g.owed.received(next.typ, next.status)
		if err != nil {
			return err
		}
		if ours != next.ours {
			return fmt.Errorf("%q is taken for the wrong side's", next.typ)
		}
		g.ask()
	case m.kind == 'n':
		if _, err := g.owed.received(wire.NoticeResponse, 0); err != nil {
			return err
		}
	}

	return g.compare()
}

// ask is what the proxy does when it is in doubt.
func (g *stage) ask() {
	if g.owed.doubtful() {
		g.asked++
		g.owed.sent(wire.Query, 0, internal)
		g.backend.in = append(g.backend.in, request{typ: wire.Query, do: []command{noStatement}, ours: true})
	}
}

// compare checks that the queue is settled if the backend is at rest, and never
// otherwise. When the client has gone on while a failed COPY had left in doubt what it
// had read, the queue may hold the server for longer.
func (g *stage) compare() error {
	settled, quiet := g.owed.settled(), g.backend.quiet()
	switch {
	case g.backend.dead:
	case settled && !quiet:
		return errors.New("settled too early")
	case quiet && !settled && !g.owed.vague:
		return errors.New("not settled")
	}

	return nil
}

// minimise takes moves out of a failing script for as long as it goes on failing.
func minimise(script []move) []move {
	for i := 0; i < len(script); {
		shorter := slices.Delete(slices.Clone(script), i, i+1)
		if newStage().perform(shorter) != nil {
			script, i = shorter, 0
		} else {
			i++
		}
	}

	return script
}

// TestOwedModel plays random scripts between a random client, the queue, and a
// model of PostgreSQL that reads and answers with random delays.
func TestOwedModel(t *testing.T) {
	t.Parallel()
	scripts, settled, asked, vague, deaths := 10_000, 0, 0, 0, 0
	if testing.Short() {
		scripts /= 10
	}
	for seed := range scripts {
		a := author{Rand: rand.New(rand.NewPCG(uint64(seed), 0))}
		script := a.moves()
		g := newStage()
		if g.perform(script) != nil {
			script = minimise(script)
			g = newStage()
			err := g.perform(script)
			t.Fatalf("seed %d: %v\n%v\nqueue   %+v\nbackend %+v", seed, err, script, g.owed, g.backend)
		}
		if g.owed.settled() {
			settled++
		}
		asked += g.asked
		if g.owed.vague {
			vague++
		}
		if g.backend.dead {
			deaths++
		}
	}
	t.Logf("of %d scripts %d ended settled, %d vague, %d with the connection; %d times it had to be asked",
		scripts, settled, vague, deaths, asked)
	if vague > scripts/10 || settled < scripts/4 || asked < scripts/1000 {
		t.Error("the scripts prove little")
	}
}
