//! PostgreSQL logs of one run in three formats give the same events, wherever they are cut.
//!
//! `fixtures/logs/<run>.{log,csv,json}` were written by one PostgreSQL 15 each; `<run>.events` is what
//! they say.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use sargable::{
    error::Error,
    sources::{self, Gathered, Options},
};

use crate::events::{Lines, by_session};

const RUNS: &[&str] =
    &["shop", "statements-then-durations", "statements-and-threshold", "statements-only", "explain"];

fn fixture(name: &str) -> PathBuf {
    Path::new("fixtures/logs").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).expect("a fixture")
}

fn gather(paths: &[PathBuf], options: &Options) -> Result<Gathered<Lines>, Error> {
    sources::gather(paths, options, &|| (), &mut |_, _| ())
}

/// The events of some bytes, as one file with a name of no meaning.
fn read(bytes: &[u8], options: &Options) -> Result<Gathered<Lines>, Error> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room in the temporary folder");
    gather(&[file.path().to_owned()], options)
}

/// One line an event, by session.
#[track_caller]
fn events(bytes: &[u8], options: &Options) -> String {
    by_session(read(bytes, options).expect("a log").collected)
}

fn chunks(chunk_bytes: usize) -> Options {
    Options { chunk_bytes, threads: 2, ..Options::default() }
}

#[test]
fn three_formats_of_one_run_say_the_same() {
    for run in RUNS {
        let expect = fs::read_to_string(fixture(&format!("{run}.events"))).expect("what the run says");
        for format in ["log", "csv", "json"] {
            let found = events(&bytes(&format!("{run}.{format}")), &Options::default());
            assert_eq!(found, expect, "{run}.{format}");
        }
    }
}

#[test]
fn a_prefix_that_names_neither_application_nor_host_takes_them_from_the_connection_lines() {
    let expect = fs::read_to_string(fixture("debian.events")).expect("what the run says");
    assert_eq!(events(&bytes("debian.log"), &Options::default()), expect);
    assert!(expect.contains("shop|app_rw|web app 2|127.0.0.1 executes"), "{expect}");
}

#[test]
fn a_verbose_log_says_the_same_and_the_sqlstate() {
    let found = read(&bytes("verbose.log"), &Options::default()).expect("a log").collected;
    let states: Vec<_> = found.0.iter().filter_map(|line| line.sqlstate.as_deref()).collect();
    assert_eq!(states, ["42601", "42703", "23505"]);
    assert_eq!(by_session(found), fs::read_to_string(fixture("verbose.events")).expect("what the run says"));
}

#[test]
fn executions_are_counted_once() {
    for (run, executions, timed) in [
        ("shop", 16, 16),
        ("statements-then-durations", 16, 16),
        ("statements-and-threshold", 16, 16),
        ("statements-only", 16, 0),
        ("explain", 9, 9),
    ] {
        for format in ["log", "csv", "json"] {
            let paths = [fixture(&format!("{run}.{format}"))];
            let ingested = sources::ingest(&paths, &Options::default(), &mut |_| ()).expect("a log");
            assert_eq!(ingested.workload.totals().executions, executions, "{run}.{format}");
            let found = gather(&paths, &Options::default()).expect("a log").collected;
            let with_duration = found
                .0
                .iter()
                .filter(|line| line.text.contains(" executes ") && line.text.contains(" µs "))
                .count();
            assert_eq!(with_duration, timed, "{run}.{format}");
        }
    }
}

#[test]
fn cutting_changes_nothing() {
    for name in ["shop", "statements-then-durations", "statements-only", "explain"]
        .iter()
        .flat_map(|run| ["log", "csv", "json"].map(|format| format!("{run}.{format}")))
        .chain(["debian.log".to_owned(), "verbose.log".to_owned()])
    {
        let bytes = bytes(&name);
        let whole = events(&bytes, &Options::default());
        for size in (64..4096).step_by(397) {
            assert_eq!(events(&bytes, &chunks(size)), whole, "{name} in chunks of {size}");
        }
    }
}

