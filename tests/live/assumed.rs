//! A snapshot of DDL and a few numbers of rows: the whole way, and how near its plans are to those of the real rows.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use sargable::{
    catalog::snapshot::{Relation, Snapshot},
    plan::{Plan, Probe},
    server::{Environment, Explained, Limits, Server, Target, Wanted, Wishes},
    sql::{parse, split},
    twin::{Options, Twin},
};

fn sargable(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sargable"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.args(arguments).current_dir(folder).env_clear().env("PATH", path).stdin(Stdio::null());
    if let Some(bin) = std::env::var_os("PG_BIN") {
        command.env("PG_BIN", bin);
    }
    command.output().expect("sargable runs")
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

fn read(path: &Path) -> Snapshot {
    Snapshot::parse(&fs::read_to_string(path).expect("the file")).expect("a snapshot")
}

fn relation<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Relation {
    snapshot.relations.iter().find(|relation| relation.name == name).expect("a relation")
}

/// Migrations as they are: extensions, roles that are not there, data, a statement that PostgreSQL refuses.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "V1__users.sql",
        "CREATE EXTENSION IF NOT EXISTS pg_trgm;
         BEGIN;
         CREATE TYPE state AS ENUM ('open', 'paid', 'sent');
         CREATE DOMAIN code AS varchar(3) CHECK (VALUE IN ('EUR', 'USD'));
         CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, deleted_at timestamptz);
         ALTER TABLE users OWNER TO app;
         GRANT SELECT ON users TO app;
         INSERT INTO users (email) VALUES ('root@example.com');
         COMMIT;",
    ),
    (
        "V2__orders.sql",
        "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL REFERENCES users,
             state state NOT NULL, currency code NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), note text) WITH (fillfactor = 80);
         CREATE POLICY own ON orders TO app USING (true);
         CREATE TABLE broken (id nothing);
         COPY orders (id) FROM stdin;
1
\\.
         \\echo done",
    ),
    (
        "V10__indexes.sql",
        "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
         CREATE INDEX users_trgm ON users USING gin (email gin_trgm_ops);
         CREATE INDEX users_lower ON users (lower(email)) WHERE deleted_at IS NULL;
         -- +goose Down
         DROP TABLE orders;",
    ),
];

#[test]
fn a_schema_and_a_number_of_rows_make_a_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("migrations")).expect("a folder");
    for (name, text) in MIGRATIONS {
        fs::write(at("migrations").join(name), text).expect("a migration");
    }
    fs::write(
        at("q.sql"),
        "SELECT id FROM orders WHERE user_id = 42;\nSELECT note FROM orders WHERE currency = 'EUR';\n",
    )
    .expect("queries");
    fs::write(
        at("stats.yaml"),
        "settings: {random_page_cost: 1.1}\ntables:\n  users:\n    columns:\n      email: {width: 24}\n",
    )
    .expect("statistics");

    let out = sargable(
        folder.path(),
        &[
            "snapshot",
            "--schema",
            "migrations",
            "--rows",
            "orders=10M",
            "--stats",
            "stats.yaml",
            "-o",
            "guess.snap",
        ],
    );
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    for words in [
        "assumed from --rows and --stats:",
        "orders  10,000,000 rows: given",
        "users    1,000,000 rows: a tenth of orders, which refers to it",
        "passed over: 6 statements that plans do not depend on (ALTER 1, BEGIN 1, COMMIT 1, COPY 1, GRANT 1, INSERT 1)",
        "refused: migrations/V2__orders.sql:4: CREATE TABLE broken (id nothing): type \"nothing\" does not exist",
    ] {
        assert!(said(&out).contains(words), "{words}: {}", said(&out));
    }
    let snapshot = read(&at("guess.snap"));
    assert_eq!(snapshot.assumed.as_ref().map(|assumed| assumed.from.as_str()), Some("--rows and --stats"));
    assert_eq!(snapshot.not_seen.len(), 1, "{:?}", snapshot.not_seen);
    assert_eq!(snapshot.settings.get("random_page_cost"), Some("1.1"));
    let orders = relation(&snapshot, "orders");
    let column = |name: &str| orders.columns.iter().find(|column| column.name == name).expect("a column");
    assert_eq!(column("state").most_common_vals.as_deref(), Some("{open,paid,sent}"));
    assert_eq!(column("currency").most_common_vals.as_deref(), Some("{EUR,USD}"));
    assert_eq!((column("id").n_distinct, column("id").correlation), (-1.0, Some(1.0)));
    assert_eq!(column("user_id").n_distinct.to_bits(), f64::to_bits(1e6));
    assert!(orders.blocks.is_some_and(|blocks| blocks > 100_000), "{orders:?}");
    assert_eq!(relation(&snapshot, "orders_user").level, Some(2));
    assert_eq!(relation(&snapshot, "users_lower").tuples.to_bits(), f64::to_bits(5e5));
    assert_eq!(relation(&snapshot, "users_lower").columns.len(), 1, "the expression has statistics");

    let stated = "statistics assumed from --rows and --stats";
    let query = "SELECT id FROM orders WHERE user_id = 42";
    let out = sargable(folder.path(), &["explain", "--snapshot", "guess.snap", query]);
    let page = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(page.contains("orders_user") && page.contains(stated), "{page}{}", said(&out));
    let out = sargable(folder.path(), &["explain", "--snapshot", "guess.snap", "--format", "json", query]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).expect("a report");
    let lines = report["not_judged"].as_array().expect("lines");
    assert!(lines.iter().any(|line| line["what"] == "snapshot" && line["why"] == stated), "{report}");
    // Every object of the schema is carried, the policy too.
    assert!(
        !lines.iter().any(|line| line["what"].as_str().is_some_and(|what| what.contains("policy"))),
        "{report}"
    );
    for arguments in
        [&["check", "q.sql", "--snapshot", "guess.snap"][..], &["index", "q.sql", "--snapshot", "guess.snap"]]
    {
        let out = sargable(folder.path(), arguments);
        let all = String::from_utf8_lossy(&out.stdout).into_owned() + &said(&out);
        assert!(all.contains(stated), "{arguments:?}: {all}");
    }
    let out = sargable(folder.path(), &["plans", "lock", "--snapshot", "guess.snap", "q.sql"]);
    assert!(said(&out).contains(stated), "{}", said(&out));
    let lock = fs::read_to_string(at("sargable.plans")).expect("the lock file");
    assert!(lock.contains("orders_user"), "{lock}");

    let out = sargable(
        folder.path(),
        &["snapshot", "--schema", "migrations", "--rows", "orders=10M", "--redact", "-o", "red.snap"],
    );
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert!(!fs::read_to_string(at("red.snap")).expect("the file").contains("{EUR,USD}"));
    let out = sargable(folder.path(), &["snapshot", "diff", "guess.snap", "red.snap"]);
    let page = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(page.contains("statistics: assumed from --rows and --stats → assumed from --rows"), "{page}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("schema.sql"), "CREATE TABLE orders (id int PRIMARY KEY);").expect("a schema");
    fs::write(at("broken.sql"), "CREATE TABLE orders (id nothing);").expect("a schema");
    fs::write(at("stats.yaml"), "settings:\n  work_memory: 1GB\n").expect("statistics");
    for (arguments, expect) in [
        (&["--schema", "schema.sql", "--rows", "order=1M"][..], "did you mean `orders`?"),
        (&["--schema", "schema.sql", "--rows", "orders=many"], "`many` is no number of rows"),
        (
            &["--schema", "schema.sql", "--stats", "stats.yaml"],
            "stats.yaml:2:3: the server refuses the setting work_memory",
        ),
        (
            &["--schema", "broken.sql"],
            "no table is left of the schema: the server refused 1 statement, at first broken.sql:1: type \"nothing\" does not exist",
        ),
        (
            &["postgres://me@nowhere/shop", "--schema", "schema.sql"],
            "a snapshot is of a server or of --schema, not of both",
        ),
        (&["--rows", "orders=1M"], "--schema"),
        (&["--schema", "schema.sql", "--pg-bin", "/nowhere"], "/nowhere"),
    ] {
        let mut all = vec!["snapshot"];
        all.extend(arguments);
        let out = sargable(folder.path(), &all);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}: {}", said(&out));
        assert!(said(&out).contains(expect), "{arguments:?}: {}", said(&out));
    }
}

