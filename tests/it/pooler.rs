//! `PgBouncer`'s log, of runs in which everything was provoked on purpose.
//!
//! `fixtures/logs/pgbouncer/run.sh` made them; the `.truth` beside each log is what its clients counted, and
//! what `SHOW STATS_TOTALS` said at the end.

use std::{collections::BTreeMap, fs, path::PathBuf};

use sargable::{
    error::NotJudged,
    report::{
        Report,
        pooler::{Pool, Pooler, Statistics},
        text::{self, Style, Subject},
    },
    sources::{self, Ingested, Literals, Options, digest},
};
use serde_json::Value;

fn fixture(name: &str) -> String {
    fs::read_to_string(format!("fixtures/logs/pgbouncer/{name}")).expect("a fixture")
}

/// `refused=6` and so on.
fn truth(name: &str) -> BTreeMap<String, u64> {
    let pair = |line: &str| {
        let (what, number) = line.split_once('=').expect("what=number");
        (what.to_owned(), number.parse().expect("a number"))
    };
    fixture(name).lines().map(pair).collect()
}

#[track_caller]
fn read_all(texts: &[&[u8]], literals: Option<Literals>) -> Ingested {
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let path: PathBuf = folder.path().join(format!("{at}.log"));
        fs::write(&path, text).expect("room");
        paths.push(path);
    }
    let options = Options { digest: literals, ..Options::default() };
    sources::ingest(&paths, &options, &mut |_| ()).expect("a log")
}

#[track_caller]
fn read(text: &[u8]) -> Ingested {
    read_all(&[text], None)
}

fn report(read: &Ingested) -> Report {
    Report::new(&read.inputs, &read.workload, Vec::new(), Vec::new(), &NotJudged::default())
}

#[track_caller]
fn pooler(read: &Ingested) -> Pooler {
    report(read).pooler.expect("a pooler's log")
}

#[track_caller]
fn statistics(read: &Ingested) -> Statistics {
    pooler(read).statistics.expect("statistics")
}

fn sum(pooler: &Pooler, figure: fn(&Pool) -> u64) -> u64 {
    pooler.pools.iter().map(figure).sum()
}

#[track_caller]
fn pool<'a>(pooler: &'a Pooler, database: &str, user: &str) -> &'a Pool {
    let named =
        |pool: &&Pool| pool.database.as_deref() == Some(database) && pool.user.as_deref() == Some(user);
    pooler.pools.iter().find(named).expect("a pool of that name")
}

/// Of what is rounded to whole numbers a second only most can be right.
#[track_caller]
fn near(found: f64, truth: u64, percent: f64) {
    let off = (found - truth as f64).abs() / truth as f64 * 100.0;
    assert!(off <= percent, "{found} for {truth} is off by {off:.1} %");
}

#[test]
fn the_clients_counted_the_same() {
    let (read, truth) = (read(fixture("busy.log").as_bytes()), truth("busy.truth"));
    let found = pooler(&read);
    assert_eq!(read.inputs[0].format, "pgbouncer");
    assert_eq!(read.inputs[0].skipped, 0);
    assert_eq!(read.inputs[0].entries, fixture("busy.log").lines().count() as u64);
    assert_eq!(sum(&found, |pool| pool.refused), truth["refused"]);
    assert_eq!(pool(&found, "waiting", "app").wait_timeouts, truth["query_wait_timeouts"]);
    assert_eq!(sum(&found, |pool| pool.clients.opened), truth["lines login attempt"]);
    assert_eq!(sum(&found, |pool| pool.servers.opened), truth["lines new connection to server"]);
    let closed = |pool: &Pool| -> u64 {
        pool.clients.reasons.iter().chain(&pool.servers.reasons).map(|reason| reason.seen.count).sum()
    };
    assert_eq!(sum(&found, closed), truth["lines closing because"]);
    // Each of the four was turned away for a server that could not be used; nobody else was in these pools.
    let failed = [("shop", "mallory"), ("missing", "app"), ("nowhere", "app"), ("down", "app")];
    for (database, user) in failed {
        assert!(pool(&found, database, user).server_failures > 0, "{database}");
        assert_eq!(pool(&found, database, user).clients.opened, 1, "{database}");
    }
    assert_eq!(failed.len() as u64, truth["clients_failed"]);
    assert_eq!(pool(&found, "reserved", "app").reserve.count, 1);
    assert_eq!(pool(&found, "reserved", "app").servers.peak, Some(2));
    assert_eq!(pool(&found, "waiting", "app").servers.peak, Some(1));
    assert_eq!(pool(&found, "shop", "app").servers.peak, Some(2), "default_pool_size");
    assert_eq!((found.versions.as_slice(), found.max_client_conn), (&["1.18.0".to_owned()][..], Some(16)));
    let console = |word: &str| found.console.iter().find(|one| one.message == word).map(|one| one.seen.count);
    assert_eq!((console("PAUSE"), console("RESUME"), console("RELOAD")), (Some(2), Some(2), Some(1)));
}

