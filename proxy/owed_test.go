package proxy

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pgweir/pgweir/wire"
)

// play runs a script against a fresh queue, as at a checkout. Its words:
//
//	>P >DS >DP ...  the client's message goes to the server; DS and DP: Describe
//	<1 <ZT ...      the server's message comes; Z with its status
//	+>Q +<C         the same for what pgweir itself asks
//	!<1             the server's message comes and is refused
//	=settled        the server may be released
//	=doubtful       it may be once a query of our own has been answered
//	=idle           nothing is owed, but the server may not be released
//	=owing          something is owed
func play(t *testing.T, script string) *owed {
	t.Helper()
	o := new(owed)
	o.reset()
	for i, word := range strings.Fields(script) {
		if problem := playWord(o, word); problem != "" {
			t.Fatalf("%s, at %q, word %d of %q; the queue: %+v", problem, word, i, script, *o)
		}
	}

	return o
}

// playWord runs one word of a script and returns what is wrong, if anything.
func playWord(o *owed, word string) string {
	ours := strings.HasPrefix(word, "+")
	refused := strings.HasPrefix(word, "!")
	word = strings.TrimLeft(word, "+!")
	switch word[0] {
	case '=':
		if got := condition(o); got != word[1:] {
			return "the queue is " + got
		}
	case '>':
		flags := entry(0)
		if ours {
			flags = internal
		}
		o.sent(word[1], last(word), flags)
	case '<':
		got, err := o.received(word[1], last(word))
		switch {
		case (err != nil) != refused:
			return "refused or not"
		case err == nil && got != ours:
			return "taken for the wrong side's"
		}
	}

	return ""
}

// last is the last byte of a word.
func last(word string) byte {
	return word[len(word)-1]
}

// condition is what a queue reports of itself, as a word of a script.
func condition(o *owed) string {
	switch {
	case o.settled():
		return "settled"
	case o.doubtful():
		return "doubtful"
	case o.idle():
		return "idle"
	}

	return "owing"
}

