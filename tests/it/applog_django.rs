//! Django's query log in four layouts, captured from one site under Django's own server.

use crate::applog_formats::{fixture, ingest, matching, read, values};
use sargable::workload::RepetitionKind;
use std::fs;

/// Statements of each, as a handler beside the log counted them.
const ONE: &[(&str, usize)] = &[
    ("django-bare.log", 170),
    ("django-simple.log", 170),
    ("django-verbose.log", 154),
    ("django-json.log", 72),
];

#[test]
fn every_layout_gives_its_statements() {
    for (name, executions) in ONE {
        let (seen, _) = read(name, "django");
        assert_eq!(seen.len(), *executions, "{name}");
        assert!(seen.iter().all(|one| one.duration.is_some()), "{name}");
        assert!(seen.iter().all(|one| !one.sql.contains("; args=None")), "{name}");
        let raw = matching(&seen, "count(*) AS orders");
        assert_eq!(raw.len(), 1, "{name}");
        assert!(raw[0].sql.ends_with("'it''s; args=(1,)'\n GROUP BY o.status"), "{}", raw[0].sql);
        assert_eq!(raw[0].end.is_none(), name.contains("bare"), "{name}");
    }
}

#[test]
fn rows_of_executemany_are_one_call_with_the_first_values() {
    for (name, _) in ONE {
        let (seen, _) = read(name, "django");
        let many = matching(&seen, "INSERT INTO audit (actor, what) VALUES ($1, $2)");
        assert_eq!(many.len(), 1, "{name}");
        assert_eq!(many[0].binds, values(&["1", "a"]), "{name}");
    }
}

#[test]
fn the_loop_of_a_template_is_an_n_plus_one() {
    for (name, child) in [
        ("django-bare.log", "customers"),
        ("django-simple.log", "customers"),
        ("django-verbose.log", "customers"),
    ] {
        let workload = ingest(name).workload;
        let found = workload.repetitions().into_iter().any(|found| {
            found.kind == RepetitionKind::NPlusOne
                && found.max_repeats >= 20
                && workload.query(found.child).is_some_and(|query| query.text.contains(child))
        });
        assert!(found, "{name}");
    }
}

#[test]
fn a_statement_without_its_end_is_counted() {
    let text = fs::read_to_string(fixture("django-bare.log")).expect("a fixture");
    let end = text.find(" GROUP BY o.status").expect("a statement of many lines");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), &text[..end]).expect("room");
    let (seen, gathered) = crate::applog_formats::read_path(file.path());
    assert_eq!(gathered.inputs[0].skipped, 1);
    assert!(matching(&seen, "count(*) AS orders").is_empty());
}
