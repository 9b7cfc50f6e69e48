package sqltext

import (
	"strings"
	"testing"
)

// TestNormalise shows the rules at work, one after the other.
func TestNormalise(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"literals", "select 1, 'x', E'\\'', $$x$$, B'1', 1.5, true, null", "SELECT $1, $2, $3, $4, $5, $6, $7, $8"},
		{"parameters", "SELECT $2, $1", "SELECT $1, $2"},
		{"a sign", "SELECT -1, 1 - -1, a -1, (-1), - 1", "SELECT $1, $2 - $3, a - $4, ($5), $6"},
		{"no sign of a cast number", "SELECT -1::float8", "SELECT - $1::float8"},
		{
			"no literals", "SELECT x IS TRUE, x IS NOT FALSE, x IS NULL, x IS NOT NULL, x IS DISTINCT FROM NULL",
			"SELECT x IS TRUE, x IS NOT FALSE, x IS NULL, x IS NOT NULL, x IS DISTINCT FROM NULL",
		},
		{
			"NULL of DDL", "ALTER TABLE t ALTER a SET DEFAULT NULL, ADD b int NULL, ADD c int NOT NULL",
			"ALTER TABLE t ALTER a SET DEFAULT NULL, add b int NULL, add c int NOT NULL",
		},
		{"a string that goes on", "SELECT 'a'\n'b' -- c\n'c'", "SELECT $1"},
		{"one that does not", "SELECT 'a' 'b'", "SELECT $1 $2"},
		{"comments", "SELECT /* a /* b */ ' */ 1 -- c", "SELECT $1"},
		{"names", `SELECT "foo", FOO, "Foo", "select", "a""b", U&"\0061"`, `SELECT foo, foo, "Foo", "select", "a""b", a`},
		{"long names", "SELECT " + strings.Repeat("x", 70), "SELECT " + strings.Repeat("x", 63)},
		{"names cut between characters", "SELECT x" + strings.Repeat("é", 40), "SELECT x" + strings.Repeat("é", 31)},
		{
			"columns of the output", "SELECT a FROM t GROUP BY 1, a + 2 ORDER BY 1 DESC, 2 + 3, f(4) LIMIT 5",
			"SELECT a FROM t GROUP BY 1, a + $1 ORDER BY 1 DESC, $2 + $3, f($4) LIMIT $5",
		},
		{
			"columns of the output in brackets", "SELECT a FROM t GROUP BY (1), (2, a), (8) + 9 ORDER BY (1), ((2)) DESC, (3) + 4, (5, 6), (7)::int",
			"SELECT a FROM t GROUP BY (1), (2, a), ($1) + $2 ORDER BY (1), ((2)) DESC, ($3) + $4, ($5, $6), ($7)::int",
		},
		{"columns of the output, not twice", "SELECT a FROM t GROUP BY DISTINCT 1, 2", "SELECT a FROM t GROUP BY DISTINCT 1, 2"},
		{"no columns", "SELECT sum(a) OVER (ORDER BY 1), array_agg(a ORDER BY 1)", "SELECT sum(a) OVER (ORDER BY $1), array_agg(a ORDER BY $2)"},
		{
			"types", "SELECT a::varchar(50), CAST(a AS numeric(10, 2)), a::int[3], a[3], a::bit varying(5)",
			"SELECT a::varchar(50), CAST(a AS numeric(10, 2)), a::int[3], a[$1], a::bit varying(5)",
		},
		{
			"IN", "SELECT 1 WHERE a IN (1, 2, 3) AND b IN ($1) AND c IN (-1, 2.5, 'x', NULL)",
			"SELECT $1 WHERE a IN ($2) AND b IN ($3) AND c IN ($4)",
		},
		{"IN with casts", "SELECT a IN (1::int, 2::int)", "SELECT a IN ($1::int)"},
		{"IN of other things", "SELECT a IN (1, b, 2), a IN (1 + 1, 2)", "SELECT a IN ($1, b, $2), a IN ($3 + $4, $5)"},
		{"IN of rows", "SELECT (a, b) IN ((1, 2), (3, 4))", "SELECT (a, b) IN (($1, $2))"},
		{"IN a query", "SELECT a IN (SELECT 1, 2)", "SELECT a IN (SELECT $1, $2)"},
		{"arrays", "SELECT ARRAY[1, 2], ARRAY[[1, 2], [3, 4]], f(1, 2)", "SELECT ARRAY[$1], ARRAY[[$2]], f($3, $4)"},
		{
			"VALUES", "INSERT INTO t VALUES (1, now(), DEFAULT), (2, now(), DEFAULT) ON CONFLICT DO NOTHING",
			"INSERT INTO t VALUES ($1, now(), DEFAULT) ON CONFLICT DO nothing",
		},
		{"VALUES of several kinds", "VALUES (1, 2), (3, 4), (5, a), (6, a), (7, 8)", "VALUES ($1, $2), ($3, a), ($4, $5)"},
		{
			"sugar", "SELECT a AS b FROM t AS u INNER JOIN v ON a != b LEFT OUTER JOIN w USING (c) ORDER BY d ASC;",
			"SELECT a FROM t AS u JOIN v ON a <> b LEFT JOIN w USING (c) ORDER BY d",
		},
		{
			"AS that is no alias", "WITH a AS (SELECT 1) SELECT CAST(b AS int), f(c) AS d FROM a AS e (f)",
			"WITH a AS (SELECT $1) SELECT CAST(b AS int), f(c) FROM a AS e(f)",
		},
		{"words that are names", "SELECT t.true, t.null, a AS null, a AS from, -1 FROM t", "SELECT t.true, t.null, a, a, $1 FROM t"},
		{"savepoints", "ROLLBACK TO SAVEPOINT s1", "ROLLBACK TO SAVEPOINT $1"},
		{"prepared statements", "DEALLOCATE p", "DEALLOCATE $1"},
		{"all of them", "DEALLOCATE ALL", "DEALLOCATE ALL"},
		{"cursors", "FETCH FORWARD 10 FROM c", "FETCH FORWARD $1 FROM $2"},
		{"a row of a cursor", "DELETE FROM t WHERE CURRENT OF c", "DELETE FROM t WHERE current of $1"},
		{"a value behind a word", "SELECT a SIMILAR TO -1, trim(BOTH NULL FROM a)", "SELECT a SIMILAR TO $1, trim(BOTH $2 FROM a)"},
		{"channels", "NOTIFY c, 'x'", "NOTIFY $1, $2"},
		{"settings", "SET app.x TO a, 'b', c", "SET app.x TO $1"},
		{"settings by word", "SET TIME ZONE 'UTC'", "SET TIME ZONE $1"},
		{"the default", "SET x = DEFAULT", "SET x = DEFAULT"},
		{"modes", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET TRANSACTION isolation level serializable"},
		{"a password", "ALTER ROLE r PASSWORD 'x'", "ALTER ROLE r PASSWORD $1"},
		{"a password in the wrong quotes", `CREATE USER r PASSWORD "x"`, "CREATE USER r PASSWORD $1"},
		{"a setting of a role", "ALTER ROLE r SET app.key = x", "ALTER ROLE r SET app.key = $1"},
		{"a connection", `CREATE SUBSCRIPTION s CONNECTION "x"`, "CREATE SUBSCRIPTION s CONNECTION $1"},
		{"a program", "COPY (SELECT a FROM t WHERE b = 1) TO PROGRAM 'x'", "COPY (SELECT a FROM t WHERE b = $1) TO program $2"},
		{"a function", "DO $$ BEGIN END $$", "DO $1"},
		{"an operator that looks like a parameter", "SELECT a ? 'b'", "SELECT a ? $1"},
		{"what is mistyped", "SELECT 12ab, $1x", "SELECT $1, $2"},
		{"what does not end", "SELECT 'x", "__invalid__"},
		{"nothing", " -- x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Normalise([]byte(tt.text), Options{}); got != tt.want {
				t.Errorf("%s is\n%s, want\n%s", tt.text, got, tt.want)
			}
		})
	}
}