#[test]
fn the_statistics_add_up_to_the_totals() {
    for (log, percent) in [("busy", 8.0), ("calm", 3.0)] {
        let found = statistics(&read(fixture(&format!("{log}.log")).as_bytes()));
        let truth = truth(&format!("{log}.truth"));
        near(found.transactions.expect("told") as f64, truth["xacts"], percent);
        near(found.queries.expect("told") as f64, truth["queries"], percent);
        let (transactions, mean) =
            (found.transactions.expect("told"), found.mean_transaction_ms.expect("told"));
        near(transactions as f64 * mean * 1000.0, truth["xact_us"], percent);
        near(found.waited_ms.expect("told") * 1000.0, truth["wait_us"], percent);
    }
}

/// Twelve clients without a pause on a pool of two: Little's law finds both numbers.
#[test]
fn waits_say_how_many_connections_are_wanted() {
    let read = read(fixture("busy.log").as_bytes());
    let found = statistics(&read);
    let (way, busy) = (found.under_way.expect("told"), found.busy.expect("told"));
    assert!((11.0..=12.5).contains(&way.peak), "{way:?}");
    // A transaction counts in the period in which it ends: one of six seconds is three at once in two seconds.
    assert!((1.8..=3.0).contains(&busy.peak), "{busy:?}");
    assert!((9.0..=10.5).contains(&found.most_waiting.expect("told")), "{found:?}");
    let report = report(&read);
    let kinds: Vec<&str> = report.pool_advice.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["server_unreachable", "client_limit", "pool_exhausted"]);
    let exhausted = &report.pool_advice[2];
    assert_eq!(exhausted.clients, truth("busy.truth")["query_wait_timeouts"]);
    assert!(exhausted.because.contains("in waiting/app;"), "{}", exhausted.because);
    assert!(exhausted.instead.contains("about 12 connections in all would"), "{}", exhausted.instead);
}

#[test]
fn a_pool_that_is_too_large_is_said_and_nothing_else() {
    let report = report(&read(fixture("calm.log").as_bytes()));
    let kinds: Vec<&str> = report.pool_advice.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["pool_oversized"], "{:?}", report.pool_advice);
}

/// As JSON, without what names the file.
fn told(read: &Ingested) -> Value {
    let report = report(read);
    serde_json::json!([report.pooler, report.pool_waits, report.pool_advice])
}

/// Cut between any two lines, and read as two files: the same, but for a period of which only one line is
/// left, whose length nobody knows.
#[test]
fn a_log_cut_anywhere_is_the_same_log() {
    for name in ["busy.log", "calm.log"] {
        let log = fixture(name);
        let whole = told(&read(log.as_bytes()));
        let ends: Vec<usize> = log.match_indices('\n').map(|(at, _)| at + 1).collect();
        for &cut in ends.iter().step_by(7) {
            let (head, tail) = log.split_at(cut);
            let enough = |part: &str| part.matches("LOG stats:").count() != 1 && part.lines().count() > 3;
            if enough(head) && enough(tail) {
                assert_eq!(
                    told(&read_all(&[head.as_bytes(), tail.as_bytes()], None)),
                    whole,
                    "{name} at {cut}"
                );
            }
        }
    }
}

