//! `sargable explain` against a real server: problems made for it, found at their node, and gone once the advice
//! is taken.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::harness::{self, Database};

/// Runs the program without anything of the environment.
#[track_caller]
fn sargable(args: &[&str], stdin: &str, columns: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(args)
        .env_clear()
        .env("COLUMNS", columns)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("the program reads");
    let out = child.wait_with_output().expect("the program ends");
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && stderr.is_empty(), "{stderr}");
    String::from_utf8(out.stdout).expect("UTF-8")
}

#[track_caller]
fn explain(shop: &Database, sql: &str, more: &[&str]) -> Value {
    let url = shop.url();
    let args = [&["explain", "--format", "json", "--database-url", &url, sql], more].concat();
    serde_json::from_str(&sargable(&args, "", "100")).expect("JSON")
}

/// What is said of a plan that psql gave.
#[track_caller]
fn pasted(text: &str) -> Value {
    serde_json::from_str(&sargable(&["explain", "--format", "json", "-"], text, "100")).expect("JSON")
}

fn finding<'a>(report: &'a Value, rule: &str) -> Option<&'a Value> {
    report["findings"].as_array()?.iter().find(|finding| finding["rule"] == rule)
}

#[track_caller]
fn found<'a>(report: &'a Value, rule: &str) -> &'a Value {
    finding(report, rule).unwrap_or_else(|| panic!("no {rule}: {:#}", report["findings"]))
}

/// The node that a finding names.
#[track_caller]
fn node<'a>(report: &'a Value, rule: &str) -> &'a Value {
    let number = found(report, rule)["node"].as_u64().unwrap_or_else(|| panic!("{rule} names no node"));
    &report["plan_tree"]["nodes"][usize::try_from(number).expect("small") - 1]
}

/// Addresses whose city follows from their zip code.
fn shop() -> Database {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE addresses (id int PRIMARY KEY, city text, zip text, note text);
         INSERT INTO addresses SELECT n, 'c' || n % 50, 'z' || n % 100, md5(n::text) FROM generate_series(1, 100000) n;
         CREATE TABLE orders (id int PRIMARY KEY, address_id int REFERENCES addresses ON DELETE CASCADE, at timestamp);
         INSERT INTO orders SELECT n, n % 100000 + 1, '2026-01-01'::timestamp + n * interval '1 min' FROM generate_series(1, 100000) n;
         CREATE EXTENSION hypopg; ANALYZE",
    );
    shop
}

#[test]
fn the_statistics_that_are_advised_help() {
    let shop = shop();
    let sql = "SELECT id FROM addresses WHERE city = 'c7' AND zip = 'z7'";
    let report = explain(&shop, sql, &[]);
    let miss = found(&report, "row-estimate");
    assert_eq!(miss["detail"]["cause"], "correlated_columns", "{miss}");
    assert_eq!(node(&report, "row-estimate")["relation"], "addresses");
    let instead = miss["instead"].as_str().expect("a text");
    shop.sql(&instead[instead.find("CREATE STATISTICS").expect("a command")..]);
    assert_eq!(finding(&explain(&shop, sql, &[]), "row-estimate"), None);
}

#[test]
fn the_memory_that_is_advised_holds_the_sort() {
    let shop = shop();
    let sql = "EXPLAIN (ANALYZE, BUFFERS) SELECT note, id FROM addresses ORDER BY note OFFSET 5";
    let before = pasted(&shop.sql(&format!("SET work_mem = '1MB'; {sql}")));
    let spill = found(&before, "disk-spill");
    assert_eq!(node(&before, "disk-spill")["node_type"], "Sort");
    let wastes = node(&before, "disk-spill")["wastes"].as_array().expect("a list");
    assert!(wastes.iter().any(|waste| waste["kind"] == "bytes_on_disk"), "{wastes:?}");
    let advised = spill["instead"].as_str().and_then(|text| text.split('\'').nth(1)).expect("a size");
    let after = pasted(&shop.sql(&format!("SET work_mem = '{advised}'; {sql}")));
    assert_eq!(finding(&after, "disk-spill"), None, "{advised} holds it");
}

#[test]
fn plans_before_and_after_the_advised_index() {
    let shop = shop();
    let sql = "SELECT count(*) FROM orders WHERE address_id = 7";
    let report = explain(&shop, sql, &[]);
    assert_eq!(report["plan_tree"]["origin"], "analyzed");
    assert_eq!(node(&report, "seq-scan")["title"], "Seq Scan on orders");
    assert_eq!(report["plan_tree"]["worst"], 2);
    let rows = report["plan_diff"]["rows"].as_array().expect("a diff");
    assert!(rows.iter().any(|row| row["before"]["title"] == "Seq Scan on orders"), "{rows:#?}");
    assert!(
        rows.iter().any(|row| row["after"]["title"].as_str().is_some_and(|title| title.contains("Index"))),
        "{rows:#?}"
    );
    let (before, after) = (&report["plan_diff"]["before"]["cost"], &report["plan_diff"]["after"]["cost"]);
    assert!(after.as_f64() < before.as_f64(), "{before} {after}");
    for columns in ["80", "200"] {
        let page = sargable(&["explain", "--database-url", &shop.url(), sql], "", columns);
        assert!(page.contains("Plan before and after\n"), "{page}");
        assert!(page.contains("make change 1 of the advice below") && page.contains("▶"), "{page}");
        // Only SQL that is to be copied stands out over the edge.
        let width: usize = columns.parse().expect("a number");
        let wide = page.lines().find(|line| line.chars().count() > width && !line.contains("CREATE INDEX"));
        assert_eq!(wide, None);
    }
    shop.sql(&report["advice"][0]["sql"].as_str().expect("SQL").replace("CONCURRENTLY ", ""));
    let after = explain(&shop, sql, &[]);
    assert_eq!((finding(&after, "seq-scan"), after.get("plan_diff")), (None, None));
}

