package sqltext

import (
	"strings"
	"testing"
)

// TestAnyLiteral: in all places where there may be a value, one is like any other.
func TestAnyLiteral(t *testing.T) {
	t.Parallel()
	for _, place := range []string{
		"SELECT @",
		"SELECT DISTINCT @",
		"SELECT ALL @",
		"SELECT a, @",
		"SELECT f(@), f(a, @), f(a => @), f(a := @)",
		"SELECT ARRAY[@], a[@], a[@:2], a[1:@], ROW(@, a), (@)",
		"SELECT a WHERE @",
		"SELECT a WHERE b = @ AND @ OR @",
		"SELECT a WHERE b BETWEEN @ AND @",
		"SELECT a WHERE b NOT BETWEEN c AND @",
		"SELECT a WHERE b LIKE @ OR b NOT LIKE @ OR b ILIKE @ OR b SIMILAR TO @",
		"SELECT a WHERE b IN (@) AND c IN (@, @) AND (b, c) IN ((@, @))",
		"SELECT a WHERE b = ANY(@) AND b = ANY(ARRAY[@, @]) AND b < ALL (ARRAY[@])",
		"SELECT CASE @ WHEN @ THEN @ ELSE @ END, CASE WHEN @ THEN @ ELSE @ END AS x",
		"SELECT a FROM t JOIN u ON a = @ WHERE b = @ HAVING @ LIMIT @ OFFSET @",
		"SELECT a FROM t WHERE b = @ FOR UPDATE",
		"SELECT a FROM t ORDER BY b = @, f(@), CASE WHEN a = @ THEN @ END",
		"SELECT a FROM t GROUP BY b + @ UNION SELECT @",
		"SELECT sum(a) FILTER (WHERE b = @) OVER (PARTITION BY @ ORDER BY @)",
		"SELECT a FROM generate_series(@, @) g, LATERAL f(@) x TABLESAMPLE bernoulli(@)",
		"SELECT a FROM ROWS FROM (f(@)) x",
		"WITH x AS (SELECT @) SELECT a FROM x WHERE EXISTS (SELECT @)",
		`SELECT a || @ || b, @ = a, NOT a = @, a->@, a ? @, a COLLATE "C" < @`,
		"SELECT a IS NULL AND b = @, a ISNULL OR @, a IS DISTINCT FROM b + @",
		"SELECT position(@ IN b), trim(BOTH @ FROM a), coalesce(a, @), CAST(@ AS text)",
		"INSERT INTO t VALUES (@)",
		"INSERT INTO t (a) VALUES (@), (@)",
		"INSERT INTO t (a) VALUES (@) ON CONFLICT (a) DO UPDATE SET b = @ WHERE c = @ RETURNING @",
		"INSERT INTO t (a) SELECT @",
		"UPDATE t SET a = @, (b, c) = (@, @), (d, e) = ROW(@, @) WHERE f = @",
		"DELETE FROM t WHERE a = @ RETURNING @",
		"MERGE INTO t USING s ON a = @ WHEN MATCHED AND b = @ THEN UPDATE SET c = @ WHEN NOT MATCHED THEN INSERT VALUES (@)",
		"VALUES (@, a), (@, a)",
		"CALL p(@, @)",
		"EXECUTE p(@, @)",
		"COPY (SELECT @) TO STDOUT",
		"EXPLAIN (ANALYZE) SELECT a WHERE b = @",
		"PREPARE p AS SELECT @",
		"DECLARE c CURSOR FOR SELECT @",
		"CREATE TABLE x AS SELECT @",
		"CREATE VIEW v AS SELECT @",
		"CREATE TABLE t (a int DEFAULT b + @ CHECK (c > @))",
	} {
		want := Fingerprint([]byte(strings.ReplaceAll(place, "@", "$1")), Options{})
		for _, literal := range []string{"5", "1.5", "0x1F", "-1", "- 7", "'x'", "E'x'", "$$x$$", "B'1'", "TRUE", "NULL"} {
			text := strings.ReplaceAll(place, "@", literal)
			if got := Fingerprint([]byte(text), Options{}); got != want {
				t.Errorf("%s has another fingerprint: %s", text, Normalise([]byte(text), Options{}))
			}
		}
	}
}

