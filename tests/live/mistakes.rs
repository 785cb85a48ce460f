//! Mistakes that index advisors make on real workloads, and that ours does not: columns that are only read, names taken
//! for tables, literals changed, statements that do not run, an index that another one begins with, chance.

use std::process::Command;

use serde_json::Value;

use crate::harness::{self, Database};

const SHOP: &str = r#"
    CREATE EXTENSION hypopg;
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, status text NOT NULL, "Total" int NOT NULL,
        created_at timestamptz NOT NULL, tags jsonb NOT NULL, note text NOT NULL);
    INSERT INTO orders SELECT n, n * 7919 % 3000, CASE WHEN n % 200 = 0 THEN 'Rare' ELSE 'Done' END, n * 31 % 9973,
        timestamptz '2025-01-01' + n * 7717 % 60000 * interval '1 minute', jsonb_build_object('k', n), 'note ' || n
        FROM generate_series(1, 60000) n;
    CREATE TABLE items (order_id bigint NOT NULL, product_id int NOT NULL, quantity int NOT NULL);
    INSERT INTO items SELECT 1 + n * 31 % 60000, n % 2000, n % 700 FROM generate_series(1, 90000) n;"#;

fn shop() -> Database {
    let shop = harness::database();
    shop.sql(SHOP);
    shop.sql("VACUUM ANALYZE");
    shop
}

#[track_caller]
fn statements(shop: &Database, queries: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("q.sql");
    std::fs::write(&file, queries.join(";\n")).expect("the queries");
    let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["index", "--format", "json", "--database-url", &shop.url()])
        .arg(&file)
        .env_clear()
        .output()
        .expect("the program ends");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let advice = report["advice"].as_array().expect("advice");
    advice.iter().map(|one| one["sql"].as_str().expect("SQL").to_owned()).collect()
}

/// What follows ON.
fn targets(statements: &[String]) -> Vec<&str> {
    statements.iter().filter_map(|sql| Some(sql.split_once(" ON public.")?.1)).collect()
}

const MIXED: &[(&str, &str, &[&str])] = &[
    (
        "columns that are only read are no keys",
        r#"SELECT note, created_at, "Total" FROM orders WHERE user_id = 7"#,
        &["orders (user_id)"],
    ),
    (
        "a column without a table's name belongs to one table",
        "SELECT note FROM orders o JOIN items i ON i.order_id = o.id WHERE product_id = 7",
        &["items (product_id)"],
    ),
    (
        "a CTE is no table, whatever its name",
        "WITH orders AS (SELECT product_id AS user_id FROM items WHERE order_id = 7) SELECT user_id FROM orders WHERE user_id = 3",
        &["items (order_id, product_id)"],
    ),
    (
        "an alias is no table",
        "SELECT items.note FROM orders items WHERE items.user_id = 7",
        &["orders (user_id)"],
    ),
    (
        "a literal may hold what ends a statement or begins a comment",
        "SELECT id FROM orders WHERE note = 'a; -- b /* c'",
        &["orders (note)"],
    ),
    ("names keep their case", r#"SELECT note FROM orders WHERE "Total" = 7"#, &[r#"orders ("Total")"#]),
    ("all rows are read: no index of everything", "SELECT user_id, status FROM orders", &[]),
];

#[test]
fn names_columns_and_literals_are_taken_for_what_they_are() {
    let shop = shop();
    for (why, sql, expect) in MIXED {
        let all = statements(&shop, &[sql]);
        assert_eq!(targets(&all), *expect, "{why}: {sql}");
    }
    // A partial index quotes the value as it was sent.
    let all =
        statements(&shop, &["SELECT id FROM orders WHERE status = 'Rare' AND created_at > '2025-01-20'"]);
    assert!(!all.is_empty() && all.iter().all(|sql| !sql.contains("'rare'")), "{all:?}");
}

#[test]
fn every_statement_runs_none_begins_another_and_two_runs_agree() {
    let shop = shop();
    let mut queries: Vec<&str> = MIXED.iter().map(|(_, sql, _)| *sql).collect();
    queries.extend([
        r#"SELECT id FROM orders WHERE tags @> '{"k": 7}'"#,
        "SELECT id FROM orders WHERE lower(note) = 'note 7'",
        "SELECT note FROM orders WHERE user_id = 7 AND status = 'Rare' ORDER BY created_at DESC LIMIT 3",
        "SELECT id FROM orders WHERE note LIKE 'note 12%'",
    ]);
    let all = statements(&shop, &queries);
    assert_eq!(all, statements(&shop, &queries));
    assert!(all.iter().any(|sql| sql.contains("USING gin (tags")), "{all:?}");
    let beginnings: Vec<&str> =
        targets(&all).into_iter().map(|target| target.trim_end_matches(')')).collect();
    for (at, one) in beginnings.iter().enumerate() {
        let others = beginnings.iter().enumerate().filter(|(other, _)| *other != at);
        for (_, other) in others {
            assert!(other != one && !other.starts_with(&format!("{one}, ")), "{one} begins {other}: {all:?}");
        }
    }
    for sql in &all {
        shop.sql(sql);
    }
    // And what stands is advised no more.
    let again: Vec<String> = statements(&shop, &queries);
    assert!(again.iter().all(|sql| !all.contains(sql)), "{again:?}");
    assert_eq!(again, Vec::<String>::new());
}
