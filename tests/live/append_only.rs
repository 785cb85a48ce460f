//! BRIN or B-tree on a large table that only grows: what pays more.

use sargable::{advise::Advised, catalog::Catalog};

use crate::{
    advise::advise_on,
    harness::{self, Database},
};

/// 900,000 events of ten weeks, 180 MB.
const EVENTS: &str = "
    CREATE EXTENSION hypopg;
    CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL, kind int NOT NULL, note text);
    INSERT INTO events SELECT n, timestamptz '2025-01-01' + n * interval '7 second', n * 31 % 1000, repeat('x', 150)
        FROM generate_series(1, 900000) n;";

/// Queries with their calls, a tenth of a millisecond for each row written and 100 ms for each read.
fn advise(database: &Database, catalog: &Catalog, queries: &[(&str, u64)]) -> Advised {
    let texts: Vec<&str> = queries.iter().map(|(sql, _)| *sql).collect();
    advise_on(database, catalog, &texts, |at, query| {
        let (sql, calls) = queries[at];
        (query.calls, query.timed) = (calls, calls);
        query.total_us = calls * if sql.starts_with("INSERT") { 100 } else { 100_000 };
    })
}

#[test]
fn a_btree_that_costs_more_than_it_saves_gives_way_to_a_brin() {
    let database = harness::database();
    database.sql(EVENTS);
    database.sql("VACUUM ANALYZE events");
    let catalog = database.connect().catalog().expect("a catalog").0;

    let weeks = "SELECT sum(kind) FROM events WHERE at >= '2025-02-01' AND at < '2025-02-15'";
    // A million inserts would write a B-tree a million times.
    let inserts = ("INSERT INTO events (id, at, kind) VALUES (1, now(), 2)", 1_000_000);
    let advised = advise(&database, &catalog, &[(weeks, 100), inserts]);
    let [brin] = advised.advice.as_slice() else { panic!("{:#?}", advised.advice) };
    assert!(brin.sql.ends_with("ON public.events USING brin (at)"), "{}", brin.sql);
    assert!(brin.size_bytes.is_some_and(|bytes| bytes < 200_000), "{:?}", brin.size_bytes);
    assert!(brin.because.contains("the rows lie in the order of at (correlation 1.00)"), "{}", brin.because);
    database.sql(&brin.sql);
    let plan = database.sql(&format!("EXPLAIN {weeks}"));
    assert!(plan.contains("Bitmap Index Scan on events_at_idx"), "{plan}");
    database.sql("DROP INDEX events_at_idx");

    for (why, sql) in [
        ("nobody writes", weeks),
        ("one row", "SELECT kind FROM events WHERE at = '2025-02-01 00:00:07'"),
        ("an order", "SELECT kind FROM events WHERE at < '2025-02-01' ORDER BY at DESC LIMIT 10"),
    ] {
        let advised = advise(&database, &catalog, &[(sql, 100)]);
        let [btree] = advised.advice.as_slice() else { panic!("{why}: {:#?}", advised.advice) };
        assert!(btree.sql.contains("ON public.events (at"), "{why}: {}", btree.sql);
    }

    // With a B-tree there, it is no matter of a new index.
    database.sql("CREATE INDEX there ON events (at)");
    let catalog = database.connect().catalog().expect("a catalog").0;
    assert!(advise(&database, &catalog, &[(weeks, 100), inserts]).advice.is_empty());
}
