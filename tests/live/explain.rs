//! The promises about a user's server, each with an attempt to break it. After each attempt the server
//! is looked at from outside: the same rows, the same relations, no transaction left open.

use std::time::Duration;

use sargable::{
    plan::{Plan, Probe},
    server::{Explained, How, Limits, Wanted},
    sql::{Shape, parse::parse},
};

use crate::harness::{self, Database};

/// A table with rows, and a function that writes to it under every label.
fn shop() -> Database {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, status text);
         INSERT INTO orders SELECT n, CASE WHEN n % 10 = 0 THEN 'it''s' ELSE 'x' END FROM generate_series(1, 1000) n;
         CREATE SEQUENCE counter; ANALYZE orders;
         CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN DELETE FROM orders; RETURN 1; END';
         CREATE FUNCTION wipe_stable() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM nextval(''counter''); RETURN 1; END';
         CREATE FUNCTION wipe_immutable(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM nextval(''counter''); RETURN 1; END';
         CREATE FUNCTION innocent(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1'",
    );
    shop
}

/// What must not change: rows, sequence, relations, functions, prepared transactions, idle transactions.
fn state(shop: &Database) -> String {
    shop.sql(
        "SELECT (SELECT count(*) FROM orders), (SELECT last_value::text || is_called FROM counter),
                (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE oid >= 16384),
                (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%')",
    )
}

fn shape(sql: &str) -> Option<Shape> {
    parse(sql).ok()
}

fn probe(sql: &str, binds: &[&str]) -> Probe {
    Probe { sql: sql.to_owned(), binds: binds.iter().map(|bind| Some((*bind).to_owned())).collect() }
}

fn limits() -> Limits {
    Limits {
        statement_timeout: Duration::from_millis(1500),
        lock_timeout: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// One line about what happened, after checking that nothing changed.
#[track_caller]
fn explain_with(shop: &Database, probe: &Probe, limits: &Limits) -> (String, Option<Plan>) {
    let before = state(shop);
    let explained = shop.connect().explain(probe, shape(&probe.sql).as_ref(), limits, Wanted::Analyze);
    assert_eq!(state(shop), before, "{}", probe.sql);
    match explained {
        Explained::Plan { plan, how, note } => {
            assert_eq!(how == How::Analyzed, plan.root.actual.is_some() || plan.root.never_executed);
            (format!("{how:?}{}", note.map_or_else(String::new, |note| format!(": {note}"))), Some(plan))
        }
        Explained::Refused { why } => (format!("Refused: {why}"), None),
        Explained::Failed { why } => (format!("Failed: {why}"), None),
    }
}

#[track_caller]
fn check(shop: &Database, sql: &str, expect: &str) {
    assert_eq!(explain_with(shop, &probe(sql, &[]), &limits()).0, expect, "{sql}");
}

#[test]
fn plain_selects_are_run() {
    let shop = shop();
    for sql in [
        "SELECT * FROM orders WHERE status = 'it''s;'",
        "SELECT count(*), max(id) FROM orders; -- the end",
        "WITH o AS (SELECT id FROM orders) SELECT random(), now(), lower('X') FROM o",
        "VALUES (1), (2)",
        "SELECT * FROM generate_series(1, 3) AS g (n) WHERE n IN (1, 2)",
        "SELECT count(*) FROM pg_catalog.pg_class",
    ] {
        check(&shop, sql, "Analyzed");
    }
}

#[test]
fn several_statements_are_refused() {
    let shop = shop();
    check(&shop, "SELECT 1; DELETE FROM orders", "Refused: it is more than one statement");
    check(&shop, "SELECT $$;$$; COMMIT; DROP TABLE orders", "Refused: it is more than one statement");
    check(&shop, "DROP TABLE orders", "Refused: it is no statement that EXPLAIN takes");
    check(&shop, "EXECUTE x", "Refused: it is no statement that EXPLAIN takes");
    check(&shop, "ANALYZE SELECT 1", "Refused: it is no statement that EXPLAIN takes");
}

#[test]
fn writes_are_planned_and_never_run() {
    let shop = shop();
    for (sql, why) in [
        ("DELETE FROM orders", "it is not a SELECT"),
        ("UPDATE orders SET status = 'y' WHERE id = 7", "it is not a SELECT"),
        ("INSERT INTO orders VALUES (0, 'new')", "it is not a SELECT"),
        ("WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone", "a WITH of it writes"),
        ("SELECT * INTO copy FROM orders", "it creates a table"),
        ("SELECT * FROM orders WHERE id = 7 FOR UPDATE", "it locks rows (FOR UPDATE)"),
        ("SELECT nextval('counter')", "it calls `pg_catalog.nextval`, which is volatile"),
    ] {
        check(&shop, sql, &format!("Planned: not run: {why}"));
    }
}

#[test]
fn what_reaches_outside_is_not_even_planned() {
    let shop = shop();
    for (sql, name) in [
        ("SELECT pg_sleep(600)", "pg_sleep"),
        ("SELECT * FROM orders, pg_sleep(600)", "pg_sleep"),
        ("SELECT pg_catalog . \"pg_sleep\" /* x */ (600)", "pg_sleep"),
        ("SELECT id FROM orders ORDER BY pg_terminate_backend(id)", "pg_terminate_backend"),
        ("SELECT query_to_xml('DELETE FROM orders', true, true, '')", "query_to_xml"),
        ("SELECT set_config('search_path', 'x', false)", "set_config"),
        ("SELECT lo_unlink(1)", "lo_unlink"),
        ("SELECT pg_read_file('/etc/passwd')", "pg_read_file"),
        ("SELECT dblink_exec('dbname=x', 'DELETE FROM orders')", "dblink_exec"),
        ("SELECT pg_advisory_lock(1)", "pg_advisory_lock"),
    ] {
        check(&shop, sql, &format!("Refused: it calls `{name}`"));
    }
    // `x.f` calls f(x), on any x.
    check(&shop, "SELECT (600::float8).pg_sleep", "Refused: it calls `pg_catalog.pg_sleep`");
}

const UNKNOWN: &str = "which is not known to be harmless (--trust-functions)";

#[test]
fn functions_of_users_are_not_called_whatever_their_label() {
    let shop = shop();
    for (sql, name) in [
        ("SELECT wipe()", "wipe"),
        ("SELECT * FROM orders, wipe() AS w", "wipe"),
        ("SELECT * FROM orders WHERE id = (SELECT public.wipe())", "wipe"),
        ("SELECT id FROM orders LIMIT wipe()", "wipe"),
        ("SELECT wipe_stable()", "wipe_stable"),
        ("SELECT * FROM orders WHERE id = wipe_immutable(1)", "wipe_immutable"),
        ("SELECT (1).wipe_immutable", "wipe_immutable"),
        ("SELECT * FROM orders JOIN LATERAL (SELECT wipe_immutable(id)) x ON true", "wipe_immutable"),
    ] {
        check(&shop, sql, &format!("Refused: it calls `public.{name}`, {UNKNOWN}"));
    }
    check(&shop, "SELECT U&\"w\\0069pe\"()", "Refused: a name is written as U&\"…\"");
    check(&shop, "SELECT pg_catalog.lower('X')", "Analyzed");
}

#[test]
fn trusted_functions_run_by_their_label() {
    let shop = shop();
    let trusting = Limits { trust_functions: true, ..limits() };
    let run = |sql: &str| explain_with(&shop, &probe(sql, &[]), &trusting).0;
    assert_eq!(run("SELECT innocent(id) FROM orders"), "Analyzed");
    assert_eq!(run("SELECT wipe()"), "Planned: not run: it calls `public.wipe`, which is volatile");
    assert_eq!(run("SELECT pg_sleep(600)"), "Refused: it calls `pg_sleep`");
}

#[test]
fn functions_behind_views_policies_domains_operators_and_casts() {
    let shop = shop();
    shop.sql(
        "CREATE VIEW inner_view AS SELECT id, wipe_immutable(id) AS w FROM orders;
         CREATE VIEW outer_view AS SELECT id FROM inner_view;
         CREATE VIEW sleeper AS SELECT 1 AS n FROM pg_sleep(600);
         CREATE VIEW fine AS SELECT id, upper(status) AS status FROM orders;
         CREATE TABLE guarded AS SELECT 1 AS n; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON guarded USING (wipe_stable() = 1);
         CREATE DOMAIN checked AS int CHECK (wipe_immutable(VALUE) = 1);
         CREATE DOMAIN above AS checked;
         CREATE OPERATOR <-> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
         CREATE FUNCTION pair(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM nextval(''counter''); RETURN 1; END';
         CREATE OPERATOR @+@ (LEFTARG = int, RIGHTARG = int, FUNCTION = pair)",
    );
    for sql in ["SELECT * FROM outer_view", "SELECT * FROM public.inner_view", "TABLE outer_view"] {
        check(&shop, sql, &format!("Refused: it calls `public.wipe_immutable`, {UNKNOWN}"));
    }
    check(&shop, "SELECT * FROM sleeper", "Refused: `sleeper` calls `pg_sleep`");
    check(&shop, "SELECT * FROM fine", "Analyzed");
    check(&shop, "SELECT * FROM guarded", &format!("Refused: it calls `public.wipe_stable`, {UNKNOWN}"));
    for sql in ["SELECT 1::checked", "SELECT CAST('1' AS above)", "SELECT checked '1'"] {
        check(&shop, sql, &format!("Refused: it calls `public.wipe_immutable`, {UNKNOWN}"));
    }
    check(&shop, "SELECT 1 <-> 2", "Analyzed");
    let operator =
        format!("Refused: it may use the operator `@+@` with a function of schema `public`, {UNKNOWN}");
    check(&shop, "SELECT 1 @+@ 2", &operator);
    check(&shop, "SELECT 1 OPERATOR(public.@+@) 2", &operator);
    shop.sql("CREATE TYPE mood AS ENUM ('ok'); CREATE FUNCTION to_mood(text) RETURNS mood LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM nextval(''counter''); RETURN ''ok''; END';
              CREATE CAST (text AS mood) WITH FUNCTION to_mood(text)");
    check(&shop, "SELECT id FROM orders", "Analyzed");
    let cast = format!("Refused: it may cast to `public.mood` by a function of schema `public`, {UNKNOWN}");
    check(&shop, "SELECT 'x'::text::mood", &cast);
}

#[test]
fn a_slow_query_gets_its_plain_plan() {
    let shop = shop();
    let slow = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b";
    check(&shop, slow, "Planned: stopped after 1.5 s: plan without ANALYZE");
}

#[test]
fn a_locked_table_is_not_waited_for() {
    let shop = shop();
    let holder = harness::hold(&shop, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
    let explained = shop.connect().explain(
        &probe("SELECT * FROM orders", &[]),
        shape("SELECT * FROM orders").as_ref(),
        &limits(),
        Wanted::Analyze,
    );
    drop(holder);
    let Explained::Failed { why } = explained else { panic!("{explained:?}") };
    assert_eq!(why, "while planning: another session holds a lock on one of its tables (waited 0.2 s)");
}

#[test]
fn bind_values_are_parameters() {
    let shop = shop();
    let rows = |sql: &str, binds: &[&str]| {
        let (said, plan) = explain_with(&shop, &probe(sql, binds), &limits());
        assert_eq!(said, "Analyzed", "{sql}");
        plan.expect("a plan").root.total_rows()
    };
    let by_status = "SELECT id FROM orders WHERE status = $1";
    assert!((rows(by_status, &["it's"]) - 100.0).abs() < 0.1);
    assert!(rows(by_status, &["'; DROP TABLE orders; --"]).abs() < 0.1);
    assert!(
        (rows("SELECT id FROM orders WHERE id < $1 AND status <> $2 LIMIT $3", &["100", "y", "5"]) - 5.0)
            .abs()
            < 0.1
    );
    assert!((rows("SELECT id FROM orders WHERE id = ANY ($1)", &["{1,2,3}"]) - 3.0).abs() < 0.1);
    let null = Probe { sql: by_status.to_owned(), binds: vec![None] };
    assert_eq!(explain_with(&shop, &null, &limits()).0, "Analyzed");
}

#[test]
fn unknown_values_give_the_generic_plan() {
    let shop = shop();
    let (said, plan) =
        explain_with(&shop, &probe("SELECT * FROM orders WHERE id = $1 AND status = $2", &[]), &limits());
    assert_eq!(said, "Generic: not run: its bind values are not known");
    assert_eq!(plan.expect("a plan").root.index.as_deref(), Some("orders_pkey"));
    let (said, _) = explain_with(&shop, &probe("SELECT * FROM orders WHERE id = $1", &["seven"]), &limits());
    assert!(said.starts_with("Failed: while running: invalid input syntax for type integer"), "{said}");
    // The connection goes on after each of them.
    let mut server = shop.connect();
    for sql in [
        "SELECT * FROM orders WHERE id = $1",
        "SELECT nonsense FROM orders WHERE id = $1",
        "SELECT * FROM orders WHERE id = $1",
    ] {
        server.explain(&probe(sql, &[]), shape(sql).as_ref(), &limits(), Wanted::Plan);
    }
    let sql = "SELECT id FROM orders";
    let after = server.explain(&probe(sql, &[]), shape(sql).as_ref(), &limits(), Wanted::Analyze);
    assert!(matches!(after, Explained::Plan { how: How::Analyzed, .. }), "{after:?}");
}

#[test]
fn the_generic_plan_of_partitions() {
    let shop = shop();
    shop.sql(
        "CREATE TABLE days (day int, n int) PARTITION BY RANGE (day);
         CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (1) TO (10);
         CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20)",
    );
    let mut server = shop.connect();
    let sql = "SELECT n FROM days WHERE day = $1";
    let explained = server.explain(&probe(sql, &[]), shape(sql).as_ref(), &limits(), Wanted::Plan);
    let Explained::Plan { plan, how: How::Generic, note } = explained else { panic!("{explained:?}") };
    let scans = plan.nodes().iter().filter(|node| node.relation.is_some()).count();
    let said = note.as_deref();
    // Before 16 the executor drops every partition; then it must be said.
    let expect = (0, Some("without values, before PostgreSQL 16, partitions are missing from the plan"));
    assert_eq!((scans, said), if server.version() < 160_000 { expect } else { (2, None) });
}

#[test]
fn what_was_not_parsed_is_planned_at_most() {
    let shop = shop();
    let mut server = shop.connect();
    let mut explain = |sql: &str| server.explain(&probe(sql, &[]), None, &limits(), Wanted::Analyze);
    let planned = explain("SELECT id FROM orders");
    assert!(
        matches!(&planned, Explained::Plan { how: How::Planned, note: Some(note), .. } if note == "not run: it was not parsed"),
        "{planned:?}"
    );
    let refused = explain("SELECT wipe_immutable(1)");
    assert!(matches!(refused, Explained::Refused { .. }), "{refused:?}");
}

#[test]
fn a_server_that_goes_away_is_noticed_at_once() {
    let shop = shop();
    let mut server = shop.connect();
    shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sargable' AND datname = current_database()");
    let sql = "SELECT id FROM orders";
    for _ in 0..2 {
        let explained = server.explain(&probe(sql, &[]), shape(sql).as_ref(), &limits(), Wanted::Analyze);
        let Explained::Failed { why } = explained else { panic!("{explained:?}") };
        assert_eq!(
            why,
            "the server went away: terminating connection due to administrator command (SQLSTATE 57P01)"
        );
    }
    let error = server.catalog().expect_err("no catalog without a server");
    assert!(error.to_string().contains("the server went away"), "{error}");
}

#[test]
fn a_server_that_goes_away_in_the_middle() {
    let shop = shop();
    let mut server = shop.connect();
    let name = shop.name.clone();
    let killer = std::thread::spawn(move || {
        // Waits for the query itself, so that it is killed while it runs.
        let running = format!(
            "SET statement_timeout = '60s'; DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'EXPLAIN%' AND state = 'active') LOOP
                 PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP;
             PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'sargable'; END $$"
        );
        harness::database().sql(&running);
    });
    let slow = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b";
    let generous = Limits { statement_timeout: Duration::from_mins(2), ..limits() };
    let explained = server.explain(&probe(slow, &[]), shape(slow).as_ref(), &generous, Wanted::Analyze);
    killer.join().expect("the other session");
    let Explained::Failed { why } = explained else { panic!("{explained:?}") };
    assert!(why.starts_with("the server went away: terminating connection"), "{why}");
}
