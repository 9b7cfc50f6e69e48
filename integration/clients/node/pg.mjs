// Does with node-postgres what applications do with it.
import pg from "pg";

import { check, fails, main, range } from "./check.mjs";

main("node-postgres", async (url) => {
  const pool = new pg.Pool({ connectionString: url.replace("?sslmode=disable", ""), max: 5 });
  const one = async (sql, ...values) => Object.values((await pool.query(sql, values)).rows[0])[0];
  await pool.query("CREATE TABLE items (id serial PRIMARY KEY, name text UNIQUE); ALTER TABLE items ADD tags text[], ADD doc jsonb");

  for (const [name, end] of [["kept", "COMMIT"], ["gone", "ROLLBACK"]]) {
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query("INSERT INTO items (name) VALUES ($1)", [name]);
    await client.query(end);
    client.release();
  }
  check("rows after a rollback", await one("SELECT count(*)::int FROM items"), 1);

  await Promise.all(range(200).map(async (i) => {
    const { rows } = await pool.query({ name: "more", text: "SELECT $1::int + 1 AS n", values: [i] });
    check("statement by name", rows[0].n, i + 1);
    check("statement without a name", await one("SELECT $1::int * 2", i), 2 * i);
  }));

  const { rows } = await pool.query("UPDATE items SET tags = $1, doc = $2 RETURNING tags, doc", [["a", "b c"], { size: 3 }]);
  check("array and JSON", rows, [{ tags: ["a", "b c"], doc: { size: 3 } }]);

  await fails("duplicate", pool.query("INSERT INTO items (name) VALUES ($1)", ["kept"]), "23505");
  check("after an error", await one("SELECT 42"), 42);

  const client = await pool.connect();
  await client.query("SET statement_timeout = '200ms'");
  await fails("timeout", client.query("SELECT pg_sleep(30)"), "57014");
  check("after a timeout", (await client.query("SHOW statement_timeout")).rows[0].statement_timeout, "200ms");
  client.release();
  await pool.end();
});
