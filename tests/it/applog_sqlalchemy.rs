//! `SQLAlchemy`'s engine log, captured with psycopg and asyncpg, in three layouts.

use crate::applog_formats::{ingest, matching, read, values};
use sargable::workload::RepetitionKind;

/// Statements and transaction bounds of each: those that engine events counted beside the log, and the three with
/// which an engine greets its server.
const RUNS: &[(&str, usize)] =
    &[("sqlalchemy-echo.log", 55), ("sqlalchemy-asyncpg.log", 37), ("sqlalchemy-debug.log", 43)];

#[test]
fn every_layout_gives_its_statements_without_durations() {
    for (name, executions) in RUNS {
        let (seen, _) = read(name, "sqlalchemy");
        assert_eq!(seen.len(), *executions, "{name}");
        assert!(seen.iter().all(|one| one.duration.is_none()), "{name}");
    }
}

#[test]
fn named_parameters_become_numbers() {
    let (seen, _) = read("sqlalchemy-echo.log", "sqlalchemy");
    let customers = matching(&seen, "WHERE customers.id = $1::INTEGER");
    assert_eq!(customers.len(), 6);
    assert_eq!(customers[1].binds, values(&["295"]));
    let text = matching(&seen, "WHERE status <> $1");
    assert_eq!(text[0].binds, values(&["it's (1, 2)"]));
    let raw = matching(&seen, "title LIKE '%9%'");
    assert_eq!(raw[0].binds, values(&["9"]));
}

#[test]
fn rows_are_those_that_were_fetched() {
    let (seen, _) = read("sqlalchemy-debug.log", "sqlalchemy");
    let orders = matching(&seen, "FROM orders ORDER BY orders.id");
    let mut rows: Vec<_> = orders.iter().map(|one| one.rows).collect();
    rows.sort();
    assert_eq!(rows, [Some(5), Some(6), Some(7)]);
}

#[test]
fn a_lazy_load_in_a_loop_is_an_n_plus_one() {
    for (name, _) in RUNS {
        let workload = ingest(name).workload;
        let found = workload.repetitions().into_iter().any(|found| {
            found.kind == RepetitionKind::NPlusOne
                && found.max_repeats >= 5
                && workload.query(found.child).is_some_and(|query| query.text.contains("customers"))
        });
        assert!(found, "{name}");
    }
}
