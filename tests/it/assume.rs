//! Figures of a schema without rows, and what a user says of them.

use std::fs;

use sargable::{
    assume::{self, Assumptions, Given, RowsOf, Stored},
    catalog::snapshot::{FORMAT, Relation, Snapshot},
    error::Error,
    sources::schema,
};

const SCHEMA: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, state text CHECK (state = ANY (ARRAY['on'::text, 'off'::text])));
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id), created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE items (order_id bigint NOT NULL REFERENCES orders (id), number integer NOT NULL, note varchar(10), PRIMARY KEY (order_id, number));
    CREATE TABLE countries (code char(2) PRIMARY KEY);
    CREATE TABLE events (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE INDEX orders_user ON orders (user_id);";

fn rows(list: &[&str]) -> Vec<RowsOf> {
    list.iter().map(|one| one.parse().expect("rows of a table")).collect()
}

fn given(list: &[&str], stats: &str) -> Result<Given, Error> {
    let file = (!stats.is_empty()).then(|| ("stats.yaml".to_owned(), stats.to_owned()));
    Given::read(&rows(list), file)
}

/// A server's part: what the columns are stored as.
fn stored() -> Vec<Stored> {
    let mut all = Vec::new();
    for table in schema::read(SCHEMA).catalog.tables {
        for column in &table.columns {
            let (length, alignment) = match column.type_name.as_str() {
                "bigint" | "timestamp with time zone" => (8, 8),
                "integer" => (4, 4),
                _ => (-1, 4),
            };
            let bound = (column.name == "at" && table.name.name != "events").then(|| {
                let year = if table.name.name == "events_1" { 2024 } else { 2025 };
                format!("FOR VALUES FROM ('{year}-01-01 00:00:00+00') TO ('{}-01-01 00:00:00+00')", year + 1)
            });
            all.push(Stored {
                schema: "public".to_owned(),
                relation: table.name.name.clone(),
                name: column.name.clone(),
                type_name: column.type_name.clone(),
                length,
                alignment,
                not_null: column.not_null,
                bound,
                ..Stored::default()
            });
        }
    }
    all
}

fn filled(given: &Given) -> Result<(Snapshot, Assumptions), Error> {
    let catalog = schema::read(SCHEMA).catalog;
    let relation = |name: &str, kind: &str| Relation {
        schema: "public".to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        method: (kind == "i").then(|| "btree".to_owned()),
        ..Relation::default()
    };
    let mut snapshot = Snapshot { snapshot: FORMAT, ..Snapshot::default() };
    snapshot.server.version = 150_018;
    for table in &catalog.tables {
        let kind = if table.name.name == "events" { "p" } else { "r" };
        snapshot.relations.push(relation(&table.name.name, kind));
        snapshot.relations.extend(table.indexes.iter().map(|index| relation(&index.name, "i")));
    }
    let assumptions = assume::fill(&mut snapshot, &catalog, &stored(), given, 1_790_035_200)?;
    Ok((snapshot, assumptions))
}

fn relation<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Relation {
    snapshot.relations.iter().find(|relation| relation.name == name).expect("a relation")
}

#[track_caller]
fn column<'a>(
    snapshot: &'a Snapshot,
    table: &str,
    name: &str,
) -> &'a sargable::catalog::snapshot::ColumnFigures {
    relation(snapshot, table).columns.iter().find(|column| column.name == name).expect("a column")
}

#[test]
fn rows_are_read_strictly() {
    for (text, expect) in [
        ("orders=10M", 1e7),
        ("app.orders=250k", 250e3),
        ("o=1.5B", 1.5e9),
        ("o=2G", 2e9),
        ("o=1200", 1200.0),
        ("o=10_000", 1e4),
        ("o=0", 0.0),
    ] {
        assert_eq!(text.parse::<RowsOf>().map(|rows| rows.rows.0), Ok(expect), "{text}");
    }
    for (text, expect) in [
        ("orders", "`orders` is no TABLE=ROWS, such as orders=10M"),
        ("=10M", "a name is missing"),
        ("o=ten", "`ten` is no number of rows: write 1200, 250k, 10M or 1.5B"),
        ("o=", "`` is no number of rows: write 1200, 250k, 10M or 1.5B"),
        ("o=-5", "`-5` is no number of rows: write 1200, 250k, 10M or 1.5B"),
        ("o=1e300", "`1e300` is no number of rows: write 1200, 250k, 10M or 1.5B"),
        ("o=99999999999999", "`99999999999999` is no number of rows: write 1200, 250k, 10M or 1.5B"),
    ] {
        assert_eq!(text.parse::<RowsOf>(), Err(expect.to_owned()), "{text}");
    }
}