// TestEditsThatMakeNoDifference: pairs of texts with one fingerprint.
func TestEditsThatMakeNoDifference(t *testing.T) {
	t.Parallel()
	for _, texts := range [][2]string{
		{"SELECT a AS x FROM t", "SELECT a FROM t"},
		{`SELECT a AS "x", b AS Y FROM t AS u`, "SELECT a, b FROM t AS u"},
		{"SELECT a AS select, b AS true, c AS null FROM t", "SELECT a, b, c FROM t"},
		{"SELECT (SELECT 1 AS x) AS y", "SELECT (SELECT 1)"},
		{"SELECT CAST(a AS int) AS x, a::varchar(5) AS y, ARRAY[a, b] AS z", "SELECT CAST(a AS int), a::varchar(5), ARRAY[a, b]"},
		{"SELECT CASE WHEN a THEN b END AS c", "SELECT CASE WHEN a THEN b END"},
		{"SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c) AS d", "SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c)"},
		{"SELECT a FROM (SELECT b AS a FROM t) AS x", "SELECT a FROM (SELECT b FROM t) AS x"},
		{"WITH x AS MATERIALIZED (SELECT a AS b FROM t) SELECT b AS c FROM x", "WITH x AS MATERIALIZED (SELECT a FROM t) SELECT b FROM x"},
		{"SELECT a AS b UNION SELECT c AS d", "SELECT a UNION SELECT c"},
		{"SELECT DISTINCT ON (a) b AS c FROM t", "SELECT DISTINCT ON (a) b FROM t"},
		{"SELECT a AS x INTO TEMP y FROM t", "SELECT a INTO TEMP y FROM t"},
		{"INSERT INTO t AS u (a) SELECT b AS c FROM v RETURNING a AS d, e AS f", "INSERT INTO t AS u (a) SELECT b FROM v RETURNING a, e"},
		{"UPDATE t AS u SET a = 1 FROM v AS w WHERE b RETURNING a AS c", "UPDATE t AS u SET a = 1 FROM v AS w WHERE b RETURNING a"},
		{"DELETE FROM t AS u USING v AS w WHERE b RETURNING a AS c", "DELETE FROM t AS u USING v AS w WHERE b RETURNING a"},
		{"COPY (SELECT a AS b FROM t) TO STDOUT", "COPY (SELECT a FROM t) TO STDOUT"},
		{"EXPLAIN (ANALYZE, BUFFERS) SELECT a AS b FROM t", "EXPLAIN (ANALYZE, BUFFERS) SELECT a FROM t"},
		{"PREPARE p AS SELECT a AS b", "PREPARE q AS SELECT a"},
		{"CREATE VIEW v AS SELECT a AS b FROM t", "CREATE VIEW v AS SELECT a FROM t"},
		{"SELECT a FROM t INNER JOIN u USING (b)", "SELECT a FROM t JOIN u USING (b)"},
		{"SELECT a FROM t RIGHT OUTER JOIN u USING (b)", "SELECT a FROM t RIGHT JOIN u USING (b)"},
		{"SELECT a FROM t FULL OUTER JOIN u USING (b)", "SELECT a FROM t FULL JOIN u USING (b)"},
		{"SELECT a FROM t NATURAL LEFT OUTER JOIN u NATURAL INNER JOIN v", "SELECT a FROM t NATURAL LEFT JOIN u NATURAL JOIN v"},
		{"SELECT a FROM t ORDER BY b ASC, c ASC NULLS LAST", "SELECT a FROM t ORDER BY b, c NULLS LAST"},
		{"SELECT sum(a) OVER (ORDER BY b ASC), array_agg(a ORDER BY b ASC)", "SELECT sum(a) OVER (ORDER BY b), array_agg(a ORDER BY b)"},
		{"CREATE INDEX i ON t (a ASC)", "CREATE INDEX i ON t (a)"},
		{"SELECT a!=ALL(b)", "SELECT a <> ALL (b)"},
		{"SELECT a WHERE b NOT IN (1)", "SELECT a WHERE b NOT IN (1, 2)"},
		{"SELECT a WHERE b IN ('x'::text::uuid)", "SELECT a WHERE b IN ('x'::text::uuid, 'y'::text::uuid)"},
		{"SELECT a WHERE b IN (date '2020-01-01')", "SELECT a WHERE b IN (date '2020-01-01', date '2020-01-02')"},
		{"SELECT a WHERE b = ANY(ARRAY[1]::int[])", "SELECT a WHERE b = ANY(ARRAY[1,2]::int[])"},
		{"SELECT a WHERE (b,c) IN ((1,2))", "SELECT a WHERE (b,c) IN ((1,2),(3,4))"},
		{"SELECT a WHERE (b,c) IN (ROW(1,2))", "SELECT a WHERE (b,c) IN (ROW(1,2),ROW(3,4))"},
		{"SELECT a FROM t JOIN (VALUES (1,2)) v(x,y) ON x", "SELECT a FROM t JOIN (VALUES (1,2),(3,4)) v(x,y) ON x"},
		{"INSERT INTO t VALUES (1,'x'::jsonb) ON CONFLICT DO NOTHING RETURNING id", "INSERT INTO t VALUES (1,'x'::jsonb),(2,NULL::jsonb) ON CONFLICT DO NOTHING RETURNING id"},
		{"MERGE INTO t USING (VALUES (1,2)) s(a,b) ON x WHEN MATCHED THEN DELETE", "MERGE INTO t USING (VALUES (1,2),(3,4)) s(a,b) ON x WHEN MATCHED THEN DELETE"},
		{"VALUES (1) ORDER BY 1", "VALUES (1), (2) ORDER BY 1"},
		{"SELECT interval '1 day', timestamp with time zone '2020-01-01'", "SELECT interval '2 days', timestamp with time zone '2021-01-01'"},
		{`SELECT U&"foo", N'x'`, "SELECT foo, 'x'"},
		{"DECLARE c CURSOR FOR SELECT a AS b FROM t", "DECLARE d CURSOR FOR SELECT a FROM t"},
		{"FETCH NEXT FROM c", `FETCH NEXT FROM "D"`},
		{"FETCH ABSOLUTE 10 c", "FETCH ABSOLUTE 20 d"},
		{"MOVE 5 FROM c", "MOVE 6 FROM d"},
		{"CLOSE c", `CLOSE "D"`},
		{"UPDATE t SET a = 1 WHERE CURRENT OF c", `UPDATE t SET a = 1 WHERE CURRENT OF "D"`},
		{"ROLLBACK TRANSACTION TO SAVEPOINT a", "ROLLBACK TRANSACTION TO SAVEPOINT b"},
		{"RELEASE a", "RELEASE b"},
		{"PREPARE TRANSACTION 'a'", "PREPARE TRANSACTION 'b'"},
		{"COMMIT PREPARED 'a'", "COMMIT PREPARED 'b'"},
		{"ROLLBACK PREPARED 'a'", "ROLLBACK PREPARED 'b'"},
		{"DEALLOCATE PREPARE a", "DEALLOCATE PREPARE b"},
		{"EXPLAIN EXECUTE a(1)", "EXPLAIN EXECUTE b(2)"},
		{"CREATE TABLE t AS EXECUTE a(1)", "CREATE TABLE t AS EXECUTE b(2)"},
		{"LISTEN a", `LISTEN "B"`},
		{"UNLISTEN a", "UNLISTEN b"},
		{"NOTIFY a, 'x'", "NOTIFY b, 'y'"},
		{"SET LOCAL a = 1", "SET LOCAL a = 'x', y"},
		{"SET a.b TO 1", "SET a.b TO x"},
		{"SET TIME ZONE 'UTC'", "SET TIME ZONE -5"},
		{"SET NAMES 'x'", "SET NAMES 'y'"},
		{"SET ROLE a", "SET ROLE 'b'"},
		{"SET SESSION AUTHORIZATION a", "SET SESSION AUTHORIZATION b"},
		{"DO $$ x $$ LANGUAGE plpgsql", "DO $a$ y $a$ LANGUAGE plpgsql"},
		{"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'x'", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ y $$"},
		{"COMMENT ON TABLE t IS 'x'", "COMMENT ON TABLE t IS 'y'"},
		{"ALTER ROLE r PASSWORD 'x'", "ALTER ROLE r PASSWORD NULL"},
		{"ALTER SUBSCRIPTION s CONNECTION 'x'", "ALTER SUBSCRIPTION s CONNECTION 'y'"},
		{"ALTER SERVER s OPTIONS (SET a 'x', ADD b 'y')", "ALTER SERVER s OPTIONS (SET a 'z', ADD b 'u')"},
	} {
		if Fingerprint([]byte(texts[0]), Options{}) != Fingerprint([]byte(texts[1]), Options{}) {
			t.Errorf("%s\n%s", Normalise([]byte(texts[0]), Options{}), Normalise([]byte(texts[1]), Options{}))
		}
	}
}

// TestEditsThatDo: pairs of texts with two fingerprints.
func TestEditsThatDo(t *testing.T) {
	t.Parallel()
	for _, texts := range [][2]string{
		{"SELECT a FROM t ORDER BY (1)", "SELECT a FROM t ORDER BY (2)"},
		{"SELECT a FROM t ORDER BY 1 NULLS FIRST", "SELECT a FROM t ORDER BY 2 NULLS FIRST"},
		{"SELECT a FROM t ORDER BY 1 USING <", "SELECT a FROM t ORDER BY 2 USING <"},
		{"SELECT a FROM t ORDER BY b, 1 LIMIT 5", "SELECT a FROM t ORDER BY b, 2 LIMIT 5"},
		{"SELECT a FROM t ORDER BY 1 FOR UPDATE", "SELECT a FROM t ORDER BY 2 FOR UPDATE"},
		{"SELECT a FROM t GROUP BY 1 HAVING true", "SELECT a FROM t GROUP BY 2 HAVING true"},
		{"SELECT a FROM t GROUP BY DISTINCT 1", "SELECT a FROM t GROUP BY DISTINCT 2"},
		{"SELECT a FROM t GROUP BY (1, 2)", "SELECT a FROM t GROUP BY (2, 1)"},
		{"SELECT a FROM t GROUP BY ROLLUP (1)", "SELECT a FROM t GROUP BY ROLLUP (2)"},
		{"SELECT a FROM t GROUP BY CUBE (1)", "SELECT a FROM t GROUP BY CUBE (2)"},
		{"SELECT a FROM t GROUP BY GROUPING SETS ((1), (2))", "SELECT a FROM t GROUP BY GROUPING SETS ((2), (1))"},
		{"SELECT DISTINCT ON (1) a FROM t", "SELECT DISTINCT ON (2) a FROM t"},
		{"(SELECT a FROM t) UNION (SELECT b FROM u) ORDER BY 1", "(SELECT a FROM t) UNION (SELECT b FROM u) ORDER BY 2"},
		{"SELECT a WHERE b IN (SELECT c FROM t ORDER BY 1)", "SELECT a WHERE b IN (SELECT c FROM t ORDER BY 2)"},
		{"WITH x AS (SELECT a FROM t ORDER BY 1) SELECT a FROM x", "WITH x AS (SELECT a FROM t ORDER BY 2) SELECT a FROM x"},
		{"VALUES (1, 2) ORDER BY 1", "VALUES (1, 2) ORDER BY 2"},
		{"TABLE t ORDER BY 1", "TABLE t ORDER BY 2"},
		{"SELECT a::numeric(10,2)", "SELECT a::numeric(10,3)"},
		{"SELECT CAST(a AS vector(5))", "SELECT CAST(a AS vector(6))"},
		{"SELECT a::public.vector(5)", "SELECT a::public.vector(6)"},
		{"SELECT a::character varying(5)", "SELECT a::character varying(6)"},
		{"SELECT a::timestamp(3) with time zone", "SELECT a::timestamp(4) with time zone"},
		{"SELECT a::interval second(3)", "SELECT a::interval second(4)"},
		{"SELECT a::int[3]", "SELECT a::int[4]"},
		{"SELECT numeric(5) '1'", "SELECT numeric(6) '1'"},
		{"SELECT a FROM f() AS t(a varchar(5))", "SELECT a FROM f() AS t(a varchar(6))"},
		{"CREATE TABLE t (a varchar(5))", "CREATE TABLE t (a varchar(6))"},
		{"ALTER TABLE t ALTER a TYPE varchar(5)", "ALTER TABLE t ALTER a TYPE varchar(6)"},
		{"SELECT a IS NOT TRUE", "SELECT a IS NOT FALSE"},
		{"SELECT a IS UNKNOWN", "SELECT a IS NULL"},
		{"SELECT a ISNULL", "SELECT a NOTNULL"},
		{"SELECT a FROM t WHERE b IN (1, c)", "SELECT a FROM t WHERE b IN (1, c, d)"},
		{"SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b IN (1::int)"},
		{"SELECT f(1)", "SELECT f(1, 2)"},
		{"SELECT ROW(1)", "SELECT ROW(1, 2)"},
		{"SELECT (1, 2)", "SELECT (1, 2, 3)"},
		{"SELECT a FROM t x", "SELECT a FROM t y"},
		{`SELECT "user"`, "SELECT user"},
		{`SELECT "true"`, "SELECT true"},
		{"SELECT a FROM t CROSS JOIN u", "SELECT a FROM t JOIN u"},
		{"SELECT a FROM t, u", "SELECT a FROM t JOIN u"},
		{"SELECT a AND (b OR c)", "SELECT (a AND b) OR c"},
		{"SELECT a FROM t FOR UPDATE", "SELECT a FROM t FOR SHARE"},
		{"SELECT -1::int", "SELECT 1::int"},
		{"SELECT a - 1", "SELECT a, -1"},
		{"SELECT a.b", `SELECT "a.b"`},
		{"SELECT '1'", "SELECT a"},
		{"SELECT a FROM t_1", "SELECT a FROM t_2"},
		{"SELECT a FROM orders_2024_01", "SELECT a FROM orders_2024_02"},
		{"BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN"},
		{"BEGIN READ ONLY", "BEGIN READ WRITE"},
		{"SET LOCAL a = 1", "SET a = 1"},
		{"FETCH FORWARD c", "FETCH BACKWARD c"},
		{"FETCH ALL c", "FETCH 1 c"},
		{"DEALLOCATE ALL", "DEALLOCATE a"},
		{"CLOSE ALL", "CLOSE a"},
		{"UNLISTEN *", "UNLISTEN a"},
		{"COPY t FROM STDIN", "COPY t TO STDOUT"},
		{"LOCK TABLE t IN SHARE MODE", "LOCK TABLE t IN EXCLUSIVE MODE"},
	} {
		if Fingerprint([]byte(texts[0]), Options{}) == Fingerprint([]byte(texts[1]), Options{}) {
			t.Errorf("%s\n%s", texts[0], texts[1])
		}
	}
}
