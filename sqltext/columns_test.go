package sqltext

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compared returns what the values of a text are compared with, each as in $1=orders.id,
// and a ? for a literal.
func compared(text string) string {
	var all []string
	for _, c := range DetailsOf([]byte(text), Options{}).Compared {
		s := "?"
		if c.Parameter > 0 {
			s = fmt.Sprintf("$%d", c.Parameter)
		}
		if c.Column != "" {
			s += "=" + c.Table + "." + c.Column
		}
		all = append(all, s)
	}

	return strings.Join(all, " ")
}

func TestCompared(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"SELECT 1", "?"},
		{
			"SELECT * FROM orders o WHERE o.user_id = $1 AND status IN ('a','b') LIMIT 5",
			"$1=orders.user_id ?=orders.status ?=orders.status ?",
		},
		{"SELECT a FROM users AS u JOIN s.orders o ON o.user_id = u.id AND u.id = $2 WHERE o.id = $1", "$2=users.id $1=s.orders.id"},
		{"SELECT * FROM a, b WHERE x = $1 AND a.y = $2", "$1=.x $2=a.y"},
		{"SELECT $1 = a, b = $2 FROM t", "$1=t.a $2=t.b"},
		// What may be around a column and a value.
		{"SELECT * FROM t WHERE a = $1::bigint AND b::text = $2::varchar(10) AND $3::int[] = c", "$1=t.a $2=t.b $3=t.c"},
		{"SELECT * FROM t WHERE a = date '2026-01-01' AND b = -1 AND (c = true OR (d) = 'x')", "?=t.a ?=t.b ?=t.c ?=t.d"},
		{`SELECT * FROM "T" WHERE "T"."userId" = $1 AND "T".a = $2`, "$1=T.userId $2=T.a"},
		{"SELECT * FROM s.t WHERE s.t.a = $1 AND x.t.a = $2", "$1=s.t.a $2=.a"},
		{"SELECT * FROM t WHERE a = ANY($1) AND b = ANY (ARRAY[1, $2]::int[]) AND c = some($3::int[])", "$1=t.a ?=t.b $2=t.b $3=t.c"},
		{"SELECT * FROM t WHERE a IS NOT DISTINCT FROM $1 AND b IS DISTINCT FROM $2", "$1=t.a $2"},
		{"SELECT * FROM t WHERE (a, t.b) = ($1, $2) AND (c,d) IN (($3,$4),($5,6)) AND e = ($7)", "$1=t.a $2=t.b $3=t.c $4=t.d $5=t.c ?=t.d $7=t.e"},
		{"SELECT * FROM t WHERE date = $1 AND status = $2 AND key = $3", "$1=t.date $2=t.status $3=t.key"},
		{"SELECT a = $1 x FROM t WHERE b = $2 COLLATE \"C\" ORDER BY c = $3 LIMIT 1 FOR UPDATE", "$1=t.a $2=t.b $3 ?"},
		// What is in doubt.
		{"SELECT * FROM t WHERE a = $1 + 1 AND b + c = $2 AND d = 2 * $3 AND e = -$4", "$1 ? $2 ? $3 $4"},
		{"SELECT * FROM t WHERE lower(a) = $1 AND b = lower($2) AND c[1] = $3 AND d->>'x' = $4", "$1 $2 ? $3 ? $4"},
		{"SELECT * FROM t WHERE a < $1 AND b <> $2 AND c NOT IN ($3) AND d LIKE $4", "$1 $2 $3 $4"},
		{"SELECT * FROM t WHERE a BETWEEN $1 AND $2 AND b = $3", "$1 $2 $3=t.b"},
		{"SELECT * FROM t WHERE a = ANY(tags || $1) AND a = $2 || 'x' AND b = ($3) + 1", "$1 $2 ? $3 ?"},
		{"SELECT * FROM t WHERE a = $1 AT TIME ZONE 'x' AND b = $2 LIKE c AND $3 = d IN (true) AND e = $4 OPERATOR(pg_catalog.+) 1", "$1 ? $2 $3 ? $4 ?"},
		{"SELECT * FROM t WHERE $1 = lower(a) AND $2 = b + 1 AND $3 = c[1] AND $4 = (d)", "$1 $2 ? $3 ? $4"},
		{"SELECT f(a, $1), f(b => $2), f(c = $3) FROM t LIMIT $4 OFFSET $5", "$1 $2 $3=t.c $4 $5"},
		{"SELECT * FROM t WHERE f(a, b) = ($1, $2) AND (x).y = $3 AND $4 IN (a, b) AND $5 = ANY(c)", "$1 $2 $3 $4 $5"},
		{"SELECT CASE a WHEN $1 THEN $2 ELSE $3 END FROM t", "$1 $2 $3"},
		// Queries in queries.
		{"SELECT * FROM a WHERE b IN (SELECT c FROM d WHERE e = $1 AND a.f = $2) AND g = $3", "$1=d.e $2=a.f $3=a.g"},
		{"SELECT * FROM a, (SELECT 1) x WHERE b = $1 AND x.c = $2 AND a.d = $3", "? $1=.b $2=.c $3=a.d"},
		{"SELECT * FROM a JOIN LATERAL f(a.x) ON true WHERE b = $1", "? $1=.b"},
		{"SELECT a FROM b WHERE c = $1 UNION SELECT a FROM d WHERE c = $2", "$1=b.c $2=d.c"},
		{"WITH x AS (SELECT * FROM a WHERE b = $1) SELECT * FROM x JOIN c y ON x.d = $2 AND y.e = $3", "$1=a.b $2=.d $3=c.e"},
		{"SELECT * FROM (a JOIN b ON a.x = $1) WHERE y = $2", "$1=a.x $2=.y"},
		{"SELECT * FROM a x (b, c) WHERE b = $1 AND x.c = $2", "$1=.b $2=.c"},
		// Statements that write.
		{"UPDATE ONLY t x SET a = $1, b = $2, (c, d) = ($3, $4) WHERE x.id = $5 RETURNING a = $6", "$1 $2 $3 $4 $5=t.id $6=t.a"},
		{"UPDATE t SET a = (SELECT b FROM u WHERE c = $1 AND d = $2), e = $3 FROM v WHERE id = $4", "$1=u.c $2=u.d $3 $4=.id"},
		{"DELETE FROM t x USING u WHERE x.id = $1 AND u.id = $2", "$1=t.id $2=u.id"},
		{"INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = $3, c = $4 WHERE t.a = $5", "$1 $2 $3 $4 $5=t.a"},
		{"MERGE INTO t USING u ON t.a = $1 WHEN MATCHED AND u.b = $2 THEN UPDATE SET c = $3, d = $4", "$1=t.a $2=u.b $3 $4"},
		// Several statements, others, and broken ones.
		{"SELECT 1 FROM a WHERE b = 1; SELECT 1 FROM c WHERE d = 1", "? ?=a.b ? ?=c.d"},
		{"SET a = 'b'; SAVEPOINT c; EXECUTE p(5)", "? ?"},
		{"SELECT a FROM t WHERE = $1 AND a = = $2 AND .a = $3 AND a. = $4 AND ( IN ($5", "$1 $2 $3 $4=t.a $5"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, compared(tt.text)); diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
	}
}

// TestComparedIsBounded: a long list costs no more than a short one.
func TestComparedIsBounded(t *testing.T) {
	t.Parallel()
	text := "SELECT a FROM t WHERE b IN (" + strings.Repeat("1,", 100_000) + "1)"
	if got, want := compared(text), strings.TrimSpace(strings.Repeat("?=t.b ", maxCompared)); got != want {
		t.Errorf("%.200s", got)
	}
	deep := "SELECT a FROM t WHERE b = 1 AND c IN (" + strings.Repeat("SELECT d FROM e WHERE f = 1 UNION ", 100)
	if got := compared(deep); strings.Count(got, "?") != maxCompared {
		t.Errorf("%.200s", got)
	}
}
