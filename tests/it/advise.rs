//! SQL text and a small catalog in, advice as text out.
//!
//! The planner is a stand-in ([`Steps`]) with a cost that a person can work out; what the real planner
//! makes of our advice is checked by the live tests.

use sargable::{
    advise::{self, Advised, Asked, Budget},
    catalog::{
        Activity, Catalog, Column, ColumnStatistics, ForeignKey, Index, IndexSpec, KeyExpr, Table, TableKind,
    },
    names::RelName,
    plan::{Estimate, Node, Plan, Probe, WhatIf},
    sql::{Fingerprint, Shape, StatementKind, parse},
    workload::Query,
};

/// Every query costs 10,000. An index divides that by 20 for each leading key that the text compares
/// with `=` or IN, and then by 5 when the next key stands after ORDER BY or a range operator. One index
/// per query, the cheapest, the first of equals.
struct Steps {
    asked: usize,
}

const BASE: f64 = 10_000.0;

impl Steps {
    fn cost(sql: &str, index: &IndexSpec) -> f64 {
        if !sql.contains(&format!(" {}", index.table.name)) {
            return BASE;
        }
        let mut cost = BASE;
        for key in &index.keys {
            let name = match &key.expr {
                KeyExpr::Column(name) | KeyExpr::Expression(name) => name.as_str(),
            };
            let follows = |after: &[&str]| after.iter().any(|after| sql.contains(&format!("{name}{after}")));
            if follows(&[" = ", " IN "]) {
                cost /= 20.0;
            } else {
                let sorted = sql.split("ORDER BY ").nth(1).is_some_and(|order| order.contains(name));
                if sorted || follows(&[" > ", " < ", " BETWEEN ", " LIKE "]) {
                    cost /= 5.0;
                }
                break;
            }
        }
        cost
    }
}

impl WhatIf for Steps {
    fn estimate(&mut self, probe: &Probe, indexes: &[IndexSpec]) -> Result<Estimate, String> {
        self.asked += 1;
        let mut best = (BASE, None);
        for (at, index) in indexes.iter().enumerate() {
            let cost = Steps::cost(&probe.sql, index);
            if cost < best.0 {
                best = (cost, Some(at));
            }
        }
        let used = (0..indexes.len()).map(|at| best.1 == Some(at)).collect();
        let root = Node { node_type: "Seq Scan".to_owned(), total_cost: best.0, ..Node::default() };
        let plan = Plan {
            root,
            planning_ms: None,
            execution_ms: None,
            jit_ms: None,
            triggers: Vec::new(),
            json: serde_json::Value::Null,
        };
        Ok(Estimate { cost: best.0, used, plan })
    }

    fn size(&mut self, _: &IndexSpec) -> Result<u64, String> {
        Ok(8192)
    }

    fn supports(&self, index: &IndexSpec) -> Result<(), String> {
        if index.method == "btree" { Ok(()) } else { Err(format!("it cannot cost {}", index.method)) }
    }
}