// TestMergeNumbered: tables that differ in numbers are one where that is asked for.
func TestMergeNumbered(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT a FROM orders_2024_01":                             "SELECT a FROM orders__",
		"SELECT orders_2024_01.a12 FROM s.orders_2024_01":          "SELECT orders__.a12 FROM s.orders__",
		"SELECT a FROM t_1, t_12 x10 JOIN ONLY \"T_34\" USING (b)": "SELECT a FROM t_1, t_ x10 JOIN ONLY \"T_\" USING (b)",
		"INSERT INTO tenant_10.order12 (a10) VALUES (10)":          "INSERT INTO tenant_10.\"order\"(a10) VALUES ($1)",
		"UPDATE t20 SET a20 = b20 + 20 FROM f20(1)":                "UPDATE t SET a20 = b20 + $1 FROM f20($2)",
		"DELETE FROM t20 USING u20 WHERE a20":                      "DELETE FROM t USING u WHERE a20",
		"CREATE TABLE IF NOT EXISTS t_2024 (a10 int)":              "CREATE TABLE IF NOT EXISTS t_(a10 int)",
		"SET a20.b = 1": "SET a20.b = $1",
	} {
		if got := Normalise([]byte(text), Options{MergeNumbered: true}); got != want {
			t.Errorf("%s is\n%s, want\n%s", text, got, want)
		}
		if got := Normalise([]byte(text), Options{}); !strings.ContainsAny(got, "012") {
			t.Errorf("%s is %s though nobody has asked", text, got)
		}
	}
}

