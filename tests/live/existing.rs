//! What exists counts: indexes in the wrong order, those to widen, duplicates and beginnings, as `sargable index` tells
//! of them.

use std::process::Command;

use serde_json::Value;

use crate::harness::{self, Database};

/// 120,000 orders of 3,000 users and 40 shops.
const ORDERS: &str = "
    CREATE EXTENSION hypopg;
    CREATE TABLE shops (id bigint PRIMARY KEY);
    INSERT INTO shops SELECT generate_series(0, 39);
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, shop_id bigint NOT NULL, status text NOT NULL,
        total int NOT NULL, created_at timestamptz NOT NULL);
    INSERT INTO orders SELECT n, n * 7919 % 3000, n % 40, (ARRAY['new','paid','sent','done'])[1 + n % 4],
        n * 31 % 9973, timestamptz '2025-01-01' + n * 7717 % 120000 * interval '1 minute'
        FROM generate_series(1, 120000) n;";

fn orders(indexes: &str) -> Database {
    let database = harness::database();
    database.sql(ORDERS);
    database.sql(indexes);
    database.sql("VACUUM ANALYZE");
    database
}

/// The report of `sargable index` on these queries.
#[track_caller]
fn index(database: &Database, queries: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("q.sql");
    std::fs::write(&file, queries.join(";\n")).expect("the queries");
    let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["index", "--format", "json", "--why-not", "--database-url", &database.url()])
        .arg(&file)
        .env_clear()
        .output()
        .expect("the program ends");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("JSON")
}

/// The statements of the advice, without our names for new indexes.
fn statements(report: &Value) -> Vec<String> {
    let unnamed = |sql: &str| match sql.split_once(" ON ") {
        Some((_, rest)) if sql.starts_with("CREATE INDEX") => format!("CREATE {rest}"),
        _ => sql.to_owned(),
    };
    let advice = report["advice"].as_array().expect("advice");
    advice.iter().map(|one| unnamed(one["sql"].as_str().expect("SQL"))).collect()
}

fn because(report: &Value, at: usize) -> &str {
    report["advice"][at]["because"].as_str().expect("a reason")
}

fn id<'a>(report: &'a Value, part: &str) -> &'a str {
    let queries = report["queries"].as_array().expect("queries");
    let query = queries.iter().find(|query| query["text"].as_str().is_some_and(|text| text.contains(part)));
    query.expect("the query")["id"].as_str().expect("an id")
}

#[test]
fn a_misordered_index_gives_way_to_one_that_serves_the_users_of_both() {
    let database = orders("CREATE INDEX by_status ON orders (status, user_id)");
    let queries = [
        "SELECT total FROM orders WHERE status = 'paid' AND user_id = 7",
        "SELECT count(total) FROM orders WHERE user_id = 8",
    ];
    let report = index(&database, &queries);
    assert_eq!(
        statements(&report),
        ["CREATE public.orders (user_id, status)", "DROP INDEX CONCURRENTLY public.by_status"],
        "{:#}",
        report["index"]
    );
    let cannot = id(&report, "count(total)");
    let create = because(&report, 0);
    assert!(create.contains("by_status (status, user_id) has its columns in another order"), "{create}");
    // The planner walks the whole index for it.
    assert!(create.contains(&format!("which serves {cannot} less well")), "{create}");
    let drop = because(&report, 1);
    assert!(drop.contains(id(&report, "SELECT total")) && drop.contains("serves no foreign key"), "{drop}");
    assert!(report["advice"][1]["size_bytes"].as_u64() > Some(0));
    assert!(report["advice"][1]["rollback"].as_str().expect("undo").starts_with("CREATE INDEX by_status"));

    // As the planner says without it: nobody misses it.
    for sql in report["advice"].as_array().expect("advice") {
        database.sql(sql["sql"].as_str().expect("SQL"));
    }
    for query in queries {
        let plan = database.sql(&format!("EXPLAIN {query}"));
        assert!(plan.contains("orders_user_id_status_idx"), "{plan}");
    }
}

