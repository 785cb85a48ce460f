//! Logs as they are found: cut, rotated, damaged, enormous, out of order, of two servers.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use proptest::prelude::*;
use sargable::{
    error::NotJudged,
    report::Report,
    sources::{self, Collector, Gathered, Ingested, Options},
    sql::Normalizer,
    workload::{Event, Workload},
};
use serde_json::{Value, json};

use crate::events::{Lines, by_session};

const FORMATS: [&str; 3] = ["log", "csv", "json"];

fn fixture(run: &str, format: &str) -> Vec<u8> {
    fs::read(format!("fixtures/logs/{run}.{format}")).expect("a fixture")
}

/// The bytes as files, whose names say nothing, in this order.
fn files<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = parts.into_iter().enumerate().map(|(at, bytes)| {
        let path = folder.path().join(format!("part{at}"));
        fs::write(&path, bytes).expect("room");
        path
    });
    let paths = paths.collect();
    (folder, paths)
}

fn gather<'a>(parts: impl IntoIterator<Item = &'a [u8]>, chunk_bytes: usize) -> Gathered<Lines> {
    let (_folder, paths) = files(parts);
    let options = Options { chunk_bytes, threads: 2, ..Options::default() };
    sources::gather(&paths, &options, &|| (), &mut |_, _| ()).expect("a log")
}

fn texts(gathered: &Gathered<Lines>) -> Vec<&str> {
    gathered.collected.0.iter().map(|line| line.text.as_str()).collect()
}

fn ingest(bytes: &[u8], chunk_bytes: usize) -> Ingested {
    let (_folder, paths) = files([bytes]);
    let options = Options { chunk_bytes, threads: 2, ..Options::default() };
    sources::ingest(&paths, &options, &mut |_| ()).expect("a log")
}

const CHUNK: usize = 4 << 20;

/// Queries by their text: calls and microseconds.
fn queries(read: &Ingested) -> BTreeMap<String, (u64, u64)> {
    let ranked = read.workload.ranked();
    ranked.into_iter().map(|query| (query.text.clone(), (query.calls, query.total_us))).collect()
}

/// One entry, for logs that no fixture has.
#[derive(Clone, Copy)]
struct Row<'a> {
    /// With its zone.
    at: &'a str,
    pid: u32,
    user: &'a str,
    database: &'a str,
    application: &'a str,
    message: &'a [u8],
}

impl Row<'_> {
    fn write(&self, format: &str, log: &mut Vec<u8>) {
        let Row { at, pid, user, database, application, message } = *self;
        let between = |log: &mut Vec<u8>, each: &dyn Fn(u8, &mut Vec<u8>)| {
            for byte in message {
                each(*byte, log);
            }
        };
        match format {
            "log" => {
                let prefix =
                    format!("{at} [{pid}]: user={user},db={database},app={application},client=10.0.0.1 ");
                log.extend([prefix.as_bytes(), b"LOG:  "].concat());
                between(log, &|byte, log| {
                    log.push(byte);
                    if byte == b'\n' {
                        log.push(b'\t');
                    }
                });
            }
            "csv" => {
                let front = format!(
                    "{at},\"{user}\",\"{database}\",{pid},\"10.0.0.1:5000\",691f0000.{pid:x},1,\"SELECT\",\
                     2026-10-01 10:00:00 UTC,3/1,0,LOG,00000,\""
                );
                log.extend(front.as_bytes());
                between(log, &|byte, log| {
                    log.push(byte);
                    if byte == b'"' {
                        log.push(byte);
                    }
                });
                log.extend(format!("\",,,,,,,,,\"{application}\",\"client backend\",,0").as_bytes());
            }
            _ => {
                let front = format!(
                    "{{\"timestamp\":\"{at}\",\"user\":\"{user}\",\"dbname\":\"{database}\",\"pid\":{pid},\
                     \"remote_host\":\"10.0.0.1\",\"session_id\":\"691f0000.{pid:x}\",\"error_severity\":\"LOG\",\"message\":\""
                );
                log.extend(front.as_bytes());
                between(log, &|byte, log| match byte {
                    b'\n' => log.extend(b"\\n"),
                    b'"' | b'\\' => log.extend([b'\\', byte]),
                    _ => log.push(byte),
                });
                log.extend(format!("\",\"application_name\":\"{application}\",\"query_id\":0}}").as_bytes());
            }
        }
        log.push(b'\n');
    }
}

