//! The workload is a monoid: however a log is cut and merged, it says the same.

use proptest::{collection::vec, prelude::*};
use sargable::{
    sql::Normalizer,
    workload::{Binds, Dimension, Event, EventKind, Evidence, Position, RepetitionKind, Workload},
};

/// One entry of a made-up log, in terms of what matters: who, what, with which value, how long, and
/// how long after the entry before it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    session: u32,
    what: usize,
    value: u32,
    duration: u64,
    pause: i64,
}

const STATEMENTS: &[&str] = &[
    "BEGIN",
    "COMMIT",
    "SELECT id FROM orders WHERE user_id = $1",
    "SELECT name FROM items WHERE order_id = $1",
    "SELECT name FROM items WHERE order_id = $1",
    "UPDATE items SET n = n + 1 WHERE id = $1",
    "SELECT 1 /*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'*/",
    "SELECT count(*) FROM orders",
];

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (
        1_u32..4,
        0..STATEMENTS.len() + 1,
        0_u32..6,
        prop_oneof![1_u64..40_000, Just(200_000), Just(9_000_000)],
        prop_oneof![0_i64..3_000, Just(80_000), Just(5_000_000)],
    )
        .prop_map(|(session, what, value, duration, pause)| Entry {
            session,
            what,
            value,
            duration,
            pause,
        });
    vec(one, 0..120)
}

/// A piece of the log as a workload of its own. Times and lines count from the log's beginning.
fn workload(log: &[Entry], from: usize, to: usize) -> Workload {
    let mut workload = Workload::default();
    add(&mut workload, log, from, to);
    workload
}

fn add(workload: &mut Workload, log: &[Entry], from: usize, to: usize) {
    let mut normalizer = Normalizer::default();
    let mut now = 1_700_000_000_000_000;
    for (at, entry) in log[..to].iter().enumerate() {
        now += entry.pause;
        if at < from {
            continue;
        }
        let detail = format!("$1 = '{}'", entry.value);
        let kind = match STATEMENTS.get(entry.what) {
            None => EventKind::SessionStart,
            Some(sql) if sql.contains("$1") => {
                EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Postgres(detail.as_bytes()) }
            }
            Some(sql) => EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown },
        };
        let event = Event {
            end: Some(now),
            duration: Some(entry.duration),
            session: Some(entry.session),
            database: Some(b"shop"),
            application: Some(if entry.value % 2 == 0 { b"web" } else { b"api" }),
            ..Event::new(kind, Position { input: 0, line: at as u64 + 1 })
        };
        workload.add(&event, &mut normalizer);
    }
}

/// Everything that a workload tells, as text.
fn told(mut workload: Workload) -> String {
    workload.close();
    let dimensions = [Dimension::Database, Dimension::User, Dimension::Application, Dimension::Host];
    let of_senders = (
        workload.overall(),
        dimensions.map(|dimension| workload.by(dimension)),
        workload.chatter(),
        workload.cache_candidates(),
        workload.moments(),
        workload.peaks(),
        workload.outlines(),
        workload.grounds(),
    );
    format!(
        "{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n{of_senders:#?}",
        workload.totals(),
        workload.ranked(),
        workload.repetitions(),
        workload.concurrency(),
        workload.not_judged(),
    )
}

