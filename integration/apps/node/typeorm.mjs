// Works with the shop as programs do that use TypeORM.
//
// DATABASE_URL=... typeorm.mjs loop|fixed CLIENTS REQUESTS
import "reflect-metadata";
import { DataSource, EntitySchema, MoreThan } from "typeorm";

const User = new EntitySchema({
  name: "User",
  tableName: "users",
  columns: { id: { type: Number, primary: true }, name: { type: String }, email: { type: String } },
  relations: { orders: { type: "one-to-many", target: "Order", inverseSide: "user", lazy: true } },
});

const Order = new EntitySchema({
  name: "Order",
  tableName: "orders",
  columns: { id: { type: Number, primary: true }, userId: { name: "user_id", type: Number }, total: { type: Number } },
  relations: {
    user: { type: "many-to-one", target: "User", inverseSide: "orders", lazy: true, joinColumn: { name: "user_id" } },
  },
});

// check compares what came with what belongs to a user.
function check(userId, email) {
  if (email !== `${userId}@example.com`) {
    throw new Error(`user ${userId}: got ${email}`);
  }
}

// page returns what to ask for: 20 rows behind an id, perhaps with a relation.
const page = (after, relation, fixed) => ({
  where: { id: MoreThan(after) },
  order: { id: "ASC" },
  take: 20,
  relations: fixed ? { [relation]: true } : {},
});

// users shows a page of users with their orders.
async function users(db, after, fixed) {
  for (const user of await db.getRepository(User).find(page(after, "orders", fixed))) {
    for (const order of await user.orders) {
      check(order.userId, user.email);
    }
  }
}

// orders shows a page of orders with their users.
async function orders(db, after, fixed) {
  for (const order of await db.getRepository(Order).find(page(after, "user", fixed))) {
    const user = await order.user;
    check(order.userId, user.email);
  }
}

// work is the life of one client, with a connection of its own. It does one request after
// another without a pause.
async function work(number, requests, fixed) {
  const url = process.env.DATABASE_URL.replace("?sslmode=disable", "");
  const db = await new DataSource({ type: "postgres", url, entities: [User, Order], poolSize: 1 }).initialize();
  const first = Number((await db.query("SELECT min(id) AS first FROM accounts"))[0].first);
  for (let i = 0; i < requests; i++) {
    const at = number * 131 + i * 37;
    await users(db, first - 1 + (at % 480), fixed);
    await orders(db, first - 1 + (at % 2480), fixed);
  }
  await db.destroy();
}

const [variant, clients, requests] = process.argv.slice(2);
if (variant !== "loop" && variant !== "fixed") {
  console.error("usage: loop|fixed CLIENTS REQUESTS");
  process.exit(1);
}
try {
  await Promise.all([...Array(Number(clients)).keys()].map((i) => work(i, Number(requests), variant === "fixed")));
} catch (e) {
  console.error(e.stack);
  process.exit(1);
}
process.exit(0);
