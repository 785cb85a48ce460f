//! Indexes that no query used, as `sargable index` advises to drop them: how long the server must have counted, what a
//! replica may know, and what stays.

use std::process::Command;

use serde_json::Value;

use crate::harness::{self, Database};

/// 60,000 orders of 3,000 users; every index but the small one is larger than a megabyte.
const ORDERS: &str = r#"
    CREATE TABLE users (id bigint PRIMARY KEY);
    INSERT INTO users SELECT generate_series(0, 2999);
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, number text NOT NULL,
        total int NOT NULL, status text, CONSTRAINT own UNIQUE (number, id));
    INSERT INTO orders SELECT n, n * 7919 % 3000, md5(n::text), n * 31 % 9973, CASE WHEN n % 100 = 0 THEN 'new' END
        FROM generate_series(1, 60000) n;
    CREATE INDEX "by Total" ON orders (total, id);
    CREATE INDEX by_number_read ON orders (number DESC, total);
    CREATE UNIQUE INDEX by_number_once ON orders (number, total, id);
    CREATE INDEX by_user ON orders (user_id, number);
    CREATE INDEX small ON orders (status) WHERE status IS NOT NULL;"#;

/// Makes the server tell what it would after so many days, and beside a replica: the views are this database's own.
fn age(database: &Database) {
    database.sql(
        "SET allow_system_table_mods = on;
         DO $do$ BEGIN
           EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_stat_database AS '
               || replace(pg_get_viewdef('pg_catalog.pg_stat_database'::regclass),
                          'pg_stat_get_db_stat_reset_time(d.oid)', 'now() - current_setting(''test.age'')::interval');
           EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_stat_replication AS SELECT * FROM ('
               || regexp_replace(rtrim(pg_get_viewdef('pg_catalog.pg_stat_replication'::regclass), ';'), ' JOIN ', ' FULL JOIN ')
               || ') seen WHERE current_setting(''test.replica'')::boolean';
         END $do$",
    );
}

fn tell(database: &Database, days: u32, replica: bool) {
    let name = &database.name;
    database.sql(&format!("ALTER DATABASE {name} SET test.age = '{days} days 1 hour'"));
    database.sql(&format!("ALTER DATABASE {name} SET test.replica = {replica}"));
}

#[track_caller]
fn report(database: &Database) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("q.sql");
    std::fs::write(&file, "SELECT total FROM orders WHERE id = 7;").expect("the query");
    let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["index", "--format", "json", "--database-url", &database.url()])
        .arg(&file)
        .env_clear()
        .output()
        .expect("the program ends");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("JSON")
}

fn advice(report: &Value) -> Vec<(&str, &str)> {
    let all = report["advice"].as_array().expect("advice");
    let text = |one: &'_ Value, key: &str| one[key].as_str().map(str::to_owned).unwrap_or_default();
    assert!(
        all.iter().all(|one| !text(one, "rollback").is_empty() && one["size_bytes"].as_u64() > Some(1 << 20))
    );
    all.iter().filter_map(|one| Some((one["sql"].as_str()?, one["because"].as_str()?))).collect()
}

#[test]
fn an_index_that_nobody_used_goes_once_the_server_has_counted_long_enough() {
    let database = harness::database();
    database.sql(ORDERS);
    database.sql("VACUUM ANALYZE");
    database.sql(
        "SET enable_seqscan = off; SET enable_bitmapscan = off;
         SELECT number, total FROM orders ORDER BY number DESC, total LIMIT 1",
    );
    let used = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'by_number_read'";
    assert_eq!(database.sql(used), "1");

    // A young server knows nothing of weekly jobs, and says that it does not judge.
    let young = report(&database);
    assert_eq!(advice(&young), []);
    let not_judged = young["not_judged"].as_array().expect("not judged");
    let line = not_judged.iter().find(|line| line["what"] == "unused-index").expect("a line");
    assert_eq!(line["why"], "the server has counted for less than 14 days");

    // Of those that nothing used, constraints, unique ones, those of a foreign key and small ones stay.
    age(&database);
    tell(&database, 40, false);
    let old = report(&database);
    let all = advice(&old);
    let [(sql, because)] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!(*sql, "DROP INDEX CONCURRENTLY public.\"by Total\"");
    assert!(because.contains("was not used in 40 days, and written for up to 60,000 rows"), "{because}");
    assert!(!because.contains("replica"), "{because}");

    tell(&database, 14, true);
    let with_replica = report(&database);
    let all = advice(&with_replica);
    let [(again, because)] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!(again, sql);
    assert!(because.contains("was not used in 14 days"), "{because}");
    assert!(because.contains("each replica counts its own use"), "{because}");

    // What undoes it, does.
    let definition =
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = '\"by Total\"'::regclass";
    let before = database.sql(definition);
    database.sql(sql);
    assert_eq!(advice(&report(&database)), []);
    database.sql(old["advice"][0]["rollback"].as_str().expect("SQL"));
    assert_eq!(database.sql(definition), before);
}
