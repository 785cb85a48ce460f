//! `sargable index --verify`: what it measures is real, and nothing that it builds stays, however it ends.

use std::{
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::harness::{self, Database};

const PREFIX: &str = "sargable_verify_";

/// 200,000 orders of 1,000 users.
const ORDERS: &str = "
    CREATE EXTENSION hypopg;
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, email text NOT NULL, total int NOT NULL);
    INSERT INTO orders SELECT n, 1 + n * 7919 % 1000, 'user' || n || '@example.com', n * 31 % 9973
        FROM generate_series(1, 200000) n;";

const QUERIES: &str = "
    SELECT id FROM orders WHERE email = 'user7@example.com';
    SELECT sum(total) FROM orders WHERE user_id = 7;
    SELECT count(*) FROM orders WHERE lower(email) = 'user7@example.com';
    SELECT count(*) FROM orders WHERE total + id > 5;
    UPDATE orders SET total = 0 WHERE user_id = 7;
";

/// Two databases with the same data, and a folder with the queries.
struct Pair {
    main: Database,
    scratch: Database,
    folder: tempfile::TempDir,
}

fn pair() -> Pair {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("q.sql"), QUERIES).expect("the queries");
    let (main, scratch) = (harness::database(), harness::database());
    for database in [&main, &scratch] {
        database.sql(ORDERS);
        database.sql("VACUUM ANALYZE orders");
    }
    Pair { main, scratch, folder }
}

impl Pair {
    fn command(&self, main: &str, verify: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sargable"));
        command
            .args(["index", "--format", "json", "--database-url", main, "--verify", verify])
            .arg(self.folder.path().join("q.sql"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, main: &str, verify: &str) -> Output {
        self.command(main, verify).output().expect("the program ends")
    }
}

fn ours(database: &Database) -> String {
    database.sql(&format!("SELECT count(*) FROM pg_class WHERE relname LIKE '{PREFIX}%'"))
}

fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[track_caller]
fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|why| panic!("{why}: {}", stderr(out)))
}

/// Waits until an index of ours is there, or being built.
#[track_caller]
fn wait_for_build(scratch: &Database, child: &mut Child) {
    let deadline = Instant::now() + Duration::from_mins(1);
    let builds = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX {PREFIX}%' AND state = 'active'"
    );
    while scratch.sql(&builds) == "0" {
        assert!(child.try_wait().expect("its state").is_none(), "it ended before it built");
        assert!(Instant::now() < deadline, "nothing is built");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().expect("kill runs").success());
}

#[test]
fn what_helps_is_measured_and_dropped() {
    let pair = pair();
    // Somebody else's index, whatever it is called, is none of ours.
    pair.scratch.sql(
        "CREATE INDEX sargable_verify ON orders (total, id); CREATE INDEX verify_1 ON orders (id, total)",
    );
    let out = pair.run(&pair.main.url(), &pair.scratch.url());
    assert!(out.status.success(), "{}", stderr(&out));
    let report = json(&out);
    let done = &report["verification"];
    assert_eq!((&done["stopped"], &done["left"]), (&Value::Bool(false), &serde_json::json!([])));
    let sets = done["sets"].as_array().expect("sets");
    let advised: Vec<&Value> = report["advice"]
        .as_array()
        .expect("advice")
        .iter()
        .filter(|one| one["kind"] == "create_index")
        .collect();
    assert_eq!(advised.len(), 3, "{advised:#?}");
    for one in advised {
        assert_eq!(one["proof"], "verified", "{one:#}");
        let built = one["built_bytes"].as_u64().expect("a size");
        let told = one["size_bytes"].as_u64().expect("a told size");
        assert!(built > 100_000 && told < built * 2 && built < told * 2, "{built} against {told}");
        for gain in one["gains"].as_array().expect("gains") {
            if let Some(before) = gain["ms_before"].as_f64() {
                let after = gain["ms_after"].as_f64().expect("both");
                assert!(after < before / 2.0, "{gain:#}");
            }
        }
    }
    for index in sets.iter().flat_map(|set| set["indexes"].as_array().expect("indexes")) {
        assert!(index["why"].is_null() && index["build_ms"].as_f64() > Some(0.0), "{index:#}");
    }
    let queries: Vec<&Value> =
        sets.iter().flat_map(|set| set["queries"].as_array().expect("queries")).collect();
    assert!(queries.iter().any(|query| query["served"] == false), "the table's other queries: {queries:#?}");
    assert!(queries.iter().filter(|query| query["served"] == true).all(|query| query["used"] == true));
    let not_run = done["not_run"].as_array().expect("not_run");
    assert!(not_run.iter().any(|one| one["why"] == "it is not a SELECT"), "{not_run:#?}");

    assert_eq!(ours(&pair.scratch), "0");
    let rest = pair
        .scratch
        .sql("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname LIKE '%verify%'");
    assert_eq!(rest, "sargable_verify verify_1");
    assert_eq!(pair.main.sql("SELECT count(*) FROM pg_index WHERE indrelid = 'orders'::regclass"), "1");
    assert_eq!(
        pair.scratch.sql("SELECT count(*) FROM orders WHERE total = 0 AND user_id = 7"),
        "0",
        "nothing is written"
    );
}