fn log(format: &str, rows: &[Row<'_>]) -> Vec<u8> {
    let mut log = Vec::new();
    for row in rows {
        row.write(format, &mut log);
    }
    log
}

const ROW: Row<'_> = Row {
    at: "2026-11-23 10:00:00.000 UTC",
    pid: 7,
    user: "app",
    database: "shop",
    application: "web",
    message: b"",
};

// Truncated, rotated, damaged.

/// A log that ends anywhere says what it said until there; only its last entry may have lost something.
#[test]
fn a_log_that_was_cut_off_says_the_same_until_there() {
    for format in FORMATS {
        let bytes = fixture("shop", format);
        let all = gather([&bytes[..]], CHUNK);
        let whole = texts(&all);
        let (mut most, mut longest) = (0, 0);
        let mut cuts: Vec<usize> = (bytes.len() / 2..bytes.len()).step_by(61).collect();
        cuts.extend(bytes.len() - 40..=bytes.len());
        for cut in cuts {
            let gathered = gather([&bytes[..cut]], 700);
            let found = texts(&gathered);
            let (_, certain) = found.split_last().expect("some events");
            assert_eq!(certain, &whole[..certain.len()], "{format} until {cut}");
            assert!(found.len() >= most, "{format} until {cut}: an event was lost");
            most = found.len();
            longest = cut;
        }
        assert_eq!((most, longest), (whole.len(), bytes.len()), "{format}");
    }
}

/// Where entries begin.
fn beginnings(bytes: &[u8], format: &str) -> Vec<usize> {
    let parts = ["DETAIL:", "STATEMENT:", "HINT:", "CONTEXT:", "QUERY:", "LOCATION:"];
    let mut at = 0;
    let mut found = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let front = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        let begins = match format {
            "log" => front.starts_with("2026-") && !parts.iter().any(|part| front.contains(part)),
            "csv" => front.starts_with("2026-") && front.contains(" UTC,"),
            _ => true,
        };
        if begins {
            found.push(at);
        }
        at += line.len();
    }
    found
}

#[test]
fn rotated_files_are_put_in_order() {
    for (run, format) in
        ["shop", "statements-then-durations"].iter().flat_map(|run| FORMATS.map(|format| (run, format)))
    {
        let bytes = fixture(run, format);
        let expect = by_session(gather([&bytes[..]], CHUNK).collected);
        let begins = beginnings(&bytes, format);
        let third = begins.len() / 3;
        // One cut is between a statement and its duration, where the run writes them apart.
        for shift in 0..4 {
            let (first, second) = (begins[third], begins[2 * third + shift]);
            let parts = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let found = by_session(gather(order.map(|at| parts[at]), 900).collected);
                assert_eq!(found, expect, "{run}.{format}, cut at {first} and {second}, as {order:?}");
            }
        }
    }
}

/// A torn page in the middle of a file costs itself.
#[test]
fn binary_garbage_between_entries_is_skipped_and_counted() {
    let garbage = b"\x00\x93\x01\"\xff{\xfe\x80,\x80\"\x9d\x7f\n\"\x00\xc3\x28\xa0}\xa1\r\n{\xe2\x28\xa1\n";
    for format in FORMATS {
        let bytes = fixture("shop", format);
        let clean = gather([&bytes[..]], CHUNK);
        let begins = beginnings(&bytes, format);
        for chunk_bytes in [500, CHUNK] {
            let mut damaged = bytes.clone();
            for at in begins.iter().rev().step_by(9) {
                damaged.splice(at..at, garbage.iter().copied());
            }
            let gathered = gather([&damaged[..]], chunk_bytes);
            assert_eq!(texts(&gathered), texts(&clean), "{format} in chunks of {chunk_bytes}");
            assert!(gathered.inputs[0].skipped >= 3, "{:?}", gathered.inputs);
            assert_eq!(gathered.inputs[0].skipped_samples.len(), 3);
        }
    }
}