// scripts are the rules of the expectation queue, one by one.
var scripts = map[string]string{
	"fresh": "=settled",

	"parse":                     ">P =owing <1 =idle >S <ZI =settled",
	"bind":                      ">B =owing <2 =idle >S <ZI =settled",
	"close":                     ">C =owing <3 =idle >S <ZI =settled",
	"describe statement, rows":  ">DS <t =owing <T =idle >S <ZI =settled",
	"describe statement, none":  ">DS <t =owing <n =idle >S <ZI =settled",
	"describe portal, rows":     ">DP <T =idle >S <ZI =settled",
	"describe portal, none":     ">DP <n =idle >S <ZI =settled",
	"execute, rows":             ">E <D <D =owing <C =idle >S <ZI =settled",
	"execute, empty":            ">E <I =idle >S <ZI =settled",
	"execute, suspended":        ">E <D <s =idle >S <ZI =settled",
	"query":                     ">Q =owing <T <D <C =owing <ZI =settled",
	"query, empty":              ">Q <I <ZI =settled",
	"query, several results":    ">Q <T <D <C <C <T <C <I =owing <ZI =settled",
	"function call":             ">F <V =owing <ZI =settled",
	"function call fails":       ">F <E =owing <ZI =settled",
	"sync alone":                ">S =owing <ZI =settled",
	"flush alone":               ">H =settled",
	"copy data alone":           ">d >d =settled",
	"stray copy end":            ">c >f =settled",
	"stray copy end in a batch": ">Q >c <C <ZI =settled",
	"stray copy end, extended":  ">P >c >B >f >E >S >c <1 <2 <C <ZI =settled",
	"a whole batch":             ">P >B >DP >E >C >S <1 <2 <T <D <C <3 =owing <ZI =settled",

	"status decides: in a transaction": ">Q <C <ZT =idle >Q <C <ZI =settled",
	"status decides: failed":           ">Q <C <E <ZE =idle >Q <C <ZI =settled", // W8
	"chained transactions":             ">Q <C <ZT >Q <C <ZT =idle >Q <C <ZI =settled",
	"implicit blocks in a query":       ">Q <C <C <C <C <ZI =settled", // W7

	"error, the rest of its batch is discarded":     ">P >B >E >S <E =owing <ZI =settled",             // W1
	"error, the rest comes later":                   ">P <E =idle >B >E =idle >S =owing <ZI =settled", // W2
	"error, a query before Sync is discarded":       ">P >Q >B >F >S <E <ZI =settled",
	"error, a later query before Sync is discarded": ">P <E >Q >F =idle >S <ZI =settled",
	"error, a batch behind Sync is answered":        ">P >S >P >S <E <ZI =owing <1 <ZI =settled",
	"error, a batch behind a late Sync is answered": ">P <E >S >P >B >E >S <ZI =owing <1 <2 <C <ZI =settled",
	"error behind a Sync that is not answered yet":  ">S >P <ZI <E =idle >S <ZI =settled",
	"error in a query does not discard":             ">Q >Q >P >S <E <ZI <C <ZI <1 <ZI =settled",
	"error in Sync itself":                          ">P >B >E >S <1 <2 <C <E =owing <ZI =settled", // W4
	"error in a transaction":                        ">Q <C <ZT >P >B >E >S <1 <E <ZE =idle >Q <C <ZI =settled",
	"error in the second of three segments": ">P >B >E >S >P >B >E >S >P >B >E >S" +
		" <1 <2 <C <ZI <1 <E <ZI =owing <1 <2 <C =owing <ZI =settled", // W3
	"an error that nobody asked for":   "<E =settled",
	"more than one error before Ready": ">Q <E <E <ZI =settled",

	"the first Ready of several does not settle": ">S >S >S <ZI =owing <ZI =owing <ZI =settled",
	"Flush instead of Sync":                      ">P >DS >H <1 <t <n =idle >B >E >S <2 <C <ZI =settled", // W5
	"Flush instead of Sync, behind a Sync":       ">S >P >H <ZI <1 =idle >S <ZI =settled",
	"a query ends an open series":                ">P >B >E <1 <2 <C =idle >Q <C <ZI =settled", // W6
	"a query before the Sync of its series":      ">P >B >E >Q >S <1 <2 <C <C <ZI =owing <ZI =settled",
	"a query leaves a series open":               ">P >B >E >Q >S <1 <2 <C <C <ZT <ZI =idle >Q <E <ZI =settled",
	"a query leaves one open, Close is no work":  ">P >B >E >Q <1 <2 <C <C <ZT >C >S <3 <ZI =idle",
	"a query leaves one open, another ends it":   ">P >B >E >Q <1 <2 <C <C <ZT >P >S <1 <ZI =settled",
	"a suspended portal goes on":                 ">B >E >E >S <2 <D <s <D <C <ZI =settled", // W11
	"a suspended portal, Sync between":           ">B >E >S <2 <D <s <ZT =idle >E >S <D <C <ZI =settled",
	"a portal that is already fetched":           ">B >E >S >E >S <2 <s <ZT <C <ZT =idle", // W12

	"notices come at any time":    ">P <N <1 <N >S <N <ZI <N =settled",
	"parameters come at any time": "<S >Q <S <C <S <ZI <S =settled",
	"notifications come too":      "<A >Q <C <A <ZI <A =settled",

	"copy out":                                  ">Q <H <d <d <c <C =owing <ZI =settled",
	"copy out, extended":                        ">B >E >S <2 <H <d <c <C <ZI =settled",
	"copy out fails":                            ">Q <H <d <E <ZI =settled",
	"copy in":                                   ">Q <G >d >d >c =owing <C =owing <ZI =settled",
	"copy in, extended":                         ">B >E <2 <G >d >c >S <C =owing <ZI =settled",
	"copy in, data ahead of answers":            ">B >E >d >d >c >S <2 <G <C <ZI =settled",
	"copy in, all ahead, query":                 ">Q >d >c <G <C <ZI =settled",
	"copy in, Sync ahead of data":               ">P >B >E >S <1 <2 <G =owing >d >c >S <C =owing <ZI =settled",
	"copy in, Sync and data ahead":              ">B >E >S >d >c >S <2 <G <C <ZI =settled",
	"copy in, Syncs inside":                     ">Q <G >d >S >H >S >d >c <C <ZI =settled",
	"copy in with notices":                      ">Q <N <G <S >d <N >c <S <C <N <ZI =settled", // W28
	"copy in given up":                          ">Q <G >d >f <E <ZI =settled",
	"copy in given up, extended":                ">B >E <2 <G >d >f >S <E <ZI =settled",
	"copy in, two in a query":                   ">Q <G >d >c <C <G >d >c <C <ZI =settled",
	"copy in, two in a query, ahead":            ">Q >d >c >d >c <G <C <G <C <ZI =settled",
	"copy in among other statements":            ">Q <T <D <C <G >d >c <C <T <C <ZI =settled",
	"copy in, Sync behind the first of two":     ">Q <G >d >c >S >d >c <C <G <C <ZI =settled",
	"copy in, Sync behind the first, no second": ">Q <G >d >c >S <C =owing <ZI =owing <ZI =settled",
	"copy in, a batch behind it":                ">Q <G >c >P >S <C <ZI <1 <ZI =settled",
	"copy in fails at once":                     ">Q <E >d >c <ZI =settled",
	"copy in fails before CopyDone":             ">Q <G >d <E >d >c <ZI =settled", // W26
	"copy in fails after CopyDone":              ">Q <G >d >c <E <ZI =settled",
	"copy in fails before, extended":            ">B >E <2 <G >d <E =idle >d >c =idle >S <ZI =settled",
	"copy in fails after, extended":             ">B >E <2 <G >d >c >S <E <ZI =settled",
	"copy in fails, late CopyDone":              ">Q <G <E <ZI >d >c =settled",
	"copy in fails, a query behind":             ">Q <G >d >c >Q <E <ZI =owing <C <ZI =settled",
	"copy in fails, first of two":               ">Q <G >d <E <ZI =settled >c >d >c =settled",
	"copy in forgotten by the client":           ">Q <G >Q <E <E =owing",
	"copy both ways":                            ">Q <W <d <d >d =owing",

	// A COPY that fails may have read the Syncs inside it or not.
	"failed copy had not read Sync":     ">B >E >S <2 <G <E =idle <ZI =settled",
	"failed copy had read Sync":         ">B >E >S <2 <G >d <E =idle >d >S <ZI =doubtful >Q <C <ZI =settled",
	"failed copy, both Syncs answered":  ">B >E >S <2 <G >d >c >S <E <ZI =doubtful <ZI =settled",
	"failed copy, Sync of a query":      ">Q <G >S <E <ZI =doubtful <ZI =settled",
	"failed copy, then a query, unread": ">Q <G >S <E <ZI >Q <ZI =owing <C <ZI =settled",
	"failed copy, then a query, read":   ">Q <G >S <E <ZI >Q <C =owing <ZI =settled",
	"failed copy, then a batch, unread": ">Q <G >S >S <E <ZI >P >S <ZI <ZI =owing <1 =owing <ZI =settled",
	"failed copy, then a batch, read":   ">Q <G >S >S <E <ZI >P >S <1 <ZI =settled",
	"failed copy, Syncs of a good copy": ">Q <G >S >d >c <C <G >d <E <ZI =settled",
	"failed copy, asked, unread":        ">B >E >S <2 <G >d >c >S <E <ZI =doubtful +>Q <ZI =owing +<I +<ZI =settled",
	"failed copy, asked, read":          ">B >E >S <2 <G >d >c >S <E <ZI =doubtful +>Q +<I =owing +<ZI =settled",
	"failed copy, asked, client comes":  ">Q <G >S <E <ZI +>Q >P >S +<I +<ZI =owing <1 <ZI =settled",
	"failed copy in a transaction":      ">Q <G >S <E <ZE =idle >Q <C <ZI =settled",
	"failed copy, client goes on":       ">B >E >S <2 <G <E >P >S <ZI =idle <1 <ZI =idle >Q <C <ZI =idle",

	"ours first":            "+>Q >Q +<C +<ZI =owing <C <ZI =settled",
	"ours, alone":           "+>Q +<T +<D +<C =owing +<ZI =settled",
	"ours fails":            "+>Q >Q +<E +<ZI <C <ZI =settled",
	"ours, prepared":        "+>P >B >E >S +<1 <2 <C <ZI =settled",
	"ours, prepared, fails": "+>P >B >E >S +<E <ZI =settled",
	"ours last":             ">Q <C <ZT +>Q +<C +<ZI =settled",
	"notices are not ours":  "+>Q <N <S +<C <A +<ZI =settled",
	"the late Ready of a failed copy is not ours": ">Q <G >S <E <ZI +>Q <ZI +<C +<ZI =settled",

	"unknown results are the client's": ">Q <? <C <ZI =settled",
	"unasked Ready":                    "!<ZI",
	"unasked Ready after a batch":      ">S <ZI !<ZI",
	"unasked ParseComplete":            "!<1",
	"unasked row":                      "!<D",
	"unasked unknown message":          "!<?",
	"unasked CopyInResponse":           "!<G",
	"CopyInResponse for Parse":         ">P !<G",
	"BindComplete for Parse":           ">P !<2",
	"ParseComplete for Bind":           ">B !<1",
	"BindComplete for Close":           ">C !<2",
	"row for Describe":                 ">DP !<D",
	"ParameterDescription for portal":  ">DP !<t",
	"FunctionCallResponse twice":       ">F <V !<V",
	"RowDescription for statement":     ">DS !<T",
	"NoData for statement":             ">DS !<n",
	"ParameterDescription twice":       ">DS <t !<t",
	"ParameterDescription of another":  ">DS >DS <t <T <t !<t",
	"ParseComplete for Execute":        ">E !<1",
	"RowDescription for Execute":       ">E !<T",
	"Ready for Execute":                ">E !<ZI",
	"Ready for Parse":                  ">P !<ZI",
	"CloseComplete for a query":        ">Q !<3",
	"PortalSuspended for a query":      ">Q !<s",
	"CommandComplete for Sync":         ">S !<C",
	"CommandComplete for a function":   ">F !<C",
	"answer of what was discarded":     ">P >B >S <E !<2",
	"answer of a discarded query":      ">P <E >Q !<C",
	"Ready while discarding":           ">P <E !<ZI",
}

