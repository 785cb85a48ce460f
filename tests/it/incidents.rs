//! What a log tells besides statements, of a run in which it was provoked on purpose.
//!
//! `fixtures/logs/incidents.sh` made the run; `incidents.truth` is what the server itself counted.

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf};

use proptest::prelude::*;
use sargable::{
    error::NotJudged,
    report::{Report, incidents::Incidents},
    sources::{self, Options},
};
use serde_json::Value;

fn bytes(format: &str) -> Vec<u8> {
    fs::read(format!("fixtures/logs/incidents.{format}")).expect("a fixture")
}

fn report_of(bytes: &[u8], options: &Options) -> Option<Report> {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("a.log");
    fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("room");
    let read = sources::ingest(&[path], options, &mut |_| ()).ok()?;
    Some(Report::new(&read.inputs, &read.workload, Vec::new(), Vec::new(), &NotJudged::default()))
}

#[track_caller]
fn report(bytes: &[u8]) -> Report {
    report_of(bytes, &Options::default()).expect("a log")
}

/// As JSON, without the places, whose numbers differ between formats.
fn told(report: &Report) -> String {
    fn forget(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("at");
                map.values_mut().for_each(forget);
            }
            Value::Array(list) => list.iter_mut().for_each(forget),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(&report.incidents).expect("JSON");
    forget(&mut value);
    serde_json::to_string_pretty(&value).expect("JSON")
}

fn stderr() -> Incidents {
    report(&bytes("log")).incidents
}

/// `deadlocks=1` and so on.
fn truth() -> BTreeMap<String, u64> {
    let text = fs::read_to_string("fixtures/logs/incidents.truth").expect("the truth");
    let pair = |line: &str| {
        let (what, number) = line.split_once('=').expect("what=number");
        (what.to_owned(), number.parse().expect("a number"))
    };
    text.lines().map(pair).collect()
}

#[test]
fn three_formats_of_one_run_tell_the_same() {
    let expect = told(&report(&bytes("log")));
    for format in ["csv", "json"] {
        for (found, expect) in told(&report(&bytes(format))).lines().zip(expect.lines()) {
            assert_eq!(found, expect, "{format}");
        }
    }
}

#[test]
fn the_server_counted_the_same() {
    let (found, truth) = (stderr(), truth());
    assert_eq!(found.deadlocks.iter().map(|one| one.when.count).sum::<u64>(), truth["deadlocks"]);
    let files = &found.temporary_files;
    assert_eq!(files.iter().map(|one| one.when.count).sum::<u64>(), truth["temporary_files"]);
    assert_eq!(files.iter().map(|one| one.bytes).sum::<u64>(), truth["temporary_bytes"]);
    // After the server was asked came one of recovery and one at its stop; one request before that was
    // counted and skipped, since nothing had been written (its warning has no `checkpoint starting`).
    let checkpoints = found.checkpoints.expect("log_checkpoints");
    assert_eq!(checkpoints.started + 1, truth["checkpoints"] + 2);
    for table in ["accounts", "bulk", "orders"] {
        let runs = found.maintenance.iter().find(|runs| runs.table == format!("shop.public.{table}"));
        let (vacuums, analyzes) = runs.map_or((0, 0), |runs| (runs.vacuums, runs.analyzes));
        assert_eq!(vacuums, truth[&format!("autovacuum {table}")], "{table}");
        assert_eq!(analyzes, truth[&format!("autoanalyze {table}")], "{table}");
    }
}

#[test]
fn errors_are_counted_by_sqlstate() {
    let found = stderr();
    let count = |state: &str| -> u64 {
        found
            .errors
            .iter()
            .filter(|one| one.sqlstate.as_deref() == Some(state))
            .map(|one| one.when.count)
            .sum()
    };
    for (state, expect) in [
        ("23505", 3),
        ("23503", 1),
        ("23502", 1),
        ("23514", 1),
        ("22P02", 1),
        ("22012", 1),
        ("42601", 1),
        ("42703", 1),
        ("42P01", 1),
        ("42883", 1),
        ("42501", 1),
        ("25006", 1),
        ("57014", 2),
        ("25P03", 1),
        ("40P01", 1),
        ("40001", 1),
        ("57P01", 1),
        ("28P01", 2),
        ("28000", 2),
        ("3D000", 1),
        ("53300", 1),
    ] {
        assert_eq!(count(state), expect, "{state}");
    }
    assert!(found.errors.iter().all(|one| one.message.is_some() && one.condition.is_some()));
    let unique = found.errors.iter().find(|one| one.when.count == 2 && one.kind == "constraint");
    let unique = unique.expect("two violations of the primary key");
    assert_eq!(
        unique.message.as_deref(),
        Some("duplicate key value violates unique constraint \"orders_pkey\"")
    );
    assert_eq!(unique.queries[0].text.as_deref(), Some("INSERT INTO orders VALUES (?, ?, ?, ?)"));
}

