package nplusone

import (
	"encoding/binary"
	"testing"
)

const someUUID = "0188b3a4-7c1e-7b3a-9c5e-2f1d0a6b4c3d"

// TestOneValue has values that are the same in each form in which they may come.
func TestOneValue(t *testing.T) {
	t.Parallel()
	text := func(s string) value { v, _ := ofText([]byte(s)); return v }
	bin := func(oid uint32, b []byte) value { v, _ := ofBinary(b, oid); return v }
	uuid := inBinary(someUUID, oidUUID)
	tests := []struct {
		name string
		a, b value
		same bool
	}{
		{"int4", text("7"), bin(oidInt4, inBinary("7", oidInt4)), true},
		{"int8", text("7"), bin(oidInt8, inBinary("7", oidInt8)), true},
		{"int2", text("-7"), bin(oidInt2, inBinary("-7", oidInt2)), true},
		{"a large int8", text("123456789012345678"), bin(oidInt8, inBinary("123456789012345678", oidInt8)), true},
		{"of unknown type", text("70000"), bin(0, inBinary("70000", oidInt4)), true},
		{"negative, of unknown type", text("-70000"), bin(0, inBinary("-70000", oidInt8)), true},
		{"uuid", text(someUUID), bin(oidUUID, uuid), true},
		{"uuid of unknown type", text(someUUID), bin(0, uuid), true},
		{"uuid in capitals", text(someUUID), text("0188B3A4-7C1E-7B3A-9C5E-2F1D0A6B4C3D"), true},
		{"text", text("a@example.org"), bin(oidVarchar, []byte("a@example.org")), true},
		{"text of unknown type", text("a@example.org"), bin(0, []byte("a@example.org")), true},
		{"digits as text", text("42"), bin(oidText, []byte("42")), true},
		{"another number", text("7"), text("8"), false},
		{"another sign", text("7"), text("-7"), false},
		{"zeros in front", text("7"), text("07"), false},
		{"a plus", text("7"), text("+7"), false},
		{"another uuid", text(someUUID), text("1" + someUUID[1:]), false},
	}
	for _, tt := range tests {
		if tt.a == 0 || tt.b == 0 || (tt.a == tt.b) != tt.same {
			t.Errorf("%s: %x and %x", tt.name, tt.a, tt.b)
		}
	}
}

// TestNoValue has values that cannot be looked for.
func TestNoValue(t *testing.T) {
	t.Parallel()
	float := []byte{0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18}
	for name, v := range map[string]value{
		"a float of unknown type": func() value { v, _ := guess(float); return v }(),
		"a float":                 func() value { v, _ := ofBinary(float, 701); return v }(),
		"three bytes of an int":   func() value { v, _ := ofBinary([]byte{0, 0, 1}, oidInt4); return v }(),
		"a uuid of 15 bytes":      func() value { v, _ := ofBinary(make([]byte, 15), oidUUID); return v }(),
		"65 bytes":                func() value { v, _ := ofText(make([]byte, 65)); return v }(),
		"nothing":                 func() value { v, _ := ofText(nil); return v }(),
		"NULL":                    parameter(nil, false, oidInt4),
	} {
		if v != 0 {
			t.Errorf("%s: %x", name, v)
		}
	}
}

func TestReadBind(t *testing.T) {
	t.Parallel()
	body := []byte{'p', 0, 's', 0, 0, 2, 0, 1, 0, 0, 0, 3}
	body = append(body, 0, 0, 0, 4, 0, 0, 0, 7)   // binary
	body = append(body, 0, 0, 0, 2, 'a', 'b')     // text
	body = append(body, 255, 255, 255, 255)       // NULL
	body = append(body, 0, 2, 0, 1, 0, 0)         // formats of the result
	b, ok := ReadBind(body, []uint32{oidInt4, 0}) // the last is not known
	ab, _ := ofText([]byte("ab"))
	want := [maxValues]value{integer(7), ab}
	if !ok || b.Parameters.values != want || b.Parameters.n != 3 || string(b.Formats) != "\x00\x01\x00\x00" {
		t.Errorf("%v: %+v, want %v", ok, b, want)
	}
	for i := range body {
		if _, ok := ReadBind(body[:i], nil); ok {
			t.Errorf("%d bytes of %d are taken for all", i, len(body))
		}
	}
}

