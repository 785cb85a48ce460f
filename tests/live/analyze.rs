//! The program against a real server: a small shop with planted problems, its log, and everything that can
//! go wrong on the way.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{self, Database};

/// What one run gave.
struct Ran {
    stdout: String,
    stderr: String,
}

/// Runs the program without anything of the environment.
#[track_caller]
fn sargable(args: &[&str], code: i32) -> Ran {
    let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(args)
        .env_clear()
        .env("COLUMNS", "100")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let ran = Ran { stdout: text(out.stdout), stderr: text(out.stderr) };
    assert_eq!(out.status.code(), Some(code), "stdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
    ran
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).expect("a JSON report")
}

/// Users whose e-mail has no index, and 30 lookups by it.
fn shop() -> Database {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, name text NOT NULL, password_hash text);
         INSERT INTO users SELECT n, 'user' || n || '@example.com', 'Name ' || n, md5(n::text) FROM generate_series(1, 40000) n;
         CREATE EXTENSION hypopg; ANALYZE users",
    );
    shop
}

/// Runs the shop's statements; gives the part of the server's log that is about them, in a file.
fn traffic(shop: &Database, statements: &[String]) -> tempfile::NamedTempFile {
    for statement in statements {
        shop.sql(statement);
    }
    let log = std::fs::read_to_string(harness::log_file()).expect("the server's log");
    let mine = format!("@{} ", shop.name);
    let lines: String = log
        .lines()
        .filter(|line| line.contains(&mine) && line.contains("duration: ") && line.contains(" SELECT "))
        .map(|line| format!("{line}\n"))
        .collect();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), lines).expect("room");
    file
}

fn lookups() -> Vec<String> {
    (1..=30).map(|n| format!("SELECT id, name FROM users WHERE email = 'user{n}@example.com'")).collect()
}

fn relations(shop: &Database) -> String {
    shop.sql("SELECT count(*), string_agg(relname, ' ' ORDER BY oid) FROM pg_class")
}

#[test]
fn a_log_and_its_server() {
    let shop = shop();
    let log = traffic(&shop, &lookups());
    let log = log.path().to_str().expect("UTF-8");
    let before = relations(&shop);
    let ran = sargable(
        &["analyze", log, "--database-url", &shop.url(), "--format", "json", "--fail-on", "warning"],
        1,
    );
    assert_eq!(relations(&shop), before, "nothing is created");
    assert_eq!(ran.stderr, "");
    let report = json(&ran);
    assert_eq!(report["totals"]["by_kind"]["select"], 30);
    let query = &report["queries"][0];
    assert_eq!(query["calls"], 30);
    let advice = &report["advice"][0];
    assert_eq!(advice["kind"], "create_index");
    assert!(advice["sql"].as_str().is_some_and(|sql| sql.starts_with("CREATE INDEX CONCURRENTLY ") && sql.contains("users (email)")), "{advice}");
    assert_eq!((&advice["proof"], &advice["serves"][0]), (&Value::from("planned"), &query["id"]));
    let found: Vec<_> =
        report["findings"].as_array().expect("a list").iter().map(|finding| &finding["rule"]).collect();
    assert!(found.contains(&&Value::from("seq-scan")), "{found:?}");
    // The advice is taken: nothing is left to say.
    shop.sql(&advice["sql"].as_str().expect("SQL").replace("CONCURRENTLY ", ""));
    let after = json(&sargable(
        &["index", log, "--database-url", &shop.url(), "--format", "json", "--fail-on", "note"],
        0,
    ));
    assert_eq!(
        (&after["findings"], &after["advice"]),
        (&Value::from(Vec::<Value>::new()), &Value::from(Vec::<Value>::new()))
    );
}

#[test]
fn a_server_that_does_not_let_us_in() {
    let shop = shop();
    let log = traffic(&shop, &lookups()[..6]);
    let log = log.path().to_str().expect("UTF-8");
    let wrong = shop.url_as("locked").replacen("locked@", "locked:s3cr3t@", 1);
    let elsewhere = shop.url().replace(&format!("/{}", shop.name), "/no_such_database");
    for (url, because, help) in [
        (
            wrong.as_str(),
            "password authentication failed for user \"locked\" (SQLSTATE 28P01)",
            "check the password",
        ),
        (&shop.url_as("locked"), "password missing", "give the password in PGPASSWORD or ~/.pgpass"),
        (
            &elsewhere,
            "database \"no_such_database\" does not exist (SQLSTATE 3D000)",
            "name an existing database",
        ),
        (
            &shop.url_as("nobody_at_all"),
            "role \"nobody_at_all\" does not exist (SQLSTATE 28000)",
            "check the user",
        ),
    ] {
        let ran = sargable(&["analyze", log, "--database-url", url], 2);
        assert!(
            ran.stderr.starts_with("error: cannot connect to ") && ran.stderr.contains(because),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(&format!("\n  help: {help}")), "{}", ran.stderr);
        assert!(!(ran.stderr + &ran.stdout).contains("s3cr3t"));
        assert!(ran.stdout.contains("6 executions of 1 query"), "{}", ran.stdout);
    }
    let right = shop.url_as("locked").replacen("locked@", "locked:opensesame@", 1);
    // The role may not read the table: the log's part is there, and why there is no plan.
    let ran = sargable(&["analyze", log, "--database-url", &right], 0);
    assert!(ran.stdout.contains("permission denied for table users"), "{}", ran.stdout);
}

