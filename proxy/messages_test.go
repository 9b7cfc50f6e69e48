package proxy

import (
	"slices"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/wire"
)

// join concatenates frames.
func join(frames ...[]byte) []byte {
	return slices.Concat(frames...)
}

// repeat is n copies of frames.
func repeat(n int, frames ...[]byte) []byte {
	return slices.Repeat(join(frames...), n)
}

// frameOf encodes a message, which must be a possible one.
func frameOf(m pgproto3.Message) []byte {
	b, err := m.Encode(nil)
	if err != nil {
		panic("bug: " + err.Error())
	}

	return b
}

// query is a Query.
func query(sql string) []byte { return wire.AppendQuery(nil, sql) }

// parse is a Parse, without types of parameters.
func parse(name, sql string) []byte { return frameOf(&pgproto3.Parse{Name: name, Query: sql}) }

// describeStmt is a Describe of a statement.
func describeStmt(name string) []byte {
	return frameOf(&pgproto3.Describe{ObjectType: 'S', Name: name})
}

// describePortal is a Describe of the unnamed portal.
func describePortal() []byte { return frameOf(&pgproto3.Describe{ObjectType: 'P'}) }

// execute is an Execute of the unnamed portal; 0 rows: all.
func execute(rows uint32) []byte { return frameOf(&pgproto3.Execute{MaxRows: rows}) }

// closeStmt is a Close of a statement.
func closeStmt(name string) []byte { return frameOf(&pgproto3.Close{ObjectType: 'S', Name: name}) }

// syncMsg is a Sync.
func syncMsg() []byte { return frameOf(&pgproto3.Sync{}) }

// flushMsg is a Flush.
func flushMsg() []byte { return frameOf(&pgproto3.Flush{}) }

// terminate is a Terminate.
func terminate() []byte { return frameOf(&pgproto3.Terminate{}) }

// copyData is a CopyData.
func copyData(text string) []byte { return frameOf(&pgproto3.CopyData{Data: []byte(text)}) }

// copyDone is a CopyDone.
func copyDone() []byte { return frameOf(&pgproto3.CopyDone{}) }

// copyFail is a CopyFail.
func copyFail(why string) []byte { return frameOf(&pgproto3.CopyFail{Message: why}) }

// startupPacket is what the user app opens a connection with.
func startupPacket() []byte {
	return frameOf(&pgproto3.StartupMessage{
		ProtocolVersion: uint32(wire.Version30), Parameters: map[string]string{"user": "app"},
	})
}

// bind binds a statement to the unnamed portal, with parameters as text.
func bind(stmt string, params ...string) []byte {
	values := make([][]byte, 0, len(params))
	for _, p := range params {
		values = append(values, []byte(p))
	}

	return frameOf(&pgproto3.Bind{PreparedStatement: stmt, Parameters: values})
}

// extended runs a statement by the extended protocol, without Sync.
func extended(sql string, params ...string) []byte {
	return join(parse("", sql), bind("", params...), describePortal(), execute(0))
}

// rowDescription describes one text column.
func rowDescription() []byte {
	return frameOf(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{
		{Name: []byte("x"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1},
	}})
}

// dataRow is a row of those columns.
func dataRow(columns ...string) []byte {
	row := new(pgproto3.DataRow)
	for _, text := range columns {
		row.Values = append(row.Values, []byte(text))
	}

	return frameOf(row)
}

// complete ends a statement.
func complete(tag string) []byte { return frameOf(&pgproto3.CommandComplete{CommandTag: []byte(tag)}) }

// emptyQuery is an EmptyQueryResponse.
func emptyQuery() []byte { return frameOf(&pgproto3.EmptyQueryResponse{}) }

// ready is a ReadyForQuery.
func ready(status byte) []byte { return wire.AppendReadyForQuery(nil, status) }

// notice is a NoticeResponse.
func notice(text string) []byte {
	return frameOf(&pgproto3.NoticeResponse{
		Severity: "NOTICE", SeverityUnlocalized: "NOTICE", Code: "00000", Message: text,
	})
}

// result is the answer to a query for one value, outside a transaction.
func result(text string) []byte {
	return join(rowDescription(), dataRow(text), complete("SELECT 1"), ready(wire.TxIdle))
}

// done is the answer to a command without a result.
func done(tag string, status byte) []byte {
	return join(complete(tag), ready(status))
}
