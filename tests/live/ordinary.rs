//! What an ordinary application asks is analysed: a tool that refuses it would be safe and useless.

use sargable::{
    plan::Probe,
    server::{Explained, How, Limits, Wanted},
    sql::parse::parse,
};

use crate::harness;

/// Extensions, identifiers by default, domains, enums, checks, triggers, an index on a wrapper function, and a type
/// with operators of its own that few tables use.
const SCHEMA: &str = "
    CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION \"uuid-ossp\"; CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent;
    CREATE DOMAIN email AS citext CHECK (VALUE ~ '^[^@]+@[^@]+$');
    CREATE TYPE state AS ENUM ('new', 'paid', 'shipped');
    CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), email email UNIQUE, name text NOT NULL, settings jsonb DEFAULT '{}',
                        tags text[], extra hstore, created_at timestamptz DEFAULT now(), CHECK (length(name) > 0));
    CREATE TABLE orders (id bigserial PRIMARY KEY, user_id uuid REFERENCES users, status state DEFAULT 'new', total numeric(10, 2),
                         placed_on date, period tstzrange, notes text, line_count int GENERATED ALWAYS AS (length(notes)) STORED);
    CREATE TABLE items (order_id bigint REFERENCES orders, sku text, quantity int, price numeric);
    CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(unaccent('unaccent', $1)) $$;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.created_at = now(); RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE INDEX ON users (lower(name)); CREATE INDEX ON users USING gin (name gin_trgm_ops); CREATE INDEX ON users (plain(name));
    CREATE INDEX ON orders (placed_on) WHERE status = 'new';
    CREATE VIEW big_orders AS SELECT o.*, u.name FROM orders o JOIN users u ON u.id = o.user_id WHERE o.total > 100;
    CREATE MATERIALIZED VIEW daily AS SELECT placed_on, sum(total) AS total FROM orders GROUP BY 1;
    CREATE SCHEMA audit; CREATE FUNCTION audit.count(text) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
    CREATE TYPE money2 AS (amount int, currency text);
    CREATE FUNCTION same_money(money2, money2) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1.amount = $2.amount; END';
    CREATE OPERATOR = (LEFTARG = money2, RIGHTARG = money2, FUNCTION = same_money);
    CREATE FUNCTION as_text(money2) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1.currency; END';
    CREATE CAST (money2 AS text) WITH FUNCTION as_text(money2) AS IMPLICIT;
    CREATE TABLE wallets (id int PRIMARY KEY, held money2);
    INSERT INTO users (email, name) SELECT 'u' || n || '@x.y', 'User ' || n FROM generate_series(1, 50) n;
    INSERT INTO orders (user_id, total, placed_on, notes) SELECT id, 10, '2024-01-31', 'x' FROM users;
    ANALYZE";

