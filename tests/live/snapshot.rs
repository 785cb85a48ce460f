//! A private server with a snapshot plans as the server plans of which it was taken.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::LazyLock,
    time::Instant,
};

use sargable::{
    catalog::{IndexKey, IndexSpec, KeyExpr, snapshot::Snapshot},
    names::RelName,
    plan::{Plan, Probe, WhatIf},
    server::{Environment, Explained, Limits, Server, Target, Wanted, Wishes},
    sql::{parse, split},
    twin::{Options, Twin},
};

use crate::harness::{self, Database};

pub(crate) static SHOP: LazyLock<Database> = LazyLock::new(shop);

fn shop() -> Database {
    let shop = harness::database();
    let script = fs::read_to_string("fixtures/snapshot/shop.sql").expect("the fixture");
    for range in split::statements(&script) {
        shop.sql(&script[range]);
    }
    shop
}

fn taken_by(role: &str) -> Snapshot {
    SHOP.connect_as(role).snapshot(Wishes::default()).expect("a snapshot")
}

fn twin_of(snapshot: &Snapshot) -> (Twin, Server) {
    let twin = Twin::start(snapshot.clone(), &Options::default()).expect("a private server");
    let target = Target::resolve(Some(&twin.url()), &Environment::default()).expect("a target");
    let server = Server::connect(&target).expect("a connection");
    (twin, server)
}

fn queries() -> Vec<String> {
    let text = fs::read_to_string("fixtures/snapshot/queries.sql").expect("the fixture");
    split::statements(&text).into_iter().map(|range| text[range].to_owned()).collect()
}

fn probe(sql: &str) -> Probe {
    Probe { sql: sql.to_owned(), binds: Vec::new() }
}

#[track_caller]
fn plan(server: &mut Server, sql: &str) -> Plan {
    let shape = parse::parse(sql).ok();
    match server.explain(&probe(sql), shape.as_ref(), &Limits::default(), Wanted::Plan) {
        Explained::Plan { plan, .. } => plan,
        other => panic!("{sql}: {other:?}"),
    }
}

/// Node by node: what it is, and what it costs.
fn nodes(plan: &Plan) -> (Vec<String>, Vec<String>) {
    let nodes = plan.nodes();
    let what = nodes.iter().map(|n| format!("{} {:?} {:?}", n.node_type, n.index, n.relation)).collect();
    let figures =
        nodes.iter().map(|n| format!("{} {} {} {}", n.startup_cost, n.total_cost, n.rows, n.width)).collect();
    (what, figures)
}

/// The queries whose plans have another shape, and those that are not the same to the last figure.
fn compare(twin: &mut Server) -> (Vec<String>, Vec<String>) {
    let mut production = SHOP.connect();
    let (mut shapes, mut figures) = (Vec::new(), Vec::new());
    for sql in queries() {
        let (real, here) = (plan(&mut production, &sql), plan(twin, &sql));
        let (real, here) = (nodes(&real), nodes(&here));
        if real.0 != here.0 {
            shapes.push(format!("{sql}\n  {:?}\n  {:?}", real.0, here.0));
        }
        if real != here {
            figures.push(format!("{sql}\n  {:?}\n  {:?}", real.1, here.1));
        }
    }
    (shapes, figures)
}

#[test]
fn a_superusers_snapshot_plans_as_production() {
    let snapshot = taken_by("postgres");
    assert_eq!(snapshot.not_seen, []);
    let (twin, mut server) = twin_of(&snapshot);
    assert_eq!(twin.missing(), []);
    let (shapes, figures) = compare(&mut server);
    assert!(shapes.is_empty(), "{}", shapes.join("\n"));
    assert!(figures.len() <= 2, "{} of {}:\n{}", figures.len(), queries().len(), figures.join("\n"));
}

#[test]
fn an_ordinary_role_loses_little_and_says_what() {
    SHOP.sql(
        "CREATE ROLE snapshot_reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO snapshot_reader",
    );
    let snapshot = taken_by("snapshot_reader");
    let unseen: BTreeSet<&str> = snapshot.not_seen.iter().map(|unseen| unseen.what.as_str()).collect();
    // How many groups and what a search costs, the planner tells anybody.
    let expect = [
        "dependencies and commonest values of extended statistics",
        "statistics of an index on an expression",
    ];
    assert_eq!(unseen, BTreeSet::from(expect));
    let (_twin, mut server) = twin_of(&snapshot);
    let (shapes, figures) = compare(&mut server);
    assert!(shapes.is_empty(), "{}", shapes.join("\n"));
    // Two more than of a superuser's at most.
    assert!(figures.len() <= 4, "{} of {}:\n{}", figures.len(), queries().len(), figures.join("\n"));
}

#[test]
fn two_snapshots_of_one_state_are_the_same_text() {
    assert_eq!(taken_by("postgres").render(), taken_by("postgres").render());
}