func TestOwed(t *testing.T) {
	t.Parallel()
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, script)
		})
	}
}

func TestOwedStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []byte{wire.TxIdle, wire.TxActive, wire.TxFailed} {
		o := play(t, ">S <Z"+string(status))
		if o.tx != status || o.settled() != (status == wire.TxIdle) {
			t.Errorf("after ReadyForQuery %q: status %q, settled %v", status, o.tx, o.settled())
		}
	}
}

func TestOwedZero(t *testing.T) {
	t.Parallel()
	var o owed
	if !o.idle() || o.settled() || o.full() {
		t.Errorf("idle %v, settled %v, full %v", o.idle(), o.settled(), o.full())
	}
}

func TestOwedOurs(t *testing.T) {
	t.Parallel()
	if o := play(t, "+>Q >Q"); !o.answersOurs() || o.rowsForClient() {
		t.Error("what is ours is taken for the client's")
	}
	if o := play(t, "+>Q >Q +<C +<ZI"); o.answersOurs() || !o.rowsForClient() {
		t.Error("what is the client's is taken for ours")
	}
	if o := play(t, ">Q <T"); !o.rowsForClient() {
		t.Error("rows of a query that has begun are not the client's")
	}
	if o := play(t, ">P >B >E"); o.rowsForClient() {
		t.Error("rows in front of ParseComplete are the client's")
	}
}

