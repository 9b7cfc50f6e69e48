package wirescript

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

// TestEncode compares what lines send with what pgproto3 makes of the same messages.
func TestEncode(t *testing.T) {
	t.Parallel()
	parse := &pgproto3.Parse{Query: "SELECT 1"}
	bind, execute := &pgproto3.Bind{}, &pgproto3.Execute{}
	for line, want := range map[string][]pgproto3.FrontendMessage{
		`Q "SELECT 1"`:         {&pgproto3.Query{String: "SELECT 1"}},
		`P s "x" types=23,25`:  {&pgproto3.Parse{Name: "s", Query: "x", ParameterOIDs: []uint32{23, 25}}},
		`B p s 1 "" NULL`:      {&pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "s", Parameters: [][]byte{[]byte("1"), {}, nil}}},
		`B "" s formats=1,0`:   {&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0}}},
		`B "" s results=1`:     {&pgproto3.Bind{PreparedStatement: "s", ResultFormatCodes: []int16{1}}},
		`D S s`:                {&pgproto3.Describe{ObjectType: 'S', Name: "s"}},
		`D P ""`:               {&pgproto3.Describe{ObjectType: 'P'}},
		`E p 5`:                {&pgproto3.Execute{Portal: "p", MaxRows: 5}},
		`E ""`:                 {execute},
		`C S s`:                {&pgproto3.Close{ObjectType: 'S', Name: "s"}},
		`S`:                    {&pgproto3.Sync{}},
		`H`:                    {&pgproto3.Flush{}},
		`X`:                    {&pgproto3.Terminate{}},
		`d "1\n"`:              {&pgproto3.CopyData{Data: []byte("1\n")}},
		`c`:                    {&pgproto3.CopyDone{}},
		`f "why"`:              {&pgproto3.CopyFail{Message: "why"}},
		`F 177 2 NULL`:         {&pgproto3.FunctionCall{Function: 177, Arguments: [][]byte{[]byte("2"), nil}}},
		`F 177 results=1`:      {&pgproto3.FunctionCall{Function: 177, ResultFormatCode: 1}},
		`PBE "SELECT 1"`:       {parse, bind, execute},
		`PBDE "SELECT 1"`:      {parse, bind, &pgproto3.Describe{ObjectType: 'P'}, execute},
		`BE s 1`:               {&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("1")}}, execute},
		`PBE "x" 1 formats=1`:  {&pgproto3.Parse{Query: "x"}, &pgproto3.Bind{Parameters: [][]byte{[]byte("1")}, ParameterFormatCodes: []int16{1}}, execute},
		`PBE "x" 1 types=1700`: {&pgproto3.Parse{Query: "x", ParameterOIDs: []uint32{1700}}, &pgproto3.Bind{Parameters: [][]byte{[]byte("1")}}, execute},
	} {
		var b []byte
		for _, m := range want {
			var err error
			if b, err = m.Encode(b); err != nil {
				t.Fatal(err)
			}
		}
		all, err := words(line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := encode(all[0].text, all[1:])
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: got %q, %v, want %q", line, got, err, b)
		}
	}
}

func TestStartup(t *testing.T) {
	t.Parallel()
	b, err := startup("3.2", []word{{key: "database", text: "x"}, {key: "_pq_.a", text: ""}}, "me", "mine")
	if err != nil {
		t.Fatal(err)
	}
	var got pgproto3.StartupMessage
	if err := got.Decode(b[4:]); err != nil {
		t.Fatal(err)
	}
	want := pgproto3.StartupMessage{
		ProtocolVersion: 3<<16 | 2, Parameters: map[string]string{"user": "me", "database": "x", "_pq_.a": ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), 300)
	fields := []pgproto3.FieldDescription{
		{Name: []byte("a"), DataTypeOID: 23, DataTypeSize: 4, TypeModifier: -1},
		{Name: []byte("b"), TableOID: 16384, TableAttributeNumber: 2, DataTypeOID: 1043, DataTypeSize: -1, TypeModifier: 9, Format: 1},
	}
	for want, m := range map[string]pgproto3.BackendMessage{
		"Z T":     &pgproto3.ReadyForQuery{TxStatus: 'T'},
		`C "SET"`: &pgproto3.CommandComplete{CommandTag: []byte("SET")},
		`D "1" NULL "" "xxxxxxxxxxxxxxxxxxxx"... (300 bytes, CRC 1b432d13)`: &pgproto3.DataRow{Values: [][]byte{[]byte("1"), nil, {}, long}},
		"D": &pgproto3.DataRow{},
		"T a:23/4 b:1043/-1/column=2/modifier=9/format=1": &pgproto3.RowDescription{Fields: fields},
		"T":       &pgproto3.RowDescription{},
		"t 23 25": &pgproto3.ParameterDescription{ParameterOIDs: []uint32{23, 25}},
		`E ERROR 22012 "division by zero" detail="d" position="8"`: &pgproto3.ErrorResponse{
			Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "22012", Message: "division by zero", Position: 8,
			Detail: "d", File: "int.c", Line: 1, Routine: "div",
		},
		`N NOTICE 00000 "n"`:       &pgproto3.NoticeResponse{SeverityUnlocalized: "NOTICE", Code: "00000", Message: "n"},
		`S a="b"`:                  &pgproto3.ParameterStatus{Name: "a", Value: "b"},
		`S server_version="..."`:   &pgproto3.ParameterStatus{Name: "server_version", Value: "15.1"},
		`A x "y"`:                  &pgproto3.NotificationResponse{PID: 7, Channel: "x", Payload: "y"},
		"G format=1 columns=[1 1]": &pgproto3.CopyInResponse{OverallFormat: 1, ColumnFormatCodes: []uint16{1, 1}},
		`d "1\n"`:                  &pgproto3.CopyData{Data: []byte("1\n")},
		`V "5"`:                    &pgproto3.FunctionCallResponse{Result: []byte("5")},
		"V NULL":                   &pgproto3.FunctionCallResponse{},
		"R 0":                      &pgproto3.AuthenticationOk{},
		"R 11":                     &pgproto3.AuthenticationSASLContinue{Data: []byte("r=nonce")},
		"K with 4 bytes":           &pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte("1234")},
		"v 3.2 _pq_.x":             &pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: 3<<16 | 2, UnrecognizedOptions: []string{"_pq_.x"}},
		"1":                        &pgproto3.ParseComplete{},
		"s":                        &pgproto3.PortalSuspended{},
	} {
		b, err := m.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(b[0], b[5:]); got != want {
			t.Errorf("%T: got %s, want %s", m, got, want)
		}
	}
}

// TestDescribeNonsense: what cannot be read is shown whole.
func TestDescribeNonsense(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"T\x00\x05a":        `T "\x00\x05a"`,
		"D\x00\x01\x00":     `D "\x00\x01\x00"`,
		"ZIX":               `Z "IX"`,
		"Eunterminated":     `E "unterminated"`,
		"S":                 "S",
		"?abc":              `? "abc"`,
		"t\xff\xff\x00":     `t "\xff\xff\x00"`,
		"v\x00\x00\x00\x03": `v "\x00\x00\x00\x03"`,
	} {
		if got := describe(body[0], []byte(body[1:])); got != want {
			t.Errorf("%q: got %s, want %s", body, got, want)
		}
	}
}
