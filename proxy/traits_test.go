package proxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/internal/skiptest"
	"github.com/pgweir/pgweir/sqltext"
)

// said is what a text says of what it leaves.
type said struct {
	suspect, local, unnamed bool
	names                   []string
}

func TestTraits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]said{
		"SELECT 1": {},
		"SELECT a_b, c_d FROM my_table WHERE x = 'set'":                   {},
		"SELECT temp, temporary_id FROM temperatures":                     {},
		"INSERT INTO temperatures (temp) VALUES (1)":                      {},
		"select 1 as a into Temp x":                                       {suspect: true},
		"WITH w AS (SELECT 1) SELECT * INTO /* a\n */ TEMPORARY x FROM w": {suspect: true},
		"EXPLAIN ANALYZE CREATE LOCAL TEMP TABLE x AS SELECT 1":           {suspect: true},
		"BEGIN; COMMENT ON TABLE pg_temp.x IS NULL":                       {suspect: true},
		"UPDATE pg_settings SET setting = 1":                              {suspect: true},
		"/* a /* comment */ */ -- or two\n create table x as select 1":    {suspect: true},
		"/* never closed":                                                   {},
		"-- never closed":                                                   {},
		"/**/ SET /* own */ app.tenant = '1'":                               {names: []string{"app.tenant"}},
		`SET "my app".tenant = '1'`:                                         {names: []string{"my app.tenant"}},
		"SET search_path = a.b":                                             {},
		"SELECT set_config('app' || '.x', '1', false)":                      {suspect: true, unnamed: true},
		"SELECT pg_advisory_lock(1)":                                        {suspect: true},
		"select PG_TRY_ADVISORY_LOCK(1)":                                    {suspect: true},
		"create temp table x as select 1":                                   {suspect: true},
		"SET work_mem = '5MB'":                                              {},
		"SET LOCAL work_mem = '5MB'":                                        {local: true},
		"  set\tlocal x = 1;\n":                                             {local: true},
		"SET LOCAL x = 1; SET y = 2":                                        {},
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE":                      {local: true},
		"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY":              {},
		"SET app.tenant = '1'":                                              {names: []string{"app.tenant"}},
		`SET SESSION "App"."x" TO 1`:                                        {names: []string{"app.x"}},
		"SET LOCAL app.tenant = '1'":                                        {local: true, names: []string{"app.tenant"}},
		"BEGIN; SET app.x = 1; SET app.y = 2; COMMIT":                       {names: []string{"app.x", "app.y"}},
		"SELECT set_config('app.x', '1', false)":                            {suspect: true, names: []string{"app.x"}},
		"SELECT set_config('app.x', $1, true)":                              {names: []string{"app.x"}},
		"SELECT set_config('x', 'a, (b', true), set_config('y', 'c', true)": {},
		"SELECT set_config('x', 'c', true), set_config('y', 'c', false)":    {suspect: true},
		"SELECT set_config('x', f(1), true)":                                {},
		"SELECT set_config($1, $2, $3)":                                     {suspect: true, unnamed: true},
		"SELECT SET_CONFIG ( name, value, false ) FROM s":                   {suspect: true, unnamed: true},
		"DO $$ BEGIN PERFORM set_config('app.x', '', false); SET app.y = 1; END $$": {
			suspect: true, names: []string{"app.x", "app.y"},
		},
	} {
		t1 := new(worker).look([]byte(text), sqltext.Options{})
		got := said{t1.suspect(), t1.local, t1.effects.Has(sqltext.UnnamedSetting), t1.names}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(said{})); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestTraitsAllocs(t *testing.T) {
	skiptest.UnderRace(t)
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 123456;")
	w := new(worker)
	if n := testing.AllocsPerRun(100, func() { _ = w.look(text, sqltext.Options{}) }); n != 0 {
		t.Errorf("%v allocations for a text that says nothing", n)
	}
}

func BenchmarkTraits(b *testing.B) {
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 123456;")
	w := new(worker)
	for b.Loop() {
		_ = w.look(text, sqltext.Options{})
	}
}

// TestLocalSettingsAreNotInspected: what ends with the transaction costs no question.
func TestLocalSettingsAreNotInspected(t *testing.T) {
	o := newOracle(t, nil)
	c := o.connect()
	asked := func() string {
		return o.do("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_my_temp_schema%' AND pid <> pg_backend_pid()" +
			" AND datname = current_database()")
	}
	for _, sql := range []string{
		"BEGIN; SELECT 1; COMMIT", "SET LOCAL work_mem = '5MB'", "SET CONSTRAINTS ALL DEFERRED",
		"SELECT set_config('app.x', '1', true)",
	} {
		c.send(query(sql))
		c.until("Z")
		c.send(extended(sql), syncMsg())
		c.until("Z")
		if n := asked(); n != "0" {
			t.Errorf("%s: PostgreSQL was asked", sql)
		}
	}
	c.send(query("SET LOCAL work_mem = '5MB'; SET geqo = off"))
	c.until("Z")
	o.eventually("it is asked", func() bool { return asked() == "1" })
}