#[test]
fn what_is_only_planned_is_not_run() {
    let shop = shop();
    let report = explain(
        &shop,
        "SELECT count(*) FROM addresses WHERE note = $1",
        &["--explain", "plan", "--bind", "x"],
    );
    let tree = &report["plan_tree"];
    assert_eq!(
        (&tree["origin"], &tree["measured"], &tree["share_of"]),
        (&"planned".into(), &false.into(), &"cost".into())
    );
    assert!(
        tree["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .all(|node| node["rows"].is_null() && node["loops"].is_null())
    );
    assert!(report["plan"].to_string().contains("'x'"), "the value is bound: {}", report["plan"]);
    let report = explain(&shop, "SELECT count(*) FROM addresses WHERE note = $1", &[]);
    assert_eq!(report["plan_tree"]["origin"], "generic");
    let before = shop.sql("SELECT count(*) FROM orders");
    let report = explain(&shop, "DELETE FROM orders", &[]);
    assert_eq!(report["plan_tree"]["nodes"][0]["title"], "Delete on orders");
    assert_eq!(shop.sql("SELECT count(*) FROM orders"), before);
}

/// A driver's numeric for an integer, and a table that is sorted for its first rows.
#[test]
fn casts_and_sorts_that_nobody_needs() {
    let shop = shop();
    let plan = shop
        .sql("PREPARE p (numeric) AS SELECT id FROM addresses WHERE id = $1; EXPLAIN ANALYZE EXECUTE p (7)");
    let report = pasted(&plan);
    assert_eq!(found(&report, "cast-in-plan")["detail"]["column"], "id");
    assert_eq!(node(&report, "cast-in-plan")["title"], "Seq Scan on addresses");
    let report = explain(&shop, "SELECT id FROM orders ORDER BY at DESC LIMIT 5", &[]);
    assert_eq!(node(&report, "sort-for-limit")["node_type"], "Sort");
    shop.sql("CREATE INDEX ON orders (at)");
    assert_eq!(
        finding(&explain(&shop, "SELECT id FROM orders ORDER BY at DESC LIMIT 5", &[]), "sort-for-limit"),
        None
    );
}

/// The check of a foreign key without an index, told with its columns where the catalog is asked, and the same
/// plan in all four formats.
#[test]
fn a_pasted_plan_with_the_catalog() {
    let shop = shop();
    let delete = "DELETE FROM addresses WHERE id <= 30";
    let plan = shop.sql(&format!("BEGIN; EXPLAIN (ANALYZE) {delete}; ROLLBACK"));
    let told = found(&pasted(&plan), "trigger-time")["instead"].to_string();
    assert!(told.contains("orders_address_id_fkey"), "{told}");
    let url = shop.url();
    let text = sargable(&["explain", "--format", "json", "--database-url", &url, "-"], &plan, "100");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let instead = found(&report, "trigger-time")["instead"].as_str().expect("a text").to_owned();
    assert!(instead.contains("CREATE INDEX CONCURRENTLY") && instead.contains("(address_id)"), "{instead}");
    for format in ["TEXT", "JSON", "XML", "YAML"] {
        let report =
            pasted(&shop.sql(&format!("BEGIN; EXPLAIN (ANALYZE, FORMAT {format}) {delete}; ROLLBACK")));
        assert_eq!(report["plan_tree"]["nodes"][0]["title"], "Delete on addresses", "{format}");
        assert_eq!(report["plan_tree"]["triggers"][0]["constraint"], "orders_address_id_fkey", "{format}");
        assert!(finding(&report, "trigger-time").is_some(), "{format}");
    }
    assert_eq!(shop.sql("SELECT count(*) FROM addresses"), "100000");
}

/// Times of a plan with init plans, a CTE and workers: the parts make the whole.
#[test]
fn self_times_are_parts_of_the_whole() {
    let shop = shop();
    let parallel = "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;";
    for sql in [
        "SELECT count(*) FROM orders WHERE at > (SELECT min(at) FROM orders)",
        "WITH a AS MATERIALIZED (SELECT * FROM addresses) SELECT count(*), (SELECT count(*) FROM a WHERE city = 'c1') FROM a WHERE zip < 'z5'",
        "SELECT city, count(*) FROM addresses JOIN orders ON orders.address_id = addresses.id GROUP BY city",
    ] {
        let report = pasted(&shop.sql(&format!("{parallel} EXPLAIN (ANALYZE, FORMAT JSON) {sql}")));
        let nodes = report["plan_tree"]["nodes"].as_array().expect("nodes");
        let total = nodes[0]["total_ms"].as_f64().expect("a time");
        let sum: f64 = nodes.iter().filter_map(|node| node["self_ms"].as_f64()).sum();
        assert!((0.7..=1.3).contains(&(sum / total)), "{sql}: {sum} of {total}: {nodes:#?}");
    }
}