/// Production's plan with the real index, and the bytes of that.
fn really(shop: &Database, spec: &IndexSpec, sql: &str) -> (Plan, u64) {
    let create = spec.create().replacen("INDEX", "INDEX real_one", 1);
    let size = "SELECT sum(pg_relation_size(c.oid)) FROM pg_class c WHERE c.oid = 'real_one'::regclass
                   OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'real_one'::regclass)";
    let answer = shop.sql(&format!("BEGIN; {create}; {size}; EXPLAIN (FORMAT JSON) {sql}; ROLLBACK"));
    let (bytes, json) = answer.split_once('\n').expect("two answers");
    (Plan::from_text(json).expect("a plan"), bytes.parse().expect("a size"))
}

fn orders(columns: &[&str]) -> IndexSpec {
    IndexSpec::btree(RelName::new(Some("public"), "orders"), columns)
}

/// Every access method, partial, covering, on an expression and on a partitioned table: what it promises is what
/// production says of the real index, and nothing of it stays.
#[test]
fn what_if_costs_what_the_real_index_costs() {
    // The size of a partial index rests on how many rows ANALYZE takes for NULL, and a scan of one page costs a sixth less
    // than one of two: here it reads every row, so that it is the model that is measured and not the luck of its sample.
    let shop = shop();
    shop.sql("ALTER TABLE orders ALTER note SET STATISTICS 700");
    shop.sql("ANALYZE orders");
    let snapshot = shop.connect().snapshot(Wishes::default()).expect("a snapshot");
    let (twin, mut server) = twin_of(&snapshot);
    let (mut catalog, _) = server.catalog().expect("a catalog");
    twin.correct(&mut catalog);
    let partial = IndexSpec { predicate: Some("note IS NULL".to_owned()), ..orders(&["created_at"]) };
    let covering = IndexSpec { include: vec!["total".to_owned()], ..orders(&["customer_id"]) };
    let lower =
        IndexKey { expr: KeyExpr::Expression("lower(status)".to_owned()), ..IndexKey::column("status") };
    let expression = IndexSpec { keys: vec![lower], ..orders(&["status"]) };
    let events = IndexSpec::btree(RelName::new(Some("public"), "events"), &["id"]);
    let patterns = IndexKey { opclass: Some("gist_trgm_ops".to_owned()), ..IndexKey::column("email") };
    let customers = IndexSpec::btree(RelName::new(Some("public"), "customers"), &[]);
    let patterns = IndexSpec { method: "gist".to_owned(), keys: vec![patterns], ..customers };
    let of = |method: &str, column: &str| IndexSpec { method: method.to_owned(), ..orders(&[column]) };
    let cases = [
        (
            orders(&["customer_id", "created_at"]),
            "SELECT * FROM orders WHERE customer_id = 42 AND created_at > '2024-12-01'",
        ),
        // Within the histogram: beyond its last bound, which ANALYZE draws anew each time, production looks into the index.
        (orders(&["total"]), "SELECT * FROM orders WHERE total > 985"),
        (partial, "SELECT * FROM orders WHERE note IS NULL AND created_at > '2024-12-20'"),
        (covering, "SELECT sum(total) FROM orders WHERE customer_id = 42"),
        (expression, "SELECT * FROM orders WHERE lower(status) = 'neu'"),
        (events, "SELECT * FROM events WHERE id = 77"),
        (of("gin", "tags"), "SELECT * FROM orders WHERE tags @> ARRAY['x7']"),
        (of("hash", "note"), "SELECT * FROM orders WHERE note = 'x'"),
        (of("brin", "id"), "SELECT * FROM orders WHERE id BETWEEN 1000 AND 90000 AND total < 3"),
        (patterns, "SELECT * FROM customers WHERE email LIKE '%er77@%'"),
    ];
    let mut off = Vec::new();
    for (spec, sql) in &cases {
        let mut oracle = twin.what_if(&mut server, &catalog, Limits::default());
        let promised = oracle.estimate(&probe(sql), std::slice::from_ref(spec)).expect("a plan");
        let size = oracle.size(spec).expect("a size");
        let (real, taken) = really(&shop, spec, sql);
        let known = |name: &str| snapshot.relations.iter().any(|relation| relation.name == name);
        let uses = real.nodes().iter().any(|node| node.index.as_deref().is_some_and(|name| !known(name)));
        let (cost, bytes) = (promised.cost / real.root.total_cost, size as f64 / taken as f64);
        // What is reached: the page of the size model says so.
        let allowed = match spec.method.as_str() {
            "btree" | "hash" | "brin" => 0.2,
            _ => 0.5,
        };
        let line = format!("{}: cost {cost:.3}, size {bytes:.3} of the real one's", spec.create());
        if promised.used[0] != uses || (cost - 1.0).abs() > 0.05 || (bytes - 1.0).abs() > allowed {
            off.push(line);
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
    let mut oracle = twin.what_if(&mut server, &catalog, Limits::default());
    let sql = cases[1].1;
    assert_eq!(
        oracle.estimate(&probe(sql), &[]).expect("a plan").plan.root.node_type,
        plan(&mut shop.connect(), sql).root.node_type
    );
}

/// Rows of one key share its entry: how many there are the statistics of columns do not say of an expression, nor of columns
/// that depend on each other.
#[test]
fn an_index_is_sized_by_the_different_keys_that_it_would_have() {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE calls AS SELECT n AS id, (10 + n % 25) || '-' || n AS phone, n % 5000 AS part, n % 5000 % 700 AS maker
           FROM generate_series(1, 100000) n;
         CREATE STATISTICS of_calls (ndistinct) ON part, maker FROM calls; ANALYZE calls",
    );
    let snapshot = shop.connect().snapshot(Wishes::default()).expect("a snapshot");
    let (twin, mut server) = twin_of(&snapshot);
    let (mut catalog, _) = server.catalog().expect("a catalog");
    twin.correct(&mut catalog);
    let calls = RelName::new(Some("public"), "calls");
    let by = |text: &str| IndexSpec {
        keys: vec![IndexKey { expr: KeyExpr::Expression(text.to_owned()), ..IndexKey::column("phone") }],
        ..IndexSpec::btree(calls.clone(), &[])
    };
    for spec in [
        by("substr(phone, 1, 2)"),
        by("(id % 100)"),
        IndexSpec::btree(calls.clone(), &["maker", "part"]),
        IndexSpec::btree(calls.clone(), &["maker", "id"]),
    ] {
        let promised = twin.what_if(&mut server, &catalog, Limits::default()).size(&spec).expect("a size");
        let (_, taken) = really(&shop, &spec, "SELECT FROM calls");
        let off = promised as f64 / taken as f64;
        assert!((0.8..1.2).contains(&off), "{}: {off:.3} of the real one's {taken}", spec.create());
    }
}

#[test]
fn an_index_can_be_hidden() {
    let (twin, mut server) = twin_of(&taken_by("postgres"));
    let (catalog, _) = server.catalog().expect("a catalog");
    let sql = "SELECT * FROM orders WHERE customer_id = 42";
    let with = plan(&mut server, sql);
    let hidden = [RelName::new(Some("public"), "orders_customer_idx")];
    let mut oracle = twin.what_if(&mut server, &catalog, Limits::default());
    oracle.hide(&hidden).expect("it can");
    let without = oracle.estimate(&probe(sql), &[]).expect("a plan");
    assert!(without.cost > 5.0 * with.root.total_cost, "{} {}", without.cost, with.root.total_cost);
    assert_eq!(nodes(&plan(&mut server, sql)), nodes(&with), "it is back");
}

/// The bytes that the files of a folder take, and how long they are.
fn disk(folder: &Path) -> (u64, u64) {
    let (mut taken, mut long) = (0, 0);
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
            // The server removes files while we look.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                open.push(entry.path());
            }
            taken += metadata.blocks() * 512;
            long += metadata.len();
        }
    }
    (taken, long)
}

