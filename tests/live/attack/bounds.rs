//! Attacks on the promise that asking is short, leaves nothing behind, and goes to no other server.

use std::time::Duration;

use sargable::{
    catalog::IndexSpec,
    names::RelName,
    plan::{Probe, WhatIf},
    server::{Explained, How, Limits, Wanted},
    sql::parse::parse,
};

use super::{explain, limits, probe, trapped};
use crate::harness;

/// Each goes to the server whole or not at all, and the session goes on after it.
#[test]
fn texts_that_are_no_text() {
    let shop = trapped();
    let mut server = shop.connect();
    let deep = format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000));
    let wide = format!("SELECT id FROM orders WHERE id IN ({}1)", "1, ".repeat(100_000));
    for sql in [
        "SELECT 1\0; DROP TABLE orders",
        "SELECT '\0'",
        "SELECT \"\0\"",
        "SELECT 'never closed",
        "SELECT 1 /* never closed",
        "SELECT 1\u{b}; SELECT 1",
        "SELECT $a$ ; DELETE FROM orders $a$ ; DELETE FROM orders",
        "SELECT 1 -- ; DELETE FROM orders",
        "(SELECT 1",
        "(ANALYZE) DELETE FROM orders",
        "SELECT $65535",
        "SELECT $65536",
        "SELECT $0",
        "",
        ";",
        deep.as_str(),
        wide.as_str(),
    ] {
        let brief: String = sql.chars().take(60).collect();
        let said = match server.explain(&probe(sql), None, &limits(), Wanted::Analyze) {
            Explained::Failed { why } => why,
            _ => String::new(),
        };
        assert!(server.lost().is_none(), "{brief:?}: {said}");
        assert_eq!(explain(&mut server, "SELECT id FROM orders", &limits()), "Analyzed", "{brief:?}");
    }
    assert_eq!(shop.sql("SELECT count(*) FROM orders"), "1000");
}

#[test]
fn bind_values_that_do_not_fit() {
    let shop = trapped();
    let mut server = shop.connect();
    let long = "x".repeat(10_000_000);
    for (sql, value, expect) in [
        ("SELECT id FROM orders WHERE status = $1", "a\0b", ""),
        ("SELECT id FROM orders WHERE status = $1", long.as_str(), "Analyzed"),
        ("SELECT id FROM orders WHERE status = $1", "'); DELETE FROM orders; --", "Analyzed"),
        ("SELECT id FROM orders WHERE id = $1", "99999999999999999999", ""),
        ("SELECT id FROM orders WHERE id = ANY ($1)", "{1,", ""),
    ] {
        let probe = Probe { sql: sql.to_owned(), binds: vec![Some(value.to_owned())] };
        let explained = server.explain(&probe, parse(sql).ok().as_ref(), &limits(), Wanted::Analyze);
        let analyzed = matches!(explained, Explained::Plan { how: How::Analyzed, .. });
        assert_eq!(analyzed, expect == "Analyzed", "{sql}");
        assert!(server.lost().is_none(), "{sql}");
    }
    assert_eq!(shop.sql("SELECT count(*) FROM orders"), "1000");
}

#[test]
fn what_would_never_end() {
    let shop = trapped();
    let brief = Limits { statement_timeout: Duration::from_millis(500), ..limits() };
    for sql in [
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        "SELECT count(*) FROM generate_series(1, 1000000000000)",
        "SELECT count(*) FROM orders a, orders b, orders c, orders d",
        "SELECT a.id FROM orders a, orders b, orders c ORDER BY a.status || b.status || c.status",
    ] {
        let said = explain(&mut shop.connect(), sql, &brief);
        assert!(said.starts_with("Planned: stopped after 0.5 s"), "{sql}\n{said}");
    }
}

/// A pooler gives the session to another client after each transaction: nothing of ours may be in it then.
#[test]
fn nothing_stays_in_the_session() {
    let shop = trapped();
    let mut server = shop.connect();
    let id = shop.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sargable'");
    server.catalog().expect("the catalog");
    for sql in [
        "SELECT id FROM orders WHERE id = $1",
        "SELECT nonsense FROM orders WHERE id = $1",
        "SELECT count(*) FROM orders, generate_series(1, 1000000000) WHERE status = 'x'",
    ] {
        explain(&mut server, sql, &limits());
    }
    let mut what_if = server.what_if().expect("HypoPG is there");
    let index = IndexSpec::btree(RelName::new(Some("public"), "orders"), &["total"]);
    for sql in ["SELECT id FROM orders WHERE total = $1", "SELECT nonsense FROM orders"] {
        let _ = what_if.estimate(&probe(sql), std::slice::from_ref(&index));
    }
    drop(what_if);
    drop(server);
    let log = std::fs::read_to_string(harness::log_file()).expect("the server's log");
    let (mut within, mut made, mut removed) = (false, 0, 0);
    let marks = [format!("[{id}] "), format!("@{} ", shop.name)];
    for line in log.lines().filter(|line| marks.iter().all(|mark| line.contains(mark))) {
        let Some(statement) = ["statement: ", "execute <unnamed>: "].iter().find_map(|kind| {
            line.contains("duration: ")
                .then(|| line.split_once(kind))
                .flatten()
                .map(|(_, statement)| statement)
        }) else {
            continue;
        };
        made += u32::from(statement.starts_with("PREPARE") || statement.contains("hypopg_create_index"));
        removed += u32::from(statement.starts_with("DEALLOCATE") || statement.contains("hypopg_reset"));
        if statement.starts_with("BEGIN") {
            within = true;
        } else if statement.starts_with("ROLLBACK TO") {
            assert!(within, "{line}");
        } else if statement.starts_with("ROLLBACK") {
            within = false;
            assert!(removed >= made, "{line}");
        } else {
            let asks = statement.starts_with("SELECT pg_catalog.current_setting(");
            assert!(within || asks, "{line}");
            assert!(!statement.starts_with("SET ") || statement.starts_with("SET LOCAL "), "{line}");
        }
    }
    assert!(made >= 3 && !within, "{made}");
}