#[test]
fn rows_spread_along_foreign_keys() {
    let (snapshot, assumptions) =
        filled(&given(&["orders=10M", "events=2M"], "").expect("rows")).expect("figures");
    let rows = |name: &str| relation(&snapshot, name).tuples;
    for (name, expect) in [
        ("orders", 1e7),
        ("items", 1e7),
        ("users", 1e6),
        ("countries", 1000.0),
        ("events", 2e6),
        ("events_1", 1e6),
        ("events_2", 1e6),
    ] {
        assert_eq!(rows(name).to_bits(), f64::to_bits(expect), "{name}: {}", rows(name));
    }
    insta::assert_snapshot!(assumptions.lines().join("\n"));
    let assumed = snapshot.assumed.expect("it says that it is assumed");
    assert_eq!(assumed.from, "--rows");
    let users = assumed.tables.iter().find(|one| one.table == "public.users").expect("each table is there");
    assert_eq!((users.rows, users.why.as_str()), (1e6, "a tenth of orders, which refers to it"));
}

#[test]
fn figures_follow_from_the_declarations() {
    let (snapshot, _) = filled(&given(&["orders=10M", "users=1M"], "").expect("rows")).expect("figures");
    let id = column(&snapshot, "orders", "id");
    assert_eq!((id.n_distinct, id.correlation, id.null_frac), (-1.0, Some(1.0), 0.0));
    let bounds = id.histogram_bounds.as_deref().expect("a key has bounds");
    assert!(bounds.starts_with("{1,") && bounds.ends_with(",10000000}"), "{bounds}");
    let user = column(&snapshot, "orders", "user_id");
    // A tenth of the rows is no share yet.
    assert_eq!((user.n_distinct, user.correlation), (1e6, Some(0.0)));
    assert!(user.histogram_bounds.as_deref().is_some_and(|bounds| bounds.ends_with(",1000000}")));
    let state = column(&snapshot, "users", "state");
    assert_eq!((state.n_distinct, state.null_frac), (2.0, 0.1));
    assert_eq!(state.most_common_vals.as_deref(), Some("{on,off}"));
    assert_eq!(state.most_common_freqs.as_deref(), Some("{0.45,0.45}"));
    let made = column(&snapshot, "orders", "created_at");
    assert_eq!((made.n_distinct, made.correlation), (-1.0, Some(1.0)));
    assert!(
        made.histogram_bounds.as_deref().is_some_and(|bounds| bounds.ends_with("2026-09-22 00:00:00+00\"}")),
        "{made:?}"
    );
    // What the orders leave to it: as many rows as orders, so one a piece.
    assert_eq!(column(&snapshot, "items", "number").n_distinct.to_bits(), f64::to_bits(1.0));
    let at = column(&snapshot, "events", "at");
    assert!(at.inherited);
    let bounds = at.histogram_bounds.as_deref().expect("the partitions have ranges");
    assert!(
        bounds.starts_with("{\"2024-01-01 ") && bounds.ends_with("\"2026-01-01 00:00:00+00\"}"),
        "{bounds}"
    );
    // 24 of the header, 24 of values, 4 of the pointer: 157 rows a page.
    assert_eq!(relation(&snapshot, "orders").blocks, Some(63_695));
    let index = relation(&snapshot, "orders_user");
    // PostgreSQL 15 gave 8,677 pages and two levels to such an index of 10 million rows.
    assert_eq!(index.level, Some(2));
    assert!(index.blocks.is_some_and(|blocks| (8_000..12_000).contains(&blocks)), "{index:?}");
}

