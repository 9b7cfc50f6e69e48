// Does with postgres.js what applications do with it.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import postgres from "postgres";

import { check, fails, main, range } from "./check.mjs";

main("postgres.js", async (url) => {
  const sql = postgres(url, { max: 5, onnotice: () => {} });
  await sql.unsafe("CREATE TABLE items (id serial PRIMARY KEY, name text UNIQUE); ALTER TABLE items ADD tags text[], ADD doc jsonb");

  await sql.begin(async (tx) => {
    await tx`INSERT INTO items (name) VALUES (${"kept"})`;
    await tx.savepoint(async (sp) => {
      await sp`INSERT INTO items (name) VALUES (${"gone"})`;
      throw new Error("undo");
    }).catch(() => {});
  });
  check("rows after a rollback", (await sql`SELECT count(*)::int FROM items`)[0].count, 1);

  const answers = await Promise.all(range(200).map((i) => sql`SELECT ${i}::int + 1 AS n`));
  check("statements in a pipeline", answers.map((rows) => rows[0].n), range(200).map((i) => i + 1));

  const [row] = await sql`UPDATE items SET tags = ${["a", "b c"]}, doc = ${sql.json({ size: 3 })} RETURNING tags, doc`;
  check("array and JSON", { ...row }, { tags: ["a", "b c"], doc: { size: 3 } });

  const lines = range(1000).map((i) => `copied ${i}\n`);
  await pipeline(Readable.from(lines), await sql`COPY items (name) FROM STDIN`.writable());
  let copied = "";
  for await (const chunk of await sql`COPY (SELECT name FROM items WHERE name LIKE 'copied %') TO STDOUT`.readable()) {
    copied += chunk;
  }
  check("rows copied", copied.split("\n").length, 1001);

  let sum = 0;
  await sql`SELECT generate_series(1, 1000) AS n`.cursor(10, (rows) => {
    for (const { n } of rows) sum += n;
  });
  check("cursor", sum, 500500);

  await fails("duplicate", sql`INSERT INTO items (name) VALUES (${"kept"})`, "23505");
  check("after an error", (await sql`SELECT 42 AS n`)[0].n, 42);

  const slow = sql`SELECT pg_sleep(30)`;
  setTimeout(() => slow.cancel(), 300);
  await fails("cancel", slow, "57014");
  check("after a cancel", (await sql`SELECT 1 AS n`)[0].n, 1);
  await sql.end();
});
