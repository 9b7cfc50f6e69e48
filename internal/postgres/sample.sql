-- A small shop: enough for joins, foreign keys and a few slow queries to be worth looking at.
-- The data is the same each time. Run as a superuser in an empty database that the role app owns.

SET ROLE app;

BEGIN;

CREATE TABLE users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text        NOT NULL UNIQUE,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE products (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text    NOT NULL,
    category    text    NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents > 0),
    stock       integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE orders (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint      NOT NULL REFERENCES users,
    status     text        NOT NULL CHECK (status IN ('new', 'paid', 'shipped', 'cancelled')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE order_items (
    order_id    bigint  NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id  bigint  NOT NULL REFERENCES products,
    quantity    integer NOT NULL CHECK (quantity > 0),
    price_cents integer NOT NULL CHECK (price_cents > 0), -- when it was ordered
    PRIMARY KEY (order_id, product_id)
);

INSERT INTO users (email, name, created_at)
SELECT format('%s.%s@example.com', lower(first), n), format('%s %s', first, last),
       timestamptz '2025-01-01 09:00+00' + n * interval '7 hours'
FROM generate_series(1, 200) AS n,
     LATERAL (SELECT (ARRAY['Ada', 'Edgar', 'Grace', 'Michael', 'Barbara', 'Alan', 'Margaret', 'Dennis'])[1 + n % 8],
                     (ARRAY['Lovelace', 'Codd', 'Hopper', 'Stonebraker', 'Liskov', 'Turing', 'Hamilton'])[1 + n % 7])
         AS person (first, last);

INSERT INTO products (name, category, price_cents, stock)
SELECT format('%s %s', material, thing), thing, 150 + n * 37 % 9000, n * 13 % 250
FROM generate_series(1, 60) AS n,
     LATERAL (SELECT (ARRAY['Oak', 'Steel', 'Linen', 'Clay', 'Glass',
                            'Wool', 'Copper', 'Cork', 'Slate', 'Brass'])[1 + n % 10],
                     (ARRAY['lamp', 'chair', 'bowl', 'blanket', 'clock', 'vase'])[1 + n / 10 % 6])
         AS article (material, thing);

INSERT INTO orders (user_id, status, created_at)
SELECT 1 + n * 31 % 200, (ARRAY['new', 'paid', 'shipped', 'shipped', 'shipped', 'cancelled'])[1 + n % 6],
       timestamptz '2025-03-01 08:00+00' + n * interval '5 hours'
FROM generate_series(1, 500) AS n;

INSERT INTO order_items (order_id, product_id, quantity, price_cents)
SELECT orders.id, products.id, 1 + (orders.id + item) % 3, products.price_cents
FROM orders,
     generate_series(0, 2) AS item
         JOIN products ON true
WHERE item <= orders.id % 3
  AND products.id = 1 + (orders.id * 7 + item * 19) % 60;

CREATE INDEX orders_user_id ON orders (user_id);
CREATE INDEX orders_created_at ON orders (created_at);
CREATE INDEX order_items_product_id ON order_items (product_id);
CREATE INDEX products_category ON products (category);

COMMIT;

ANALYZE users, products, orders, order_items;