/// `name type distinct` per column, such as `user_id bigint 50000`.
fn table(name: &str, rows: f64, columns: &[&str]) -> Table {
    Table {
        name: RelName::new(Some("public"), name),
        kind: TableKind::Table,
        rows: Some(rows),
        bytes: None,
        all_visible: None,
        columns: columns.iter().map(|column| self::column(column)).collect(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        activity: None,
        ..Table::default()
    }
}

fn column(words: &str) -> Column {
    let mut words: Vec<&str> = words.split(' ').collect();
    let distinct: f64 = words.pop().expect("distinct").parse().expect("a number");
    let name = words.remove(0);
    Column {
        name: name.to_owned(),
        type_name: words.join(" "),
        not_null: true,
        c_collation: false,
        statistics: Some(ColumnStatistics { average_width: 8, distinct, ..ColumnStatistics::default() }),
        ..Column::default()
    }
}

fn index(name: &str, table: &str, columns: &[&str]) -> Index {
    Index {
        name: name.to_owned(),
        spec: IndexSpec::btree(RelName::new(Some("public"), table), columns),
        unique: false,
        primary: false,
        constraint: false,
        valid: true,
        bytes: Some(1_000_000),
        scans: None,
        definition: String::new(),
        at: None,
    }
}

fn primary(name: &str, table: &str, columns: &[&str]) -> Index {
    Index { unique: true, primary: true, constraint: true, ..index(name, table, columns) }
}

/// Orders with a primary key, users whose e-mail nobody indexed, a table of few rows.
fn shop() -> Catalog {
    let mut orders = table(
        "orders",
        1_000_000.0,
        &[
            "id bigint 1000000",
            "user_id bigint 50000",
            "status text 5",
            "paid boolean 2",
            "total numeric 90000",
            "created_at timestamp with time zone 1000000",
            "note text 10",
        ],
    );
    orders.indexes.push(primary("orders_pkey", "orders", &["id"]));
    let mut users = table(
        "users",
        1_000_000.0,
        &["id bigint 1000000", "email text 1000000", "created_at timestamp without time zone 1000"],
    );
    users.indexes.push(primary("users_pkey", "users", &["id"]));
    let mut items = table("order_items", 3_000_000.0, &["order_id bigint 1000000", "product_id bigint 500"]);
    items.foreign_keys.push(ForeignKey {
        name: "order_items_order_id_fkey".to_owned(),
        columns: vec!["order_id".to_owned()],
        references: RelName::new(Some("public"), "orders"),
        referenced_columns: vec!["id".to_owned()],
        ..ForeignKey::default()
    });
    let countries = table("countries", 200.0, &["code text 200", "name text 200"]);
    Catalog {
        version: 150_000,
        search_path: vec!["public".to_owned()],
        tables: vec![countries, items, orders, users],
        ..Catalog::default()
    }
}

fn edit<'c>(catalog: &'c mut Catalog, name: &str) -> &'c mut Table {
    catalog.tables.iter_mut().find(|table| table.name.name == name).expect("a table of the shop")
}

fn query(number: u64, text: &str, kind: StatementKind, ms: u64) -> Query {
    let mut query = Query::new(Fingerprint(number), text.to_owned(), kind);
    query.calls = 10;
    query.timed = if ms > 0 { 10 } else { 0 };
    query.total_us = ms * 1000;
    query
}