/// The first line in which two reports differ, with the lines before it.
fn difference(told: &str, expect: &str) -> Option<String> {
    let at = told.lines().zip(expect.lines()).position(|(told, expect)| told != expect)?;
    let before: Vec<&str> = told.lines().skip(at.saturating_sub(12)).take(12).collect();
    Some(format!("{}\n{:?} is not {:?}", before.join("\n"), told.lines().nth(at), expect.lines().nth(at)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_pieces_gives_the_whole(log in entries(), cuts in vec(0.0..1.0_f64, 0..8), grouping in vec(any::<bool>(), 8)) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in the log")]
        let mut edges: Vec<usize> = cuts.iter().map(|cut| (cut * log.len() as f64) as usize).collect();
        edges.extend([0, log.len()]);
        edges.sort_unstable();
        let whole = told(workload(&log, 0, log.len()));

        // ((a + b) + c) + …, from an empty beginning, as a reader does it.
        let mut left = Workload::at_start();
        for pair in edges.windows(2) {
            left.merge(workload(&log, pair[0], pair[1]));
        }
        prop_assert_eq!(difference(&told(left), &whole), None);

        // Any other bracketing, with empty pieces in between.
        let mut pieces: Vec<Workload> = edges.windows(2).map(|pair| workload(&log, pair[0], pair[1])).collect();
        let mut turn = grouping.iter().cycle();
        while pieces.len() > 1 {
            let at = if *turn.next().expect("it cycles") { 0 } else { pieces.len() - 2 };
            let later = pieces.remove(at + 1);
            pieces[at].merge(Workload::default());
            pieces[at].merge(later);
        }
        prop_assert_eq!(difference(&told(pieces.remove(0)), &whole), None);
    }
}

/// `2*5` is five times statement 2 with values 1, 2, 3, 4, 5; `2=5` five times with one value.
fn log(script: &str) -> Vec<Entry> {
    let mut log = Vec::new();
    for word in script.split_whitespace() {
        let (what, count, distinct) = match (word.split_once('*'), word.split_once('=')) {
            (Some((what, count)), _) => (what, count, true),
            (_, Some((what, count))) => (what, count, false),
            _ => (word, "1", true),
        };
        let (what, pause) = what.strip_prefix('~').map_or((what, 1_000), |what| (what, 400_000));
        for value in 0..count.parse().expect("a count") {
            log.push(Entry {
                session: 1,
                what: what.parse().expect("a statement"),
                value: if distinct { value } else { 7 },
                duration: 500,
                pause: if value == 0 { pause } else { 1_000 },
            });
        }
    }
    log
}

#[track_caller]
fn check(script: &str, expect: &[&str]) {
    let log = log(script);
    let mut workload = workload(&log, 0, log.len());
    workload.close();
    let text = |id| workload.query(id).map_or(String::new(), |query| query.text.clone());
    let found: Vec<String> = workload
        .repetitions()
        .iter()
        .map(|found| {
            let kind = match found.kind {
                RepetitionKind::NPlusOne => "n+1",
                RepetitionKind::Duplicate => "duplicate",
                RepetitionKind::WriteLoop => "writes",
            };
            let evidence = match found.evidence {
                Evidence::Trace => "trace",
                Evidence::Tag => "tag",
                Evidence::Transaction => "transaction",
                Evidence::Burst => "burst",
                Evidence::Pool => "pool",
            };
            let parent = found.parent.map_or("nothing".to_owned(), text);
            format!(
                "{kind} by {evidence}: {} units, {} repeats, {} values: {} after {parent}",
                found.units,
                found.repeats,
                found.distinct_values,
                text(found.child)
            )
        })
        .collect();
    assert_eq!(found, expect, "{script}");
}

#[test]
fn a_query_for_each_row_of_another() {
    let items = "SELECT name FROM items WHERE order_id = ?";
    let orders = "SELECT id FROM orders WHERE user_id = ?";
    check(
        "0 2 3*5 1",
        &[&format!("n+1 by transaction: 1 units, 5 repeats, 5 values: {items} after {orders}")],
    );
    check("2 3*5", &[&format!("n+1 by burst: 1 units, 5 repeats, 5 values: {items} after {orders}")]);
    check(
        "2 3*6 ~2 3*5",
        &[&format!("n+1 by burst: 2 units, 11 repeats, 11 values: {items} after {orders}")],
    );
    check(
        "0 2 3=5 1",
        &[&format!("duplicate by transaction: 1 units, 5 repeats, 1 values: {items} after {orders}")],
    );
}

#[test]
fn what_is_no_repetition() {
    check("0 2 3*4 1", &[]);
    check("~3 ~3 ~3 ~3 ~3 ~3", &[]);
    // A stream of one query without anything that fed it: independent requests on a busy session.
    check("3*50", &[]);
    check("0 3 1 0 3 1 0 3 1 0 3 1 0 3 1", &[]);
}

#[test]
fn writes_in_a_loop() {
    let update = "UPDATE items SET n = n + ? WHERE id = ?";
    check(
        "0 5*8 1",
        &[&format!("writes by transaction: 1 units, 8 repeats, 8 values: {update} after nothing")],
    );
}

/// Statements that differ in more than their constants must not fill the memory: what is folded counts.
#[test]
fn too_many_queries_are_folded_and_counted() {
    let mut normalizer = Normalizer::default();
    let mut all = Workload::at_start();
    for piece in 0..30_u32 {
        let mut workload = Workload::default();
        for table in 0..1_000 {
            let sql = format!("SELECT id FROM t{piece}_{table}");
            let event = Event {
                duration: Some(u64::from(piece + 1)),
                ..Event::new(
                    EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown },
                    Position { input: 0, line: 1 },
                )
            };
            workload.add(&event, &mut normalizer);
        }
        all.merge(workload);
    }
    all.close();
    let kept: u64 = all.ranked().iter().map(|query| query.calls).sum();
    let other = all.totals().other;
    assert!(all.ranked().len() <= 20_000, "{}", all.ranked().len());
    assert_eq!((kept + other.calls, all.totals().executions), (30_000, 30_000));
    assert_eq!(all.ranked().len() as u64 + other.queries, 30_000);
    assert_eq!(
        all.ranked().iter().map(|query| query.total_us).sum::<u64>() + other.total_us,
        all.totals().total_us
    );
    assert_eq!(all.ranked()[0].total_us, 30, "the most expensive stay");
}

/// Long statements must not fill the memory either: the cheapest queries lose their samples.
#[test]
fn samples_are_bounded_in_all() {
    let mut normalizer = Normalizer::default();
    let mut all = Workload::at_start();
    let padding = "x".repeat(15_000);
    for piece in 0..40_u64 {
        let mut workload = Workload::default();
        for table in 0..100 {
            let sql = format!("SELECT id FROM t{piece}_{table} WHERE name = '{padding}'");
            let event = Event {
                duration: Some(piece + 1),
                ..Event::new(
                    EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown },
                    Position { input: 0, line: 1 },
                )
            };
            workload.add(&event, &mut normalizer);
        }
        all.merge(workload);
    }
    let kept: usize =
        all.ranked().iter().flat_map(|query| query.samples.iter()).map(|sample| sample.sql.len()).sum();
    assert_eq!(all.ranked().len(), 4_000);
    assert!(kept < 30 << 20, "{kept} of 60 MB");
    assert_eq!(all.ranked()[0].samples.iter().count(), 1, "the most expensive keep theirs");
}

#[test]
fn a_statement_of_megabytes_keeps_the_beginning_of_its_text() {
    let conditions: Vec<String> = (0..200_000).map(|n| format!("c{n} = d{n}")).collect();
    let sql = format!("SELECT 1 FROM t WHERE {}", conditions.join(" OR "));
    let mut workload = Workload::at_start();
    let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown };
    workload.add(&Event::new(kind, Position::default()), &mut Normalizer::default());
    workload.close();
    let text = &workload.ranked()[0].text;
    assert!(text.contains("FROM t WHERE c0 = d0 OR c1 = d1") && text.len() < 70_000, "{}", text.len());
}