/// It counts to ten thousand millions.
const SLOW: &str = "SELECT count(*) FROM users a, users b, users c WHERE a.id + b.id > c.id";

#[test]
fn a_statement_timeout() {
    let shop = shop();
    let ran = sargable(&["explain", SLOW, "--database-url", &shop.url(), "--statement-timeout", "50ms"], 0);
    assert!(ran.stdout.starts_with("Plan\n\n  not run, cost "), "{}", ran.stdout);
    assert!(ran.stdout.contains("  - plan: stopped after 0.05 s: plan without ANALYZE\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("  - give a statement more time with --statement-timeout\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn no_time_at_all() {
    let shop = shop();
    let log = traffic(&shop, &lookups()[..6]);
    let log = log.path().to_str().expect("UTF-8");
    let ran = sargable(&["analyze", log, "--database-url", &shop.url(), "--explain-budget", "0s"], 0);
    assert!(ran.stdout.contains("  - plan: the time for EXPLAIN is used up\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  - give more time with --explain-budget\n"), "{}", ran.stdout);
    let ran = sargable(&["analyze", log, "--database-url", &shop.url(), "--explain", "off"], 0);
    assert!(ran.stdout.contains("6 executions of 1 query"), "{}", ran.stdout);
}

#[test]
fn a_server_that_goes_away_in_the_middle() {
    let shop = shop();
    let slow = tempfile::NamedTempFile::with_suffix(".sql").expect("a temporary file");
    std::fs::write(slow.path(), format!("{SLOW};\nSELECT * FROM users;\n")).expect("room");
    let name = shop.name.clone();
    let killer = std::thread::spawn(move || {
        // Waits until the query runs, and kills it then.
        harness::database().sql(&format!(
            "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'EXPLAIN%ANALYZE%' AND state = 'active') LOOP
                 PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP;
             PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'sargable'; END $$"
        ));
    });
    let path = slow.path().to_str().expect("UTF-8");
    let ran = sargable(&["analyze", path, "--database-url", &shop.url(), "--statement-timeout", "60s"], 2);
    killer.join().expect("the other session");
    assert_eq!(
        ran.stderr,
        "error: the server went away: terminating connection due to administrator command (SQLSTATE 57P01)\n"
    );
    assert!(ran.stdout.contains("select-star"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  - plan: the server went away: "), "{}", ran.stdout);
}

#[test]
fn sql_files_and_their_server() {
    let shop = shop();
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("a.sql"), "SELECT id FROM users WHERE id = 7;\n").expect("room");
    let path = folder.path().to_str().expect("UTF-8");
    let ran = sargable(&["check", path, "--database-url", &shop.url()], 0);
    assert_eq!(ran.stdout, "no findings; 1 statement in 1 file\n");
    std::fs::write(
        folder.path().join("b.sql"),
        "\nSELECT id FROM users\nWHERE email = 'user7@example.com';\n",
    )
    .expect("room");
    let ran = sargable(&["check", path, "--database-url", &shop.url()], 1);
    // The predicate that no index serves.
    assert!(ran.stdout.contains(&format!("--> {path}/b.sql:3:7\n")), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("USING btree (email);") || ran.stdout.contains("users (email);"),
        "{}",
        ran.stdout
    );
    for word in ["execution", "0 calls", "duration", "no log"] {
        assert!(!ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
}

#[test]
fn one_statement() {
    let shop = shop();
    let by_id =
        ["explain", "SELECT name FROM users WHERE id = $1", "--database-url", &shop.url()].map(str::to_owned);
    let by_id: Vec<&str> = by_id.iter().map(String::as_str).collect();
    let ran = sargable(&by_id, 0);
    assert!(
        ran.stdout.starts_with("Plan\n\n  not run, and planned without values, cost ")
            && ran.stdout.contains("Index Scan using users_pkey on users"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("  - plan: not run: its bind values are not known\n"), "{}", ran.stdout);
    let ran = sargable(&[&by_id[..], &["--bind", "7"]].concat(), 0);
    assert!(
        ran.stdout.starts_with("Plan\n\n  run with EXPLAIN ANALYZE, ")
            && ran.stdout.contains("Index Scan using users_pkey on users"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("\nno findings, no advice\n") && ran.stderr.is_empty(), "{}", ran.stdout);
    let slow = "SELECT id FROM users WHERE email = 'user7@example.com'";
    let ran = sargable(&["explain", slow, "--database-url", &shop.url(), "--fail-on", "warning"], 1);
    assert!(ran.stdout.contains("39,999 rows removed by the filter"), "{}", ran.stdout);
    assert!(ran.stdout.contains("CREATE INDEX CONCURRENTLY"), "{}", ran.stdout);
    let ran = sargable(&["explain", "SELECT nothing FROM users", "--database-url", &shop.url()], 0);
    assert!(ran.stdout.contains("column \"nothing\" does not exist"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "no plan: what could not be judged says why\n");
}
