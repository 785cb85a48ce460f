//! HypoPG on a user's server: what it says comes true, and nothing of it stays.

use sargable::{
    catalog::{IndexKey, IndexSpec},
    names::RelName,
    plan::{Probe, WhatIf},
};

use crate::harness::{self, Database};

fn shop() -> Database {
    let shop = harness::database();
    shop.sql(
        "CREATE EXTENSION hypopg;
         CREATE TABLE orders AS SELECT n AS id, n % 997 AS customer_id, now() - n * interval '1 min' AS created_at,
                md5(n::text) AS \"Code\", CASE WHEN n % 100 = 0 THEN 'open' ELSE 'done' END AS status FROM generate_series(1, 50000) n;
         ANALYZE orders",
    );
    shop
}

fn probe(sql: &str, binds: &[&str]) -> Probe {
    Probe { sql: sql.to_owned(), binds: binds.iter().map(|bind| Some((*bind).to_owned())).collect() }
}

fn orders() -> RelName {
    RelName::new(Some("public"), "orders")
}

#[test]
fn what_it_promises_comes_true() {
    let shop = shop();
    let mut server = shop.connect();
    let probe = probe("SELECT id FROM orders WHERE customer_id = $1", &["7"]);
    let useful = IndexSpec::btree(orders(), &["customer_id"]);
    let useless = IndexSpec::btree(orders(), &["Code"]);

    let mut what_if = server.what_if().expect("HypoPG is there");
    let before = what_if.estimate(&probe, &[]).expect("a plan");
    let after = what_if.estimate(&probe, &[useless, useful.clone()]).expect("a plan");
    assert_eq!(after.used, [false, true]);
    assert!(after.cost < before.cost / 5.0, "{} -> {}", before.cost, after.cost);
    let again = what_if.estimate(&probe, &[]).expect("a plan");
    assert!((again.cost - before.cost).abs() < f64::EPSILON, "no index stays");
    let size = what_if.size(&useful).expect("a size");
    drop(what_if);
    assert_eq!(shop.sql("SELECT count(*) FROM pg_indexes WHERE tablename = 'orders'"), "0");

    shop.sql(&useful.create());
    let real = server.what_if().expect("HypoPG is there").estimate(&probe, &[]).expect("a plan");
    assert!(real.cost < before.cost / 5.0, "{} -> {}", before.cost, real.cost);
    let real_size: u64 =
        shop.sql("SELECT pg_relation_size('orders_customer_id_idx')").parse().expect("a number");
    // HypoPG does not know of deduplication: up to five times too big.
    assert!((real_size / 2..real_size * 6).contains(&size), "{size} for {real_size}");
}

#[test]
fn every_kind_of_btree() {
    let shop = shop();
    let mut server = shop.connect();
    let mut what_if = server.what_if().expect("HypoPG is there");
    let mut partial = IndexSpec::btree(orders(), &["created_at"]);
    partial.predicate = Some("status = 'open'".to_owned());
    let mut covering = IndexSpec::btree(orders(), &["customer_id"]);
    covering.include = vec!["Code".to_owned()];
    let mut expression = IndexSpec::btree(orders(), &["id"]);
    expression.keys = vec![IndexKey {
        expr: sargable::catalog::KeyExpr::Expression("lower(\"Code\")".to_owned()),
        ..IndexKey::column("id")
    }];
    for (sql, index) in [
        ("SELECT id FROM orders WHERE status = 'open' ORDER BY created_at LIMIT 3", partial),
        ("SELECT \"Code\" FROM orders WHERE customer_id = 7", covering),
        ("SELECT id FROM orders WHERE lower(\"Code\") = 'x'", expression),
    ] {
        let estimate = what_if.estimate(&probe(sql, &[]), std::slice::from_ref(&index));
        assert_eq!(estimate.expect("a plan").used, [true], "{sql} by {}", index.create());
    }
    let gin = IndexSpec { method: "gin".to_owned(), ..IndexSpec::btree(orders(), &["id"]) };
    assert_eq!(what_if.supports(&gin), Err("HypoPG cannot cost gin indexes of this kind".to_owned()));
    assert!(what_if.estimate(&probe("SELECT 1", &[]), &[gin]).is_err());
}

#[test]
fn values_that_are_not_known() {
    let shop = shop();
    let mut server = shop.connect();
    let mut what_if = server.what_if().expect("HypoPG is there");
    let index = IndexSpec::btree(orders(), &["customer_id"]);
    for _ in 0..2 {
        let estimate = what_if.estimate(
            &probe("SELECT id FROM orders WHERE customer_id = $1", &[]),
            std::slice::from_ref(&index),
        );
        assert_eq!(estimate.expect("a plan").used, [true]);
    }
}

#[test]
fn nothing_unsafe_is_planned_and_errors_do_not_stay() {
    let shop = shop();
    shop.sql("CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'");
    let mut server = shop.connect();
    let mut what_if = server.what_if().expect("HypoPG is there");
    let refused = what_if.estimate(&probe("SELECT f(1)", &[]), &[]).expect_err("not sent");
    assert!(refused.starts_with("not planned: it calls `public.f`"), "{refused}");
    let missing = IndexSpec::btree(orders(), &["nowhere"]);
    let failed =
        what_if.estimate(&probe("SELECT id FROM orders", &[]), &[missing]).expect_err("no such column");
    assert!(failed.contains("nowhere"), "{failed}");
    what_if.estimate(&probe("SELECT id FROM orders", &[]), &[]).expect("the session goes on");
}

#[test]
fn without_the_extension_it_says_how_to_get_it() {
    let bare = harness::database();
    let mut server = bare.connect();
    let Err(why) = server.what_if() else { panic!("there is no HypoPG in this database") };
    assert!(why.contains("CREATE EXTENSION hypopg"), "{why}");
    assert_eq!(bare.sql("SELECT count(*) FROM pg_extension WHERE extname = 'hypopg'"), "0");
}
