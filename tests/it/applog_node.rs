//! Query logs of Prisma, `TypeORM`, Sequelize, Knex and Drizzle, as real runs of them wrote them.
//!
//! The expected numbers were counted in `fixtures/applogs/` with `grep`, not read from what is tested.

use std::{fs, io::Write};

use sargable::sources::{self, Gathered, Options};

use crate::events::Lines;

fn bytes(name: &str) -> Vec<u8> {
    fs::read(format!("fixtures/applogs/{name}.log")).expect("a fixture")
}

fn read(bytes: &[u8]) -> Option<Gathered<Lines>> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room in the temporary folder");
    sources::gather(&[file.path().to_owned()], &Options::default(), &|| (), &mut |_, _| ()).ok()
}

#[track_caller]
fn events(name: &str, format: &str) -> Vec<String> {
    let found = read(&bytes(name)).expect("events");
    assert_eq!((found.inputs[0].format.as_str(), found.inputs[0].skipped), (format, 0), "{name}");
    found.collected.0.into_iter().map(|line| line.text).collect()
}

fn having(events: &[String], what: &str) -> usize {
    events.iter().filter(|event| event.contains(what)).count()
}

#[test]
fn every_statement_counts_once() {
    for (name, format, statements, timed) in [
        ("drizzle-logger", "drizzle", 242, 0),
        ("knex-debug", "knex", 250, 0),
        ("knex-colours", "knex", 161, 0),
        ("knex-object", "knex", 172, 0),
        ("sequelize-transactions", "sequelize", 217, 0),
        ("sequelize-elapsed", "sequelize", 225, 225),
        ("sequelize-parameters", "sequelize", 243, 243),
        ("typeorm-advanced", "typeorm", 70, 9),
        ("typeorm-file", "typeorm", 76, 52),
        ("prisma-stdout", "prisma", 184, 0),
        ("prisma-event", "prisma", 150, 150),
        ("prisma-json", "prisma", 130, 130),
        ("prisma-docs", "prisma", 162, 162),
    ] {
        let events = events(name, format);
        assert_eq!((events.len(), having(&events, " µs [")), (statements, timed), "{name}");
    }
}

#[test]
fn values_and_times_are_those_of_the_log() {
    let sequelize = events("sequelize-parameters", "sequelize");
    let update =
        r#"executes UPDATE \"products\" SET \"price\"=$1 WHERE \"id\" = $2 with [Some("196"), Some("30")]"#;
    let found: Vec<&String> = sequelize.iter().filter(|event| event.ends_with(update)).collect();
    assert!(found.len() == 1 && found[0].contains(" 9000 µs ["), "{found:?}");

    let knex = events("knex-debug", "knex");
    assert_eq!(having(&knex, "undefined"), 0);
    assert_eq!(having(&knex, "executes BEGIN;"), 2);
    assert_eq!(having(&knex, r#"where \"id\" = $2 with [Some("113"), Some("39")]"#), 1);
    let object = events("knex-object", "knex");
    assert_eq!(having(&object, "?"), 0);
    assert_eq!(
        having(&object, r#"from \"customers\" where \"id\" = $1 limit $2 with [Some("7"), Some("1")]"#),
        1
    );

    let drizzle = events("drizzle-logger", "drizzle");
    assert_eq!(having(&drizzle, "-- params"), 0);
    assert_eq!(having(&drizzle, "executes begin"), 9);
}

#[test]
fn values_in_lines_of_their_own_and_statements_of_several() {
    let debug = events("typeorm-debug", "typeorm");
    assert_eq!(having(&debug, "PARAMETERS"), 0);
    let formatted = events("typeorm-formatted", "typeorm");
    assert_eq!(formatted.len(), 94);
    assert_eq!(having(&formatted, "\\nFROM current_schema()"), 1);
}

#[test]
fn cut_anywhere_and_damaged_they_are_read_without_a_panic() {
    for name in [
        "drizzle-logger",
        "knex-debug",
        "knex-object",
        "sequelize-elapsed",
        "typeorm-advanced",
        "prisma-event",
    ] {
        let whole = bytes(name);
        let all = read(&whole).expect("events").collected.0.len();
        for cut in (0..whole.len()).step_by(whole.len() / 8 + 1) {
            let begun = read(&whole[..cut]).map_or(0, |found| found.collected.0.len());
            assert!(begun <= all, "{name} cut at {cut}");
            let mut damaged = whole.clone();
            damaged[cut] = 0xff;
            let left = read(&damaged).expect("events").collected.0.len();
            assert!(left + 2 >= all && left <= all + 1, "{name} damaged at {cut}: {left} of {all}");
        }
    }
}

#[test]
fn an_object_that_never_ends_is_counted() {
    let whole = String::from_utf8(bytes("prisma-event")).expect("UTF-8");
    let cut = whole.rfind("  params:").expect("the last event");
    let found = read(&whole.as_bytes()[..cut]).expect("events");
    assert_eq!((found.collected.0.len(), found.inputs[0].skipped), (149, 1));
}
