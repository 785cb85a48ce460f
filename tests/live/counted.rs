//! `--pg-stat-statements`: what the server counted is a workload.

use std::process::{Command, Output};

use crate::harness;

fn sargable(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sargable"))
        .env_remove("DATABASE_URL")
        .arg("--no-config")
        .args(arguments)
        .output()
        .expect("the program runs")
}

#[test]
fn what_the_server_counted_is_ranked_and_advised() {
    let shop = harness::database();
    shop.sql("CREATE EXTENSION pg_stat_statements");
    shop.sql("CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, total numeric)");
    shop.sql("INSERT INTO orders SELECT n, n % 20000, n FROM generate_series(1, 200000) n");
    shop.sql("ANALYZE orders");
    for user in 0..40 {
        shop.sql(&format!("SELECT total FROM orders WHERE user_id = {user}"));
    }
    let ran = sargable(&["index", "--pg-stat-statements", "--format", "json", "--database-url", &shop.url()]);
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("a report");
    let queries = report["queries"].as_array().expect("queries");
    let asked = queries
        .iter()
        .find(|query| query["text"] == "SELECT total FROM orders WHERE user_id = ?")
        .unwrap_or_else(|| panic!("{queries:#?}"));
    assert_eq!((&asked["calls"], &asked["rows"], &asked["p95_ms"]), (&40.into(), &400.into(), &().into()));
    assert!(asked["total_ms"].as_f64().is_some_and(|ms| ms > 40.0), "{asked}");
    let advice = report["advice"].as_array().expect("advice");
    assert!(
        advice.iter().any(|one| one["sql"].as_str().is_some_and(|sql| sql.contains("(user_id)"))),
        "{advice:#?}"
    );
}

#[test]
fn a_server_that_does_not_count_says_how_it_would() {
    let empty = harness::database();
    let ran = sargable(&["analyze", "--pg-stat-statements", "--database-url", &empty.url()]);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{told}");
    assert!(told.contains("CREATE EXTENSION pg_stat_statements"), "{told}");
}