#[test]
fn line_numbers_hold_in_every_chunk() {
    for name in ["shop.log", "shop.csv", "shop.json"] {
        let bytes = bytes(name);
        let text = String::from_utf8(bytes.clone()).expect("a fixture is UTF-8");
        let lines: Vec<&str> = text.split('\n').collect();
        for size in [300, 4 << 20] {
            let found = read(&bytes, &chunks(size)).expect("a log").collected;
            assert!(found.0.len() > 30);
            for event in &found.0 {
                let line = lines[usize::try_from(event.number).expect("small") - 1];
                let pid = event.session.expect("every event has a session").to_string();
                assert!(line.contains("2026-11-23") && line.contains(&pid), "{name} {}: {line}", event.text);
            }
        }
    }
}

#[test]
fn two_logs_are_one_after_the_other() {
    let mut twice = bytes("shop.log");
    twice.extend(bytes("statements-then-durations.log"));
    let files = [fixture("statements-then-durations.log"), fixture("shop.log")];
    let gathered = gather(&files, &Options::default()).expect("two logs");
    let names: Vec<_> = gathered.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(
        names,
        ["fixtures/logs/shop.log", "fixtures/logs/statements-then-durations.log"],
        "by first entry"
    );
    assert_eq!(by_session(gathered.collected), events(&twice, &Options::default()));
}

#[test]
fn gzip_of_several_members_and_zstd() {
    let plain = bytes("shop.csv");
    let expect = events(&plain, &Options::default());
    let (first, second) = plain.split_at(plain.len() / 3);
    let mut members = gzip(first);
    members.extend(gzip(second));
    assert_eq!(events(&members, &Options::default()), expect);
    assert_eq!(events(&zstd::encode_all(&*plain, 3).expect("memory"), &Options::default()), expect);
}

