package sqltext

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLook(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want Facts
	}{
		{"", Facts{}},
		{" ; -- nothing\n;", Facts{}},
		{"SELECT 1", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"SELECT a_b FROM my_table WHERE x = 'set_config(' -- LISTEN", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"(SELECT 1)", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"WITH x AS (SELECT 1) SELECT * FROM x", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", Facts{Statements: 1, Kind: Select, Effects: Writes}},
		{"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", Facts{Statements: 1, Kind: Insert, Effects: Writes}},
		{"SELECT count(update), insert FROM t FOR UPDATE", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"EXPLAIN ANALYZE UPDATE t SET a = 1", Facts{Statements: 1, Kind: Explain, Effects: Writes}},
		{"SET x = 1", Facts{Statements: 1, Kind: Set, Effects: SetsSession}},
		{"SET LOCAL x = 1;", Facts{Statements: 1, Kind: Set, Effects: SetsLocal}},
		{"set/**/local x = 1", Facts{Statements: 1, Kind: Set, Effects: SetsLocal}},
		{"SET TRANSACTION READ ONLY", Facts{Statements: 1, Kind: Set, Effects: SetsLocal}},
		{"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Facts{Statements: 1, Kind: Set, Effects: SetsSession}},
		{"SET CONSTRAINTS ALL DEFERRED", Facts{Statements: 1, Kind: Set, Effects: 0}},
		{"SET LOCAL x = 1; SET y = 2", Facts{Statements: 2, Kind: Other, Effects: SetsLocal | SetsSession}},
		{`SET "App".x TO 1`, Facts{Statements: 1, Kind: Set, Effects: SetsSession | OwnSetting}},
		{"UPDATE t SET a = 1", Facts{Statements: 1, Kind: Update, Effects: Writes}},
		{"RESET ALL", Facts{Statements: 1, Kind: Reset, Effects: Resets}},
		{"BEGIN; LISTEN a; UNLISTEN *; LOAD 'x'; COMMIT", Facts{Statements: 5, Kind: Other, Effects: Listens | Unlistens | Loads}},
		{"DISCARD ALL", Facts{Statements: 1, Kind: Discard, Effects: Discards | DiscardsAll}},
		{"discard plans", Facts{Statements: 1, Kind: Discard, Effects: Discards}},
		{"DEALLOCATE p", Facts{Statements: 1, Kind: Deallocate, Effects: Deallocates}},
		{"DEALLOCATE PREPARE ALL", Facts{Statements: 1, Kind: Deallocate, Effects: Deallocates | DeallocatesAll}},
		{`DEALLOCATE "all"`, Facts{Statements: 1, Kind: Deallocate, Effects: Deallocates}},
		{"PREPARE p AS SELECT 1; EXECUTE p", Facts{Statements: 2, Kind: Other, Effects: Prepares | Executes}},
		{"PREPARE TRANSACTION 'x'", Facts{Statements: 1, Kind: PrepareTransaction, Effects: 0}},
		{"CREATE TABLE t ()", Facts{Statements: 1, Kind: Create, Effects: Creates}},
		{"CREATE TEMP TABLE t AS SELECT 1", Facts{Statements: 1, Kind: Create, Effects: Creates | CreatesTemp}},
		{"create or replace temporary view v as select 1", Facts{Statements: 1, Kind: Create, Effects: Creates | CreatesTemp}},
		{"CREATE GLOBAL TEMP TABLE t ()", Facts{Statements: 1, Kind: Create, Effects: Creates | CreatesTemp}},
		{"CREATE TABLE temp (temp int)", Facts{Statements: 1, Kind: Create, Effects: Creates}},
		{"CREATE LOCAL TEMPORARY SEQUENCE s", Facts{Statements: 1, Kind: Create, Effects: Creates | CreatesTemp}},
		{"UPDATE pg_settings SET setting = '1'", Facts{Statements: 1, Kind: Update, Effects: Writes | SetsConfig}},
		{"SELECT * FROM pg_settings", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"EXPLAIN ANALYZE CREATE LOCAL TEMP TABLE t AS SELECT 1", Facts{Statements: 1, Kind: Explain, Effects: CreatesTemp}},
		{"SET SESSION AUTHORIZATION bob", Facts{Statements: 1, Kind: Set, Effects: SetsSession | SetsUser}},
		{"CREATE TEMP TABLE t () ON COMMIT DROP", Facts{Statements: 1, Kind: Create, Effects: Creates | CreatesTemp | DropsOnCommit}},
		{"CREATE TABLE pg_temp.t ()", Facts{Statements: 1, Kind: Create, Effects: Creates | CreatesTemp}},
		{"SELECT 1 INTO t", Facts{Statements: 1, Kind: Select, Effects: SelectInto}},
		{"SELECT 1 INTO TEMP t", Facts{Statements: 1, Kind: Select, Effects: SelectInto | CreatesTemp}},
		{"INSERT INTO t SELECT 1", Facts{Statements: 1, Kind: Insert, Effects: Writes}},
		{"SELECT PG_TRY_ADVISORY_LOCK(1)", Facts{Statements: 1, Kind: Select, Effects: AdvisoryLock}},
		{`SELECT pg_catalog."pg_advisory_unlock_all"()`, Facts{Statements: 1, Kind: Select, Effects: AdvisoryLock}},
		{"SELECT pg_advisory_xact_lock(1)", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"DECLARE c CURSOR FOR SELECT 1", Facts{Statements: 1, Kind: Declare, Effects: 0}},
		{"DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT 1", Facts{Statements: 1, Kind: Declare, Effects: HoldsCursor}},
		{"SELECT set_config('x', '1', true)", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"SELECT set_config('app.x', $1, 'true')", Facts{Statements: 1, Kind: Select, Effects: OwnSetting}},
		{"SELECT set_config('x', 'a, (b', true), set_config('y', f(1, 2), true)", Facts{Statements: 1, Kind: Select, Effects: 0}},
		{"SELECT set_config('x', 'c', true), set_config('y', 'c', false)", Facts{Statements: 1, Kind: Select, Effects: SetsConfig}},
		{"SELECT set_config('x', '1', NOT true)", Facts{Statements: 1, Kind: Select, Effects: SetsConfig}},
		{"SELECT set_config('x', '1', true AND false)", Facts{Statements: 1, Kind: Select, Effects: SetsConfig}},
		{"SELECT set_config('x', '1', $1)", Facts{Statements: 1, Kind: Select, Effects: SetsConfig}},
		{"SELECT set_config('x' || y, '1', false)", Facts{Statements: 1, Kind: Select, Effects: SetsConfig | UnnamedSetting}},
		{"SELECT SET_CONFIG ( name, value, false ) FROM s", Facts{Statements: 1, Kind: Select, Effects: SetsConfig | UnnamedSetting}},
		{"SELECT set_config('x', set_config('y', '1', true), true)", Facts{Statements: 1, Kind: Select, Effects: SetsConfig | UnnamedSetting}},
		{"SELECT set_config('x', '1', true", Facts{Statements: 1, Kind: Select, Effects: SetsConfig | UnnamedSetting}},
		{"DO 'BEGIN NULL; END'", Facts{Statements: 1, Kind: Do, Effects: RunsCode}},
		{`DO $do$ BEGIN EXECUTE 'SET app.x = ''1'''; RAISE NOTICE 'it''s "done'; END $do$`, Facts{Statements: 1, Kind: Do, Effects: RunsCode | SetsSession | OwnSetting}},
		{"DO $do$ BEGIN EXECUTE 'SET ' || x; END $do$", Facts{Statements: 1, Kind: Do, Effects: RunsCode | SetsSession | UnnamedSetting}},
		{"DO $$BEGIN SET app.x = 1; PERFORM pg_advisory_lock(1); END$$", Facts{Statements: 1, Kind: Do, Effects: RunsCode | SetsSession | OwnSetting | AdvisoryLock}},
		{"CALL p()", Facts{Statements: 1, Kind: Call, Effects: RunsCode}},
		{"SELECT 1; SELECT 'x", Facts{Statements: 2, Kind: Other, Effects: Unreadable}},
	}
	for _, tt := range tests {
		got := Look([]byte(tt.text+"\x00"), Options{})
		if first := Fingerprint([]byte(tt.text), Options{}); got.Statements > 0 && got.First.Fingerprint != first {
			t.Errorf("%s: the first statement is %s, want %s", tt.text, got.First.Fingerprint, first)
		}
		got.First = Statement{}
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.text, got, tt.want)
		}
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	read := func(schema, name string) Table { return Table{Schema: schema, Name: name} }
	written := func(schema, name string) Table { return Table{Schema: schema, Name: name, Written: true} }
	tests := []struct {
		text string
		want Details
	}{
		{"SELECT 1", Details{}},
		{`SELECT * FROM a, s."B" x JOIN c USING (d), ONLY e`, Details{Tables: []Table{read("", "a"), read("s", "B"), read("", "c"), read("", "e")}}},
		{"SELECT a FROM (SELECT b FROM c) d, f(1), LATERAL g(2), h", Details{Tables: []Table{read("", "c"), read("", "h")}}},
		{"SELECT extract(year FROM a), b IS DISTINCT FROM c FROM d", Details{Tables: []Table{read("", "d")}}},
		{"WITH x AS (SELECT 1 FROM a), y (b) AS (TABLE c) SELECT * FROM x, y, d", Details{Tables: []Table{read("", "a"), read("", "c"), read("", "d")}}},
		{"INSERT INTO a (b) SELECT c FROM d", Details{Tables: []Table{written("", "a"), read("", "d")}}},
		{"UPDATE ONLY a SET b = 1 FROM c", Details{Tables: []Table{written("", "a"), read("", "c")}}},
		{"DELETE FROM a USING b WHERE c IN (SELECT d FROM a)", Details{Tables: []Table{written("", "a"), read("", "b")}}},
		{"MERGE INTO a USING b ON c WHEN MATCHED THEN UPDATE SET d = 1", Details{Tables: []Table{written("", "a"), read("", "b")}}},
		{"WITH x AS (SELECT 1) UPDATE a SET b = 1 FROM x", Details{Tables: []Table{written("", "a")}}},
		{"SELECT 1 FROM a FOR UPDATE OF a", Details{Tables: []Table{read("", "a")}}},
		{"SELECT 1 INTO TEMP a FROM b", Details{Tables: []Table{written("", "a"), read("", "b")}}},
		{
			"COPY a (b) FROM STDIN; COPY c TO STDOUT; COPY (SELECT 1 FROM d) TO STDOUT",
			Details{Tables: []Table{written("", "a"), read("", "c"), read("", "d")}},
		},
		{"TRUNCATE a, b.c; LOCK TABLE d", Details{Tables: []Table{written("", "a"), written("b", "c"), written("", "d")}}},
		{"CREATE TABLE IF NOT EXISTS a (b int); DROP TABLE c, d", Details{Tables: []Table{written("", "a"), written("", "c"), written("", "d")}}},
		{"CREATE INDEX a ON b (c)", Details{Tables: []Table{written("", "b")}}},
		{"REVOKE SELECT ON a FROM b", Details{}},
		{"SET app.x = 1; SET LOCAL \"App\".\"Y\" TO 2; SELECT set_config('app.Z', '', true)", Details{Settings: []string{"app.x", "app.y", "app.z"}}},
		{"DO $$ BEGIN PERFORM set_config('app.x', '', false); SET app.y = 1; END $$", Details{Settings: []string{"app.x", "app.y"}}},
		{`DEALLOCATE "P"`, Details{Target: "P"}},
		{"SAVEPOINT S1", Details{Target: "s1"}},
	}
	for _, tt := range tests {
		got := DetailsOf([]byte(tt.text), Options{})
		got.Compared = nil // TestCompared's
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
	}
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	var got []string
	Literals([]byte("SELECT a FROM t WHERE b IN (1, 'x') AND c = -2.5 AND d = $1"), Options{}, func(l Literal) {
		s := string(l.Text)
		if l.InList {
			s += " in a list"
		}
		got = append(got, s)
	})
	if diff := cmp.Diff([]string{"1 in a list", "'x' in a list", "-2.5"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestFirst: a statement says where its first literals are, without a second look.
func TestFirst(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"SELECT a":                nil,
		"SELECT 1, $1, 'x', null": {"1", "'x'", "null"},
		"SELECT a IN (1, E'2', 3) AND b = 4.0 AND c = 5": {"1", "E'2'", "3", "4.0"},
		"SELECT -1, - 2, 3 - 4, - -5, -6::int":           {"-1", "- 2", "3", "4"},
		"SAVEPOINT a":                                    nil,
		"SET a = 'b', c":                                 {"'b'"},
		"SELECT 1, 'x":                                   nil,
	} {
		var s Scanner
		s.Init([]byte("COMMIT; "+text), Options{})
		s.Next()
		s.Next()
		var got []string
		for _, at := range s.Statement().First {
			if at != (Span{}) {
				got = append(got, ("COMMIT; " + text)[at.Start:at.End])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// TestMeasures: how long lists are and which values there are is not identity.
func TestMeasures(t *testing.T) {
	t.Parallel()
	read := func(text string) Statement {
		var s Scanner
		s.Init([]byte(text), Options{})
		s.Next()

		return s.Statement()
	}
	short, long := read("SELECT a IN (1, 2)"), read("SELECT a IN (1, 2, 3)")
	if short.Fingerprint != long.Fingerprint || short.Longest != 2 || long.Longest != 3 || long.Literals != 3 {
		t.Errorf("%+v, %+v", short, long)
	}
	if read("SELECT 1").Values == read("SELECT -1").Values {
		t.Error("a minus makes no difference to the values")
	}
	if short.Values == long.Values || short.Values != read("select a in (1,2)").Values {
		t.Errorf("values %x, %x", short.Values, long.Values)
	}
}