#[test]
fn carriage_returns_change_no_query() {
    for format in FORMATS {
        let bytes = fixture("shop", format);
        let text = String::from_utf8(bytes.clone()).expect("a fixture is UTF-8");
        let windows = text.replace('\n', "\r\n");
        let expect = queries(&ingest(&bytes, CHUNK));
        assert!(expect.len() > 10, "{expect:?}");
        assert_eq!(queries(&ingest(windows.as_bytes(), CHUNK)), expect, "{format}");
        assert_eq!(queries(&ingest(windows.as_bytes(), 600)), expect, "{format}");
    }
}

/// Latin-1 in a value, in a name and at the end of a text: the report is UTF-8 all the same.
#[test]
fn bytes_that_are_not_utf_8_reach_no_report() {
    let message = b"duration: 2.000 ms  statement: SELECT \"gr\xf6\xdfe\" FROM stra\xdfe WHERE name = 'M\xfcller' -- \xc3";
    for format in FORMATS {
        let ran = run(&log(format, &[Row { message, ..ROW }; 3]));
        assert_eq!(ran.report["totals"]["executions"], 3, "{format}");
        let text = ran.report["queries"][0]["text"].as_str().expect("a text");
        assert_eq!(text, "SELECT \"gr\u{fffd}\u{fffd}e\" FROM stra\u{fffd}e WHERE name = ?", "{format}");
    }
}

// Enormous.

/// What the program said, and the most memory that it held.
struct Ran {
    report: Value,
    /// Bytes.
    peak: u64,
}

/// Runs the program on one log, and watches its memory as Linux counts it.
#[track_caller]
fn run(log: &[u8]) -> Ran {
    let (_folder, paths) = files([log]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["logs", "--format", "json"])
        .args(&paths)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        stdout.read_to_end(&mut all).expect("a pipe");
        all
    });
    let status = Path::new("/proc").join(child.id().to_string()).join("status");
    let mut peak = 0;
    let code = loop {
        // A mark that only rises, so that no moment between two looks is missed.
        let held = fs::read_to_string(&status).unwrap_or_default();
        let mark = held.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = mark.and_then(|mark| mark.parse::<u64>().ok()).map_or(peak, |mark| mark * 1024);
        if let Some(status) = child.try_wait().expect("its state") {
            break status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    let mut told = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut told).expect("UTF-8");
    assert!(matches!(code, Some(0 | 1)), "{code:?}: {told}");
    let report = serde_json::from_slice(&reader.join().expect("it read")).expect("a JSON report in UTF-8");
    assert!(peak > 0, "no memory was seen");
    Ran { report, peak }
}

#[test]
fn entries_of_50_megabytes_are_read_whole_in_bounded_memory() {
    let line = format!("{}\n", "the \"same\" words again, ".repeat(40));
    let value = line.repeat((50 << 20) / line.len() + 1);
    let message = format!("duration: 50.000 ms  statement: INSERT INTO notes (body) VALUES ('{value}')");
    let small = b"duration: 1.000 ms  statement: SELECT 1";
    for format in FORMATS {
        let row = |message| Row { message, ..ROW };
        let ran = run(&log(format, &[row(small), row(message.as_bytes()), row(small)]));
        assert_eq!(ran.report["totals"]["executions"], 3, "{format}");
        assert_eq!(ran.report["inputs"][0]["skipped"], 0, "{format}");
        let named: Vec<_> =
            ran.report["queries"].as_array().expect("queries").iter().map(|one| &one["text"]).collect();
        assert_eq!(named, ["INSERT INTO notes (body) VALUES (?)", "SELECT ?"], "{format}");
        assert!(ran.peak < 400 << 20, "{format}: {} MB", ran.peak >> 20);
    }
}

