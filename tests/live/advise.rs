//! The real planner has the last word: it takes the index that we advise, and the query costs less.

use sargable::{
    advise::{self, Advised, Asked, Budget},
    catalog::Catalog,
    plan::{Plan, Probe},
    sql::{Fingerprint, Shape, parse},
    workload::Query,
};

use crate::harness::{self, Database};

/// The plan of a query as the database is.
fn plan(shop: &Database, sql: &str) -> Plan {
    let text = shop.sql(&format!("EXPLAIN (FORMAT JSON) {sql}"));
    Plan::from_json(serde_json::from_str(&text).expect("JSON")).expect("a plan")
}

fn uses(plan: &Plan, index: &str) -> bool {
    plan.nodes().iter().any(|node| node.index.as_deref() == Some(index))
}

/// 20,000 users, 60,000 orders of 500 of them, 90,000 items.
const SHOP: &str = r#"
    CREATE EXTENSION hypopg;
    -- libc's C.UTF-8 sorts by code points, and yet the planner does not take it for C.
    CREATE COLLATION other (locale = 'C.UTF-8');
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, name text COLLATE other NOT NULL,
        active boolean NOT NULL, deleted_at timestamptz);
    INSERT INTO users SELECT n, 'user' || n || '@example.com', 'name ' || md5(n::text), n % 50 <> 0,
        CASE WHEN n % 20 <> 0 THEN now() END FROM generate_series(1, 20000) n;
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, status text NOT NULL,
        total int NOT NULL, created_at timestamptz NOT NULL);
    INSERT INTO orders SELECT n, 1 + n * 7919 % 500, (ARRAY['new','paid','sent','done'])[1 + n % 4],
        n * 31 % 9973, timestamptz '2025-01-01' + n * 7717 % 200000 * interval '1 minute'
        FROM generate_series(1, 60000) n;
    CREATE TABLE order_items (order_id bigint NOT NULL, product_id int NOT NULL, quantity int);
    INSERT INTO order_items SELECT 1 + n * 31 % 60000, n % 2000, 1 FROM generate_series(1, 90000) n;
    CREATE TABLE "Weird ""Name" (id bigint PRIMARY KEY, "the ""Key" int, "order" int);
    INSERT INTO "Weird ""Name" SELECT n, n % 2000, n FROM generate_series(1, 20000) n;
    CREATE TABLE countries (code text, name text);
    INSERT INTO countries SELECT n::text, n::text FROM generate_series(1, 200) n;
"#;

/// CREATE INDEX without the name that we gave.
fn unnamed(sql: &str) -> String {
    match (sql.strip_prefix("CREATE INDEX CONCURRENTLY "), sql.split_once(" ON ")) {
        (Some(_), Some((_, rest))) => format!("CREATE INDEX CONCURRENTLY ON {rest}"),
        _ => sql.to_owned(),
    }
}

fn shop() -> Database {
    let shop = harness::database();
    shop.sql(SHOP);
    shop.sql("VACUUM ANALYZE");
    shop
}

/// 100 calls of each query, of 10 ms.
fn advise(shop: &Database, catalog: &Catalog, queries: &[&str]) -> Advised {
    advise_on(shop, catalog, queries, |_, query| {
        (query.calls, query.timed, query.total_us) = (100, 100, 1_000_000);
    })
}

/// Advises queries whose figures somebody sets by their positions.
pub(crate) fn advise_on(
    database: &Database,
    catalog: &Catalog,
    queries: &[&str],
    figures: impl Fn(usize, &mut Query),
) -> Advised {
    let parsed: Vec<(Query, Shape)> = queries
        .iter()
        .enumerate()
        .map(|(at, sql)| {
            let mut shape = parse::parse(sql).unwrap_or_else(|why| panic!("{sql}: {}", why.why));
            shape.resolve(|table, column| catalog.has_column(table, column));
            let mut query = Query::new(Fingerprint(at as u64 + 1), (*sql).to_owned(), shape.kind);
            figures(at, &mut query);
            (query, shape)
        })
        .collect();
    let asked: Vec<Asked<'_>> = parsed
        .iter()
        .map(|(query, shape)| Asked {
            query,
            shape,
            probe: Some(Probe { sql: query.text.clone(), binds: Vec::new() }),
            base: None,
        })
        .collect();
    let mut server = database.connect();
    let mut oracle = server.what_if().expect("HypoPG is installed");
    advise::indexes(&asked, catalog, Ok(&mut oracle), &Budget::NONE)
}

fn catalog(shop: &Database) -> Catalog {
    shop.connect().catalog().expect("a catalog").0
}

fn explain(advised: &Advised) -> String {
    advised
        .rejected
        .iter()
        .map(|rejected| format!("not {}: {}\n", rejected.index.create(), rejected.why))
        .chain(advised.not_judged.lines().iter().map(|line| format!("{}: {}\n", line.what, line.why)))
        .collect()
}