#[test]
fn a_misordered_index_stays_for_who_needs_it() {
    let ranged = "SELECT count(*) FROM orders WHERE created_at > '2025-03-20' AND created_at < '2025-03-21'";
    let keyed = "SELECT total FROM orders WHERE user_id = 7 AND created_at > '2025-03-20'";
    let database = orders("CREATE INDEX by_time ON orders (created_at, user_id)");
    let report = index(&database, &[ranged, keyed]);
    assert_eq!(statements(&report), ["CREATE public.orders (user_id, created_at)"]);
    let (user, served) = (id(&report, "count(*)"), id(&report, "SELECT total"));
    let create = because(&report, 0);
    assert!(create.contains("by_time (created_at, user_id) has its columns in another order"), "{create}");
    assert!(create.contains(&format!("which serves {served} less well; it stays for {user}")), "{create}");
}

#[test]
fn what_a_foreign_key_a_constraint_or_nobody_in_the_workload_needs_stays() {
    let both = "SELECT total FROM orders WHERE shop_id = 3 AND user_id = 43";
    let one = "SELECT count(total) FROM orders WHERE user_id = 8";
    for (indexes, queries) in [
        // The look-up of orders when a shop is deleted.
        (
            "ALTER TABLE orders ADD FOREIGN KEY (shop_id) REFERENCES shops; CREATE INDEX old ON orders (shop_id, user_id)",
            &[both, one][..],
        ),
        // For this one, which serves the key too, a finding takes the shorter one away.
        ("ALTER TABLE orders ADD FOREIGN KEY (shop_id) REFERENCES shops; CREATE INDEX old ON orders (shop_id, user_id);
          CREATE INDEX short ON orders (shop_id)", &[both, one]),
        ("CREATE UNIQUE INDEX old ON orders (shop_id, user_id, id)", &[both, one]),
        ("ALTER TABLE orders ADD CONSTRAINT old UNIQUE (shop_id, user_id, id)", &[both, one]),
        // Nothing here takes it: who does, is not known.
        ("CREATE INDEX old ON orders (shop_id, user_id)", &[one]),
    ] {
        let report = index(&orders(indexes), queries);
        let all = statements(&report);
        assert!(all.iter().any(|sql| sql.starts_with("CREATE public.orders (user_id")), "{indexes}: {all:?}");
        assert!(all.iter().all(|sql| !sql.contains("DROP")), "{indexes}: {all:?}");
    }
}

#[test]
fn an_index_is_widened_and_no_second_one_stands_beside_it() {
    let database = orders("CREATE INDEX by_shop ON orders (shop_id)");
    let report = index(
        &database,
        &[
            "SELECT id FROM orders WHERE shop_id = 7 ORDER BY created_at DESC LIMIT 5",
            "SELECT count(created_at) FROM orders WHERE shop_id = 8",
        ],
    );
    let all = statements(&report);
    let [create, drop] = all.as_slice() else { panic!("{all:?}") };
    assert!(create.starts_with("CREATE public.orders (shop_id, created_at DESC)"), "{create}");
    assert_eq!(drop, "DROP INDEX CONCURRENTLY public.by_shop");
    assert!(because(&report, 0).contains("it widens by_shop"), "{}", because(&report, 0));
}

#[test]
fn duplicates_and_beginnings_are_dropped_once_and_said_once() {
    let database = orders(
        r#"CREATE INDEX a ON orders (user_id, total); CREATE INDEX b ON orders (user_id, total); CREATE INDEX "C d" ON orders (created_at);
           CREATE INDEX by_time ON orders (created_at, shop_id);
           CREATE INDEX by_shop ON orders (shop_id); CREATE INDEX by_shop_status ON orders (shop_id, status);
           ALTER TABLE orders ADD CONSTRAINT own UNIQUE (id, user_id); ALTER TABLE orders ADD CONSTRAINT twice UNIQUE (id, user_id)"#,
    );
    let report = index(&database, &["SELECT total FROM orders WHERE user_id = 7"]);
    let mut all = statements(&report);
    all.sort();
    assert_eq!(all, ["DROP INDEX CONCURRENTLY public.\"C d\"", "DROP INDEX CONCURRENTLY public.b",]);
    for (at, advice) in report["advice"].as_array().expect("advice").iter().enumerate() {
        assert!(advice["size_bytes"].as_u64() > Some(0) && advice["rollback"].is_string(), "{advice:#}");
        assert!(
            because(&report, at).contains("120,000 entries were written to it"),
            "{}",
            because(&report, at)
        );
    }
    // The second constraint is no index to drop, and what is under a megabyte is no change by itself: those stay findings.
    let findings = report["findings"].as_array().expect("findings");
    let mut told: Vec<&str> =
        findings.iter().filter_map(|finding| finding["detail"]["index"].as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["by_shop", "twice"], "{findings:#?}");
}