/// Nothing that grows with the number of queries is kept: the cheap ones are only counted.
#[test]
fn distinct_queries_without_end_are_counted_in_bounded_memory() {
    const DISTINCT: u64 = 100_000;
    let mut log = String::new();
    for n in 0..DISTINCT {
        let (second, milli) = (n / 1000 % 60, n % 1000);
        let (minute, pid) = (n / 60_000, n % 50);
        writeln!(
            log,
            "2026-11-23 10:{minute:02}:{second:02}.{milli:03} UTC [{pid}] LOG:  duration: 0.{:03} ms  statement: SELECT c FROM t{n}",
            n % 7 + 1
        )
        .expect("a String takes it");
        // One that is worth keeping, all along.
        if n % 100 == 0 {
            writeln!(log, "2026-11-23 10:{minute:02}:{second:02}.{milli:03} UTC [{pid}] LOG:  duration: 9.000 ms  statement: SELECT c FROM slow WHERE id = {n}")
                .expect("a String takes it");
        }
    }
    let ran = run(log.as_bytes());
    let totals = &ran.report["totals"];
    let queries = ran.report["queries"].as_array().expect("queries");
    let kept: u64 = queries.iter().map(|one| one["calls"].as_u64().expect("a count")).sum();
    let number = |value: &Value| value.as_u64().expect("a count");
    assert_eq!(number(&totals["executions"]), DISTINCT + DISTINCT / 100);
    assert_eq!(kept + number(&totals["other"]["calls"]), DISTINCT + DISTINCT / 100);
    assert!(queries.len() <= 20_000, "{}", queries.len());
    assert_eq!(queries.len() as u64 + number(&totals["other"]["queries"]), DISTINCT + 1);
    assert_eq!(queries[0]["text"], "SELECT c FROM slow WHERE id = ?");
    assert_eq!(queries[0]["calls"], DISTINCT / 100);
    assert!(ran.peak < 400 << 20, "{} MB", ran.peak >> 20);
}

// Time.

fn at(ms: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(1_795_428_000_000 + ms).expect("a time");
    format!("{} UTC", stamp.strftime("%Y-%m-%d %H:%M:%S%.3f"))
}

