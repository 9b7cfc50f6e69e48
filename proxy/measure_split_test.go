package proxy

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/stats/nplusone"
	"github.com/pgweir/pgweir/wire"
)

// idColumn is the RowDescription of a result with a number, behind a column of text.
func idColumn() []byte {
	return frameOf(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{
		{Name: []byte("note"), DataTypeOID: 17, DataTypeSize: -1, TypeModifier: -1},
		{Name: []byte("id"), TableOID: 16384, TableAttributeNumber: 1, DataTypeOID: 23, DataTypeSize: 4, TypeModifier: -1},
	}})
}

// TestDescriptionInPieces: what a statement is described by comes in two pieces, and is
// relied on when it is executed: a loop over its rows is proven by it.
func TestDescriptionInPieces(t *testing.T) {
	_, r, c, s := paired(t, nil)
	c.send(parse("l", "SELECT note, id FROM users"), describeStmt("l"), syncMsg())
	s.want("PDS")
	description := idColumn()
	s.send(frameOf(&pgproto3.ParseComplete{}), frameOf(&pgproto3.ParameterDescription{}), description[:len(description)-10])
	r.settle()
	s.send(description[len(description)-10:], ready(wire.TxIdle))
	c.want("1tTZ")
	c.send(run("l"), syncMsg())
	s.want("BES")
	var rows []byte
	for id := range 9 {
		rows = append(rows, dataRow("x", fmt.Sprint(20_000+id))...)
	}
	s.send(frameOf(&pgproto3.BindComplete{}), rows, done("SELECT 9", wire.TxIdle))
	c.until("Z")
	for id := range 9 {
		sql := fmt.Sprintf("SELECT total FROM orders WHERE user_id = %d", 20_000+id)
		c.send(query(sql))
		s.wantQuery(sql)
		s.send(result("1"))
		c.until("Z")
	}
	r.meter.EndRequests(t.Context())
	found := r.meter.Findings.List()
	if len(found) != 1 || found[0].Confidence != nplusone.Proven {
		t.Errorf("found %+v, want one loop, proven", found)
	}
}
