# Dumps a database with pg_dump and restores it into another schema's place, both through
# DATABASE_URL, in plain text and in pg_dump's own format.
set -euo pipefail

# ask runs a statement and prints the bare answer.
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$DATABASE_URL" -c "$1"; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sum="SELECT md5(string_agg(id || name, ',' ORDER BY id)) FROM shop.items"

ask "CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('sad', 'happy');
	CREATE TABLE shop.items (id serial PRIMARY KEY, name text UNIQUE, mood shop.mood);
	CREATE VIEW shop.happy AS SELECT * FROM shop.items WHERE mood = 'happy';
	INSERT INTO shop.items (name, mood) SELECT 'item ' || i, 'happy' FROM generate_series(1, 5000) i"
want=$(ask "$sum")

pg_dump -n shop -f "$dir/plain" "$DATABASE_URL"
pg_dump -n shop -Fc -f "$dir/custom" "$DATABASE_URL"
for kind in plain custom; do
	ask "SET client_min_messages = warning; DROP SCHEMA shop CASCADE"
	if [ $kind = plain ]; then
		psql -X -q -v ON_ERROR_STOP=1 "$DATABASE_URL" -f "$dir/plain" >"$dir/log"
	else
		pg_restore -d "$DATABASE_URL" "$dir/custom"
	fi
	got=$(ask "$sum")
	if [ "$got" != "$want" ]; then
		echo "pg_dump, $kind: the restored rows differ" >&2
		exit 1
	fi
done

# pg_dump empties search_path in its session; nobody else's may stay empty.
for _ in 1 2 3 4 5 6; do
	got=$(ask "SHOW search_path")
	if [ "$got" != '"$user", public' ]; then
		echo "pg_dump: search_path is '$got' for somebody else" >&2
		exit 1
	fi
done
