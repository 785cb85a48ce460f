//! `sargable explain --index … --hide …`: a person's own "what if", with a snapshot and with HypoPG.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::harness::{self, Database};

fn shop() -> Database {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE orders (id bigint PRIMARY KEY, owner int NOT NULL, total numeric NOT NULL, tags text[]);
         CREATE INDEX orders_owner ON orders (owner);
         INSERT INTO orders SELECT n, n % 5000, n % 777, ARRAY['t' || n % 900, 'u' || n % 7] FROM generate_series(1, 60000) n",
    );
    shop.sql("VACUUM ANALYZE orders");
    shop
}

fn sargable(arguments: &[&str], columns: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sargable"));
    let folder = std::env::var_os("PATH").unwrap_or_default();
    command.args(arguments).env_clear().env("PATH", folder).env("COLUMNS", columns).stdin(Stdio::null());
    command.output().expect("sargable runs")
}

#[test]
fn indexes_that_are_not_there_and_one_that_is() {
    let shop = shop();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.snap");
    let file = file.to_str().expect("a path");
    assert!(sargable(&["snapshot", &shop.url(), "-o", file], "100").status.success());
    let query = "SELECT * FROM orders WHERE owner = 7 AND total > 700";
    let asked = [
        "explain",
        "--snapshot",
        file,
        query,
        "--index",
        "orders (owner, total)",
        "--index",
        "CREATE INDEX CONCURRENTLY unused ON public.orders USING gin (tags);",
        "--hide",
        "orders_owner",
    ];
    let out = sargable(&[&asked[..], &["--format", "json"]].concat(), "100");
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let report: Value = serde_json::from_slice(&out.stdout).expect("a report");
    let indexes = report["what_if"]["indexes"].as_array().expect("both");
    let used: Vec<&Value> = indexes.iter().map(|index| &index["used"]).collect();
    assert_eq!(used, [true, false], "{indexes:?}");
    assert_eq!(indexes[0]["sql"], "CREATE INDEX ON public.orders (owner, total)");
    assert_eq!(report["what_if"]["hidden"], serde_json::json!(["orders_owner"]));
    let diff = &report["plan_diff"];
    assert!(diff["before"]["cost"].as_f64() > diff["after"]["cost"].as_f64(), "{diff}");
    let titles = |side: &str| {
        diff["rows"].as_array().expect("rows").iter().any(|row| {
            row[side]["title"].as_str().is_some_and(|title| title.contains("orders_owner "))
                || row[side]["title"].as_str().is_some_and(|title| title.ends_with("orders_owner"))
        })
    };
    assert!(titles("before") && !titles("after"), "{diff}");

    for columns in ["80", "200"] {
        let page = String::from_utf8(sargable(&asked, columns).stdout).expect("UTF-8");
        for expect in ["What if\n", "CREATE INDEX ON public.orders (owner, total)", "without orders_owner"] {
            assert!(page.contains(expect), "{expect}\n{page}");
        }
    }
    // One hidden alone: the plan that production has without it.
    let out = sargable(
        &["explain", "--snapshot", file, query, "--hide", "orders_owner", "--format", "json"],
        "100",
    );
    let report: Value = serde_json::from_slice(&out.stdout).expect("a report");
    assert!(report["plan_diff"]["after"]["cost"].as_f64() > report["plan_diff"]["before"]["cost"].as_f64());
    for (wrong, says) in [
        (["--index", "nowhere (id)"], "there is no table nowhere"),
        (["--index", "orders (nothing)"], "nothing"),
        (["--index", "DROP TABLE orders"], "--index"),
        (["--hide", "orders_total"], "there is no such index"),
    ] {
        let out = sargable(&[&["explain", "--snapshot", file, query][..], &wrong].concat(), "100");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.code() == Some(2) && said.contains(says), "{wrong:?} {out:?}");
    }
}
