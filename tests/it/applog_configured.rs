//! Logs of formats that `sargable.yaml` defines, read from captures of real runs.

use std::{fs, path::Path};

use proptest::prelude::*;
use sargable::{
    config::Config,
    sources::{self, Gathered, Options, Readers},
    workload::{Evidence, RepetitionKind},
};

use crate::applog_formats::{Execution, Seen, matching, values};

/// What a configuration in the fixtures' folder would give.
#[track_caller]
pub(crate) fn options(yaml: &str) -> Options {
    let path = Path::new("fixtures/configured/sargable.yaml");
    let config = Config::parse(path, yaml.to_owned()).expect("a configuration");
    Options { readers: Readers::of(&config).expect("readers"), ..Options::default() }
}

#[track_caller]
fn gather(path: &Path, options: &Options) -> (Vec<Execution>, Gathered<Seen>) {
    let mut gathered =
        sources::gather::<Seen>(&[path.to_owned()], options, &|| (), &mut |_, _| ()).expect("a log");
    (std::mem::take(&mut gathered.collected.0), gathered)
}

#[track_caller]
pub(crate) fn fixture(name: &str, yaml: &str) -> (Vec<Execution>, Gathered<Seen>) {
    gather(&Path::new("fixtures/configured").join(name), &options(yaml))
}

/// Reads a text.
#[track_caller]
fn text(log: &str, yaml: &str) -> (Vec<Execution>, Gathered<Seen>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    fs::write(&path, log).expect("room");
    gather(&path, &options(yaml))
}

/// A reader of JSON lines with these fields.
fn json(fields: &str) -> String {
    format!("logs: {{readers: {{ours: {{json-lines: {{fields: {fields}}}}}}}}}")
}

const PINO: &str = "
logs:
  readers:
    pino:
      json-lines:
        where: {msg: executed query, level: [20, 30]}
        fields:
          statement: query.text
          binds: query.values
          duration_ns: durationNs
          timestamp_ms: time
          session: conn
          request: reqId
          rows: rowCount
          application: name
          error: err.message
          sqlstate: err.code
";

#[test]
fn pino() {
    let (seen, gathered) = fixture("pino.jsonl", PINO);
    let summary = &gathered.inputs[0];
    assert_eq!((summary.format.as_str(), summary.entries, summary.skipped), ("pino", 37, 0));
    assert!(summary.notes.iter().any(|note| note == "8 lines hold no statement"), "{:?}", summary.notes);
    let customers = matching(&seen, "customers WHERE id = $1");
    assert_eq!(customers.len(), 32);
    assert_eq!(customers[0].binds, values(&["2"]));
    assert!(customers.iter().all(|one| one.rows == Some(1) && one.duration.is_some_and(|us| us < 1_000_000)));
    assert!(customers.iter().all(|one| one.session.is_some() && one.application.as_deref() == Some("shop")));
    assert_eq!(seen.iter().filter(|one| one.failed).count(), 1);
}

#[test]
fn the_n_plus_one_of_requests() {
    let path = Path::new("fixtures/configured/pino.jsonl").to_owned();
    let ingested = sources::ingest(&[path], &options(PINO), &mut |_| ()).expect("a log");
    let found = ingested.workload.repetitions();
    let n_plus_one: Vec<_> = found.iter().filter(|found| found.kind == RepetitionKind::NPlusOne).collect();
    assert_eq!(n_plus_one.len(), 1);
    assert_eq!((n_plus_one[0].units, n_plus_one[0].max_repeats), (4, 8));
    assert_eq!(n_plus_one[0].evidence, Evidence::Tag);
}