// TestSameParameters says when two executions have the same values.
func TestSameParameters(t *testing.T) {
	t.Parallel()
	hash := func(parameters ...any) uint64 {
		b, ok := ReadBind(bindBody(parameters), nil)
		if !ok {
			t.Fatal("not well formed")
		}

		return b.Parameters.hash
	}
	literals := func(texts ...string) uint64 {
		var p Parameters
		for _, text := range texts {
			p.Literal([]byte(text))
		}

		return p.hash
	}
	if hash(1, "a") != literals("1", "'a'") {
		t.Error("the same values have different hashes")
	}
	for name, other := range map[string]uint64{
		"another": hash(1, "b"), "the other way round": hash("a", 1), "one more": hash(1, "a", "a"), "one": hash(1),
	} {
		if other == hash(1, "a") {
			t.Errorf("%s has the same hash", name)
		}
	}
	if literals("'it''s'") == literals("'its'") {
		t.Error("what is escaped is not told apart")
	}
}

func TestBloom(t *testing.T) {
	t.Parallel()
	var b bloom
	for i := range int64(maxRows) {
		b.add(integer(i * 7919))
	}
	for i := range int64(maxRows) {
		if !b.has(integer(i * 7919)) {
			t.Errorf("%d is missing", i*7919)
		}
	}
	false0 := 0
	const n = 20_000
	for i := range int64(n) {
		if b.has(integer(1_000_000_000 + i)) {
			false0++
		}
	}
	if false0 > n*4/100 {
		t.Errorf("%d of %d that are not in are taken for it, want 2.4 %%", false0, n)
	}
	if b.has(0) {
		t.Error("has NULL")
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ n, of uint32 }{{5, 5}, {20, 20}, {128, 128}, {1000, 1000}, {1000, 10}, {50, 1}, {10_000, 100}} {
		var d distinct
		for i := range tt.n {
			var p Parameters
			p.add(nil, integer(int64(i%tt.of)*31))
			d.add(p.hash, i)
		}
		got := d.estimate(tt.n)
		if tt.n <= measured && (got*100 < tt.of*85 || got*100 > tt.of*115) || got > tt.n {
			t.Errorf("%d of %d differ, estimated as %d", tt.of, tt.n, got)
		}
	}
}

// FuzzSketcher feeds a Sketcher with anything, and with rows that fit in anything.
func FuzzSketcher(f *testing.F) {
	a := answer{names: []string{"id", "name"}, oids: []uint32{oidInt4, oidText}, rows: [][]string{{"1", "a"}}}
	f.Add(a.description(true), []byte(nil), a.row(0, true))
	f.Add(a.description(false), []byte{0, 1}, a.row(0, false))
	f.Add([]byte{0xff, 0xff}, []byte{0}, []byte{0xff, 0xff, 0x7f, 0xff, 0xff, 0xff})
	g := New(Options{})
	f.Fuzz(func(t *testing.T, description, formats, row []byte) {
		st := g.Statement(Description{Kind: Read, Text: listUsers})
		var s Sketcher
		wanted := s.Start(st, description, formats)
		for range maxRows + 2 {
			s.Row(row)
		}
		s.Last(row)
		s.End()
		k := s.take()
		if (k != nil) != wanted {
			t.Fatalf("wanted %v, got %v", wanted, k)
		}
		if k == nil {
			return
		}
		if k.n < 1 || k.n > maxColumns || k.rows != maxRows {
			t.Fatalf("%d columns of %d rows", k.n, k.rows)
		}
		for i := range k.columns[:k.n] {
			if c := &k.columns[i]; c.distinct > 1 || c.values != 0 && c.values != maxRows {
				t.Fatalf("one row many times has %d values, %d of them different", c.values, c.distinct)
			}
		}
	})
}

// FuzzBind reads anything as a Bind message.
func FuzzBind(f *testing.F) {
	f.Add(bindBody([]any{1, "a", someUUID}), []byte{0, 0, 0, oidInt4})
	f.Add([]byte{0, 0, 0, 0, 0xff, 0xff}, []byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff}, []byte{})
	f.Fuzz(func(t *testing.T, body, types []byte) {
		var oids []uint32
		for i := 0; i+4 <= len(types); i += 4 {
			oids = append(oids, binary.BigEndian.Uint32(types[i:]))
		}
		b, ok := ReadBind(body, oids)
		again, okAgain := ReadBind(append([]byte(nil), body...), oids)
		if ok != okAgain || b.Parameters != again.Parameters {
			t.Fatal("the same message is read in two ways")
		}
		if 4*b.Parameters.n > len(body) || len(b.Formats)%2 != 0 {
			t.Fatalf("%d parameters and %d bytes of formats in %d bytes", b.Parameters.n, len(b.Formats), len(body))
		}
	})
}