func TestOwedFull(t *testing.T) {
	t.Parallel()
	o := new(owed)
	o.reset()
	for i := range maxOwed {
		if o.full() {
			t.Fatalf("full with %d entries", i)
		}
		o.sent(wire.Sync, 0, 0)
	}
	if !o.full() {
		t.Errorf("not full with %d entries", maxOwed)
	}
	for i := range maxOwed {
		if _, err := o.received(wire.ReadyForQuery, wire.TxIdle); err != nil {
			t.Fatal(err)
		}
		if o.full() || o.settled() != (i == maxOwed-1) {
			t.Fatalf("after %d answers: full %v, settled %v", i+1, o.full(), o.settled())
		}
	}
	if o.reset(); len(o.ring) > maxOwed/8 {
		t.Errorf("%d entries kept after reset", len(o.ring))
	}
}

// TestOwedOrder moves a queue's window around its ring, so that entries are kept in
// order over its end and over its growth.
func TestOwedOrder(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var o owed
	o.reset()
	answer := map[byte]byte{wire.Parse: wire.ParseComplete, wire.Bind: wire.BindComplete, wire.Close: wire.CloseComplete}
	types := []byte{wire.Parse, wire.Bind, wire.Close}
	var want []byte
	for range 20_000 {
		if len(want) == 0 || rng.IntN(100) < 51 {
			typ := types[rng.IntN(len(types))]
			want = append(want, answer[typ])
			o.sent(typ, 0, 0)
		} else {
			if _, err := o.received(want[0], 0); err != nil {
				t.Fatal(err)
			}
			want = want[1:]
		}
		if o.n != len(want) {
			t.Fatalf("%d entries, want %d", o.n, len(want))
		}
	}
}