/// Sessions write in no strict order; one session does.
#[test]
fn entries_out_of_order_give_the_same_figures() {
    let messages: Vec<String> = (0..7)
        .map(|table| {
            format!("duration: {}.000 ms  statement: SELECT c FROM t{table} WHERE id = {table}", table + 1)
        })
        .collect();
    let times: Vec<(u32, String)> = (0..3000).map(|n| (n, at(i64::from(n) * 13))).collect();
    let rows: Vec<Row<'_>> = times
        .iter()
        .zip(messages.iter().cycle())
        .map(|((n, at), message)| Row { at, pid: 100 + n % 6, message: message.as_bytes(), ..ROW })
        .collect();
    // Each session is late by another time, up to a second.
    let mut late: Vec<(usize, Row<'_>)> = rows.iter().copied().enumerate().collect();
    late.sort_by_key(|(n, row)| n + row.pid as usize % 6 * 15);
    let late: Vec<Row<'_>> = late.into_iter().map(|(_, row)| row).collect();
    assert!(late.iter().zip(&rows).filter(|(late, row)| late.at != row.at).count() > 1000);
    let told = |rows: &[Row<'_>], format, chunk| {
        let read = ingest(&log(format, rows), chunk);
        let report = Report::new(&[], &read.workload, Vec::new(), Vec::new(), &NotJudged::default());
        let mut report = serde_json::to_value(&report).expect("JSON");
        let queries = report["queries"].as_array_mut().expect("queries");
        assert_eq!(queries.len(), 7);
        for query in queries.iter_mut() {
            query["sources"] = Value::Null;
        }
        json!([report["totals"], report["queries"], report["parts"]])
    };
    for format in FORMATS {
        let expect = told(&rows, format, CHUNK);
        assert_eq!(expect[0]["executions"], 3000);
        assert_eq!(told(&late, format, CHUNK), expect, "{format}");
        assert_eq!(told(&late, format, 5000), expect, "{format}");
    }
}

/// The hour after 02:59:59 CEST is 02:00:00 CET: nothing went back.
#[test]
fn summer_time_ends_without_a_jump() {
    let message = b"duration: 500.000 ms  statement: SELECT c FROM t";
    for format in FORMATS {
        let row = |at| Row { at, message, ..ROW };
        let rows = [
            row("2026-10-25 02:59:59.000 CEST"),
            row("2026-10-25 02:00:01.000 CET"),
            row("2026-10-25 02:00:02.000 CET"),
        ];
        let totals = run(&log(format, &rows)).report["totals"].clone();
        assert_eq!(totals["executions"], 3);
        assert_eq!(
            [&totals["first"], &totals["last"]],
            ["2026-10-25T00:59:59Z", "2026-10-25T01:00:02Z"],
            "{format}"
        );
    }
}

/// Clocks that are set back and forth, by seconds and by decades: every execution counts, wherever the
/// log is cut.
#[test]
fn clocks_that_jump_lose_nothing() {
    let jumps = [
        0,
        60_000,
        -3_600_000,
        5_000,
        86_400_000,
        -86_400_000,
        1_000_000_000_000,
        -1_700_000_000_000,
        7_000_000_000_000,
    ];
    let mut times = Vec::new();
    for (n, jump) in (0..).zip(jumps) {
        for step in 0..40_u32 {
            times.push((step, at(jump + (n * 40 + i64::from(step)) * 250)));
        }
    }
    let message = b"duration: 300.000 ms  statement: SELECT c FROM t WHERE id = 1";
    let rows: Vec<Row<'_>> =
        times.iter().map(|(step, at)| Row { at, pid: step % 4, message, ..ROW }).collect();
    for format in FORMATS {
        let bytes = log(format, &rows);
        let ran = run(&bytes);
        assert_eq!(ran.report["totals"]["executions"], rows.len(), "{format}");
        assert_eq!(ran.report["queries"][0]["calls"], rows.len(), "{format}");
        let p50 = ran.report["queries"][0]["p50_ms"].as_f64().expect("a duration");
        assert!((p50 - 300.0).abs() < 3.0, "{format}: {p50}");
        let counted = |chunk| queries(&ingest(&bytes, chunk));
        assert_eq!(counted(800), counted(CHUNK), "{format}");
    }
}

// Two servers in one file.

/// Both gave out the same process ids; each statement keeps its own duration, in whatever way the two
/// are interleaved and cut.
#[test]
fn two_servers_in_one_file_do_not_get_each_others_durations() {
    let statement = |database: &str| format!("statement: SELECT c FROM {database}_orders WHERE id = 1");
    let (ours, theirs) = (statement("shop"), statement("blog"));
    let mut rows = Vec::new();
    for _ in 0..20 {
        let row = |database, message| Row { database, message, ..ROW };
        rows.extend([
            row("shop", ours.as_bytes()),
            row("blog", theirs.as_bytes()),
            row("shop", b"duration: 5.000 ms"),
            row("blog", b"duration: 70.000 ms"),
        ]);
    }
    for format in FORMATS {
        let bytes = log(format, &rows);
        for chunk in [300, 500, 1300, CHUNK] {
            let found = queries(&ingest(&bytes, chunk));
            let expect = [("blog", 70_000), ("shop", 5_000)].map(|(database, us)| {
                (format!("SELECT c FROM {database}_orders WHERE id = ?"), (20, 20 * us))
            });
            assert_eq!(found, BTreeMap::from(expect), "{format} in chunks of {chunk}");
        }
    }
}

/// The loop of one server is not broken up by the other's session of the same number, and is in one
/// transaction.
#[test]
fn two_servers_in_one_file_are_two_sessions() {
    let mut times = Vec::new();
    let mut messages = Vec::new();
    let mut say = |database: &'static str, sql: String| {
        times.push(at(i64::try_from(times.len()).expect("few")));
        messages.push((database, format!("duration: 0.200 ms  statement: {sql}")));
    };
    for round in 0..4 {
        say("shop", "BEGIN".to_owned());
        say("shop", format!("SELECT id FROM orders WHERE shop = {round}"));
        for n in 0..8 {
            say("shop", format!("SELECT name FROM users WHERE id = {}", round * 100 + n));
            say("blog", format!("INSERT INTO visits (page) VALUES ({n})"));
            say("blog", "COMMIT".to_owned());
        }
        say("shop", "COMMIT".to_owned());
    }
    let rows: Vec<Row<'_>> = times
        .iter()
        .zip(&messages)
        .map(|(at, (database, message))| Row { at, database, message: message.as_bytes(), ..ROW })
        .collect();
    for format in FORMATS {
        let report = run(&log(format, &rows)).report;
        let findings = report["findings"].as_array().expect("findings");
        let loops: Vec<&str> = findings
            .iter()
            .filter(|finding| finding["rule"] == "n-plus-one")
            .map(|finding| finding["because"].as_str().expect("words"))
            .collect();
        assert_eq!(loops.len(), 1, "{format}: {loops:?}");
        assert!(
            loops[0].starts_with(
                "users asked for one id at a time: 8 times in each of 4 transactions, after a query of orders"
            ),
            "{format}: {loops:?}"
        );
    }
}