/// 1,024 files of a gigabyte, and the indexes' as many more: nothing of it is written.
#[test]
fn a_terabyte_is_planned_on_little_disk() {
    let mut snapshot = taken_by("postgres");
    let indexes: BTreeSet<String> = snapshot
        .relations
        .iter()
        .filter(|one| one.name.starts_with("orders_"))
        .map(|one| one.name.clone())
        .collect();
    assert!(!indexes.is_empty());
    for relation in &mut snapshot.relations {
        if relation.name == "orders" || indexes.contains(&relation.name) {
            let pages: i64 = if relation.name == "orders" { 1 << 27 } else { 27_000_000 };
            (relation.pages, relation.blocks, relation.tuples) = (pages, Some(pages.unsigned_abs()), 1e10);
            relation.level = relation.level.map(|_| 4);
        }
    }
    let (twin, mut server) = twin_of(&snapshot);
    let begun = Instant::now();
    let whole = plan(&mut server, "SELECT * FROM orders WHERE note LIKE '%x%'");
    let first = begun.elapsed();
    let one = plan(&mut server, "SELECT * FROM orders WHERE id = 42");
    assert!(whole.nodes().iter().any(|node| node.node_type == "Seq Scan"), "{whole:?}");
    assert!(whole.root.total_cost > f64::from(1 << 27), "{}", whole.root.total_cost);
    assert!(one.nodes().iter().any(|node| node.index.is_some()), "{one:?}");
    assert!(one.root.total_cost < 20.0, "{}", one.root.total_cost);
    let url = twin.url();
    let folder = url.split_once("host=").and_then(|(_, rest)| rest.split('&').next()).expect("its socket");
    let (taken, long) = disk(&Path::new(folder).join("data"));
    writeln!(io::stdout(), "\n{long} bytes long on {taken} bytes of disk, planned first in {first:?}")
        .expect("a reader");
    assert!(long > 1 << 40, "{long} bytes long");
    assert!(taken < 100_000_000, "{taken} bytes of disk");
}