// TestSame: texts between which the fingerprint makes no difference.
func TestSame(t *testing.T) {
	t.Parallel()
	for _, texts := range [][]string{
		{"SELECT 1", "select\n2", "SELECT $1", "SELECT -1", "SELECT 'x'", "/* a */ SELECT 1 -- b\n;", "SELECT 1 AS x", "SELECT NULL"},
		{"SELECT a FROM t", `select "a" from "t"`, "SELECT A FROM T"},
		{"SELECT 10", "SELECT 1e1", "SELECT 0xA", "SELECT 1_0", "SELECT 'x'\n'y'", "SELECT $x$'$x$", "SELECT U&'x' UESCAPE '!'"},
		{"SELECT a IN (1)", "SELECT a IN (1, 2)", "SELECT a IN ($1, 2, 'x')"},
		{"VALUES (1, 2)", "VALUES (1, 2), (3, 4)", "VALUES ($1, $2), ($3, $4), ($5, $6)"},
		{"SAVEPOINT a", "SAVEPOINT b", `savepoint "A"`},
		{"SET x = 1", "SET x = 'a', b", "SET x = on"},
		{"SELECT a != b", "SELECT a <> b"},
	} {
		for _, text := range texts[1:] {
			if Fingerprint([]byte(text), Options{}) != Fingerprint([]byte(texts[0]), Options{}) {
				t.Errorf("%q and %q have other fingerprints", texts[0], text)
			}
		}
	}
}

// TestOther: texts between which it does.
func TestOther(t *testing.T) {
	t.Parallel()
	all := make(map[ID]string)
	for _, text := range []string{
		"", "SELECT", "SELECT a", "SELECT b", `SELECT "A"`, "SELECT ab c", "SELECT a bc", "SELECT a, b", "SELECT b, a", "SELECT a.b",
		"SELECT a FROM t", "SELECT a FROM u", "SELECT a FROM s.t", "SELECT a FROM t x", "SELECT DISTINCT a FROM t",
		"SELECT a FROM t WHERE b AND c", "SELECT a FROM t WHERE b OR c", "SELECT a FROM t WHERE b AND c AND d",
		"SELECT a FROM t WHERE b IS NULL", "SELECT a FROM t WHERE b IS NOT NULL", "SELECT a FROM t WHERE b = NULL",
		"SELECT a FROM t WHERE b IS TRUE", "SELECT a FROM t WHERE b IS FALSE", "SELECT a FROM t WHERE b < 1",
		"SELECT a FROM t ORDER BY 1", "SELECT a FROM t ORDER BY 2", "SELECT a FROM t ORDER BY 1 DESC", "SELECT a FROM t GROUP BY 1",
		"SELECT a::varchar(5)", "SELECT a::varchar(6)", "SELECT a::text", "SELECT CAST(a AS text)",
		"SELECT a IN (1)", "SELECT a IN (1, b)", "SELECT a IN (1 + 1)", "SELECT a IN (SELECT 1)", "SELECT a IN ((1, 2))", "SELECT a = 1",
		"SELECT a = ANY(ARRAY[1])", "SELECT a = ANY($1)", "SELECT (a + b) * c", "SELECT a + (b * c)", "SELECT a + b * c",
		"SELECT a FROM t JOIN u USING (b)", "SELECT a FROM t LEFT JOIN u USING (b)", "VALUES (1)", "VALUES (1, 2)", "VALUES (1), (a)",
		"SET x = 1", "SET y = 1", "SET LOCAL x = 1", "SET x TO DEFAULT", "RESET x", "SELECT a ? 'b'", "SELECT a ?| 'b'",
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "DISCARD ALL", "SELECT 'x",
	} {
		id := Fingerprint([]byte(text), Options{})
		if other, ok := all[id]; ok {
			t.Errorf("%q and %q have the same fingerprint", other, text)
		}
		all[id] = text
	}
}

// TestFingerprintsStay: fingerprints are kept in dashboards and baselines. If this test
// fails, a rule has changed: count up Version, and then change the fingerprints here.
func TestFingerprintsStay(t *testing.T) {
	t.Parallel()
	if Version != 2 {
		t.Errorf("version %d", Version)
	}
	for text, want := range map[string]string{
		"SELECT 1": "74f873fba398c28f",
		"select a, b AS c from t where x IN (1,2,3) and y = -1 order by 1 limit 10": "037746ad063aa9b9",
		"INSERT INTO orders (a, b) VALUES (1, now()), (2, now())":                   "0e5faf3ecae57ac6",
		"SET app.tenant = 'x'": "d420e80d94bb7834",
	} {
		if got := Fingerprint([]byte(text), Options{}).String(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestTyped: the stricter fingerprint tells classes of literals apart, and is as blind
// to the length of lists.
func TestTyped(t *testing.T) {
	t.Parallel()
	typed := func(text string) ID {
		var s Scanner
		s.Init([]byte(text), Options{})
		s.Next()

		return s.Statement().Typed
	}
	classes := make(map[ID]string)
	for _, literal := range []string{"1", "1.5", "'x'", "B'1'", "NULL", "true", "$1"} {
		for _, text := range []string{"SELECT a = " + literal, "SELECT a IN (" + literal + ")"} {
			id := typed(text)
			if other, ok := classes[id]; ok {
				t.Errorf("%q and %q are the same", other, text)
			}
			classes[id] = text
		}
	}
	if typed("SELECT a IN (1)") != typed("SELECT a IN (2, 3)") || typed("SELECT a IN (1, 'x')") != typed("SELECT a IN ('y', 2, 3)") {
		t.Error("the length of a list makes a difference")
	}
	if typed("SELECT a IN (1)") == typed("SELECT a IN (1, 'x')") {
		t.Error("a class in a list makes no difference")
	}
}