#[test]
fn a_deadlock_names_its_statements_and_its_victim() {
    let [deadlock] = stderr().deadlocks.try_into().expect("one");
    assert_eq!(deadlock.relation.as_deref(), Some("accounts"));
    let processes: BTreeMap<&str, u64> = deadlock
        .processes
        .iter()
        .map(|process| (process.text.as_deref().expect("a statement"), process.victim))
        .collect();
    assert_eq!(
        processes,
        BTreeMap::from([
            ("UPDATE accounts SET balance = balance + ? WHERE id = ?", 1),
            ("UPDATE accounts SET owner = ? WHERE id = ?", 0),
        ])
    );
}

#[test]
fn a_lock_wait_names_both_statements() {
    let found = stderr().lock_waits;
    let wait = |waiter: &str| {
        found
            .iter()
            .find(|wait| wait.waiter_text.as_deref().is_some_and(|text| text.starts_with(waiter)))
            .unwrap_or_else(|| panic!("{waiter} waits: {found:#?}"))
    };
    let given = found
        .iter()
        .find(|wait| wait.holder_text.as_deref().is_some_and(|text| text.starts_with("UPDATE orders")));
    let given = given.expect("an UPDATE that waited for another");
    assert_eq!((given.when.count, given.acquired, given.relation.as_deref()), (1, 1, Some("orders")));
    assert!(given.waited_ms > 300.0 && given.lock == "ShareLock" && given.object == "transaction");
    let late = |text: &str| text == "DELETE FROM orders WHERE id = ?";
    assert!(
        found.iter().any(|wait| wait.acquired == 0 && wait.holder_text.as_deref().is_some_and(late)),
        "{found:#?}"
    );
    let table = wait("ALTER TABLE");
    assert_eq!((table.lock.as_str(), table.object.as_str()), ("AccessExclusiveLock", "relation"));
    assert!(table.relation_oid.is_some() && table.acquired == 1);
}

#[test]
fn temporary_files_of_one_execution_are_put_together() {
    let files = stderr().temporary_files;
    let [sort] = files.as_slice() else { panic!("one query: {files:#?}") };
    assert_eq!(sort.largest_execution_bytes, Some(524_288 + 560_000));
    assert_eq!(sort.work_mem_bytes, Some(2 << 20));
}

#[test]
fn the_server_tells_of_itself() {
    let found = stderr();
    let count = |kind: &str, words: &str| -> u64 {
        let of = found.server.iter().filter(|one| one.kind == kind);
        of.filter(|one| one.message.as_deref().is_some_and(|text| text.contains(words)))
            .map(|one| one.when.count)
            .sum()
    };
    assert_eq!(count("crash", "terminated by signal 9: Killed"), 1);
    assert_eq!(count("crash", "interrupted; last known up at …"), 1);
    assert_eq!(count("archiver", "archive command failed with exit code 1"), 3);
    assert_eq!(count("archiver", "failed too many times"), 1);
    assert_eq!(count("start", "ready to accept connections"), 2);
    assert_eq!(count("stop", "received fast shutdown request"), 1);
    assert_eq!(count("reload", "parameter \"archive_command\" changed to \"…\""), 2);
    let killed =
        found.server.iter().find(|one| one.message.as_deref().is_some_and(|text| text.contains("signal 9")));
    assert_eq!(killed.expect("it").queries[0].text.as_deref(), Some("SELECT pg_sleep(?), ?"));
    let checkpoints = found.checkpoints.expect("log_checkpoints");
    assert!(checkpoints.by_wal >= 5 && checkpoints.by_request == 1 && checkpoints.by_server == 2);
    assert!(checkpoints.too_frequent >= 5 && checkpoints.closest_s == Some(0));
    let connections = found.connections.expect("log_connections");
    assert_eq!(connections.peak, Some(10), "nine that hold on, and one more");
    assert!(connections.ended > 40 && connections.short < connections.ended);
    assert_eq!(found.failed_logins.iter().map(|one| one.when.count).sum::<u64>(), 5);
}

