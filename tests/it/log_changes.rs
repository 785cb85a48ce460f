//! Logs that change their form in the middle.
//!
//! `fixtures/logs/prefixes.log` is one PostgreSQL 15 whose `log_line_prefix` was set twice with ALTER SYSTEM
//! and `pg_reload_conf()` while nine rounds of the same statements ran: four, three and two.

use std::{collections::BTreeMap, fs, io::Write as _};

use sargable::{
    sources::{self, Gathered, Ingested, Options},
    workload::Dimension,
};

use crate::events::{Lines, by_session};

const ROUNDS: u64 = 9;

fn chunks(chunk_bytes: usize) -> Options {
    Options { chunk_bytes, threads: 2, ..Options::default() }
}

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room");
    file
}

fn gather(bytes: &[u8], options: &Options) -> Gathered<Lines> {
    let file = file(bytes);
    sources::gather(&[file.path().to_owned()], options, &|| (), &mut |_, _| ()).expect("a log")
}

fn ingest(bytes: &[u8], options: &Options) -> Ingested {
    let file = file(bytes);
    sources::ingest(&[file.path().to_owned()], options, &mut |_| ()).expect("a log")
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("fixtures/logs/{name}")).expect("a fixture")
}

#[test]
fn a_prefix_that_changes_twice_is_followed() {
    let read = ingest(&fixture("prefixes.log"), &Options::default());
    let input = &read.inputs[0];
    assert_eq!(input.skipped, 0, "{input:?}");
    assert!(input.notes[0].starts_with("log_line_prefix `%m [%p] "), "{input:?}");
    assert_eq!(
        input.notes[1..],
        [
            "log_line_prefix `%t [%p]: user=%u,db=%d,app=%a,client=%h ` from line 109 on, inferred from its lines",
            "log_line_prefix `%m %c %l %q%u@%d ` from line 179 on, inferred from its lines",
        ]
    );
    let calls: BTreeMap<&str, u64> =
        read.workload.ranked().into_iter().map(|query| (query.text.as_str(), query.calls)).collect();
    for text in [
        "SELECT id FROM orders WHERE id = ?",
        "SELECT name, price FROM products WHERE id = ?",
        "UPDATE orders SET total = total + ? WHERE id = ?",
        "DELETE FROM orders WHERE id = ? + ?",
    ] {
        assert_eq!(calls.get(text), Some(&ROUNDS), "{text} in {calls:#?}");
    }
    assert_eq!(read.workload.totals().errors, ROUNDS);
    let users = read.workload.by(Dimension::User);
    assert_eq!(users.keys().map(String::as_str).collect::<Vec<_>>(), ["app", "postgres"]);
    // The prefixes that do not name it leave it to the connection lines.
    let web = &read.workload.by(Dimension::Application)["web"];
    assert_eq!(web.tally.calls, 5 * ROUNDS);
}

#[test]
fn cutting_changes_nothing() {
    let bytes = fixture("prefixes.log");
    let whole = gather(&bytes, &Options::default());
    let notes = whole.inputs[0].notes.clone();
    let whole = by_session(whole.collected);
    for size in [200, 555, 1500, 4000, 9000] {
        let found = gather(&bytes, &chunks(size));
        assert_eq!(found.inputs[0].notes, notes, "in chunks of {size}");
        assert_eq!(by_session(found.collected), whole, "in chunks of {size}");
    }
}

/// The flag's prefix is the only one; what it leaves is said.
#[test]
fn a_prefix_that_was_given_is_not_added_to() {
    let options = Options { log_line_prefix: Some("%m [%p] ".to_owned()), ..Options::default() };
    let input = gather(&fixture("prefixes.log"), &options).inputs.remove(0);
    assert!(input.skipped > 60, "{input:?}");
    assert!(
        input.notes.last().is_some_and(|note| note.ends_with("leave out --log-line-prefix")),
        "{input:?}"
    );
}

#[test]
fn another_prefix_says_what_the_log_says_alone() {
    let (shop, debian) = (fixture("shop.log"), fixture("debian.log"));
    let count = |bytes: &[u8]| gather(bytes, &Options::default()).collected.0.len();
    let both = gather(&[&shop[..], &debian[..]].concat(), &Options::default());
    assert_eq!(both.inputs[0].skipped, 0, "{:?}", both.inputs);
    assert_eq!(both.collected.0.len(), count(&shop) + count(&debian));
}

/// `log_destination` was changed: the lines of the other form are counted and said.
#[test]
fn lines_of_another_destination_are_said() {
    let said = |first: &str, second: &str| {
        // Longer than what is looked at to recognise it.
        let first = fixture(first).repeat(9);
        let read = gather(&[first, fixture(second)].concat(), &Options::default());
        assert!(read.inputs[0].skipped > 30, "{:?}", read.inputs);
        read.inputs[0].notes.last().cloned().unwrap_or_default()
    };
    for (first, second, words) in [
        ("shop.log", "shop.csv", " of csvlog, which is not read in a log of another form"),
        ("shop.log", "shop.json", " of jsonlog, which is not read in a log of another form"),
        ("shop.csv", "shop.log", " of stderr, which is not read in a log of another form"),
    ] {
        let note = said(first, second);
        assert!(note.ends_with(words), "{first} and {second}: {note}");
    }
}