/// Queries with the milliseconds that they took; numbered from 1.
fn advise(catalog: &Catalog, queries: &[(&str, u64)], oracle: Option<&mut dyn WhatIf>) -> Advised {
    let parsed: Vec<(Query, Shape)> = queries
        .iter()
        .zip(1..)
        .map(|((sql, ms), number)| {
            let mut shape = parse::parse(sql).unwrap_or_else(|why| panic!("{sql}: {}", why.why));
            shape.resolve(|table, column| catalog.has_column(table, column));
            (query(number, sql, shape.kind, *ms), shape)
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
    advise::indexes(&asked, catalog, oracle.ok_or("no server with HypoPG was asked"), &Budget::NONE)
}

/// The statements advised, proven by [`Steps`].
#[track_caller]
fn check(catalog: &Catalog, queries: &[&str], expect: &[&str]) {
    let queries: Vec<(&str, u64)> = queries.iter().map(|sql| (*sql, 1000)).collect();
    let advised = advise(catalog, &queries, Some(&mut Steps { asked: 0 }));
    let got: Vec<String> = advised.advice.iter().map(|advice| unnamed(&advice.sql)).collect();
    assert_eq!(got, expect, "rejected: {:#?}", reasons(&advised));
}

/// CREATE INDEX without the name that we gave.
fn unnamed(sql: &str) -> String {
    match (sql.strip_prefix("CREATE INDEX CONCURRENTLY "), sql.split_once(" ON ")) {
        (Some(_), Some((_, rest))) => format!("CREATE INDEX CONCURRENTLY ON {rest}"),
        _ => sql.to_owned(),
    }
}

fn reasons(advised: &Advised) -> Vec<String> {
    advised.rejected.iter().map(|rejected| format!("{}: {}", rejected.index.create(), rejected.why)).collect()
}

#[test]
fn equality_first_then_the_order_that_a_limit_cuts() {
    check(
        &shop(),
        &["SELECT id FROM orders WHERE status = 'paid' AND user_id = $1 ORDER BY created_at DESC LIMIT 20"],
        &["CREATE INDEX CONCURRENTLY ON public.orders (user_id, status, created_at DESC)"],
    );
    check(
        &shop(),
        &["SELECT id FROM orders WHERE created_at > $2 AND user_id = $1"],
        &["CREATE INDEX CONCURRENTLY ON public.orders (user_id, created_at)"],
    );
    check(
        &shop(),
        &["SELECT id FROM users WHERE email = $1"],
        &["CREATE INDEX CONCURRENTLY ON public.users (email)"],
    );
}

#[test]
fn a_mixed_order_keeps_its_directions() {
    check(
        &shop(),
        &["SELECT id FROM orders WHERE user_id = $1 ORDER BY created_at DESC, id ASC LIMIT 20"],
        &["CREATE INDEX CONCURRENTLY ON public.orders (user_id, created_at DESC, id)"],
    );
    check(
        &shop(),
        &["SELECT id FROM orders WHERE user_id = $1 ORDER BY created_at DESC NULLS LAST LIMIT 20"],
        &["CREATE INDEX CONCURRENTLY ON public.orders (user_id, created_at DESC NULLS LAST)"],
    );
}

#[test]
fn one_index_serves_several_queries() {
    check(
        &shop(),
        &[
            "SELECT id FROM orders WHERE user_id = $1 AND status = $2 ORDER BY created_at DESC LIMIT 20",
            "SELECT id FROM orders WHERE user_id = $1 AND status = $2",
            "SELECT id FROM orders WHERE user_id = $1",
            "SELECT id FROM orders WHERE status = $1 AND user_id IN ($2, $3)",
            "SELECT id FROM orders WHERE user_id = $1 AND status = $2 AND created_at > $3",
        ],
        &["CREATE INDEX CONCURRENTLY ON public.orders (user_id, status, created_at DESC)"],
    );
}

#[test]
fn what_exists_is_never_advised() {
    let mut catalog = shop();
    let email = "SELECT id FROM users WHERE email = $1";
    // Equal, and a covering one.
    edit(&mut catalog, "users").indexes.push(index("users_email_idx", "users", &["email", "created_at"]));
    check(&catalog, &[email, "SELECT id FROM users WHERE email = $1 AND created_at > $2"], &[]);
    // A unique one finds the row: nothing wider is wanted.
    let mut catalog = shop();
    let unique = Index { unique: true, ..index("users_email_key", "users", &["email"]) };
    edit(&mut catalog, "users").indexes.push(unique);
    check(&catalog, &["SELECT id FROM users WHERE email = $1 AND created_at > $2"], &[]);
    check(&shop(), &["SELECT email FROM users WHERE id = $1"], &[]);
    // The equality columns stand in another order, which is as good.
    let mut catalog = shop();
    let existing = index("orders_status_user_id_idx", "orders", &["status", "user_id"]);
    edit(&mut catalog, "orders").indexes.push(existing);
    check(&catalog, &["SELECT id FROM orders WHERE user_id = $1 AND status = $2"], &[]);
    // One that is not valid serves nothing.
    let mut catalog = shop();
    let broken = Index { valid: false, ..index("users_email_idx", "users", &["email"]) };
    edit(&mut catalog, "users").indexes.push(broken);
    check(&catalog, &[email], &["CREATE INDEX CONCURRENTLY ON public.users (email)"]);
}

#[test]
fn a_prefix_is_widened_and_dropped() {
    let sql = "SELECT id FROM orders WHERE status = $2 AND user_id = $1 ORDER BY created_at DESC LIMIT 5";
    let mut catalog = shop();
    edit(&mut catalog, "orders").indexes.push(index("orders_status_idx", "orders", &["status"]));
    check(
        &catalog,
        &[sql],
        &[
            "CREATE INDEX CONCURRENTLY ON public.orders (status, user_id, created_at DESC)",
            "DROP INDEX CONCURRENTLY public.orders_status_idx",
        ],
    );
    // A constraint's index, a unique, a partial or an INCLUDE one stays.
    for stays in [
        Index { constraint: true, ..index("i", "orders", &["status"]) },
        Index { unique: true, ..index("i", "orders", &["status", "total"]) },
        Index {
            spec: IndexSpec {
                predicate: Some("note IS NULL".to_owned()),
                ..index("i", "orders", &["status"]).spec
            },
            ..index("i", "orders", &[])
        },
        Index {
            spec: IndexSpec { include: vec!["total".to_owned()], ..index("i", "orders", &["status"]).spec },
            ..index("i", "orders", &[])
        },
    ] {
        let mut catalog = shop();
        edit(&mut catalog, "orders").indexes.push(stays);
        let advised = advise(&catalog, &[(sql, 10)], Some(&mut Steps { asked: 0 }));
        assert_eq!(advised.advice.len(), 1, "{:?}", advised.advice);
    }
}

#[test]
fn what_is_hopeless_is_rejected_with_its_reason() {
    let advised = advise(
        &shop(),
        &[
            ("SELECT name FROM countries WHERE code = $1", 10),
            ("SELECT id FROM orders WHERE paid", 10),
            ("SELECT id FROM orders WHERE id = $1", 10),
        ],
        Some(&mut Steps { asked: 0 }),
    );
    assert!(advised.advice.is_empty(), "{:?}", advised.advice);
    assert_eq!(
        reasons(&advised),
        [
            "CREATE INDEX ON public.countries (code): countries has only about 200 rows",
            "CREATE INDEX ON public.orders (id): orders_pkey finds the one row already",
            "CREATE INDEX ON public.orders (paid): the condition leaves about 50 % of the rows",
        ]
    );
}

#[test]
fn joins_are_indexed_on_the_side_that_is_looked_up() {
    check(
        &shop(),
        &[
            "SELECT i.product_id FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.user_id = $1",
            "SELECT product_id FROM order_items WHERE order_id = $1",
            "SELECT total FROM orders WHERE user_id = $1",
        ],
        &[
            "CREATE INDEX CONCURRENTLY ON public.order_items (order_id)",
            "CREATE INDEX CONCURRENTLY ON public.orders (user_id)",
        ],
    );
}

#[test]
fn a_prefix_search_takes_the_pattern_operator_class() {
    let sql = "SELECT id FROM users WHERE email LIKE 'anna%'";
    check(&shop(), &[sql], &["CREATE INDEX CONCURRENTLY ON public.users (email text_pattern_ops)"]);
    let mut catalog = shop();
    edit(&mut catalog, "users").columns[1].c_collation = true;
    check(&catalog, &[sql], &["CREATE INDEX CONCURRENTLY ON public.users (email)"]);
    let mut catalog = shop();
    catalog.extensions.insert("pg_trgm".to_owned(), "1.6".to_owned());
    let gin = "CREATE INDEX CONCURRENTLY ON public.users USING gin (email gin_trgm_ops)";
    check(&catalog, &["SELECT id FROM users WHERE email LIKE '%anna'"], &[gin]);
    check(&shop(), &["SELECT id FROM users WHERE email LIKE '%an'"], &[]);
}

#[test]
fn what_no_b_tree_serves_gets_the_index_that_does() {
    let mut catalog = shop();
    let columns = ["data jsonb 1000", "tags text[] 1000", "body text 1000", "words tsvector 1000"];
    edit(&mut catalog, "orders").columns.extend(columns.map(column));
    for (condition, index) in [
        ("data @> '{\"a\": 1}'", "USING gin (data jsonb_path_ops)"),
        ("data ? 'a'", "USING gin (data)"),
        ("tags && ARRAY['a']", "USING gin (tags)"),
        ("tags @> ARRAY['a']", "USING gin (tags)"),
        ("words @@ to_tsquery('simple', 'a')", "USING gin (words)"),
        (
            "to_tsvector('english', body) @@ plainto_tsquery('english', $1)",
            "USING gin (to_tsvector('english', body))",
        ),
    ] {
        let sql = format!("SELECT id FROM orders WHERE {condition}");
        check(&catalog, &[&sql], &[&format!("CREATE INDEX CONCURRENTLY ON public.orders {index}")]);
    }
    // The configuration comes from a setting: not immutable.
    check(&catalog, &["SELECT id FROM orders WHERE to_tsvector(body) @@ to_tsquery('a')"], &[]);
    // One user's orders are tested row by row.
    let few = "SELECT id FROM orders WHERE user_id = $1 AND tags && ARRAY['a']";
    check(&catalog, &[few], &["CREATE INDEX CONCURRENTLY ON public.orders (user_id)"]);
    // An order is no bet where the rows can be found.
    let found = "SELECT id FROM orders WHERE tags && ARRAY['a'] ORDER BY created_at LIMIT 10";
    check(&catalog, &[found], &["CREATE INDEX CONCURRENTLY ON public.orders USING gin (tags)"]);
}

#[test]
fn an_extension_that_lacks_comes_first() {
    let advised = advise(
        &shop(),
        &[("SELECT id FROM users WHERE email ILIKE '%anna%'", 100)],
        Some(&mut Steps { asked: 0 }),
    );
    let got: Vec<&str> = advised.advice.iter().map(|advice| advice.sql.as_str()).collect();
    assert_eq!(
        got,
        [
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "CREATE INDEX CONCURRENTLY users_email_idx ON public.users USING gin (email gin_trgm_ops)",
        ]
    );
    let rollback: Vec<&str> = advised.advice.iter().filter_map(|advice| advice.rollback.as_deref()).collect();
    assert_eq!(rollback, ["DROP EXTENSION pg_trgm", "DROP INDEX CONCURRENTLY public.users_email_idx"]);
}

/// A rare state that every call asks for; one that only some ask for is no condition of an index.
#[test]
fn a_rare_constant_makes_a_partial_index() {
    let mut catalog = shop();
    let orders = edit(&mut catalog, "orders");
    orders.bytes = Some(200_000_000);
    let common = [("done", 0.97), ("pending", 0.01)];
    if let Some(statistics) = &mut orders.columns[2].statistics {
        statistics.common = common.map(|(value, share)| (value.to_owned(), share)).to_vec();
    }
    let proposed = |sql: &str| {
        let advised = advise(&catalog, &[(sql, 100)], Some(&mut Steps { asked: 0 }));
        let all = advised.advice.iter().map(|advice| advice.sql.clone()).chain(reasons(&advised));
        all.filter(|text| text.contains(" WHERE ")).count()
    };
    assert!(proposed("SELECT id FROM orders WHERE status = 'pending' ORDER BY created_at LIMIT 10") > 0);
    assert_eq!(proposed("SELECT id FROM orders WHERE status = 'done' ORDER BY created_at LIMIT 10"), 0);
    assert_eq!(proposed("SELECT id FROM orders WHERE status = $1 ORDER BY created_at LIMIT 10"), 0);
}

#[test]
fn an_immutable_expression_is_indexed_and_another_is_not() {
    let sql = "SELECT id FROM users WHERE lower(email) = $1";
    check(&shop(), &[sql], &["CREATE INDEX CONCURRENTLY ON public.users (lower(email))"]);
    let mut catalog = shop();
    let mut existing = index("users_lower_idx", "users", &["email"]);
    existing.spec.keys[0].expr = KeyExpr::Expression("lower((email)::text)".to_owned());
    edit(&mut catalog, "users").indexes.push(existing);
    check(&catalog, &[sql], &[]);
    // On a timestamp with time zone the day hangs on the session's zone.
    check(&shop(), &["SELECT id FROM orders WHERE date_trunc('day', created_at) = $1"], &[]);
    check(&shop(), &["SELECT id FROM orders WHERE my_function(note) = $1"], &[]);
}

#[test]
fn weird_names_are_quoted() {
    let mut catalog = shop();
    catalog.tables.insert(0, table("Weird \"Name\"", 10_000.0, &["the \"Key\" bigint 10000"]));
    catalog.tables[0].columns[0] = Column { name: "the \"Key\"".to_owned(), ..column("k bigint 10000") };
    let advised = advise(
        &catalog,
        &[("SELECT 1 FROM \"Weird \"\"Name\"\"\" WHERE \"the \"\"Key\"\"\" = $1", 10)],
        None,
    );
    let got: Vec<String> = advised.advice.iter().map(|advice| unnamed(&advice.sql)).collect();
    assert_eq!(
        got,
        ["CREATE INDEX CONCURRENTLY ON public.\"Weird \"\"Name\"\"\" (\"the \"\"Key\"\"\")"],
        "{:?}",
        advised.not_judged.lines()
    );
}

#[test]
fn advice_is_ranked_and_says_why() {
    let advised = advise(
        &shop(),
        &[
            ("SELECT id FROM users WHERE email = $1", 3000),
            ("SELECT id FROM orders WHERE user_id = $1", 9000),
            ("SELECT id FROM orders WHERE user_id = $1 AND status = $2", 6000),
        ],
        Some(&mut Steps { asked: 0 }),
    );
    let [orders, users] = advised.advice.as_slice() else { panic!("{:?}", advised.advice) };
    assert_eq!(
        orders.because, "2 queries read orders by user_id and status and took 15.0 s",
        "costs stand with the gains"
    );
    assert_eq!(orders.serves, ["0000000000000002", "0000000000000003"]);
    assert_eq!(orders.table.as_deref(), Some("public.orders"));
    // 10 calls of each: (10,000 + 10,000) × 10 before, (500 + 25) × 10 after.
    assert_eq!((orders.cost_before, orders.cost_after), (Some(200_000.0), Some(5250.0)));
    assert_eq!((orders.ms_before, orders.ms_after), (Some(15_000.0), Some(465.0)));
    assert_eq!(users.serves, ["0000000000000001"]);
    assert_eq!((users.ms_before, users.ms_after), (Some(3000.0), Some(150.0)));
}

#[test]
fn without_a_planner_it_is_a_guess_and_says_so() {
    let advised = advise(
        &shop(),
        &[
            (
                "SELECT id FROM orders WHERE user_id = $1 AND status = $2 ORDER BY created_at DESC LIMIT 9",
                500,
            ),
            ("SELECT id FROM orders WHERE user_id = $1", 100),
            ("SELECT id FROM orders WHERE status = $1", 100),
            (
                "SELECT i.product_id FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.user_id = $1",
                50,
            ),
        ],
        None,
    );
    let got: Vec<(String, advise::Proof)> =
        advised.advice.iter().map(|advice| (unnamed(&advice.sql), advice.proof)).collect();
    assert_eq!(
        got,
        [
            (
                "CREATE INDEX CONCURRENTLY ON public.orders (user_id, status, created_at DESC)".to_owned(),
                advise::Proof::Unverified
            ),
            (
                "CREATE INDEX CONCURRENTLY ON public.order_items (order_id)".to_owned(),
                advise::Proof::Unverified
            ),
        ],
        "{:#?}",
        reasons(&advised)
    );
    assert!(advised.advice[0].because.contains("not costed: no server with HypoPG was asked"));
    assert_eq!(advised.advice[0].cost_after, None);
    assert_eq!(advised.advice[0].ms_after, None);
}

#[test]
fn deleting_what_others_reference_wants_the_foreign_key_indexed() {
    let advised =
        advise(&shop(), &[("DELETE FROM orders WHERE id = $1", 500)], Some(&mut Steps { asked: 0 }));
    let [advice] = advised.advice.as_slice() else { panic!("{:?}", advised.advice) };
    assert_eq!(unnamed(&advice.sql), "CREATE INDEX CONCURRENTLY ON public.order_items (order_id)");
    assert_eq!(advice.proof, advise::Proof::Unverified);
    assert!(advice.because.contains("trigger"), "{}", advice.because);
}

#[test]
fn an_index_must_earn_its_upkeep() {
    let mut catalog = shop();
    edit(&mut catalog, "orders").activity =
        Some(Activity { inserts: 5_000_000, updates: 1, ..Activity::default() });
    let read = ("SELECT id FROM orders WHERE note = $1 AND total = $2", 1);
    let insert =
        "INSERT INTO orders (id, note) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f')";
    let advised = advise(&catalog, &[read, (insert, 5)], Some(&mut Steps { asked: 0 }));
    assert!(advised.advice.is_empty(), "{:?}", advised.advice);
    assert!(
        reasons(&advised).iter().any(|why| why.contains("upkeep by the workload's 60 writes")),
        "{:?}",
        reasons(&advised)
    );
    let advised = advise(&catalog, &[(read.0, 5000), (insert, 5)], Some(&mut Steps { asked: 0 }));
    let [advice] = advised.advice.as_slice() else { panic!("{:?}", advised.advice) };
    assert!(advice.because.contains("orders had 5,000,000 inserts and 1 update since"), "{}", advice.because);
}

#[test]
fn few_questions_are_asked() {
    let queries: Vec<String> = ["user_id", "status", "total", "note", "created_at"]
        .iter()
        .map(|column| format!("SELECT id FROM orders WHERE {column} = $1 AND total > $2"))
        .collect();
    let queries: Vec<(&str, u64)> = queries.iter().map(|sql| (sql.as_str(), 100)).collect();
    let mut oracle = Steps { asked: 0 };
    advise(&shop(), &queries, Some(&mut oracle));
    assert!(oracle.asked <= 25, "{}", oracle.asked);
}
