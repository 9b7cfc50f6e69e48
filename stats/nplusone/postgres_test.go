package nplusone

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// keys is a table with a key of each type that is looked at. Its values are such as
// PostgreSQL makes them: negative, at the ends of their range, in capitals, padded.
const keys = `
	CREATE TABLE keys (
		small smallint, medium int, large bigint, id uuid, name text, word varchar(64), code char(40)
	);
	INSERT INTO keys SELECT n, -70000 * n, 9e15::bigint + n, md5(n::text)::uuid, 'name ' || n, upper(md5(n::text)), 'é' || n
	FROM generate_series(1, 40) n;
	UPDATE keys SET small = -32768, medium = 2147483647, name = 42, word = upper(id::text) WHERE small = 7`

// TestPostgresValues has PostgreSQL send each key in text and in binary. Whatever form a
// result has, a parameter in any form is found in it.
func TestPostgresValues(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, pgtest.NewDatabase(t))
	if _, err := conn.Exec(t.Context(), keys).ReadAll(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"small", "medium", "large", "id", "name", "word", "code"} {
		texts, binaries := ask(t, conn, name, 0), ask(t, conn, name, 1)
		for form, result := range map[string]*pgconn.Result{"text": texts, "binary": binaries} {
			s := sketchResult(t, result)
			c := &s.columns[0]
			if s.rows != 40 || c.values != 40 || c.distinct < 36 {
				t.Errorf("%s in %s: %d values in %d rows, %d differ", name, form, c.values, s.rows, c.distinct)
			}
			oid := result.FieldDescriptions[0].DataTypeOID
			for i := range texts.Rows {
				text, raw := texts.Rows[i][0], binaries.Rows[i][0]
				if !c.filter.has(parameter(text, false, oid)) {
					t.Errorf("%s in %s does not have %q", name, form, text)
				}
				if name != "code" && !c.filter.has(parameter(text, false, 0)) {
					t.Errorf("%s in %s does not have %q of unknown type", name, form, text)
				}
				if !c.filter.has(parameter(raw, true, oid)) {
					t.Errorf("%s in %s does not have binary %q", name, form, raw)
				}
			}
		}
	}
}

// connectTo connects to a database of the shared PostgreSQL.
func connectTo(t *testing.T, database string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), pgtest.Cluster(t).SocketURL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })

	return conn
}

// ask reads a column of all keys in a format.
func ask(t *testing.T, conn *pgconn.PgConn, column string, format int16) *pgconn.Result {
	t.Helper()
	result := conn.ExecParams(t.Context(), "SELECT "+column+" FROM keys ORDER BY large", nil, nil, nil, []int16{format}).Read()
	if result.Err != nil {
		t.Fatal(result.Err)
	}

	return result
}

// sketchResult shows a result to a Sketcher, in the messages in which it came.
func sketchResult(t *testing.T, result *pgconn.Result) *sketch {
	t.Helper()
	body := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}

		return b[5:]
	}
	var description pgproto3.RowDescription
	for _, f := range result.FieldDescriptions {
		description.Fields = append(description.Fields, pgproto3.FieldDescription{
			Name: []byte(f.Name), TableOID: f.TableOID, TableAttributeNumber: f.TableAttributeNumber,
			DataTypeOID: f.DataTypeOID, DataTypeSize: f.DataTypeSize, TypeModifier: f.TypeModifier, Format: f.Format,
		})
	}
	var s Sketcher
	st := New(Options{}).Statement(Description{Kind: Read, Text: listUsers})
	if !s.Start(st, body(description.Encode(nil)), nil) {
		t.Fatalf("column %s is not looked at", result.FieldDescriptions[0].Name)
	}
	for _, values := range result.Rows {
		s.Row(body((&pgproto3.DataRow{Values: values}).Encode(nil)))
	}
	s.End()

	return s.take()
}