#[test]
fn what_is_said_comes_before_what_is_assumed() {
    let stats = fs::read_to_string("fixtures/stats/orders.yaml").expect("the fixture");
    let (snapshot, _) = filled(&given(&["orders=2M"], &stats).expect("statistics")).expect("figures");
    assert_eq!(snapshot.assumed.as_ref().map(|assumed| assumed.from.as_str()), Some("--rows and --stats"));
    let rows = relation(&snapshot, "orders").tuples;
    assert_eq!(rows.to_bits(), f64::to_bits(2e6), "--rows comes before the file: {rows}");
    let user = column(&snapshot, "orders", "user_id");
    assert_eq!((user.n_distinct, user.correlation), (50_000.0, Some(0.3)));
    let kind = column(&snapshot, "users", "state");
    assert_eq!(kind.most_common_vals.as_deref(), Some("{on,off}"));
    assert_eq!(kind.most_common_freqs.as_deref(), Some("{0.97,0.01}"));
    let made = column(&snapshot, "orders", "created_at").histogram_bounds.clone().expect("bounds");
    assert!(made.starts_with("{\"2020-01-01 ") && made.ends_with("\"2026-11-01 00:00:00+00\"}"), "{made}");
    assert_eq!(column(&snapshot, "items", "note").avg_width, 120);
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    for (list, stats, expect, hint) in [
        (
            &["order=1M"][..],
            "",
            "--rows order: the schema has no table `order`",
            Some("did you mean `orders`?"),
        ),
        (
            &[],
            "tables:\n  orders:\n    row: 1M\n",
            "stats.yaml:3:5: tables.orders: unknown field `row`",
            Some("did you mean `rows`?"),
        ),
        (
            &[],
            "table:\n  orders: {}\n",
            "stats.yaml:1:1: unknown field `table`",
            Some("did you mean `tables`?"),
        ),
        (
            &[],
            "tables:\n  user:\n    rows: 1M\n",
            "stats.yaml:2:3: the schema has no table `user`",
            Some("did you mean `users`?"),
        ),
        (
            &[],
            "tables:\n  users:\n    columns:\n      mail: {width: 20}\n",
            "stats.yaml:4:7: users has no column `mail`",
            Some("did you mean `email`?"),
        ),
        (&[], "tables:\n  users:\n    rows: many\n", "`many` is no number of rows", None),
        (
            &[],
            "tables:\n  users:\n    columns:\n      email: {null_frac: 2}\n",
            "`2` is no number from 0 to 1",
            None,
        ),
        (
            &[],
            "tables:\n  users:\n    columns:\n      state:\n        most_common: {on: 0.9, off: 0.2}\n",
            "more than all rows",
            None,
        ),
        (
            &[],
            "tables:\n  users:\n    columns:\n      id:\n        max: nobody\n",
            "stats.yaml:5:9: users.id: from `1` to `nobody` is no range of bigint",
            None,
        ),
        (&[], "tables:\n  users: {rows: 1}\n  users: {rows: 2}\n", "`users` comes twice", None),
    ] {
        let err = given(list, stats).and_then(|given| filled(&given).map(|_| ())).expect_err(stats);
        assert!(err.to_string().contains(expect), "{err}");
        if let Some(hint) = hint {
            assert_eq!(err.hint().as_deref(), Some(hint), "{err}");
        }
    }
}

#[test]
fn the_schema_of_the_file_fits_it() {
    let text = fs::read_to_string("docs/stats.schema.json").expect("the schema");
    let schema = serde_json::from_str(&text).expect("the schema is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a JSON Schema");
    let yaml = |text: &str| serde_yaml::from_str::<serde_json::Value>(text).expect("YAML");
    let fixture = fs::read_to_string("fixtures/stats/orders.yaml").expect("the fixture");
    let wrong: Vec<String> = schema.iter_errors(&yaml(&fixture)).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new());
    for wrong in [
        "table: {}",
        "tables: {users: {row: 1}}",
        "tables: {users: {rows: ten}}",
        "tables: {u: {columns: {c: {null_frac: 2}}}}",
    ] {
        assert!(!schema.is_valid(&yaml(wrong)), "{wrong}");
    }
    // Each key of the one is a key of the other.
    let page = fs::read_to_string("docs/stats.md").expect("the page");
    for key in [
        "settings",
        "tables",
        "rows",
        "width",
        "columns",
        "n_distinct",
        "null_frac",
        "correlation",
        "most_common",
        "min",
        "max",
    ] {
        assert!(page.contains(&format!("`{key}`")), "docs/stats.md does not say what `{key}` is");
        assert!(text.contains(&format!("\"{key}\"")), "docs/stats.schema.json has no `{key}`");
    }
}
