//! The catalog, against a real one.

use std::fmt::Write as _;

use sargable::{
    catalog::{Catalog, TableKind},
    names::RelName,
};

use crate::harness;

/// A catalog as text that a person can review.
fn outline(catalog: &Catalog) -> String {
    let mut text = String::new();
    for table in &catalog.tables {
        writeln!(text, "{} {:?} rows {:?}", table.name, table.kind, table.rows).expect("a String takes it");
        for column in &table.columns {
            let null = if column.not_null { " NOT NULL" } else { "" };
            let c = if column.c_collation { " C" } else { "" };
            writeln!(text, "  {} {}{null}{c}", column.name, column.type_name).expect("a String takes it");
        }
        for index in &table.indexes {
            let flags: String = [
                (index.unique, " unique"),
                (index.primary, " primary"),
                (index.constraint, " constraint"),
                (!index.valid, " INVALID"),
            ]
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, word)| *word)
            .collect();
            writeln!(text, "  {}{flags}: {}", index.name, index.spec.create()).expect("a String takes it");
        }
        for key in &table.foreign_keys {
            writeln!(
                text,
                "  {}: {:?} -> {} {:?}",
                key.name, key.columns, key.references, key.referenced_columns
            )
            .expect("a String takes it");
        }
    }
    text
}

#[test]
fn everything_that_a_table_can_have() {
    let shop = harness::database();
    shop.sql(
        r#"CREATE SCHEMA "Weird ""One";
        CREATE TABLE "Weird ""One"."Table" ("Id" int PRIMARY KEY);
        CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar(255) NOT NULL UNIQUE,
            name text COLLATE "en-x-icu", code text COLLATE "C", dropped int, tags jsonb);
        ALTER TABLE customers DROP COLUMN dropped;
        CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, status text, created_at timestamptz);
        CREATE INDEX a_multi ON orders (customer_id, created_at DESC, status DESC NULLS LAST) INCLUDE (id) WHERE status <> 'done' OR status IS NULL;
        CREATE INDEX b_expr ON customers (lower(email), (id + 1), name text_pattern_ops);
        CREATE INDEX c_gin ON customers USING gin (tags jsonb_path_ops);
        CREATE TABLE events (day date, n int) PARTITION BY RANGE (day);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE INDEX ON events (day);
        CREATE VIEW recent AS SELECT id FROM orders;
        CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM orders;
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'c_gin'::regclass;
        ANALYZE events_1"#,
    );
    let (catalog, not_judged) = shop.connect().catalog().expect("a catalog");
    assert!(not_judged.is_empty(), "{not_judged:?}");
    assert_eq!(catalog.search_path, ["public"]);
    assert!(catalog.c_collation && catalog.extensions.contains_key("plpgsql"));
    assert!(catalog.available_extensions.contains(&"hypopg".to_owned()));
    assert_eq!(catalog.settings.get("work_mem"), Some("4096"));
    insta::assert_snapshot!(outline(&catalog), @r#"
    "Weird ""One"."Table" Table rows None
      Id integer NOT NULL C
      Table_pkey unique primary constraint: CREATE INDEX ON "Weird ""One"."Table" ("Id")
    public.customers Table rows None
      id bigint NOT NULL C
      email character varying(255) NOT NULL C
      name text
      code text C
      tags jsonb C
      b_expr: CREATE INDEX ON public.customers (lower(email::text), (id + 1), name text_pattern_ops)
      c_gin INVALID: CREATE INDEX ON public.customers USING gin (tags jsonb_path_ops)
      customers_email_key unique constraint: CREATE INDEX ON public.customers (email)
      customers_pkey unique primary constraint: CREATE INDEX ON public.customers (id)
    public.events Partitioned rows None
      day date C
      n integer C
      events_day_idx: CREATE INDEX ON public.events (day)
    public.events_1 Partition rows Some(0.0)
      day date C
      n integer C
      events_1_day_idx: CREATE INDEX ON public.events_1 (day)
    public.orders Table rows None
      id bigint NOT NULL C
      customer_id bigint C
      status text C
      created_at timestamp with time zone C
      a_multi: CREATE INDEX ON public.orders (customer_id, created_at DESC, status DESC NULLS LAST) INCLUDE (id) WHERE (status <> 'done'::text) OR (status IS NULL)
      orders_pkey unique primary constraint: CREATE INDEX ON public.orders (id)
      orders_customer_id_fkey: ["customer_id"] -> public.customers ["id"]
    public.recent View rows None
      id bigint C
    public.totals MaterializedView rows None
      n bigint C
    "#);
}