const STATEMENTS: &[&str] = &[
    "SELECT \"users\".* FROM \"users\" WHERE \"users\".\"email\" = 'u1@x.y' LIMIT 1",
    "SELECT id, name FROM users WHERE id = '2f1e6d2c-9d2f-4e0b-8a57-1c9c2f0f8b11'",
    "SELECT id FROM users WHERE id IN ('2f1e6d2c-9d2f-4e0b-8a57-1c9c2f0f8b11', '2f1e6d2c-9d2f-4e0b-8a57-1c9c2f0f8b12')",
    "SELECT * FROM users WHERE lower(name) = 'user 1'",
    "SELECT * FROM users WHERE name ILIKE '%ser 1%' ORDER BY name ASC, id DESC LIMIT 20 OFFSET 40",
    "SELECT * FROM users WHERE name LIKE 'User%' AND created_at > now() - interval '7 days'",
    "SELECT count(*) FROM users",
    "SELECT COUNT(DISTINCT user_id), SUM(total), AVG(total), MIN(placed_on), MAX(placed_on) FROM orders WHERE status = 'new'",
    "SELECT status, count(*) FROM orders GROUP BY status HAVING count(*) > 1 ORDER BY 2 DESC",
    "SELECT date_trunc('day', created_at) AS day, count(*) FROM users GROUP BY 1 ORDER BY 1",
    "SELECT u.name, o.id FROM users u JOIN orders o ON o.user_id = u.id WHERE o.total BETWEEN 5 AND 50",
    "SELECT u.name, o.id FROM users u LEFT OUTER JOIN orders o ON o.user_id = u.id WHERE o.id IS NULL",
    "SELECT * FROM users WHERE EXISTS (SELECT 1 FROM orders WHERE orders.user_id = users.id AND orders.total >= 10)",
    "SELECT * FROM orders WHERE user_id IN (SELECT id FROM users WHERE name <> 'x') AND status NOT IN ('paid', 'shipped')",
    "SELECT coalesce(sum(total), 0) AS sum FROM orders WHERE placed_on >= '2024-01-01' AND placed_on < '2024-02-01'",
    "SELECT settings->>'theme', settings #>> '{a,b}' FROM users WHERE settings @> '{\"theme\": \"dark\"}'",
    "SELECT * FROM users WHERE settings ? 'theme' OR settings->'a'->>'b' = 'c'",
    "SELECT * FROM users WHERE 'admin' = ANY (tags) OR tags && ARRAY['x', 'y']",
    "SELECT * FROM users WHERE extra -> 'colour' = 'red'",
    "SELECT array_agg(name ORDER BY name), string_agg(name, ', '), json_agg(users) FROM users",
    "SELECT json_build_object('id', id, 'name', name), row_to_json(users), to_jsonb(name) FROM users",
    "SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY placed_on DESC) AS n FROM orders",
    "SELECT id, total, lag(total) OVER w, sum(total) OVER w FROM orders WINDOW w AS (ORDER BY id)",
    "WITH recent AS (SELECT * FROM orders WHERE placed_on > CURRENT_DATE - 30) SELECT user_id, count(*) FROM recent GROUP BY user_id",
    "WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT sum(n) FROM t",
    "SELECT CASE WHEN total > 100 THEN 'big' WHEN total > 10 THEN 'mid' ELSE 'small' END, count(*) FROM orders GROUP BY 1",
    "SELECT DISTINCT ON (user_id) user_id, id FROM orders ORDER BY user_id, placed_on DESC NULLS LAST",
    "SELECT id FROM orders WHERE placed_on = DATE '2024-01-31' UNION ALL SELECT order_id FROM items",
    "SELECT extract(year FROM placed_on), to_char(placed_on, 'YYYY-MM'), age(placed_on) FROM orders",
    "SELECT round(total, 2), total::int, cast(total AS text), abs(total), greatest(total, 1), nullif(total, 0) FROM orders",
    "SELECT * FROM orders o, LATERAL (SELECT * FROM items i WHERE i.order_id = o.id ORDER BY i.price DESC LIMIT 3) top",
    "SELECT * FROM big_orders WHERE name = 'User 1'",
    "SELECT * FROM daily ORDER BY placed_on DESC LIMIT 30",
    "SELECT d::date, count(o.id) FROM generate_series('2024-01-01'::date, '2024-01-31', interval '1 day') d LEFT JOIN orders o ON o.placed_on = d GROUP BY 1",
    "SELECT * FROM orders WHERE period && tstzrange(now(), now() + interval '1 day') OR period IS NULL",
    "SELECT u.id, similarity(u.name, 'usr') FROM users u WHERE u.name % 'user' ORDER BY u.name <-> 'usr' LIMIT 5",
    "SELECT id FROM users WHERE to_tsvector('english', name) @@ plainto_tsquery('english', 'user')",
    "SELECT substring(name from 1 for 3), trim(name), position('s' in name), name || ' x', split_part(name, ' ', 1) FROM users",
    "SELECT 1 AS one FROM users WHERE name = 'x' AND id IS DISTINCT FROM '2f1e6d2c-9d2f-4e0b-8a57-1c9c2f0f8b11' LIMIT 1",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders",
    "SELECT o.id, (SELECT count(*) FROM items i WHERE i.order_id = o.id) FROM orders o WHERE (o.placed_on, o.id) > ('2024-01-01', 5)",
    "SELECT md5(name), gen_random_uuid(), random(), jsonb_array_length('[1]'), unnest(tags) FROM users",
    "SELECT version(), current_database(), current_user, pg_database_size(current_database())",
];

#[test]
fn ordinary_statements_are_analysed() {
    let shop = harness::database();
    shop.sql(SCHEMA);
    let mut server = shop.connect();
    let mut wrong = Vec::new();
    for sql in STATEMENTS {
        let shape = parse(sql).unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
        let probe = Probe { sql: (*sql).to_owned(), binds: Vec::new() };
        match server.explain(&probe, Some(&shape), &Limits::default(), Wanted::Analyze) {
            Explained::Plan { how: How::Analyzed, .. } => {}
            Explained::Plan { note, .. } => wrong.push(format!("{sql}\n    {note:?}")),
            Explained::Refused { why } | Explained::Failed { why } => wrong.push(format!("{sql}\n    {why}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
