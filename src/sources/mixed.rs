//! Logs whose form changes in the middle: another `log_line_prefix` after a reload, or the lines of another
//! `log_destination`.
//!
//! The reader counts lines that begin an entry in a form that it was not told of. Another prefix is
//! inferred from those, and the logs are read again with both. Every line is read by the first prefix
//! that fits it, wherever it stands, so that cutting a log changes nothing. Left alone: csvlog and jsonlog
//! lines in a stderr log and the reverse, which are counted and said.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    pglog::{Format, Tally, infer, prefix::Prefix},
    pipeline::{Found, Log},
};

/// Changes of the prefix that are followed in one run.
pub(super) const MOST_CHANGES: usize = 4;
/// Lines that a prefix must read: a single one may be anything.
const LEAST_LINES: usize = 2;

/// Another prefix of a log: where it is first seen, and what it is.
#[derive(Debug)]
pub(super) struct Change {
    pub input: u32,
    pub line: u64,
    pub prefix: String,
}

impl Change {
    pub(super) fn note(&self) -> String {
        format!("log_line_prefix `{}` from line {} on, inferred from its lines", self.prefix, self.line)
    }
}

/// Gives the logs the prefixes that their lines show besides; what was found by the number of the input.
pub(super) fn learn(logs: &mut [Log], found: &BTreeMap<u32, Found>) -> Vec<Change> {
    let mut changes = Vec::new();
    for log in logs {
        let Format::Stderr(prefix) = &log.format else { continue };
        let Some((line, other)) = found.get(&log.input).and_then(|found| another(&found.tally)) else {
            continue;
        };
        changes.push(Change { input: log.input, line, prefix: other.text.clone() });
        log.format = Format::Stderr(Arc::new(prefix.or(other)));
    }
    changes
}

/// The prefix of most of the lines that no known one reads, and the first line that it reads.
fn another(tally: &Tally) -> Option<(u64, Prefix)> {
    let lines: Vec<&[u8]> = tally.strangers.lines.iter().map(|(_, text)| text.as_slice()).collect();
    let prefix = infer::infer(&lines)?;
    let matched = infer::matches(&prefix, &lines);
    if matched < LEAST_LINES || matched * 2 < lines.len() {
        return None;
    }
    let reads = |text: &[u8]| infer::matches(&prefix, &[text]) > 0;
    let first = tally.strangers.lines.iter().find(|(_, text)| reads(text)).map(|(line, _)| *line)?;
    Some((first, prefix))
}

/// What a person should know of the lines in other forms; `instead` is what to do about another prefix.
pub(super) fn notes(format: &Format, tally: &Tally, instead: &str) -> Vec<String> {
    let strangers = &tally.strangers;
    let counted = |count: u64| if count == 1 { "1 line is".to_owned() } else { format!("{count} lines are") };
    let mut notes = Vec::new();
    for (count, name, own) in [
        (strangers.csv, "csvlog", matches!(format, Format::Csv)),
        (strangers.json, "jsonlog", matches!(format, Format::Json)),
    ] {
        if count > 0 && !own {
            notes.push(format!("{} of {name}, which is not read in a log of another form", counted(count)));
        }
    }
    if let Some((line, prefix)) = another(tally) {
        let (count, text) = (counted(strangers.stderr), prefix.text);
        match format {
            Format::Stderr(_) => {
                notes.push(format!("{count} of log_line_prefix `{text}`, from line {line} on: {instead}"));
            }
            Format::Csv | Format::Json => {
                notes.push(format!("{count} of stderr, which is not read in a log of another form"));
            }
        }
    }
    notes
}
