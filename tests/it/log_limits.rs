//! A log that cannot show an N+1 is said to be one.

use rustc_hash::FxHashMap;
use sargable::{
    catalog::{Catalog, Settings},
    detect::{self, WorkloadFacts},
    rules,
    sql::Normalizer,
    workload::{Binds, Event, EventKind, Evidence, Position, UnitId, Workload},
};

/// What `n-plus-one` could not judge in a log of statements that took `us` microseconds each.
fn not_judged(us: u64, executions: u32, settings: &[(&str, &str)]) -> Vec<String> {
    not_judged_of(us, executions, settings, |event| event)
}

/// The same, with events as another `log_line_prefix` gives them.
fn not_judged_of(
    us: u64,
    executions: u32,
    settings: &[(&str, &str)],
    prefix: impl Fn(Event<'static>) -> Event<'static>,
) -> Vec<String> {
    let mut workload = Workload::at_start();
    let mut normalizer = Normalizer::default();
    for at in 0..executions {
        let event = Event {
            end: Some(1_700_000_000_000_000 + i64::from(at) * 1_000_000),
            duration: Some(us),
            session: Some(7),
            ..Event::new(
                EventKind::Execution { sql: b"SELECT name FROM users WHERE id = 1", binds: Binds::Unknown },
                Position { input: 0, line: u64::from(at) },
            )
        };
        workload.add(&prefix(event), &mut normalizer);
    }
    workload.close();
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let catalog = Catalog { settings: Settings(settings), ..Catalog::default() };
    let facts = WorkloadFacts {
        workload: &workload,
        repetitions: &[],
        concurrency: None,
        logged: true,
        shapes: &FxHashMap::default(),
        catalog: Some(&catalog),
    };
    let rule = rules::find("n-plus-one").expect("a built-in rule");
    let report = detect::run(std::slice::from_ref(rule), &[], Some(&facts), None, &[]);
    report.not_judged.lines().into_iter().map(|line| line.why).collect()
}

#[track_caller]
fn check(found: &[String], expect: &[&str]) {
    assert_eq!(found.len(), expect.len(), "{found:?}");
    for (found, expect) in found.iter().zip(expect) {
        assert!(found.contains(expect), "{found}");
    }
}

#[test]
fn a_threshold_or_a_sample_hides_repeats() {
    check(&not_judged(300_000, 10, &[("log_min_duration_statement", "250")]), &["from 250 ms on only"]);
    let sample = [("log_min_duration_statement", "-1"), ("log_transaction_sample_rate", "0.1")];
    check(&not_judged(50, 500, &sample), &["a sample only (log_transaction_sample_rate)"]);
}

#[test]
fn a_log_without_quick_statements_speaks_for_itself() {
    check(&not_judged(250_000, 100, &[]), &["no statement under 250 ms"]);
    check(&not_judged(250_000, 99, &[]), &[]);
    check(&not_judged(1_000, 100, &[]), &["no statement under 1"]);
    check(&not_judged(999, 100, &[]), &[]);
}

/// Each says which setting to change, and to what.
#[test]
fn a_prefix_or_missing_values_hide_repeats() {
    let without_session = |event| Event { session: None, ..event };
    check(&not_judged_of(50, 10, &[], without_session), &["log_line_prefix = '%m [%p] %q%u@%d/%a '"]);
    check(&not_judged_of(50, 10, &[], |event| Event { coarse: true, ..event }), &["put %m in place of %t"]);
    let unit = Some(UnitId::new(Evidence::Trace, b"a trace"));
    let traced = |event| Event { coarse: true, session: None, unit, ..event };
    check(&not_judged_of(50, 10, &[], traced), &[]);
    check(&not_judged(50, 10, &[("log_parameter_max_length", "0")]), &["set log_parameter_max_length = -1"]);
}

#[test]
fn a_full_log_is_judged_without_a_word() {
    let full = [("log_min_duration_statement", "0"), ("log_statement_sample_rate", "1")];
    check(&not_judged(50, 500, &full), &[]);
    let all = [("log_min_duration_statement", "250"), ("log_statement", "all")];
    check(&not_judged(50, 500, &all), &[]);
}