#[test]
fn the_planner_takes_what_we_advise_and_the_query_costs_less() {
    let shop = shop();
    let catalog = catalog(&shop);
    for (sql, expect) in [
        ("SELECT id FROM users WHERE email = 'user7@example.com'", "public.users (email)"),
        (
            "SELECT id FROM orders WHERE user_id = 7 AND status = 'paid' ORDER BY created_at DESC LIMIT 20",
            "public.orders (user_id, status, created_at DESC)",
        ),
        (
            "SELECT id FROM orders WHERE status = 'paid' ORDER BY created_at DESC, total LIMIT 20",
            "public.orders (status, created_at DESC, total)",
        ),
        ("SELECT id FROM users WHERE lower(email) = 'user7@example.com'", "public.users (lower(email))"),
        ("SELECT id FROM users WHERE name LIKE 'name 00%'", "public.users (name text_pattern_ops)"),
        ("SELECT id FROM users WHERE NOT active", "public.users (active) WHERE NOT active"),
        (
            "SELECT id FROM orders WHERE user_id IN (7, 8) AND created_at > timestamptz '2025-03-01'",
            "public.orders (user_id, created_at)",
        ),
        ("SELECT max(created_at) FROM orders WHERE user_id = 7", "public.orders (user_id, created_at)"),
        (
            "SELECT i.product_id FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.id = 7",
            "public.order_items (order_id)",
        ),
        (
            "SELECT u.email FROM users u WHERE u.id < 10 AND EXISTS (SELECT FROM orders o WHERE o.user_id = u.id AND o.total > 9900)",
            "public.orders (user_id, total)",
        ),
        (
            "UPDATE orders SET status = 'gone' WHERE user_id = 7 AND status = 'new'",
            "public.orders (user_id, status)",
        ),
        (
            "SELECT 1 FROM \"Weird \"\"Name\" w WHERE w.\"the \"\"Key\" = 7 ORDER BY w.\"order\" LIMIT 1",
            "public.\"Weird \"\"Name\" (\"the \"\"Key\", \"order\")",
        ),
    ] {
        let advised = advise(&shop, &catalog, &[sql]);
        let [advice] = advised.advice.as_slice() else {
            panic!("{sql}\n{:#?}\n{}", advised.advice, explain(&advised));
        };
        assert_eq!(unnamed(&advice.sql), format!("CREATE INDEX CONCURRENTLY ON {expect}"), "{sql}");

        let before = plan(&shop, sql).root.total_cost;
        shop.sql(&advice.sql);
        let name = shop.sql("SELECT relname FROM pg_class WHERE relkind = 'i' ORDER BY oid DESC LIMIT 1");
        let real = plan(&shop, sql);
        assert!(uses(&real, &name), "{sql}\n{:#}", real.json);
        assert!(real.root.total_cost < before * 0.9, "{sql}: {before} → {}", real.root.total_cost);

        // The size that we told, against the real one.
        if let Some(told) = advice.size_bytes {
            let size = shop.sql("SELECT pg_relation_size(max(oid)) FROM pg_class WHERE relkind = 'i'");
            let off = told as f64 / size.parse::<f64>().expect("bytes");
            assert!((0.7..1.6).contains(&off), "{}: told {told}, is {size}", advice.sql);
        }

        // And once it is there, it is not advised again.
        let again = advise(&shop, &self::catalog(&shop), &[sql]);
        assert!(again.advice.is_empty(), "{sql}\n{:#?}", again.advice);
        let index = sargable::names::quote_ident(&name);
        shop.sql(&format!("DROP INDEX {index}"));
    }
}

#[test]
fn queries_that_need_no_index_get_none() {
    let shop = shop();
    shop.sql("CREATE INDEX ON orders (user_id, created_at)");
    let catalog = catalog(&shop);
    for sql in [
        "SELECT email FROM users WHERE id = 7",
        "SELECT id FROM users WHERE active",
        "SELECT count(*) FROM orders",
        "SELECT * FROM orders",
        "SELECT status, count(*) FROM orders GROUP BY status",
        "SELECT name FROM countries WHERE code = '7'",
        // The index that is there serves these.
        "SELECT id FROM orders WHERE user_id = 7",
        "SELECT id FROM orders WHERE user_id = 7 ORDER BY created_at DESC LIMIT 20",
        "SELECT id FROM orders WHERE user_id = 7 AND created_at > timestamptz '2025-03-01'",
        // Not immutable, and a pattern that no B-tree serves.
        "SELECT id FROM orders WHERE created_at::date = '2025-03-01'",
        "SELECT id FROM users WHERE name LIKE '%00%'",
        "SELECT id FROM orders WHERE total + 1 = 7",
    ] {
        let advised = advise(&shop, &catalog, &[sql]);
        assert!(advised.advice.is_empty(), "{sql}\n{:#?}", advised.advice);
    }
}

#[test]
fn one_set_for_the_whole_workload_runs_as_told() {
    let shop = shop();
    shop.sql("CREATE INDEX orders_user_id_idx ON orders (user_id)");
    let queries = [
        "SELECT id FROM orders WHERE user_id = 7 AND status = 'paid' ORDER BY created_at DESC LIMIT 20",
        "SELECT id FROM orders WHERE user_id = 8 AND status = 'paid'",
        "SELECT id FROM orders WHERE user_id = 9",
        "SELECT product_id FROM order_items WHERE order_id = 7",
        "SELECT sum(i.quantity) FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.user_id = 7",
    ];
    let advised = advise(&shop, &catalog(&shop), &queries);
    let statements: Vec<String> = advised.advice.iter().map(|advice| unnamed(&advice.sql)).collect();
    assert_eq!(
        statements,
        [
            "CREATE INDEX CONCURRENTLY ON public.order_items (order_id) INCLUDE (quantity)",
            "CREATE INDEX CONCURRENTLY ON public.orders (user_id, status, created_at DESC)",
            "DROP INDEX CONCURRENTLY public.orders_user_id_idx",
        ],
        "{}",
        explain(&advised)
    );
    for sql in statements {
        shop.sql(&sql);
    }
    let after = advise(&shop, &catalog(&shop), &queries);
    assert!(after.advice.is_empty(), "{:#?}", after.advice);
}
