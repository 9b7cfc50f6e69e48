package sqltext

// corpus returns statements of all kinds, ordinary ones and such that have led lexers
// astray.
func corpus() []string {
	return []string{
		"", ";", " ; ;; ", "SELECT 1", "SELECT 1; SELECT 2;", "(SELECT 1)", "((SELECT 1) UNION SELECT 2) ORDER BY 1",
		"SELECT u.id AS x, u.name n FROM users u WHERE u.email = 'a@example.com' AND x > 5 ORDER BY 1 ASC, n DESC LIMIT 10",
		"select a from t where b in (1, 2, 3) and c in ('x') and d in (1::int, 2) and e in (1+1, x)",
		"SELECT a FROM t WHERE (a,b) IN ((1,2),(3,4)) AND c = ANY(ARRAY[1,2]) AND d = ANY(ARRAY[[1,2],[3,4]])",
		"SELECT a FROM t WHERE b IN (SELECT 1, 2) AND c IN (VALUES (1), (2)) AND d IN (WITH x AS (SELECT 1) TABLE x)",
		"INSERT INTO t (a, b) VALUES (1, now()), (2, now()) ON CONFLICT (a) DO UPDATE SET b = 'x' RETURNING id AS y",
		"INSERT INTO t VALUES (DEFAULT, 1), (1, DEFAULT), (2, DEFAULT), ", "INSERT INTO t DEFAULT VALUES",
		"UPDATE t SET a = -1, b = - 1, c = 1 - 1, d = -1::int, e = - -1 WHERE f IS NOT NULL AND g IS DISTINCT FROM NULL",
		"DELETE FROM ONLY s.t USING u, v WHERE t.a = u.a RETURNING *", "TABLE t", "VALUES (1, 'x'), (2, 'y') ORDER BY 1",
		"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
		"WITH x AS (SELECT 1 AS y), z AS (DELETE FROM q RETURNING id) UPDATE b SET a = 1 FROM x, z",
		"SELECT CAST(x AS varchar(50)), y::numeric(10,2), z::int[3], (array[1,2,3])[2], w::timestamp(3) with time zone",
		"SELECT true AS true, false, NULL, x IS TRUE, NOT true, t.true, t.null, t.select FROM t",
		`SELECT "Foo", "foo", "select", "a""b", "set_config"('x', 'y', true), U&"d\0061t\+000061", U&"d!0061" UESCAPE '!'`,
		"SELECT U&'x' UESCAPE '!', E'a\\'b', $tag$ it's $tag$, B'01', X'1F', N'x', 0x1F, 1_000, 1.5e10, .5, 1..2, 1abc, $1x",
		"SELECT 'a'\n  'b' -- c\n 'c', E'a\\\\'\n'\\''", "SELECT 'a' /* c */ 'b'", "SELECT B'0''1', $$a$$ \n 'b'",
		"SELECT data ? 'a', data ?| array['a','b'], data @> '{}', a != b, -a, @-5, x->>'y', a*-1, a<-1, a|/-1, a=-1",
		"SELECT 1 +-+-+- 2, a@-b, 2/*c*/*3, 4--x\n+5", "SELECT /* a /* nested */ b */ 1 -- end",
		"SELECT x FROM t GROUP BY 1, (2), ROLLUP (1, a) HAVING count(*) > 5 ORDER BY sum(x) OVER (ORDER BY 3), 1 + 2, 4",
		"SELECT DISTINCT ON (1, 2) a FROM t FOR UPDATE SKIP LOCKED", "SELECT x FROM t WINDOW w AS (PARTITION BY 1 ORDER BY 2)",
		"SELECT string_agg(a, ',' ORDER BY 1) FROM LATERAL (SELECT 1) l, generate_series(1, 2) g",
		"SELECT extract(year FROM ts), substring(a from 1 for -2), x IS DISTINCT FROM y AS z FROM t",
		"SET app.tenant = 'secret'", "SET SESSION app.x TO a, b, 'c'", "SET LOCAL x TO DEFAULT", "SET TIME ZONE 'UTC'",
		"SET LOCAL ROLE bob", "SET SESSION AUTHORIZATION bob", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET CONSTRAINTS ALL DEFERRED", "RESET ALL", "SHOW x",
		"ALTER ROLE bob PASSWORD 'hunter2'", `CREATE USER bob WITH ENCRYPTED PASSWORD "hunter2" VALID UNTIL 'x'`,
		"ALTER ROLE bob IN DATABASE d SET app.key = hunter2", "ALTER SYSTEM SET x = 5, 6", "ALTER DATABASE d SET TABLESPACE x",
		"CREATE USER MAPPING FOR bob SERVER s OPTIONS (user 'bob', password 'hunter2')",
		"CREATE SUBSCRIPTION s CONNECTION 'host=x password=hunter2' PUBLICATION p",
		"SAVEPOINT foo", "RELEASE SAVEPOINT foo", "RELEASE foo", "ROLLBACK TO SAVEPOINT foo", "ROLLBACK WORK TO foo",
		"PREPARE p (int) AS SELECT $1 + 1", "EXECUTE p(5)", "DEALLOCATE p", "DEALLOCATE PREPARE p", "DEALLOCATE ALL",
		"PREPARE TRANSACTION 'foo'", "COMMIT PREPARED 'foo'", "PREPARE transaction AS SELECT 1", "RELEASE savepoint",
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1", "FETCH 10 FROM c", "FETCH -1 IN \"C\"", "MOVE FORWARD ALL c", "CLOSE c",
		"LISTEN ch", "UNLISTEN *", "NOTIFY ch, 'payload'", "DISCARD ALL", "LOAD 'x'", "LOCK TABLE a, b IN SHARE MODE",
		"SELECT set_config('app.x', '1', false), set_config('app.y', $1, true), pg_catalog.pg_advisory_lock(1)",
		"DO $$ BEGIN PERFORM set_config('app.x', '', false); SET app.y = 1; DO $q$ x $q$; END $$",
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END; SELECT 2",
		"CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); DELETE FROM v)", "TRUNCATE a, b.c",
		"CREATE TEMP TABLE foo AS SELECT 1 AS x", "SELECT 1 INTO TEMP bar FROM baz", "DROP TABLE IF EXISTS a, b CASCADE",
		"CREATE TABLE t (id int NOT NULL DEFAULT 5, name varchar(50) DEFAULT NULL, n numeric(10,2) CHECK (n > 0))",
		"CREATE UNIQUE INDEX CONCURRENTLY foo ON ONLY s.t (a ASC, lower(b) DESC) WHERE c", "VACUUM (ANALYZE) t",
		"COPY t FROM STDIN", "COPY (SELECT a FROM t WHERE x = 5) TO PROGRAM 'curl hunter2'", "COPY s.t (a, b) FROM '/x'",
		"EXPLAIN (ANALYZE, BUFFERS) EXECUTE p(1)", "EXPLAIN ANALYZE DELETE FROM t", "GRANT SELECT, UPDATE ON t TO bob",
		"/* application:shop,controller:users */ SELECT 1 /*route='%2Fusers',traceparent='00-x-y-01'*/ ; -- bye",
		"select 'abc", "select \"abc", "select /* abc", "select $a$ abc $b$", "select E'\\'", "select '\\' '", "select \x01", "\xff", "a\xff", `U&"\0000"`, "0-", "a \xdf ]0", `1"a"(`,
		"(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((SELECT 1 AS x WHERE y IN (1,2)", ")))", "]]((",
		"SELECT (ARRAY[ARRAY[ARRAY[ARRAY[ARRAY[ARRAY[ARRAY[ARRAY[1,2],ARRAY[1]]]]]]]]", "IN (", "VALUES (", "VALUES (1),(2",
		`SELECT orders_2024_01.id, "T12"."é99" FROM public.orders_2024_01 JOIN "order12" o10, tenant42."2024", f12(1) WHERE o10.x77 = 5`,
		"SELECT a ORDER BY 1 ASC 2", "SELECT a GROUP BY ((1), (2) + 3) ORDER BY (1), ((2)), (3)::int, (4, 5) DESC",
		"COPY t_2024 FROM STDIN", "TRUNCATE a12, b.c34", "CREATE INDEX i12 ON \x810\x811\x8112 (a12)", "SET a12.b = 1",
		"SELECT \xff\xfe, 日本語, \"日本\x00語\"", "\x95\\ 'x\x95\\'", "select a.\"b\".*, .c, $, $$, $1$2, 'é'",
	}
}

// settings returns all ways to read a text.
func settings() []Options {
	var all []Options
	for e := ASCIISafe; e <= GB18030; e++ {
		for _, backslash := range []bool{false, true} {
			all = append(all, Options{BackslashQuotes: backslash, Encoding: e})
		}
	}

	return append(all, Options{KeepOrdinals: true}, Options{MergeNumbered: true}, Options{MergeNumbered: true, Encoding: GB18030})
}
