// Does with TypeORM what applications do with it.
import "reflect-metadata";
import { DataSource, EntitySchema } from "typeorm";

import { check, fails, main, range } from "./check.mjs";

const Author = new EntitySchema({
  name: "Author",
  columns: { id: { type: Number, primary: true, generated: true }, name: { type: String, unique: true } },
  relations: { books: { type: "one-to-many", target: "Book", inverseSide: "author", cascade: true } },
});

const Book = new EntitySchema({
  name: "Book",
  columns: {
    id: { type: Number, primary: true, generated: true },
    title: { type: String },
    tags: { type: "text", array: true },
    doc: { type: "jsonb" },
  },
  relations: { author: { type: "many-to-one", target: "Author", joinColumn: true, inverseSide: "books" } },
});

main("TypeORM", async (url) => {
  const db = new DataSource({ type: "postgres", url: url.replace("?sslmode=disable", ""), entities: [Author, Book], poolSize: 5 });
  await db.initialize();
  await db.synchronize();
  await db.synchronize(); // finds nothing to do
  const authors = db.getRepository(Author);
  for (const i of range(20)) {
    await authors.save({ name: `author ${i}`, books: [{ title: "first", tags: ["a", "b c"], doc: { size: i } }] });
  }
  await Promise.all(range(20).map(async (i) => {
    const { books } = await authors.findOneOrFail({ where: { name: `author ${i}` }, relations: { books: true } });
    check("array and JSON", [books[0].tags, books[0].doc], [["a", "b c"], { size: i }]);
  }));

  await db.transaction(async (tx) => {
    await tx.save(Author, { name: "kept" });
    await tx.transaction(async (inner) => { // a savepoint
      await inner.save(Author, { name: "gone" });
      throw new Error("undo");
    }).catch(() => {});
  });
  check("authors", await authors.count(), 21);

  await fails("duplicate", authors.insert({ name: "kept" }), "23505");
  check("after an error", (await db.query("SELECT 42 AS n"))[0].n, 42);
  await fails("timeout", db.transaction(async (tx) => {
    await tx.query("SET LOCAL statement_timeout = '200ms'");
    await tx.query("SELECT pg_sleep(30)");
  }), "57014");
  check("after a timeout", (await db.query("SELECT 1 AS n"))[0].n, 1);
  await db.destroy();
});
