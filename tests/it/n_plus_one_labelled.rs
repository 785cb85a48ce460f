//! N+1 in logs of real ORMs and applications, labelled by the application's own call stack.
//!
//! Every folder of `fixtures/n-plus-one` (or of `$N_PLUS_ONE_LOGS`) is read as a user would read it; what
//! is found must be what the labels say.

use std::{fs, path::PathBuf};

use jiff::Timestamp;
use sargable::{
    sql::{Normalizer, StatementKind},
    workload::Occurrence,
};
use serde::Deserialize;

use crate::planted::judged;

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
    duplicates: Kind,
    inserts: Kind,
    updates: Kind,
    deletes: Kind,
}

/// What is no N+1 and must not be taken for one.
#[derive(Debug, Default)]
struct Kind {
    expected: u64,
    found: u64,
    /// Reported as an N+1, or as another kind of write.
    taken_for_another: u64,
}

impl Kind {
    fn add(&mut self, other: &Kind) {
        self.expected += other.expected;
        self.found += other.found;
        self.taken_for_another += other.taken_for_another;
    }
}

impl Score {
    fn add(&mut self, other: &Score) {
        self.expected += other.expected;
        self.found += other.found;
        self.clean += other.clean;
        self.wrong += other.wrong;
        self.duplicates.add(&other.duplicates);
        self.inserts.add(&other.inserts);
        self.updates.add(&other.updates);
        self.deletes.add(&other.deletes);
    }
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
    let reported = judged(&folder.join(&labels.log)).repetitions;
    let mut normalizer = Normalizer::default();
    let mut score = Score::default();
    let mut wanted = Vec::new();
    for request in &labels.requests {
        score.clean += u64::from(request.expected.is_empty());
        for sql in &request.unclear {
            wanted.push((normalizer.scan(sql.as_bytes()).fingerprint, request));
        }
        for expected in &request.expected {
            let scanned = normalizer.scan(expected.child.as_bytes());
            let child = scanned.fingerprint;
            if expected.kind != "write-loop" {
                wanted.push((child, request));
            }
            // What the occurrences in this request were reported as.
            let seen: Vec<(&str, &Occurrence)> = reported
                .iter()
                .filter(|(_, found)| found.child == child)
                .flat_map(|(kind, found)| found.occurrences.iter().map(move |one| (kind.as_str(), one)))
                .filter(|(_, occurrence)| overlaps(occurrence, request))
                .collect();
            let near = (expected.repeats / 10).max(1);
            let as_often = |occurrence: &Occurrence| occurrence.repeats.abs_diff(expected.repeats) <= near;
            let (kind, name) = match (expected.kind.as_str(), scanned.kind) {
                ("n-plus-one", _) => {
                    score.expected += 1;
                    let found = seen.iter().any(|(kind, one)| *kind == "n-plus-one" && as_often(one));
                    score.found += u64::from(found);
                    if !found {
                        let (counts, from): (Vec<u64>, _) =
                            (seen.iter().map(|(_, one)| one.repeats).collect(), &request.start);
                        println!(
                            "    missed {from} of {:4} with {counts:?}: {}",
                            expected.repeats, request.name
                        );
                    }
                    continue;
                }
                ("duplicate", _) => (&mut score.duplicates, "duplicate-query"),
                (_, StatementKind::Insert) => (&mut score.inserts, "insert"),
                (_, StatementKind::Update) => (&mut score.updates, "update"),
                (_, StatementKind::Delete) => (&mut score.deletes, "delete"),
                // A loop of procedures, or of writes in a WITH: no kind of its own.
                _ => continue,
            };
            kind.expected += 1;
            kind.found += u64::from(seen.iter().any(|(kind, one)| *kind == name && as_often(one)));
            kind.taken_for_another += u64::from(seen.iter().any(|(kind, _)| *kind != name));
        }
    }
    for (_, found) in reported.iter().filter(|(kind, _)| kind == "n-plus-one") {
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
    println!("all: {all:#?}");
    println!("traces: {traces:?}");
    // Where every statement names its trace, nothing is left to judge.
    assert!(traces.expected > 0 && traces.found * 100 >= traces.expected * 97, "{traces:?}");
    assert_eq!(traces.wrong, 0);
    // What is reached over all of them, so that no change loses any of it; the bars are 97 of 100 found and
    // 1 wrong in 100 clean requests. Loops that a pool spreads over its sessions are what is missing.
    assert!(all.found * 100 >= all.expected * 80, "{all:?}");
    for (kind, least) in [(&all.duplicates, 65), (&all.inserts, 77), (&all.updates, 84), (&all.deletes, 100)]
    {
        assert!(kind.expected > 0 && kind.found * 100 >= kind.expected * least, "{all:?}");
    }
    // No write is ever taken for a read or for another write; a duplicate seldom for an N+1.
    let writes = [&all.inserts, &all.updates, &all.deletes];
    assert_eq!(writes.iter().map(|kind| kind.taken_for_another).sum::<u64>(), 0);
    assert!(all.duplicates.taken_for_another * 100 <= all.duplicates.expected * 3, "{all:?}");
    assert!(all.wrong * 200 <= all.clean, "{all:?}");
}