// Merging.

/// A run's pieces, not merged.
#[derive(Default)]
struct Pieces(Vec<Workload>);

impl Collector for Pieces {
    type Tools = Normalizer;

    fn event(&mut self, event: &Event<'_>, normalizer: &mut Normalizer) {
        if self.0.is_empty() {
            self.0.push(Workload::default());
        }
        self.0.last_mut().expect("one").add(event, normalizer);
    }

    fn append(&mut self, later: Pieces) {
        self.0.extend(later.0);
    }
}

/// What a closed workload tells of incidents, and its totals.
fn told(mut workload: Workload) -> String {
    workload.close();
    let report = Report::new(&[], &workload, Vec::new(), Vec::new(), &NotJudged::default());
    let told = json!([report.incidents, report.totals]);
    serde_json::to_string_pretty(&told).expect("JSON")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Entries left out, sessions torn apart: whatever the log, its pieces add up to the whole, in any
    /// grouping.
    #[test]
    fn incidents_of_pieces_are_those_of_the_whole(
        format in prop::sample::select(FORMATS.to_vec()),
        keep in prop::collection::vec(0_u8..8, 512),
        chunk_bytes in 200_usize..6000,
        grouping in prop::collection::vec(any::<bool>(), 256),
    ) {
        let bytes = fixture("incidents", format);
        let mut begins = beginnings(&bytes, format);
        begins.push(bytes.len());
        let entries = begins.windows(2).zip(keep.iter().cycle());
        let log: Vec<u8> =
            entries.filter(|(_, keep)| **keep > 0).flat_map(|(at, _)| &bytes[at[0]..at[1]]).copied().collect();
        let pieces = |chunk_bytes| {
            let (_folder, paths) = files([&log[..]]);
            let options = Options { chunk_bytes, threads: 2, ..Options::default() };
            sources::gather::<Pieces>(&paths, &options, &Normalizer::default, &mut |_, _| ())
                .expect("a log").collected.0
        };
        let mut whole = Workload::at_start();
        for piece in pieces(CHUNK) {
            whole.merge(piece);
        }
        let whole = told(whole);

        let mut left = Workload::at_start();
        let mut group = Workload::default();
        let pieces = pieces(chunk_bytes);
        prop_assert!(pieces.len() > 3);
        for (piece, joins) in pieces.into_iter().zip(grouping.iter().cycle()) {
            group.merge(piece);
            if *joins {
                left.merge(std::mem::take(&mut group));
            }
        }
        left.merge(group);
        prop_assert_eq!(told(left), whole);
    }
}