#[test]
fn statistics_and_sizes() {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE t (id int, kind text, spread float8, list int[], empty text);
         INSERT INTO t SELECT n, CASE WHEN n % 10 = 0 THEN 'a,\"b' ELSE 'common' END, sin(n), ARRAY[n % 2, 7] FROM generate_series(1, 10000) n;
         ANALYZE t; CREATE INDEX ON t (id)",
    );
    let (catalog, _) = shop.connect().catalog().expect("a catalog");
    let table = catalog.table(&RelName::new(None, "t")).expect("the table");
    assert_eq!(table.rows, Some(10_000.0));
    let pages = |name: &str| shop.sql(&format!("SELECT pg_relation_size('{name}')")).parse::<u64>().ok();
    assert_eq!(table.bytes, pages("t"));
    assert_eq!(table.indexes[0].bytes, pages("t_id_idx"));
    let of =
        |name: &str| table.column(name).and_then(|column| column.statistics.clone()).expect("statistics");
    assert!((of("id").distinct - 10_000.0).abs() < 1.0 && of("id").histogram.len() == 101);
    assert_eq!(of("id").correlation, Some(1.0));
    let common = of("kind").common;
    assert_eq!(common.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), ["common", "a,\"b"]);
    assert!((common[0].1 - 0.9).abs() < 0.01);
    assert_eq!(of("list").common[0].0.len(), "{0,7}".len());
    assert!((of("empty").null_fraction - 1.0).abs() < f64::EPSILON);
    assert_eq!(table.activity.expect("activity").inserts, 10_000);
}

#[test]
fn what_the_role_may_not_see_is_counted() {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE secret AS SELECT 1 AS n; CREATE TABLE open AS SELECT 1 AS n; ANALYZE;
         CREATE ROLE reader LOGIN; GRANT SELECT ON open TO reader",
    );
    let (catalog, not_judged) = shop.connect_as("reader").catalog().expect("a catalog");
    let seen = |name: &str| {
        let table = catalog.table(&RelName::new(None, name)).expect("the table");
        table.columns[0].statistics.is_some()
    };
    assert!(seen("open") && !seen("secret"));
    let lines = not_judged.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((lines[0].why.as_str(), lines[0].count), ("the role `reader` may not SELECT it", 1));
}

#[test]
fn a_locked_table_does_not_stop_it() {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n; CREATE INDEX ON t (n) WHERE n > 5;
         CREATE INDEX plain ON t (n); ANALYZE t",
    );
    let pages: u64 = shop.sql("SELECT relpages FROM pg_class WHERE relname = 't'").parse().expect("a number");
    let holder = harness::hold(&shop, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let (catalog, not_judged) = shop.connect().catalog().expect("a catalog");
    let table = catalog.table(&RelName::new(None, "t")).expect("the table");
    assert_eq!(table.bytes, Some(pages * 8192));
    assert_eq!(table.indexes.iter().map(|index| index.name.as_str()).collect::<Vec<_>>(), ["plain"]);
    assert_eq!(not_judged.lines()[0].what, "a partial or expression index");
    drop(holder);
}

#[test]
fn ten_thousand_tables() {
    let shop = harness::database();
    // Each in its own block: one transaction would need a lock entry for every table.
    for part in 0..10 {
        shop.sql(&format!(
            "DO $$ BEGIN FOR n IN {part}001..{part}999 LOOP
                 EXECUTE format('CREATE TABLE t%s (id int, a text)', n);
             END LOOP; EXECUTE 'CREATE TABLE t{part}000 (id int PRIMARY KEY, a text)'; END $$"
        ));
    }
    let mut server = shop.connect();
    let before = std::time::Instant::now();
    let (catalog, _) = server.catalog().expect("a catalog");
    // Shown by `cargo test -- --nocapture`; a slow machine is no failure.
    #[expect(clippy::print_stdout, reason = "a figure for whoever asks for the test's output")]
    {
        println!("catalog of 10,000 tables: {:?}", before.elapsed());
    }
    assert_eq!(catalog.tables.iter().filter(|table| table.kind == TableKind::Table).count(), 10_000);
    assert!(catalog.tables.iter().all(|table| table.columns.len() == 2));
    assert_eq!(catalog.tables.iter().map(|table| table.indexes.len()).sum::<usize>(), 10);
}