#[test]
fn a_gzip_that_was_cut_short_keeps_what_was_read() {
    let mut packed = gzip(&bytes("shop.log").repeat(20));
    packed.truncate(packed.len() * 9 / 10);
    let gathered = read(&packed, &Options::default()).expect("what was read");
    assert_eq!(gathered.damages.len(), 1, "{:?}", gathered.damages);
    assert!(gathered.collected.0.len() > 100);
    assert!(
        gathered.inputs[0].notes.iter().any(|note| note.starts_with("ends early: ")),
        "{:?}",
        gathered.inputs
    );
    assert!(!gathered.not_judged.is_empty());
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn carriage_returns_are_no_part_of_a_text() {
    for format in ["log", "json"] {
        let plain = bytes(&format!("shop.{format}"));
        let text = String::from_utf8(plain.clone()).expect("a fixture is UTF-8");
        let windows = text.replace('\n', "\r\n");
        assert_eq!(
            events(windows.as_bytes(), &Options::default()),
            events(&plain, &Options::default()),
            "{format}"
        );
    }
}

/// Every event of a log that begins or ends somewhere is an event of the whole log.
#[test]
fn a_log_cut_out_of_the_middle_invents_nothing() {
    for name in ["shop.log", "shop.csv", "shop.json"] {
        let bytes = bytes(name);
        let whole = read(&bytes, &Options::default()).expect("a log").collected;
        let whole: Vec<&str> = whole.0.iter().map(|line| line.text.as_str()).collect();
        let mut most = 0;
        for from in (1..bytes.len() / 2).step_by(211) {
            let to = bytes.len() - from / 2;
            let Ok(gathered) = read(&bytes[from..to], &Options::default()) else {
                panic!("{name} from {from} is still a log");
            };
            // The last entry may have lost its end.
            for line in &gathered.collected.0[..gathered.collected.0.len() - 1] {
                assert!(whole.contains(&line.text.as_str()), "{name} from {from}: {}", line.text);
            }
            most = most.max(gathered.collected.0.len());
        }
        assert!(most > whole.len() - 5, "{name}: almost everything is left at the smallest cut");
    }
}

#[test]
fn an_entry_longer_than_a_chunk_is_read_whole() {
    let statement = format!("SELECT {}1", "1 +\n ".repeat(200_000));
    let stitched = statement.replace('\n', "\n\t");
    let log = format!(
        "2026-11-23 04:22:29.056 UTC [7] LOG:  duration: 1.000 ms  statement: {stitched}\n2026-11-23 04:22:29.057 UTC [7] LOG:  duration: 2.000 ms  statement: SELECT 2\n"
    );
    let found = read(log.as_bytes(), &chunks(4096)).expect("a log").collected;
    assert_eq!(found.0.len(), 2);
    assert!(found.0[0].text.len() > statement.len());
    assert_eq!(found.0[1].number, 200_002);
}

#[test]
fn bytes_that_are_no_text_pass_through() {
    let log =
        b"\0\0\0\n2026-11-23 04:22:29.056 UTC [7] LOG:  duration: 1.000 ms  statement: SELECT '\xff\xfe\0'\n";
    let gathered = read(log, &Options::default()).expect("a log");
    assert_eq!(gathered.collected.0.len(), 1);
    assert_eq!(gathered.inputs[0].skipped, 1);
}

#[test]
fn the_servers_prefix_is_used_where_it_fits() {
    let read_with = |prefix: &str| {
        let options = Options { server_prefix: Some(prefix.to_owned()), ..Options::default() };
        read(&bytes("debian.log"), &options).expect("a log").inputs.remove(0).notes
    };
    assert_eq!(read_with("%m [%p] %q%u@%d "), ["log_line_prefix `%m [%p] %q%u@%d `, as the server has it"]);
    assert_eq!(read_with("%t %u "), ["log_line_prefix `%m [%p] %q%u@%d `, inferred from the file"]);
    assert_eq!(read_with("no time "), ["log_line_prefix `%m [%p] %q%u@%d `, inferred from the file"]);
}

#[test]
fn the_prefix_of_the_flag_is_used_as_it_is() {
    let read_with = |prefix: &str| {
        read(
            &bytes("debian.log"),
            &Options { log_line_prefix: Some(prefix.to_owned()), ..Options::default() },
        )
    };
    assert!(read_with("%m [%p] %q%u@%d ").expect("it fits").inputs[0].notes.is_empty());
    assert_eq!(read_with("%m [%p] %q%u@%d").expect("a value may end in spaces").collected.0.len(), 35);
    let Err(Error::NothingUnderstood { what, hint }) = read_with("%t %u ") else { panic!("it does not fit") };
    assert!(
        what.contains("log_line_prefix `%t %u `; log_line_prefix `%m [%p] %q%u@%d ` would fit")
            && what.contains("line 1: 2026-11-23 "),
        "{what}"
    );
    assert!(hint.contains("--log-line-prefix"), "{hint}");
    assert!(matches!(read_with("%p "), Err(Error::PrefixWithoutTime { .. })));
}

#[test]
fn a_prefix_that_lost_the_space_at_its_end_is_used_with_it() {
    let log = b"2026-11-23 04:22:29.056 UTC [7] LOG:  duration: 1.000 ms  statement: SELECT 1\n";
    let options = Options { log_line_prefix: Some("%m [%p]".to_owned()), ..Options::default() };
    let notes = read(log, &options).expect("a log").inputs.remove(0).notes;
    assert_eq!(notes, ["log_line_prefix `%m [%p] `, with a space at its end"]);
}

#[test]
fn a_log_in_another_language_ends_in_advice() {
    let Err(Error::NothingUnderstood { what, hint }) = read(&bytes("german.log"), &Options::default()) else {
        panic!("a German log is not understood");
    };
    assert!(what.contains(": the log is not in English\n") && what.contains("line 1: 2026-11-23 "), "{what}");
    assert!(hint.contains("lc_messages"), "{hint}");
}

#[test]
fn a_log_without_statements_ends_in_advice() {
    let Err(Error::NothingUnderstood { what, hint }) =
        read(b"2026-11-23 04:22:29.056 UTC [7] LOG:  redo starts at 0/72C3AD0\n", &Options::default())
    else {
        panic!("nothing that is understood");
    };
    assert!(what.contains(": 1 entry, but no statement, duration or error among them\n"), "{what}");
    assert!(hint.contains("log_min_duration_statement"), "{hint}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(noise in prop::collection::vec(any::<u8>(), 0..2000), size in 16_usize..500) {
        let _ = read(&noise, &chunks(size));
    }

    /// Bytes are changed, dropped and doubled in a real log: nothing panics, and cutting still changes nothing
    /// in what is not damaged.
    #[test]
    fn damaged_logs_are_survived(
        name in prop::sample::select(vec!["shop.log", "shop.csv", "shop.json", "statements-only.csv", "verbose.log"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..40),
        size in 64_usize..3000,
    ) {
        let mut bytes = bytes(name);
        for (at, byte, kind) in damage {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let _ = read(&bytes, &chunks(size));
    }
}
