# Does with psql what people do with it: a migration, COPY from and to files, variables,
# an error in the middle, a temporary table.
set -euo pipefail

# ask runs statements and prints the bare answers.
ask() { psql -X -q -A -t "$DATABASE_URL" "$@"; }

# check compares an answer.
check() {
	if [ "$2" != "$3" ]; then
		echo "psql: $1: got '$2', want '$3'" >&2
		exit 1
	fi
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ask -1 -v ON_ERROR_STOP=1 <<'SQL'
CREATE TABLE items (id serial PRIMARY KEY, name text UNIQUE);
ALTER TABLE items ADD COLUMN tags text[], ADD COLUMN doc jsonb;
SQL
seq -f 'copied %g' 1000 >"$dir/in"
ask -c "\\copy items (name) FROM '$dir/in'"
ask -c "\\copy (SELECT name FROM items ORDER BY id) TO '$dir/out'"
cmp "$dir/in" "$dir/out"
check "variables" "$(ask -v n=41 <<<'SELECT :n + 1')" 42
check "an error, and on" "$(ask <<<'SELECT 1/0; SELECT 42' 2>/dev/null)" 42
check "a transaction that failed" "$(ask -c "BEGIN" -c "INSERT INTO items (name) VALUES ('copied 1')" \
	-c "ROLLBACK" -c "SELECT count(*) FROM items" 2>/dev/null)" 1000
check "temporary table" "$(ask -c 'CREATE TEMP TABLE mine AS SELECT 1' -c 'SELECT count(*) FROM mine')" 1
check "settings" "$(PGOPTIONS='-c work_mem=5MB' ask -c 'SHOW work_mem' -c "SET work_mem = '6MB'" -c 'SHOW work_mem')" \
	$'5MB\n6MB'
check "SQL's own PREPARE" "$(ask -c 'PREPARE p AS SELECT $1::int + 1' -c 'EXECUTE p(1)' -c 'EXECUTE p(2)')" $'2\n3'