#[test]
fn parse_and_bind_belong_to_their_query() {
    for format in ["log", "csv", "json"] {
        let report = report(&bytes(format));
        let query =
            report.queries.iter().find(|query| query.text.starts_with("SELECT balance FROM accounts"));
        let query = query.expect("it is there");
        assert_eq!((query.calls, query.parse_steps, query.bind_steps), (9, 4, 6), "{format}");
        let all: f64 = report.queries.iter().map(|query| query.parse_ms + query.bind_ms).sum();
        assert!((all - report.totals.parse_bind_ms).abs() < 0.0005 && all > 0.0);
    }
}

/// The run's values and passwords hold `secret` and `example.com`.
#[test]
fn no_value_reaches_the_report() {
    for format in ["log", "csv", "json"] {
        let report = report(&bytes(format));
        let page = sargable::report::text::render(
            &report,
            sargable::report::text::Subject::Workload,
            &sargable::report::text::Style { width: 120, color: false, unicode: true },
        );
        for shown in [sargable::report::json::render(&report), page] {
            for value in ["secret", "example.com", "77777"] {
                assert!(!shown.contains(value), "{format}: {value}");
            }
        }
    }
}

#[test]
fn the_page_tells_the_worst_first() {
    let report = report(&bytes("log"));
    let page = sargable::report::text::render(
        &report,
        sargable::report::text::Subject::Workload,
        &sargable::report::text::Style { width: 100, color: false, unicode: true },
    );
    let (_, page) = page.split_once("What happened to the server\n").expect("the section");
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(at("crashes: ") < at("deadlock on accounts") && at("deadlock on accounts") < at("lock waits: "));
    assert!(
        at("lock waits: ") < at("temporary files: 4 files") && at("temporary files: ") < at("checkpoints: ")
    );
    assert!(page.contains("raise max_wal_size") && page.contains("work_mem must be 2.0 MB at least"));
}

#[test]
fn the_schema_and_the_page_know_every_key() {
    let schema =
        serde_json::from_str(&fs::read_to_string("docs/report.schema.json").expect("it")).expect("JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a JSON Schema");
    let report = serde_json::to_value(report(&bytes("log"))).expect("JSON");
    let wrong: Vec<String> =
        schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let page = fs::read_to_string("docs/json-report.md").expect("it");
    keys(&report["incidents"], &page);
}

/// Every key is documented.
fn keys(value: &Value, page: &str) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                assert!(page.contains(&format!("`{key}`")) || page.contains(&format!(".{key}`")), "{key}");
                keys(value, page);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, page)),
        _ => {}
    }
}

#[test]
fn a_log_of_checkpoints_alone_is_read() {
    let report = report(b"2026-11-23 04:22:29.056 UTC [7] LOG:  checkpoint starting: time\n");
    assert_eq!(report.incidents.checkpoints.map(|of| of.by_time), Some(1));
    assert_eq!(report.incidents.connections, None, "nothing was said of them");
}

#[test]
fn a_message_of_no_known_form_is_not_shown() {
    let report = report(
        b"2026-11-23 04:22:29.056 UTC [7] ERROR:  order of bob is closed\n2026-11-23 04:22:29.056 UTC [7] STATEMENT:  SELECT f('bob')\n",
    );
    let [error] = report.incidents.errors.as_slice() else { panic!("one error") };
    assert_eq!((error.message.as_deref(), error.sqlstate.as_deref()), (None, None));
    assert!(error.when.at.as_deref().is_some_and(|at| at.ends_with("a.log:1")));
    assert!(!told(&report).contains("bob"));
}

#[test]
fn cutting_changes_nothing() {
    for format in ["log", "csv", "json"] {
        let bytes = bytes(format);
        let whole = told(&report(&bytes));
        for size in [300, 1_111, 4_321, 20_000] {
            let options = Options { chunk_bytes: size, threads: 2, ..Options::default() };
            let cut = told(&report_of(&bytes, &options).expect("a log"));
            for (found, expect) in cut.lines().zip(whole.lines()) {
                assert_eq!(found, expect, "{format} in chunks of {size}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_logs_are_survived(
        format in prop::sample::select(vec!["log", "csv", "json"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..60),
        size in 200_usize..9000,
    ) {
        let mut bytes = bytes(format);
        for (at, byte, kind) in damage {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let _ = report_of(&bytes, &Options { chunk_bytes: size, threads: 2, ..Options::default() });
    }
}