#[test]
fn foreign_tables() {
    let shop = trapped();
    shop.sql(&format!(
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
         CREATE FOREIGN TABLE passwd (line text) SERVER files OPTIONS (filename '/etc/passwd');
         CREATE FOREIGN TABLE program (line text) SERVER files OPTIONS (program 'psql -h {socket} -U postgres {name} -c \"INSERT INTO evidence VALUES (1)\"');
         CREATE EXTENSION postgres_fdw; CREATE SERVER near FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{socket}', dbname '{name}');
         CREATE SERVER asks FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{socket}', dbname '{name}', use_remote_estimate 'true');
         CREATE USER MAPPING FOR postgres SERVER near OPTIONS (user 'postgres'); CREATE USER MAPPING FOR postgres SERVER asks OPTIONS (user 'postgres');
         CREATE VIEW trapping AS SELECT trap(1) AS n; CREATE FOREIGN TABLE quiet (n int) SERVER near OPTIONS (table_name 'trapping');
         CREATE FOREIGN TABLE loud (n int) SERVER asks OPTIONS (table_name 'trapping');
         CREATE FOREIGN TABLE loud_too (n int) SERVER near OPTIONS (table_name 'trapping', use_remote_estimate 'true');
         CREATE VIEW over_loud AS SELECT n FROM loud;
         CREATE TABLE parts (n int) PARTITION BY LIST (n); CREATE FOREIGN TABLE part PARTITION OF parts FOR VALUES IN (1) SERVER asks;
         CREATE FOREIGN DATA WRAPPER odd; CREATE SERVER odd FOREIGN DATA WRAPPER odd; CREATE FOREIGN TABLE odd (n int) SERVER odd",
        socket = harness::socket(),
        name = shop.name
    ));
    let foreign_sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postgres_fdw'";
    for (table, expect) in [
        ("passwd", "Planned: not run: it reads the foreign table `passwd`"),
        ("program", "Planned: not run: it reads the foreign table `program`"),
        ("quiet", "Planned: not run: it reads the foreign table `quiet`"),
        ("loud", "Refused: planning the foreign table `loud` asks another server"),
        ("loud_too", "Refused: planning the foreign table `loud_too` asks another server"),
        ("over_loud", "Refused: planning the foreign table `loud` asks another server"),
        ("parts", "Refused: planning the foreign table `part` asks another server"),
        ("odd", "Refused: planning the foreign table `odd` asks another server"),
    ] {
        let mut server = shop.connect();
        assert_eq!(explain(&mut server, &format!("SELECT * FROM {table}"), &limits()), expect);
        assert_eq!(shop.sql(foreign_sessions), "0", "{table}");
    }
    assert_eq!(shop.sql("SELECT count(*) FROM evidence"), "0");
}

/// Our waiting lock holds nobody up for longer than its timeout, and the catalog does not wait.
#[test]
fn locks_of_others() {
    let shop = trapped();
    shop.sql("CREATE VIEW open_orders AS SELECT id FROM orders; CREATE INDEX ON orders (lower(status)) WHERE id > 3");
    let holder = harness::hold(&shop, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
    let mut server = shop.connect();
    for sql in ["SELECT id FROM open_orders", "SELECT id FROM orders", "UPDATE orders SET id = 1"] {
        let said = explain(&mut server, sql, &limits());
        assert!(said.contains("another session holds a lock on one of its tables (waited 0.2 s)"), "{said}");
    }
    let (catalog, _) = server.catalog().expect("the catalog");
    assert!(catalog.tables.iter().any(|table| table.name.name == "orders"));
    drop(holder);
    assert_eq!(explain(&mut server, "SELECT id FROM open_orders", &limits()), "Analyzed");
    let idle = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'sargable' AND a.datname = current_database() AND l.locktype <> 'virtualxid'";
    assert_eq!(shop.sql(idle), "0");
}
