//! N+1 in logs of real ORMs and applications, labelled by the application's own call stack.
//!
//! Every folder of `fixtures/n-plus-one` (or of `$N_PLUS_ONE_LOGS`) is read as a user would read it; what
//! is found must be what the labels say.

use std::{fs, path::PathBuf};

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use sargable::{
    detect::{self, WorkloadFacts},
    rules::BUILTIN,
    sources::{self, Options},
    sql::{Normalizer, Shape, parse},
    workload::{Occurrence, Repetition},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Labels {
    mode: String,
    log: String,
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Request {
    name: String,
    start: String,
    end: String,
    pids: Vec<u32>,
    expected: Vec<Expected>,
    /// Repeated, but from several places of the code: neither right nor wrong to report.
    #[serde(default)]
    unclear: Vec<String>,
}

#[derive(Deserialize)]
struct Expected {
    kind: String,
    child: String,
    repeats: u64,
}

#[derive(Debug, Default)]
struct Score {
    expected: u64,
    found: u64,
    /// Requests without anything to find, and N+1s that overlap nothing that was expected.
    clean: u64,
    wrong: u64,
}

impl Score {
    fn add(&mut self, other: &Score) {
        self.expected += other.expected;
        self.found += other.found;
        self.clean += other.clean;
        self.wrong += other.wrong;
    }
}

/// Repetitions that the rules report as N+1, with all that the workload keeps of them.
fn reported(folder: &std::path::Path, labels: &Labels) -> Vec<Repetition> {
    let ingested =
        sources::ingest(&[folder.join(&labels.log)], &Options::default(), &mut |_| ()).expect("a log");
    let workload = &ingested.workload;
    let shapes: FxHashMap<_, Shape> = workload
        .ranked()
        .into_iter()
        .filter_map(|query| {
            let sample = query.samples.iter().find(|sample| sample.complete)?;
            Some((query.id, parse::parse(&sample.sql).ok()?))
        })
        .collect();
    let repetitions = workload.repetitions();
    let facts = WorkloadFacts {
        workload,
        repetitions: &repetitions,
        concurrency: None,
        shapes: &shapes,
        catalog: None,
    };
    let found = detect::run(&BUILTIN, &[], Some(&facts)).findings;
    let children: Vec<String> =
        found.into_iter().filter(|finding| finding.rule == "n-plus-one").filter_map(|f| f.query).collect();
    repetitions
        .into_iter()
        .filter(|found| {
            found.kind == sargable::workload::RepetitionKind::NPlusOne
                && children.contains(&found.child.to_string())
        })
        .collect()
}

fn overlaps(occurrence: &Occurrence, request: &Request) -> bool {
    // The log's clock shows milliseconds.
    let at = |text: &str| text.parse::<Timestamp>().expect("a time").as_microsecond();
    let (start, end) = (at(&request.start) - 1000, at(&request.end) + 1000);
    occurrence.start.is_some_and(|first| first <= end)
        && occurrence.end.is_some_and(|last| last >= start)
        && occurrence.sessions.iter().any(|session| request.pids.contains(session))
}

#[expect(clippy::print_stdout, reason = "what is missed, and what is wrong")]
fn score(folder: &std::path::Path) -> (String, Score) {
    let text = fs::read_to_string(folder.join("labels.json")).expect("labels");
    let labels: Labels = serde_json::from_str(&text).expect("labels as they are written");
    let reported = reported(folder, &labels);
    let mut normalizer = Normalizer::default();
    let mut score = Score::default();
    let mut wanted = Vec::new();
    for request in &labels.requests {
        score.clean += u64::from(request.expected.is_empty());
        for sql in &request.unclear {
            wanted.push((normalizer.scan(sql.as_bytes()).fingerprint, request));
        }
        for expected in &request.expected {
            let child = normalizer.scan(expected.child.as_bytes()).fingerprint;
            if expected.kind != "write-loop" {
                wanted.push((child, request));
            }
            if expected.kind != "n-plus-one" {
                continue;
            }
            score.expected += 1;
            let near = (expected.repeats / 10).max(1);
            let counts: Vec<u64> = reported
                .iter()
                .filter(|found| found.child == child)
                .flat_map(|found| &found.occurrences)
                .filter(|occurrence| overlaps(occurrence, request))
                .map(|occurrence| occurrence.repeats)
                .collect();
            if counts.iter().any(|count| count.abs_diff(expected.repeats) <= near) {
                score.found += 1;
            } else {
                println!(
                    "    missed {} of {:4} with {counts:?}: {}",
                    request.start, expected.repeats, request.name
                );
            }
        }
    }
    for found in &reported {
        for occurrence in &found.occurrences {
            let meant =
                wanted.iter().any(|(child, request)| *child == found.child && overlaps(occurrence, request));
            if !meant {
                score.wrong += 1;
                println!("    wrong: {occurrence:?}");
            }
        }
    }
    (labels.mode, score)
}

#[test]
#[expect(clippy::print_stdout, reason = "what is found, folder by folder")]
fn labelled_logs() {
    let root = std::env::var_os("N_PLUS_ONE_LOGS")
        .map_or_else(|| PathBuf::from("fixtures/n-plus-one"), PathBuf::from);
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)
        .expect("labelled logs")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("labels.json").is_file())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no labelled logs in {}", root.display());
    let (mut all, mut traces) = (Score::default(), Score::default());
    for folder in folders {
        let (mode, score) = score(&folder);
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!(
            "{name:26} {mode:12} found {:3} of {:3}, {:2} wrong in {:3} clean requests",
            score.found, score.expected, score.wrong, score.clean
        );
        all.add(&score);
        if mode == "trace" {
            traces.add(&score);
        }
    }
    println!("all: {all:?}");
    println!("traces: {traces:?}");
    // Where every statement names its trace, nothing is left to judge.
    assert!(traces.expected > 0 && traces.found * 100 >= traces.expected * 97, "{traces:?}");
    assert_eq!(traces.wrong, 0);
    // What is reached over all of them, so that no change loses any of it; the bars are 97 of 100 found and
    // 1 wrong in 100 clean requests. Loops that a pool spreads over its sessions are what is missing.
    assert!(all.found * 100 >= all.expected * 74, "{all:?}");
    assert!(all.wrong * 200 <= all.clean, "{all:?}");
}
