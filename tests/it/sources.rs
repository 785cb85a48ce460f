//! Files, folders and what is no log at all.

use std::{fs, path::Path};

use sargable::{
    error::Error,
    sources::{self, Gathered, Options},
};

use crate::events::{Lines, by_session};

fn gather(path: &Path) -> Result<Gathered<Lines>, Error> {
    sources::gather(&[path.to_owned()], &Options::default(), &|| (), &mut |_, _| ())
}

/// Why nothing was understood, and the hint.
#[track_caller]
fn refused(content: &[u8]) -> (String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("input");
    fs::write(&path, content).expect("room");
    match gather(&path) {
        Err(Error::NothingUnderstood { what, hint }) => {
            (what.replace(&folder.path().display().to_string(), ""), hint)
        }
        Err(other) => panic!("{other}"),
        Ok(gathered) => panic!("{:?}", gathered.inputs),
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = gather(Path::new("no/such.log")).expect_err("there is no such file");
    assert_eq!(error.to_string(), "cannot read no/such.log");
}

#[test]
fn an_empty_file_says_so() {
    assert_eq!(refused(b"").0, "/input is empty");
    assert_eq!(refused(b"\n \n").0, "/input is empty");
}

#[test]
fn a_binary_file_says_so() {
    let binary: Vec<u8> = (0..=255_u8).rev().cycle().take(4000).collect();
    assert_eq!(refused(&binary).0, "/input is binary: neither a log nor SQL");
}

#[test]
fn some_other_text_is_shown_with_what_was_tried() {
    let (what, hint) = refused(b"hello\nworld\n127.0.0.1 - - \"GET /\"\nmore\n");
    assert!(
        what.starts_with("/input is neither a PostgreSQL log nor SQL\ntried: csvlog, jsonlog, and "),
        "{what}"
    );
    assert!(what.contains("line 1: hello\n  line 2: world\n  line 3: 127.0.0.1"), "{what}");
    assert!(hint.contains("--log-line-prefix"), "{hint}");
}

#[test]
fn statements_know_where_they_stand() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sql = "-- first\nSELECT 1;  SELECT\n  2;\n\n/* größe */ SELECT 'ß'; SELECT 3;\n";
    fs::write(folder.path().join("a.sql"), sql).expect("room");
    fs::create_dir(folder.path().join("sub")).expect("room");
    fs::write(folder.path().join("sub/b.SQL"), "\u{feff}DELETE FROM t").expect("room");
    fs::write(folder.path().join("notes.txt"), "nothing of interest").expect("room");
    fs::write(folder.path().join(".hidden.sql"), "SELECT 'hidden'").expect("room");
    let gathered = gather(folder.path()).expect("two SQL files");
    let found: Vec<String> = gathered
        .statements
        .iter()
        .map(|statement| {
            let at = &statement.at;
            let file = at.file.rsplit('/').next().unwrap_or_default();
            format!("{file}:{}:{} {:?}", at.line, at.column, statement.text)
        })
        .collect();
    assert_eq!(
        found,
        [
            "a.sql:2:1 \"SELECT 1\"",
            "a.sql:2:12 \"SELECT\\n  2\"",
            "a.sql:5:13 \"SELECT 'ß'\"",
            "a.sql:5:25 \"SELECT 3\"",
            "b.SQL:1:1 \"DELETE FROM t\"",
        ]
    );
    let formats: Vec<_> =
        gathered.inputs.iter().map(|input| (input.format.as_str(), input.entries)).collect();
    assert_eq!(formats, [("sql", 4), ("sql", 1)]);
    assert_eq!(gathered.not_judged.lines().len(), 1, "notes.txt is counted");
}

#[test]
fn sql_is_known_by_its_first_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("queries");
    fs::write(&path, "-- report\nselect 1;\n").expect("room");
    assert_eq!(gather(&path).expect("SQL").statements.len(), 1);
}

