package sqltext

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"", ""},
		{" ; -- nothing", ""},
		{"SELECT 1", "SELECT"},
		{"select * from Users u join s . /* x */ Orders on true", "SELECT Users s.Orders"},
		{"INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = 5", "INSERT shipping_details SELECT orders"},
		{"SELECT * FROM songs, artists WHERE songs.artist_id = artists.id", "SELECT songs artists"},
		{"SELECT a FROM (SELECT * FROM orders o JOIN customers c USING (id)) x", "SELECT SELECT orders customers"},
		{`SELECT * FROM "song list", "Artists"`, `SELECT "song list" "Artists"`},
		{"(SELECT a FROM b) UNION (SELECT c FROM d)", "SELECT b SELECT d"},
		{"WITH x AS (DELETE FROM a RETURNING *) UPDATE b SET c = 1 FROM x, d", "DELETE a UPDATE b d"},
		{"INSERT INTO t VALUES (1, 'x'), (2, 'y') ON CONFLICT DO UPDATE SET a = 1", "INSERT t"},
		{"MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)", "MERGE a b"},
		{"SELECT 1 FROM a FOR UPDATE", "SELECT a"},
		{"TABLE a", "TABLE a"},
		{"VALUES (1)", "SELECT"},
		{"COPY a (b) FROM STDIN", "COPY a"},
		{"COPY (SELECT 1 FROM d) TO PROGRAM 'curl x'", "COPY SELECT d"},
		{"EXPLAIN (ANALYZE) SELECT 1 FROM a", "EXPLAIN SELECT a"},
		{"PREPARE p AS SELECT 1 FROM a", "PREPARE SELECT a"},
		{"DECLARE c CURSOR WITH HOLD FOR SELECT 1 FROM a", "DECLARE SELECT a"},
		{"CALL s.p(1, 'x')", "CALL s.p"},
		// Others, by kind and target.
		{"begin", "BEGIN"},
		{"START TRANSACTION", "BEGIN"},
		{"SAVEPOINT s17", "SAVEPOINT"},
		{"PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"},
		{"COMMIT PREPARED 'x'", "PREPARE TRANSACTION"},
		{"SET app.key = 'hunter2'", "SET"},
		{"DO $$ BEGIN DELETE FROM a; END $$", "DO"},
		{"create table if not exists Orders (id int)", "CREATE TABLE Orders"},
		{"CREATE TEMP TABLE a AS SELECT 1 FROM b", "CREATE TABLE a SELECT b"},
		{"CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a)", "CREATE INDEX s.t"},
		{"DROP INDEX CONCURRENTLY IF EXISTS s.i", "DROP INDEX s.i"},
		{"CREATE OR REPLACE VIEW v AS SELECT 1 FROM a", "CREATE VIEW v SELECT a"},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY s.v", "REFRESH VIEW s.v"},
		{"CREATE FUNCTION f(a int) RETURNS int AS 'secret' LANGUAGE sql", "CREATE FUNCTION f"},
		{"ALTER TABLE a ADD COLUMN b int", "ALTER TABLE a"},
		{"DROP TABLE a, b", "DROP TABLE a b"},
		{"ALTER ROLE bob PASSWORD 'hunter2'", "ALTER ROLE bob"},
		{"ALTER SYSTEM SET x = 5", "ALTER SYSTEM"},
		{"COMMENT ON TABLE a IS 'secret'", "COMMENT TABLE a"},
		{"TRUNCATE a, b.c", "TRUNCATE a b.c"},
		{"vacuum (analyze) t", "VACUUM"},
		{"GRANT SELECT ON a TO b", "GRANT"},
		{"hunter2 hunter2", "OTHER"},
		// Several statements, and broken ones.
		{"BEGIN; INSERT INTO a VALUES (1); COMMIT", "BEGIN INSERT a COMMIT"},
		{"SELECT 1 FROM a; SELECT 1 FROM b WHERE c = 'x", "SELECT a __invalid__"},
	}
	for _, tt := range tests {
		if got := Summary([]byte(tt.text), Options{}); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestSummaryIsShort: it ends in front of the name that would make it too long.
func TestSummaryIsShort(t *testing.T) {
	t.Parallel()
	long, last := strings.Repeat("ü", 62), strings.Repeat("é", 59)
	want := "SELECT " + strings.Repeat(long+" ", 3) + last
	if n := utf8.RuneCountInString(want); n != MaxSummary {
		t.Fatalf("%d characters", n)
	}
	text := "SELECT 1 FROM " + strings.Repeat(long+", ", 3) + last + ", b; SELECT 1 FROM c"
	if got := Summary([]byte(text), Options{}); got != want {
		t.Errorf("%d characters: %q", utf8.RuneCountInString(got), got)
	}
	text = "SELECT 1 FROM " + strings.Repeat(long+", ", 3) + last + "é"
	if got := Summary([]byte(text), Options{}); got != strings.TrimSuffix(want, " "+last) {
		t.Errorf("%d characters: %q", utf8.RuneCountInString(got), got)
	}
}
