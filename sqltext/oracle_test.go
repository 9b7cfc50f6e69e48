package sqltext

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/internal/skiptest"
)

// TestKeywords compares the table of keywords with PostgreSQL's.
func TestKeywords(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.Cluster(t))
	rows, err := conn.Query(t.Context(), "SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'")
	if err != nil {
		t.Fatal(err)
	}
	words, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(words) < 100 {
		t.Fatalf("%d keywords, %v", len(words), err)
	}
	for _, word := range words {
		if keywords.find(hashWord([]byte(word), 0, len(word))).flags&isReserved == 0 {
			t.Errorf("%s is not just a name", word)
		}
	}
}

// connect returns a connection to PostgreSQL that sends texts as they are.
func connect(t *testing.T, c *postgres.Cluster) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })

	return conn
}

// A speller writes statements. The same seed gives the same statements; noise gives
// each another spelling.
type speller struct {
	shape, noise *rand.Rand
}

// one returns one of some texts that are different statements.
func (s *speller) one(texts ...string) string { return texts[s.shape.IntN(len(texts))] }

// any returns one of some spellings of the same.
func (s *speller) any(texts ...string) string { return texts[s.noise.IntN(len(texts))] }

// number returns an integer, as one literal.
func (s *speller) number() string {
	return s.any("1", "42", "007", "-5", "- 6", "-/**/7", "2147")
}

// text returns a string.
func (s *speller) text() string {
	return s.any("'x'", "''", "'it''s'", "'a -- b'", "'/*'", `'\'`, `E'\''`, `E'\\'`, "$$'$$", "$q$ $$ $q$", "'a'\n'b'",
		"'a' -- '\n 'b'", "U&'\\0061'", "U&'!0061' UESCAPE '!'", `e'a\'' -- '`+"\n'b'")
}

// name returns a column of the table.
func (s *speller) name() string {
	return map[string]string{
		"id":    s.any("id", "ID", `"id"`, `U&"\0069d"`),
		"n":     s.any("n", "N", `"n"`),
		"Mixed": s.any(`"Mixed"`, `U&"M\0069xed"`),
	}[s.one("id", "n", "Mixed")]
}

// value returns an expression of type integer.
func (s *speller) value(depth int) string {
	if depth == 0 {
		return s.one(s.name(), s.number())
	}
	a, b := s.value(depth-1), s.value(depth-1)
	switch s.shape.IntN(6) {
	case 0:
		return "(" + a + " " + s.one("+", "*", "-", "|", "#", "<<") + " " + b + ")"
	case 1:
		return "coalesce(" + a + ", " + b + ")"
	case 2:
		return "CASE WHEN " + s.condition(0) + " THEN " + a + " ELSE " + b + " END"
	case 3:
		return "(" + a + ")" + s.one("::bigint", "::numeric(10,2)", "::numeric(12,2)") + "::int"
	case 4:
		return "length(s || " + s.text() + ")"
	}

	return "(array[" + a + "," + b + "])[" + s.number() + "]"
}

// condition returns an expression of type boolean.
func (s *speller) condition(depth int) string {
	if depth > 0 {
		return "(" + s.condition(depth-1) + s.one(" AND ", " OR ") + s.condition(depth-1) + ")"
	}
	switch s.shape.IntN(9) {
	case 0:
		return s.name() + s.one("=", "<", ">=", s.any("<>", "!=")) + " " + s.number()
	case 1:
		return "s = " + s.text()
	case 2:
		return "s " + s.one("LIKE ", "ILIKE ", "SIMILAR TO ", "~ ") + s.any("'a'", "$$b$$", `E'c\\d'`)
	case 3:
		return "n IN (" + s.number() + "," + s.number() + s.any("", ",3", ",3,$$4$$") + ")"
	case 4:
		return "n BETWEEN " + s.number() + " AND " + s.number()
	case 5:
		return s.name() + s.one(" IS NULL", " IS NOT NULL", " IS DISTINCT FROM id")
	case 6:
		return "b IS " + s.one("TRUE", "NOT TRUE", "FALSE", "UNKNOWN")
	case 7:
		return "b = " + s.any("true", "FALSE")
	}

	return "bits = " + s.any("B'01'", "b'1'", "X'1F'")
}

// statement returns a statement.
func (s *speller) statement() string {
	switch s.shape.IntN(6) {
	case 0:
		return "INSERT INTO t (n, s) SELECT " + s.value(1) + ", " + s.text() + " FROM t RETURNING id" + s.any("", " AS x")
	case 1:
		return "UPDATE t SET n = " + s.value(1) + " WHERE " + s.condition(1) + s.one("", " RETURNING *")
	case 2:
		return "DELETE FROM t WHERE " + s.condition(2)
	}

	return "SELECT " + s.one("", "DISTINCT ") + s.value(2) + s.any("", " AS x", ` AS "Y"`) + ", count(*) OVER (" +
		s.one("", "ORDER BY 1") + ") FROM t " + s.any("JOIN", "INNER JOIN") + " u USING (id) WHERE " + s.condition(1) +
		" ORDER BY " + s.one("1", "2", "1, 2") + s.any("", " ASC") + s.one("", " LIMIT "+s.any("5", "7"))
}

