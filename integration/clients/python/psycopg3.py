"""Does with psycopg 3 what applications do with it."""

import os
import threading

import psycopg
from psycopg.types.json import Jsonb


def check(what, got, want):
    """Compares an answer."""
    if got != want:
        raise SystemExit(f"psycopg: {what}: got {got!r}, want {want!r}")


def one(conn, sql, *args):
    """Returns the one value of a query."""
    return conn.execute(sql, args).fetchone()[0]


def main(url):
    with psycopg.connect(url, autocommit=True) as conn:
        conn.prepare_threshold = 2
        conn.prepared_max = 5  # so that it takes statements away again, too
        conn.execute("CREATE TABLE items (id serial PRIMARY KEY, name text UNIQUE)")
        conn.execute("ALTER TABLE items ADD COLUMN tags text[], ADD COLUMN doc jsonb")

        with conn.transaction():
            conn.execute("INSERT INTO items (name) VALUES (%s)", ["kept"])
            with conn.transaction(force_rollback=True):  # a savepoint
                conn.execute("INSERT INTO items (name) VALUES (%s)", ["gone"])
        check("rows after a rollback", one(conn, "SELECT count(*) FROM items"), 1)

        for i in range(100):
            check("prepared", one(conn, "SELECT %s::int + 1", i), i + 1)
            check("many statements", one(conn, f"SELECT %s::int + {i % 10}", i), i + i % 10)

        row = conn.execute(
            "UPDATE items SET tags = %s, doc = %s RETURNING tags, doc", [["a", "b c"], Jsonb({"size": 3})]
        ).fetchone()
        check("array and JSON", row, (["a", "b c"], {"size": 3}))

        with conn.cursor() as cur:
            with cur.copy("COPY items (name) FROM STDIN") as copy:
                for i in range(1000):
                    copy.write_row([f"copied {i}"])
            with cur.copy("COPY (SELECT name FROM items WHERE name LIKE 'copied %') TO STDOUT") as copy:
                check("rows copied", sum(1 for _ in copy.rows()), 1000)

        with conn.pipeline():
            cursors = [conn.execute("SELECT %s::int", [i]) for i in range(20)]
        check("pipeline", [c.fetchone()[0] for c in cursors], list(range(20)))

        with conn.transaction(), conn.cursor(name="mine") as cur:  # a cursor of the server's
            cur.execute("SELECT generate_series(1, 1000)")
            check("cursor", sum(n for (n,) in cur), 500500)

        try:
            conn.execute("INSERT INTO items (name) VALUES (%s)", ["kept"])
            raise SystemExit("psycopg: a duplicate was taken")
        except psycopg.errors.UniqueViolation:
            check("after an error", one(conn, "SELECT 42"), 42)

        timer = threading.Timer(0.3, conn.cancel_safe)
        timer.start()
        try:
            conn.execute("SELECT pg_sleep(30)")
            raise SystemExit("psycopg: a query that was cancelled has ended well")
        except psycopg.errors.QueryCanceled:
            timer.join()
            check("after a cancel", one(conn, "SELECT 1"), 1)


main(os.environ["DATABASE_URL"])
