"""Does with asyncpg what applications do with it."""

import asyncio
import json
import os

import asyncpg


def check(what, got, want):
    """Compares an answer."""
    if got != want:
        raise SystemExit(f"asyncpg: {what}: got {got!r}, want {want!r}")


async def set_up(conn):
    """Has jsonb be what it is in Python."""
    await conn.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def main(url):
    async with asyncpg.create_pool(url, min_size=1, max_size=5, init=set_up) as pool:
        await pool.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        await pool.execute("CREATE TABLE items (id serial PRIMARY KEY, name text UNIQUE, mood mood, moods mood[])")
        await pool.execute("ALTER TABLE items ADD COLUMN tags text[], ADD COLUMN doc jsonb")

        async with pool.acquire() as conn:
            async with conn.transaction():
                await conn.execute("INSERT INTO items (name, mood) VALUES ($1, $2)", "kept", "happy")
                try:
                    async with conn.transaction():  # a savepoint
                        await conn.execute("INSERT INTO items (name) VALUES ($1)", "gone")
                        raise KeyError
                except KeyError:
                    pass
        check("rows after a rollback", await pool.fetchval("SELECT count(*) FROM items"), 1)

        async def ask(i):
            check("cached statement", await pool.fetchval("SELECT $1::int + 1", i), i + 1)

        await asyncio.gather(*(ask(i) for i in range(200)))

        async with pool.acquire() as conn:
            statement = await conn.prepare("SELECT $1::int * 2")
            for i in range(20):
                check("statement", await statement.fetchval(i), 2 * i)

        # The types of the table are asked for, as they are not PostgreSQL's own.
        row = await pool.fetchrow(
            "UPDATE items SET tags = $1, doc = $2, moods = $3 RETURNING tags, doc, mood, moods",
            ["a", "b c"], {"size": 3}, ["sad", "happy"],
        )
        check("array, JSON, enum", tuple(row), (["a", "b c"], {"size": 3}, "happy", ["sad", "happy"]))

        async with pool.acquire() as conn:
            rows = [(f"copied {i}",) for i in range(1000)]
            check("COPY", await conn.copy_records_to_table("items", records=rows, columns=["name"]), "COPY 1000")
            async with conn.transaction():
                total = 0
                async for record in conn.cursor("SELECT generate_series(1, 1000) AS n"):
                    total += record["n"]
            check("cursor", total, 500500)

        try:
            await pool.execute("INSERT INTO items (name) VALUES ($1)", "kept")
            raise SystemExit("asyncpg: a duplicate was taken")
        except asyncpg.UniqueViolationError:
            check("after an error", await pool.fetchval("SELECT 42"), 42)

        try:
            await pool.execute("SELECT pg_sleep(30)", timeout=0.3)  # ends in a cancel request
            raise SystemExit("asyncpg: a query of 30 s has ended within 0.3 s")
        except asyncio.TimeoutError:
            check("after a timeout", await pool.fetchval("SELECT 1"), 1)


asyncio.run(main(os.environ["DATABASE_URL"]))