// spaced returns a statement with other space, comments and case.
func (s *speller) spaced(text string) string {
	out := ""
	var tok token
	for l := newLexer([]byte(text), Options{}); ; {
		l.next(&tok)
		if tok.kind == tokEnd {
			return out
		}
		piece := text[tok.start:l.at]
		if tok.kind == tokWord {
			piece = s.any(piece, strings.ToUpper(piece), strings.ToLower(piece))
		}
		out += s.any(" ", "\n", "\t", " /* a /* ' */ b */ ", " -- it's\n") + piece
	}
}

// planIdentifier is in the plan of a statement.
var planIdentifier = regexp.MustCompile(`Query Identifier: (-?\d+)`)

// queryID returns PostgreSQL's identifier of a statement.
func queryID(t *testing.T, conn *pgx.Conn, text string) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "EXPLAIN (VERBOSE) "+text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	m := planIdentifier.FindStringSubmatch(strings.Join(plan, "\n"))
	if m == nil {
		t.Fatalf("no identifier: %s", plan)
	}

	return m[1]
}

// TestPostgreSQLAgrees: statements that PostgreSQL takes for the same have the same
// fingerprint, and so has the text in pg_stat_statements, in which PostgreSQL has put
// parameters where it found literals. How often it takes for two what has one
// fingerprint is printed.
func TestPostgreSQLAgrees(t *testing.T) {
	t.Parallel()
	conn := connect(t, withStatistics(t))
	const shapes, spellings = 150, 5
	ids := make(map[string]ID)                 // by PostgreSQL's identifier
	theirs := make(map[ID]map[string]struct{}) // PostgreSQL's identifiers, by fingerprint
	texts := make(map[string]string)           // one for each of PostgreSQL's identifiers
	for shape := range uint64(shapes) {
		for spelling := range uint64(spellings) {
			s := speller{rand.New(rand.NewPCG(shape, 0)), rand.New(rand.NewPCG(shape, spelling+1))}
			text := s.spaced(s.statement())
			id, their := Fingerprint([]byte(text), Options{}), queryID(t, conn, text)
			if other, ok := ids[their]; ok && other != id {
				t.Errorf("one for PostgreSQL, two here:\n%s\n%s", texts[their], text)
			}
			ids[their], texts[their] = id, text
			if theirs[id] == nil {
				theirs[id] = make(map[string]struct{})
			}
			theirs[id][their] = struct{}{}
			if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Exec(t.Context(), text) // it may divide by zero: it is counted only if it does not
			if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
		}
	}
	shown := compareShown(t, conn, ids)
	split := 0
	for _, set := range theirs {
		split += len(set) - 1
	}
	t.Logf("%d texts: %d fingerprints, %d identifiers of PostgreSQL (%d more, %.1f %%); %d texts of PostgreSQL's compared",
		shapes*spellings, len(theirs), len(ids), split, 100*float64(split)/float64(len(ids)), shown)
}

// withStatistics starts a PostgreSQL with pg_stat_statements and a table t.
func withStatistics(t *testing.T) *postgres.Cluster {
	t.Helper()
	binaries := pgtest.Binaries(t)
	library := filepath.Join(filepath.Dir(binaries.Dir), "lib", "pg_stat_statements.so")
	if _, err := os.Stat(library); err != nil {
		skiptest.Skip(t, fmt.Errorf("PostgreSQL's contrib modules are not where Debian has them: %w", err))
	}
	c := pgtest.Start(t, postgres.Options{Binaries: binaries, Settings: map[string]string{
		"shared_preload_libraries": "pg_stat_statements", "compute_query_id": "on",
	}})
	err := c.Exec(t.Context(), "postgres", `CREATE EXTENSION pg_stat_statements;
		CREATE TABLE t (id int, n int, "Mixed" int, s text, b boolean, bits bit varying);
		CREATE TABLE u (id int)`)
	if err != nil {
		t.Fatal(err)
	}

	return c
}

// compareShown compares the fingerprints of the texts in pg_stat_statements, and returns
// how many there are.
func compareShown(t *testing.T, conn *pgx.Conn, ids map[string]ID) int {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT queryid::text, query FROM pg_stat_statements")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var their, text string
	_, err = pgx.ForEachRow(rows, []any{&their, &text}, func() error {
		if id, ok := ids[their]; ok {
			n++
			text = strings.ReplaceAll(text, "UESCAPE '!'", "") // which PostgreSQL leaves behind a parameter
			if got := Fingerprint([]byte(text), Options{}); got != id {
				return fmt.Errorf("PostgreSQL shows %s, which has another fingerprint", text)
			}
		}

		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n < 10 {
		t.Errorf("only %d texts were compared", n)
	}

	return n
}