#[test]
fn a_killed_verification_is_swept_by_the_next() {
    let pair = pair();
    // Another session's lock keeps the first build waiting while the process is killed.
    let held = harness::hold(&pair.scratch, "LOCK TABLE orders IN ROW EXCLUSIVE MODE");
    let mut child = pair.command(&pair.main.url(), &pair.scratch.url()).spawn().expect("it starts");
    wait_for_build(&pair.scratch, &mut child);
    child.kill().expect("kill -9");
    child.wait().expect("it is gone");
    drop(held);
    // What a later moment of death leaves: an index that stands. The name with a quote is a hard one.
    pair.scratch.sql(&format!(
        "CREATE INDEX {PREFIX}7 ON orders (email); CREATE SCHEMA \"odd \"\" one\"; CREATE TABLE \"odd \"\" one\".t (a int);
         CREATE INDEX \"{PREFIX}2 \"\" é\" ON \"odd \"\" one\".t (a); CREATE INDEX keep_{PREFIX}3 ON orders (total)"
    ));
    let out = pair.run(&pair.main.url(), &pair.scratch.url());
    assert!(out.status.success(), "{}", stderr(&out));
    let swept = json(&out)["verification"]["swept"].to_string();
    assert!(swept.contains(&format!("public.{PREFIX}7")) && swept.contains(" é"), "{swept}");
    assert!(stderr(&out).contains("dropped what a verification that was killed left"), "{}", stderr(&out));
    assert_eq!(ours(&pair.scratch), "0");
    assert_eq!(
        pair.scratch.sql(&format!("SELECT count(*) FROM pg_class WHERE relname = 'keep_{PREFIX}3'")),
        "1"
    );
}

#[test]
fn a_signal_ends_it_and_drops_everything() {
    for name in ["-INT", "-TERM"] {
        let pair = pair();
        let held = harness::hold(&pair.scratch, "LOCK TABLE orders IN ROW EXCLUSIVE MODE");
        let mut child = pair.command(&pair.main.url(), &pair.scratch.url()).spawn().expect("it starts");
        wait_for_build(&pair.scratch, &mut child);
        signal(&child, name);
        let out = child.wait_with_output().expect("it ends although the lock is held");
        assert_eq!(out.status.code(), Some(2), "{}", stderr(&out));
        let done = &json(&out)["verification"];
        assert_eq!(done["stopped"], true, "{done:#}");
        drop(held);
        assert_eq!(ours(&pair.scratch), "0");
    }
}

#[test]
fn a_build_that_fails_is_told_and_the_others_are_measured() {
    let pair = pair();
    pair.scratch.sql("ALTER TABLE orders DROP COLUMN email");
    let out = pair.run(&pair.main.url(), &pair.scratch.url());
    assert!(out.status.success(), "{}", stderr(&out));
    let report = json(&out);
    let sets = report["verification"]["sets"].as_array().expect("sets").clone();
    let all: Vec<Value> =
        sets.iter().flat_map(|set| set["indexes"].as_array().expect("indexes").clone()).collect();
    let failed: Vec<&Value> = all.iter().filter(|index| !index["why"].is_null()).collect();
    assert_eq!((all.len(), failed.len()), (3, 2), "{all:#?}");
    assert!(failed[0]["why"].as_str().expect("a reason").contains("\"email\" does not exist"), "{failed:#?}");
    assert_eq!(ours(&pair.scratch), "0");
}

#[test]
fn the_analysed_database_is_refused_under_another_name_and_taken_when_it_is_meant() {
    let pair = pair();
    pair.main.sql("CREATE ROLE other_way SUPERUSER LOGIN");
    let out = pair.run(&pair.main.url(), &pair.main.url_as("other_way"));
    assert_eq!(out.status.code(), Some(2));
    assert!(stderr(&out).contains("--verify names the database that is analysed"), "{}", stderr(&out));
    let out = pair.run(&pair.main.url(), &pair.main.url());
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(stderr(&out).contains("holds up writes to its table (SHARE)"), "{}", stderr(&out));
    assert_eq!(json(&out)["verification"]["sets"].as_array().map(Vec::len), Some(3));
    assert_eq!(ours(&pair.main), "0");
    pair.main.sql("DROP ROLE other_way");
}

#[test]
fn two_verifications_of_one_database_keep_apart() {
    let pair = pair();
    // The key of the lock is `sargable` in ASCII.
    let held = harness::hold(&pair.scratch, "SELECT pg_advisory_lock(x'7361726761626c65'::bigint)");
    let out = pair.run(&pair.main.url(), &pair.scratch.url());
    assert_eq!(out.status.code(), Some(2));
    assert!(stderr(&out).contains("another verification is under way"), "{}", stderr(&out));
    drop(held);
}