fn plan(server: &mut Server, sql: &str) -> Plan {
    let shape = parse::parse(sql).ok();
    let probe = Probe { sql: sql.to_owned(), binds: Vec::new() };
    match server.explain(&probe, shape.as_ref(), &Limits::default(), Wanted::Plan) {
        Explained::Plan { plan, .. } => plan,
        other => panic!("{sql}: {other:?}"),
    }
}

/// What each node is, without its figures.
fn shape(plan: &Plan) -> Vec<String> {
    plan.nodes().iter().map(|n| format!("{} {:?} {:?}", n.node_type, n.index, n.relation)).collect()
}

/// The indexes and tables that it reads.
fn read_by(plan: &Plan) -> BTreeSet<String> {
    let nodes = plan.nodes();
    nodes
        .iter()
        .filter_map(|n| n.index.clone().or_else(|| n.relation.as_ref().map(ToString::to_string)))
        .collect()
}

/// The shop's tables and their numbers of rows, nothing else: most plans are as the real rows give them.
#[test]
fn plans_are_near_those_of_the_real_rows() {
    let shop = &*crate::snapshot::SHOP;
    let folder = tempfile::tempdir().expect("a folder");
    let schema = fs::canonicalize("fixtures/snapshot/shop.sql").expect("the fixture");
    let schema = schema.to_str().expect("a path");
    let rows = "customers=10k,orders=200k,events=200k";
    let out = sargable(folder.path(), &["snapshot", "--schema", schema, "--rows", rows, "-o", "guess.snap"]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let twin =
        Twin::start(read(&folder.path().join("guess.snap")), &Options::default()).expect("a private server");
    assert_eq!(twin.missing(), []);
    let target = Target::resolve(Some(&twin.url()), &Environment::default()).expect("a target");
    let (mut guessed, mut real) = (Server::connect(&target).expect("a connection"), shop.connect());
    assert!(real.snapshot(Wishes::default()).expect("a snapshot").assumed.is_none());
    let text = fs::read_to_string("fixtures/snapshot/queries.sql").expect("the fixture");
    let (mut all, mut same, mut same_reads, mut told) = (0, 0, 0, Vec::new());
    for range in split::statements(&text) {
        let sql = &text[range];
        let (real, guessed) = (plan(&mut real, sql), plan(&mut guessed, sql));
        all += 1;
        same += usize::from(shape(&real) == shape(&guessed));
        same_reads += usize::from(read_by(&real) == read_by(&guessed));
        if shape(&real) != shape(&guessed) {
            told.push(format!("{sql}\n  real    {:?}\n  guessed {:?}", shape(&real), shape(&guessed)));
        }
    }
    let told =
        format!("{same} of {all} have the same shape, {same_reads} read the same\n{}", told.join("\n"));
    assert!(same >= 18 && same_reads >= 21, "{told}");
}