#[test]
fn digests_keep_what_a_pooler_told() {
    let (busy, calm) = (fixture("busy.log"), fixture("calm.log"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = Vec::new();
    for (name, log) in [("busy.digest", &busy), ("calm.digest", &calm)] {
        let path = folder.path().join(name);
        let made = read_all(&[log.as_bytes()], Some(Literals::Forget)).digest.expect("asked for");
        digest::save(&made, &path).expect("a file");
        paths.push(path);
    }
    let from_digests = sources::ingest(&paths, &Options::default(), &mut |_| ()).expect("digests");
    assert_eq!(told(&from_digests), told(&read_all(&[busy.as_bytes(), calm.as_bytes()], None)));
}

#[test]
fn broken_lines_are_counted_and_shown() {
    let log = fixture("calm.log");
    let mut lines: Vec<String> = log.lines().map(ToOwned::to_owned).collect();
    lines[10].truncate(12);
    lines.insert(20, "\u{0}\u{1}half a line".to_owned());
    lines.insert(30, "2026-11-23 12:22:51.391 UTC [x] LOG stats: 1 xacts/s".to_owned());
    let broken = read(lines.join("\n").as_bytes());
    assert_eq!(broken.inputs[0].skipped, 3, "{:?}", broken.inputs);
    let places: Vec<&str> =
        broken.inputs[0].skipped_samples.iter().filter_map(|sample| sample.split(':').next()).collect();
    assert_eq!(places, ["line 11", "line 21", "line 31"]);
    assert_eq!(broken.inputs[0].entries, lines.len() as u64 - 3);
    // Any bytes: nothing but the cut line is lost, and nothing panics.
    for cut in (0..log.len()).step_by(61) {
        let mut bytes = log.clone().into_bytes();
        bytes.truncate(cut);
        bytes.extend_from_slice(b"\xff\xfe\n");
        bytes.extend_from_slice(log.as_bytes());
        let read = read(&bytes);
        assert!(read.inputs[0].entries >= log.lines().count() as u64, "{cut}");
        assert!(read.inputs[0].skipped <= 2, "{cut}");
    }
}

/// A lost line of statistics does not make the next period twice as long.
#[test]
fn a_lost_period_is_not_made_up() {
    let log = fixture("calm.log");
    let all = statistics(&read(log.as_bytes()));
    let mut seen = 0;
    let fewer: String = log
        .lines()
        .filter(|line| {
            seen += usize::from(line.contains("LOG stats:"));
            !(line.contains("LOG stats:") && seen == 4)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let found = statistics(&read(fewer.as_bytes()));
    assert_eq!((found.periods + 1, found.seconds + 2), (all.periods, all.seconds));
}

/// The log in the forms that other programs give it. To syslog it writes neither time, process nor level.
#[test]
fn envelopes_carry_it() {
    let log = fixture("busy.log");
    let bare = told(&read(log.as_bytes()));
    let message = |line: &str| {
        let (_, after) = line.split_once("] ").expect("a process");
        after.split_once(' ').expect("a level").1.to_owned()
    };
    let docker: String = log
        .lines()
        .map(|line| {
            let record = serde_json::json!({ "log": format!("{line}\n"), "stream": "stderr", "time": "2026-11-23T12:22:05.0Z" });
            format!("{record}\n")
        })
        .collect();
    assert_eq!(told(&read(docker.as_bytes())), bare);
    let compose: String = log.lines().map(|line| format!("pgbouncer-1  | {line}\n")).collect();
    assert_eq!(told(&read(compose.as_bytes())), bare);
    let syslog: String = log
        .lines()
        .map(|line| {
            let time = line[..23].replace(' ', "T");
            format!("{time}+00:00 db1 pgbouncer[3719]: {}\n", message(line))
        })
        .collect();
    let read = read(syslog.as_bytes());
    let found = told(&read);
    // Without levels its warnings are not told from what else it writes.
    for key in ["statistics", "pools", "versions", "max_client_conn", "console"] {
        assert_eq!(found[0][key], bare[0][key], "{key}\n{:?}", read.inputs);
    }
}

#[test]
fn older_and_newer_versions_are_read() {
    let old = "2016-02-09 09:00:47.264 27930 LOG Stats: 4284 req/s, in 2736595 b/s, out 25139236 b/s,query 500 us\n\
               2016-02-09 09:01:47.264 27930 LOG Stats: 4284 req/s, in 2736595 b/s, out 25139236 b/s,query 500 us\n\
               2016-02-09 09:01:48.264 27930 LOG S-0x10c5f60: shop/app@127.0.0.1:5432 closing because: server lifetime over (age=3601)\n";
    let read_old = read(old.as_bytes());
    let found = statistics(&read_old);
    assert_eq!((found.periods, found.seconds, found.transactions), (2, 120, Some(4284 * 120)));
    assert_eq!((found.queries, found.waited_ms, found.most_waiting, found.busy), (None, None, None, None));
    assert!(read_old.inputs[0].notes.iter().any(|note| note.contains("UTC")), "{:?}", read_old.inputs);
    // 100 transactions a second of 20 ms, of which 15 ms are spent waiting: 2 at once, 1.5 of them wait.
    let newer = |start: &str| {
        let line = "LOG stats: 100 xacts/s, 100 queries/s, 1 client parses/s, 1 server parses/s, 1 binds/s, in 9 B/s, out 9 B/s, xact 20000 us, query 20000 us, wait 15000 us\n";
        format!("{start}2026-11-23 12:00:00.000 UTC [1] {line}2026-11-23 12:01:00.000 UTC [1] {line}")
    };
    let read_newer = read(newer("").as_bytes());
    let found = statistics(&read_newer);
    assert_eq!((found.most_waiting, found.waited_ms), (Some(1.5), Some(1.5 * 120_000.0)));
    assert!(read_newer.inputs[0].notes.iter().any(|note| note.contains("1.23")), "{:?}", read_newer.inputs);
    for (version, waiting) in [("1.22.1", 0.015), ("1.23.0", 1.5), ("1.25.0", 1.5)] {
        let start =
            format!("2026-11-23 11:59:00.000 UTC [1] LOG process up: PgBouncer {version}, libevent 2.1\n");
        let read = read(newer(&start).as_bytes());
        assert_eq!(statistics(&read).most_waiting, Some(waiting), "{version}");
        assert!(read.inputs[0].notes.is_empty(), "{:?}", read.inputs);
    }
}

/// Ecto's queue time, which is told with each statement.
#[test]
fn waits_of_an_applications_pool_add_up() {
    let log = fs::read("fixtures/applogs/ecto.log").expect("a fixture");
    let text = String::from_utf8(log.clone()).expect("text");
    let queues: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("queue=")?.strip_suffix("ms")?.parse().ok())
        .collect();
    assert!(queues.len() > 1, "the fixture tells waits");
    let report_of = report(&read(&log));
    let [waits] = report_of.pool_waits.as_slice() else { panic!("{:?}", report_of.pool_waits) };
    assert_eq!((waits.application.as_deref(), waits.statements), (None, queues.len() as u64));
    assert!((waits.waited_ms - queues.iter().sum::<f64>()).abs() < 0.001, "{waits:?}");
    assert!((waits.longest_wait_ms - queues.iter().copied().fold(0.0, f64::max)).abs() < 0.001, "{waits:?}");
    assert_eq!(report_of.pooler, None);
    assert_eq!(report_of.pool_advice, [], "of so few statements no percentile says anything");
    let slow = text.replace("queue=", "queue=90").repeat(20);
    let report_of = report(&read(slow.as_bytes()));
    let kinds: Vec<&str> = report_of.pool_advice.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["application_pool"]);
}

#[test]
fn a_log_without_a_pool_says_nothing_of_one() {
    let report = report(&read(&fs::read("fixtures/logs/shop.log").expect("a fixture")));
    assert_eq!((&report.pooler, report.pool_waits.len(), report.pool_advice.len()), (&None, 0, 0));
    let page = text::render(&report, Subject::Workload, &Style { width: 80, color: false, unicode: true });
    assert!(!page.contains("What the pool measured"), "{page}");
}

#[test]
fn the_page_keeps_to_its_width() {
    for name in ["busy.log", "calm.log"] {
        let report = report(&read(fixture(name).as_bytes()));
        for width in [80, 200] {
            let page =
                text::render(&report, Subject::Workload, &Style { width, color: false, unicode: true });
            let long = page.lines().find(|line| line.chars().count() > width);
            assert_eq!(long, None, "{name} at {width}");
            assert!(page.contains("\nWhat the pool measured\n"), "{page}");
        }
    }
}
