//! Figures of a log: percentiles against exact ones, three formats alike, filters and objectives.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use sargable::{
    error::NotJudged,
    report::{Report, slo},
    sources::{self, Ingested, Options},
    sql::Normalizer,
    workload::{Binds, Event, EventKind, Filter, Position, Workload},
};

fn read(format: &str, filter: Filter) -> Ingested {
    let path = PathBuf::from(format!("fixtures/logs/shop.{format}"));
    let options = Options { filter: Some(Arc::new(filter)), ..Options::default() };
    sources::ingest(&[path], &options, &mut |_| ()).expect("a log")
}

fn report(read: &Ingested) -> Report {
    Report::new(&[], &read.workload, Vec::new(), Vec::new(), &NotJudged::default())
}

#[test]
fn three_formats_give_the_same_figures() {
    let of = |format| {
        let mut report = report(&read(format, Filter::default()));
        // Where they stand differs, of course.
        report.queries.iter_mut().for_each(|query| query.sources.clear());
        report.incidents = sargable::report::incidents::Incidents::default();
        serde_json::to_string_pretty(&report).expect("a report")
    };
    let log = of("log");
    assert!(log.contains("\"buckets\": [\n"), "something was counted");
    assert_eq!(of("csv"), log);
    assert_eq!(of("json"), log);
}

/// `percentile_disc` over the durations themselves, of every query.
#[test]
fn percentiles_are_within_one_percent_of_exact_ones() {
    let mut workload = Workload::default();
    let mut normalizer = Normalizer::default();
    let mut exact: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut random = 88_172_645_463_325_252_u64;
    for line in 0..30_000_u64 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let table = line % 7;
        let duration = 20 + (random >> 40) % 10_u64.pow(u32::try_from(2 + table % 5).expect("small"));
        let sql = format!("SELECT id FROM t{table} WHERE id = {line}");
        let event = Event {
            duration: Some(duration),
            ..Event::new(
                EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown },
                Position { input: 0, line },
            )
        };
        exact.entry(normalizer.scan(sql.as_bytes()).fingerprint.0).or_default().push(duration);
        workload.add(&event, &mut normalizer);
    }
    workload.close();
    assert_eq!(exact.len(), 7);
    for query in workload.ranked() {
        let durations = exact.get_mut(&query.id.0).expect("it was counted");
        durations.sort_unstable();
        for percent in [50, 90, 95, 99] {
            let rank = (durations.len() * percent).div_ceil(100);
            let expect = durations[rank - 1] as f64;
            let told = query.sketch.quantile(percent as f64 / 100.0).expect("it has durations");
            assert!((told - expect).abs() <= expect * 0.01, "p{percent}: {told} for {expect}");
        }
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let all = read("csv", Filter::default()).workload.totals().executions;
    let none = read("csv", Filter { users: vec!["nobody".to_owned()], ..Filter::default() });
    assert_eq!((none.workload.totals().executions, none.left_out.total()), (0, all));
    let selects = Filter {
        queries: vec![regex::Regex::new("(?i)^select").expect("a fixed pattern")],
        ..Filter::default()
    };
    let some = read("log", selects);
    let left = some.workload.totals();
    assert_eq!(left.executions + some.left_out.total(), all);
    assert!(left.executions > 0 && some.left_out.total() > 0);
    assert_eq!(left.by_kind.select, left.executions);
}

#[test]
fn objectives_are_judged_by_the_figures() {
    let mut report = report(&read("log", Filter::default()));
    let objectives = ["max=1h".replace("1h", "60min"), "p50=0us".to_owned(), "errors=100%".to_owned()]
        .map(|text| text.parse().expect("an objective"));
    report.slo = slo::judge(&objectives, &report);
    let met: Vec<Option<bool>> = report.slo.iter().map(|verdict| verdict.met).collect();
    assert_eq!(met, [Some(true), Some(false), Some(true)]);
    assert!(report.misses_an_objective());
}