/// `log_destination = 'stderr,csvlog,jsonlog'` leaves three files that say the same.
#[test]
fn one_run_in_three_formats_counts_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for format in ["log", "csv", "json"] {
        let name = format!("shop.{format}");
        fs::copy(Path::new("fixtures/logs").join(&name), folder.path().join(&name)).expect("a fixture");
    }
    let gathered = gather(folder.path()).expect("a log");
    let read: Vec<_> =
        gathered.inputs.iter().map(|input| (input.format.as_str(), input.entries > 0)).collect();
    assert_eq!(read, [("pg-csv", true), ("pg-json", false), ("pg-stderr", false)]);
    assert!(
        gathered.inputs[1].notes[0].contains("in another format: not read again"),
        "{:?}",
        gathered.inputs
    );
    let expect = fs::read_to_string("fixtures/logs/shop.events").expect("what the run says");
    assert_eq!(by_session(gathered.collected), expect);
}

#[test]
fn a_log_and_sql_in_one_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sql = folder.path().join("a.sql");
    fs::write(&sql, "SELECT id, email FROM users WHERE id = 1").expect("room");
    let paths = [sql, "fixtures/logs/shop.log".into()];
    let ingested = sources::ingest(&paths, &Options::default(), &mut |_| ()).expect("both");
    assert_eq!(
        ingested.inputs.iter().map(|input| input.format.as_str()).collect::<Vec<_>>(),
        ["pg-stderr", "sql"]
    );
    let query = ingested.workload.ranked().into_iter().find(|query| !query.statements.is_empty());
    let query = query.expect("the statement of the file");
    assert_eq!((query.calls, query.statements.len()), (1, 1), "{}", query.text);
}

/// More logs than there are buffers.
#[test]
fn many_logs_in_one_run() {
    let log = Path::new("fixtures/logs/shop.log");
    let options = Options { threads: 1, ..Options::default() };
    let gathered = |logs: usize| {
        sources::gather::<Lines>(&vec![log.to_owned(); logs], &options, &|| (), &mut |_, _| ()).expect("logs")
    };
    assert_eq!(gathered(20).inputs.len(), 20);
    assert_eq!(gathered(20).collected.0.len(), 20 * gathered(1).collected.0.len());
}

/// The rest is read, and what could not be is named.
#[test]
fn a_missing_file_among_others() {
    let paths = ["no/such.log".into(), "fixtures/logs/shop.log".into(), "Cargo.lock".into()];
    let gathered =
        sources::gather::<Lines>(&paths, &Options::default(), &|| (), &mut |_, _| ()).expect("a log");
    assert!(!gathered.collected.0.is_empty());
    assert_eq!(
        gathered.damages,
        [
            "no/such.log cannot be read: No such file or directory (os error 2)",
            "Cargo.lock is neither a PostgreSQL log nor SQL"
        ]
    );
    let noted: Vec<_> = gathered.inputs.iter().map(|input| input.notes.len()).collect();
    assert_eq!(noted, [1, 1, 1], "{:?}", gathered.inputs);
}

#[test]
fn progress_says_how_much_is_left_where_that_is_known() {
    let shares = |path: &str| {
        let mut shares = Vec::new();
        let options = Options { chunk_bytes: 4096, ..Options::default() };
        sources::ingest(&[path.into()], &options, &mut |far| shares.push(far.share)).expect("a log");
        shares
    };
    let plain = shares("fixtures/logs/shop.log");
    assert!(plain.len() > 1 && plain.is_sorted() && plain[0].is_some_and(|share| share > 0.0 && share < 1.0));
    assert_eq!(plain.last(), Some(&Some(1.0)));
    let compressed =
        fs::read_dir("fixtures/compressed").expect("a folder").next().expect("one").expect("one");
    let path = compressed.path();
    assert!(shares(path.to_str().expect("a plain path")).iter().all(Option::is_none));
}