func TestOwedAllocs(t *testing.T) {
	var o owed
	o.reset()
	batch := func() {
		for _, typ := range []byte("PBDES") {
			o.sent(typ, 'P', 0)
		}
		for _, typ := range []byte("12TDCZ") {
			if _, err := o.received(typ, wire.TxIdle); err != nil {
				t.Fatal(err)
			}
		}
		o.reset()
	}
	if n := testing.AllocsPerRun(100, batch); n != 0 {
		t.Errorf("%v allocations per batch, want 0", n)
	}
}

// FuzzOwed checks that no sequence of messages, sensible or not, makes the queue
// panic, count below zero, or call itself settled while something is owed.
func FuzzOwed(f *testing.F) {
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		f.Add(fuzzSteps(scripts[name]))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		var o owed
		o.reset()
		for i := 0; i+2 < len(script); i += 3 {
			if step := script[i]; step&1 != 0 {
				_, _ = o.received(script[i+1], script[i+2])
			} else {
				o.sent(script[i+1], script[i+2], entry(step)&internal)
			}
			if o.n < 0 || o.n > len(o.ring) || o.unsure < 0 || o.eaten < 0 {
				t.Fatalf("broken queue: %+v", o)
			}
			if o.settled() && (o.n > 0 || o.skip) {
				t.Fatalf("settled too early: %+v", o)
			}
		}
	})
}

// fuzzSteps is a script for FuzzOwed: three bytes a step, namely who speaks, the type,
// and what is behind the header.
func fuzzSteps(script string) []byte {
	var steps []byte
	for word := range strings.FieldsSeq(script) {
		step := byte(0)
		if strings.HasPrefix(word, "+") {
			step = byte(internal)
		}
		word = strings.TrimLeft(word, "+!")
		switch word[0] {
		case '<':
			step++
		case '=':
			continue
		}
		steps = append(steps, step, word[1], last(word))
	}

	return steps
}