#[test]
fn what_is_not_named_is_not_known() {
    let (seen, _) = text(r#"{"q":"select 1","ms":5,"n":0,"at":1795437194133}"#, &json("{statement: q}"));
    let one = &seen[0];
    assert_eq!((one.duration, one.end, one.rows, one.binds.clone()), (None, None, None, None));
    // Named, and not there.
    let fields = "{statement: q, duration_ms: ms, rows: n, timestamp_s: at, binds: args}";
    let (seen, gathered) = text(r#"{"q":"select 1","ms":null,"n":""}"#, &json(fields));
    assert_eq!((seen[0].duration, seen[0].rows, seen[0].end), (None, None, None));
    assert_eq!(gathered.inputs[0].notes.len(), 1, "{:?}", gathered.inputs[0].notes);
}

#[test]
fn units_and_forms() {
    const AT: i64 = 1_795_437_194_133_000;
    for (field, value, duration, end) in [
        ("duration_ns", "1500", Some(2), None),
        ("duration_us", "1500", Some(1500), None),
        ("duration_ms", "1.5", Some(1500), None),
        ("duration_ms", "\"1.5\"", Some(1500), None),
        ("duration_s", "0.0015", Some(1500), None),
        ("duration", "\"1.5ms\"", Some(1500), None),
        ("duration", "\"0:00:01.5\"", Some(1_500_000), None),
        ("timestamp_ns", "1795437194133000000", None, Some(AT)),
        ("timestamp_us", "1795437194133000", None, Some(AT)),
        ("timestamp_ms", "1795437194133", None, Some(AT)),
        ("timestamp_s", "1795437194.133", None, Some(AT)),
        ("timestamp_s", "\"1795437194.133\"", None, Some(AT)),
        ("timestamp", "\"2026-11-23T12:33:14.133Z\"", None, Some(AT)),
        ("timestamp", "\"2026-11-23T21:33:14.133+09:00\"", None, Some(AT)),
        ("timestamp", "\"2026-11-23 21:33:14,133 +0900\"", None, Some(AT)),
        ("timestamp", "\"2026-11-23 12:33:14.133 UTC\"", None, Some(AT)),
    ] {
        let (seen, gathered) = text(
            &format!("{{\"q\":\"select 1\",\"v\":{value}}}"),
            &json(&format!("{{statement: q, {field}: v}}")),
        );
        assert_eq!((seen[0].duration, seen[0].end), (duration, end), "{field} {value}");
        assert_eq!(gathered.inputs[0].notes.len(), 1, "{:?}", gathered.inputs[0].notes);
    }
    // A number without a unit, a wrong unit, words, another zone.
    for (field, value) in [
        ("duration", "1.5"),
        ("duration_ms", "\"fast\""),
        ("duration_ms", "-1"),
        ("timestamp_s", "1795437194133"),
        ("timestamp_ms", "1795437194"),
        ("timestamp", "\"2026-11-23 12:33:14.133 CET\""),
        ("timestamp", "\"yesterday\""),
        ("rows", "-1"),
        ("sqlstate", "\"no such table\""),
    ] {
        let (seen, gathered) = text(
            &format!("{{\"q\":\"select 1\",\"v\":{value}}}"),
            &json(&format!("{{statement: q, {field}: v}}")),
        );
        assert_eq!((seen[0].duration, seen[0].end, seen[0].rows), (None, None, None), "{field} {value}");
        let note = format!("`{field}` was not understood once, first in {value}");
        assert!(gathered.inputs[0].notes.contains(&note), "{:?}", gathered.inputs[0].notes);
    }
}

#[test]
fn placeholders_and_values() {
    for (line, sql, binds) in [
        (
            r#"{"q":"select a from t where b=? and c=?","v":[1,null]}"#,
            "b=$1 and c=$2",
            Some(vec!["1", "NULL"]),
        ),
        (r#"{"q":"select a from t where b=%s","v":"('x',)"}"#, "b=$1", Some(vec!["x"])),
        (
            r#"{"q":"select a from t where b=:b and c=:c","v":{"c":2,"b":1}}"#,
            "b=$1 and c=$2",
            Some(vec!["1", "2"]),
        ),
        (r#"{"q":"select a from t where b=%(b)s","v":"{'b': [1, 2]}"}"#, "b=$1", Some(vec!["{1,2}"])),
        (r#"{"q":"select a from t where b=@p","v":{"p":true}}"#, "b=$1", Some(vec!["true"])),
        (
            r#"{"q":"select a from t where b=$1 and c=$2","v":{"$1":1,"$2":2}}"#,
            "b=$1 and c=$2",
            Some(vec!["1", "2"]),
        ),
        (
            r#"{"q":"select a from t where b=? and c=?","v":{"0":1,"1":2}}"#,
            "b=$1 and c=$2",
            Some(vec!["1", "2"]),
        ),
        (
            r#"{"q":"select a from t where b=$1 and c=$2","v":"[1 abc]"}"#,
            "b=$1 and c=$2",
            Some(vec!["1", "abc"]),
        ),
        (r#"{"q":"select a from t where b ? 'k' and c=$1","v":[1]}"#, "b ? 'k' and c=$1", Some(vec!["1"])),
        (r#"{"q":"select a from t where b=:b","v":{"c":2}}"#, "b=$1", None),
        (r#"{"q":"select a from t where b=:b"}"#, "b=$1", None),
    ] {
        let (seen, _) = text(line, &json("{statement: q, binds: v}"));
        assert_eq!(seen[0].sql, format!("select a from t where {sql}"), "{line}");
        assert_eq!(seen[0].binds, binds.and_then(|binds| values(&binds)), "{line}");
    }
    let told = "logs: {readers: {ours: {placeholders: '$1', json-lines: {fields: {statement: q}}}}}";
    let (seen, _) = text(r#"{"q":"select a ? b from t"}"#, told);
    assert_eq!(seen[0].sql, "select a ? b from t");
}

#[test]
fn units_of_work_and_callers() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let log = format!(
        "{{\"q\":\"select 1\",\"t\":\"{parent}\",\"c\":{{\"file\":\"a.go\",\"line\":7}}}}\n\
         {{\"q\":\"select 1\",\"t\":\"4BF92F3577B34DA6A3CE929D0E0E4736\",\"c\":\"a.go\",\"l\":7}}\n\
         {{\"q\":\"select 1\",\"r\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}}\n"
    );
    let (seen, _) = text(&log, &json("{statement: q, trace: t, request: r, caller: c, caller_line: l}"));
    assert_eq!(seen[0].caller.as_deref(), Some("a.go:7"));
    assert_eq!(seen[1].caller.as_deref(), Some("a.go:7"));
    assert!(seen[0].unit.is_some() && seen[0].unit == seen[1].unit, "one trace in two forms");
    assert!(seen[2].unit.is_some() && seen[2].caller.is_none());
}

#[test]
fn lines_that_are_not_understood_are_shown() {
    let log = "Traceback (most recent call last):\n\n{\"q\":\"select 1\",\"k\":\"sql\"}\n{\"k\":\"http\"}\n{\"k\":\"sql\"}\n{\"q\":\n";
    let yaml = "logs: {readers: {ours: {json-lines: {where: {k: sql}, fields: {statement: q}}}}}";
    let (seen, gathered) = text(log, yaml);
    assert_eq!(seen.len(), 1);
    let summary = &gathered.inputs[0];
    assert_eq!(summary.skipped, 3);
    assert_eq!(
        summary.skipped_samples,
        ["line 1: Traceback (most recent call last):", "line 5: {\"k\":\"sql\"}", "line 6: {\"q\":"]
    );
    assert!(summary.notes.contains(&"1 line holds no statement".to_owned()));
    // Without a condition what is no SQL is about something else.
    let (seen, gathered) =
        text("{\"q\":\"hello\"}\n{\"q\":\"-- one\\nselect 1\"}\n", &json("{statement: q}"));
    assert_eq!((seen.len(), gathered.inputs[0].skipped), (1, 0));
}

const REGEX: &str = r"
logs:
  readers:
    lines:
      regex:
        pattern: '^(?<timestamp>\S+) (?:(?<duration_ms>[\d.]+)ms|(?<duration_s>[\d.]+)s) (?<statement>.*)$'
";

#[test]
fn a_line_an_entry() {
    let log = "2026-11-23T12:00:00.5Z 2ms select a from t where b = ?\r\n\x1b[1m2026-11-23T12:00:01.5Z 1.5s select 2\x1b[0m\nstarted\n";
    let (seen, gathered) = text(log, REGEX);
    assert_eq!(gathered.inputs[0].format, "lines");
    assert_eq!(seen.iter().map(|one| one.duration).collect::<Vec<_>>(), [Some(2000), Some(1_500_000)]);
    assert_eq!(seen[0].sql, "select a from t where b = $1");
    assert_eq!(seen[1].sql, "select 2");
    assert_eq!(gathered.inputs[0].skipped_samples, ["line 3: started"]);
}

#[test]
fn names_of_files_win_over_what_we_know() {
    let log = fs::read("fixtures/applogs/pgx-zerolog.jsonl").expect("a fixture");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pgx.jsonl");
    fs::write(&path, log).expect("room");
    let define = |files: &str| {
        let config =
            format!("logs: {{readers: {{ours: {{{files}json-lines: {{fields: {{statement: sql}}}}}}}}}}");
        let config = Config::parse(&folder.path().join("sargable.yaml"), config).expect("a configuration");
        Options { readers: Readers::of(&config).expect("readers"), ..Options::default() }
    };
    for (files, format) in [
        ("", "pgx"),
        ("files: ['*.log'], ", "pgx"),
        ("files: ['*.jsonl'], ", "ours"),
        ("files: ['sub/*.jsonl'], ", "pgx"),
    ] {
        let (_, gathered) = gather(&path, &define(files));
        assert_eq!(gathered.inputs[0].format, format, "{files}");
    }
    let forced = Options { input_format: Some("ours".to_owned()), ..define("") };
    assert_eq!(gather(&path, &forced).1.inputs[0].format, "ours");
}

#[test]
fn in_a_container_runtimes_envelope() {
    let pino = fs::read_to_string("fixtures/configured/pino.jsonl").expect("a fixture");
    let docker: String = pino
        .lines()
        .map(|line| {
            let log = serde_json::Value::from(format!("{line}\n"));
            format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":\"2026-11-23T12:33:31.1Z\"}}\n")
        })
        .collect();
    let (seen, gathered) = text(&docker, PINO);
    assert_eq!(gathered.inputs[0].format, "pino");
    assert_eq!(seen.len(), 37);
}

#[test]
fn a_reader_that_finds_nothing_says_what_it_saw() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    fs::write(&path, "{\"query\":\"select 1\"}\n").expect("room");
    let forced = Options { input_format: Some("ours".to_owned()), ..options(&json("{statement: sql}")) };
    let error = sources::ingest(&[path], &forced, &mut |_| ()).expect_err("nothing to read");
    let told = error.to_string();
    assert!(told.contains("no statement was found") && told.contains("`ours`"), "{told}");
    assert!(told.contains(r#"line 1: {"query":"select 1"}"#), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Batches of any size on any number of threads give what one thread gives that reads line by line.
    #[test]
    fn the_cuts_between_batches_change_nothing(chunk_bytes in 1_usize..3000, threads in 2_usize..5) {
        for (name, yaml) in [("worker.log", crate::config::example("worker")), ("pino.jsonl", PINO.to_owned())] {
            let path = Path::new("fixtures/configured").join(name);
            let whole = gather(&path, &Options { threads: 1, ..options(&yaml) });
            let cut = gather(&path, &Options { threads, chunk_bytes, ..options(&yaml) });
            prop_assert!(whole.0 == cut.0);
            prop_assert_eq!(&whole.1.inputs, &cut.1.inputs);
            let ingest = |options| {
                let read = sources::ingest(std::slice::from_ref(&path), &options, &mut |_| ()).expect("a log");
                format!("{:?} {:?}", read.workload.repetitions(), read.workload.totals())
            };
            let whole = ingest(Options { threads: 1, ..options(&yaml) });
            let cut = ingest(Options { threads, chunk_bytes, ..options(&yaml) });
            prop_assert_eq!(whole, cut);
        }
    }

    /// Entries know nothing of each other: a log that is cut between two of them, wherever, is the same log.
    #[test]
    fn a_cut_between_entries_changes_nothing(cut in 0_usize..60) {
        let yaml = crate::config::example("worker");
        let log = fs::read_to_string("fixtures/configured/worker.log").expect("a fixture");
        let begins: Vec<usize> = log.match_indices("2026-").map(|(at, _)| at).collect();
        let at = begins[cut % begins.len()];
        let (whole, _) = text(&log, &yaml);
        let forced = |log: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("app.log");
            fs::write(&path, log).expect("room");
            let options = Options { input_format: Some("worker".to_owned()), ..options(&yaml) };
            sources::gather::<Seen>(&[path], &options, &|| (), &mut |_, _| ()).map_or(Vec::new(), |found| found.collected.0)
        };
        let halves: Vec<_> = [forced(&log[..at]), forced(&log[at..])].concat();
        let told = |seen: &[Execution]| -> Vec<_> {
            seen.iter().map(|one| (one.sql.clone(), one.binds.clone(), one.duration, one.end)).collect()
        };
        prop_assert_eq!(told(&whole), told(&halves));
    }

    /// Any bytes are read to their end.
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), multi in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        fs::write(&path, &bytes).expect("room");
        let yaml = if multi { crate::config::example("worker") } else { PINO.to_owned() };
        let name = if multi { "worker" } else { "pino" };
        let options = Options { input_format: Some(name.to_owned()), ..options(&yaml) };
        let _ = sources::gather::<Seen>(&[path], &options, &|| (), &mut |_, _| ());
    }
}
