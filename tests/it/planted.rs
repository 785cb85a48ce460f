//! Writes logs as PostgreSQL does, with planted loops or with what only looks like one, and reads back what
//! the rules report.

use std::{io::Write as _, path::Path};

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use sargable::{
    detect::{self, WorkloadFacts},
    finding::Finding,
    rules::BUILTIN,
    sources::{self, Options},
    sql::{Fingerprint, Shape, parse},
    workload::{Repetition, RepetitionKind},
};

/// Entries of one log, in any order.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// When each was written, in microseconds since 1970, and its lines.
    entries: Vec<(i64, String)>,
}

impl Log {
    /// One execution that ended at `end`, with `log_line_prefix = '%m [%p] %q%u@%d '`. Bind values make it an
    /// execution of the extended protocol, with a parse and a bind step before it.
    pub(crate) fn execution(&mut self, pid: u32, end: i64, us: i64, sql: &str, binds: &[String]) {
        let time = Timestamp::from_microsecond(end).expect("a time").strftime("%Y-%m-%d %H:%M:%S.%3f UTC");
        let head = format!("{time} [{pid}] app@shop ");
        let ms = us as f64 / 1000.0;
        if binds.is_empty() {
            self.entries.push((end, format!("{head}LOG:  duration: {ms:.3} ms  statement: {sql}\n")));
            return;
        }
        let values: Vec<String> =
            binds.iter().enumerate().map(|(at, value)| format!("${} = '{value}'", at + 1)).collect();
        let values = values.join(", ");
        self.entries.push((
            end,
            format!(
                "{head}LOG:  duration: 0.020 ms  parse <unnamed>: {sql}\n\
                 {head}LOG:  duration: 0.010 ms  bind <unnamed>: {sql}\n\
                 {head}DETAIL:  parameters: {values}\n\
                 {head}LOG:  duration: {ms:.3} ms  execute <unnamed>: {sql}\n\
                 {head}DETAIL:  parameters: {values}\n"
            ),
        ));
    }

    /// A line of the server's own words.
    pub(crate) fn line(&mut self, pid: u32, at: i64, text: &str) {
        let time = Timestamp::from_microsecond(at).expect("a time").strftime("%Y-%m-%d %H:%M:%S.%3f UTC");
        self.entries.push((at, format!("{time} [{pid}] app@shop {text}\n")));
    }

    /// What the rules find in it.
    pub(crate) fn judged(&mut self) -> Judged {
        judged(logged(self).path())
    }
}

/// The log as a file.
pub(crate) fn logged(log: &mut Log) -> tempfile::NamedTempFile {
    log.entries.sort_by_key(|(at, _)| *at);
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    for (_, lines) in &log.entries {
        file.write_all(lines.as_bytes()).expect("written");
    }
    file
}

/// What the rules report, and the repetitions behind it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
    /// Each with what a report calls it: the rule, for writes what they do.
    pub(crate) repetitions: Vec<(String, Repetition)>,
}

pub(crate) fn judged(log: &Path) -> Judged {
    let ingested = sources::ingest(&[log.to_owned()], &Options::default(), &mut |_| ()).expect("a log");
    let workload = &ingested.workload;
    let shapes: FxHashMap<Fingerprint, Shape> = workload
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
        logged: true,
        shapes: &shapes,
        catalog: None,
    };
    let report = detect::run(&BUILTIN, &[], Some(&facts), None, &[]);
    let mut kinds: FxHashMap<(RepetitionKind, String), String> = FxHashMap::default();
    for finding in &report.findings {
        let kind = match finding.rule.as_str() {
            "n-plus-one" => RepetitionKind::NPlusOne,
            "duplicate-query" => RepetitionKind::Duplicate,
            "write-loop" => RepetitionKind::WriteLoop,
            _ => continue,
        };
        let write = finding.detail.get("write").and_then(|write| write.as_str()).map(str::to_owned);
        let query = finding.query.clone().expect("a query");
        kinds.insert((kind, query), write.unwrap_or_else(|| finding.rule.clone()));
    }
    let named = |found: Repetition| {
        let kind = kinds.get(&(found.kind, found.child.to_string()))?;
        Some((kind.clone(), found))
    };
    let repetitions = repetitions.iter().cloned().filter_map(named).collect();
    Judged { repetitions, findings: report.findings }
}
