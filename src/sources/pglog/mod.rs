//! PostgreSQL logs: bytes → [`Entry`] (one scanner a format) → events (one reading for all formats).
//!
//! ```text
//! stderr ─┐
//! csv ────┼─▶ Entry ─▶ message ─▶ sequence ─▶ Event
//! json ───┘   (fields) (what it    (a session's statements and
//!                       says)       durations, paired)
//! ```
//!
//! Everything here is a pure function of a chunk's bytes. What a session left open at a chunk's end is
//! handed on ([`sequence::Loose`]), so that cutting a log anywhere changes nothing.

pub(super) mod csv;
pub(super) mod infer;
pub(super) mod json;
pub(super) mod message;
pub(super) mod prefix;
pub(super) mod sequence;
mod session_form;
pub(super) mod sessions;
pub(super) mod severity;
pub(super) mod stderr;
pub(super) mod time;

use std::{collections::BTreeSet, sync::Arc};

use prefix::Prefix;
use severity::Severity;

use super::envelope::Piece;

/// How a log is written.
#[derive(Clone, Debug)]
pub(super) enum Format {
    Stderr(Arc<Prefix>),
    Csv,
    Json,
}

impl Format {
    /// As reports name it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Format::Stderr(_) => "pg-stderr",
            Format::Csv => "pg-csv",
            Format::Json => "pg-json",
        }
    }

    /// Lower is better: csvlog and jsonlog say the same, and csvlog is the smaller one.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Format::Csv => 0,
            Format::Json => 1,
            Format::Stderr(_) => 2,
        }
    }

    /// The clock shows whole seconds only.
    pub(super) fn coarse(&self) -> bool {
        matches!(self, Format::Stderr(prefix) if prefix.coarse())
    }
}

/// One log entry, whatever the format: fields that the format does not carry are `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// From 1; counted in the input.
    pub line: u64,
    /// Microseconds since 1970.
    pub time: Option<i64>,
    /// The clock shows whole seconds only.
    pub coarse: bool,
    pub pid: Option<u32>,
    pub severity: Severity,
    pub user: Option<&'a [u8]>,
    pub database: Option<&'a [u8]>,
    pub application: Option<&'a [u8]>,
    pub host: Option<&'a [u8]>,
    pub vxid: Option<&'a [u8]>,
    pub sqlstate: Option<&'a [u8]>,
    pub message: &'a [u8],
    pub detail: Option<&'a [u8]>,
    pub context: Option<&'a [u8]>,
    pub statement: Option<&'a [u8]>,
    /// As [`crate::workload::Event::who`] has it.
    pub who: u64,
}

/// What a scanner counts of a chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub entries: u64,
    /// Lines that belong to no entry.
    pub skipped: u64,
    /// Lines of an application's log that are about something else.
    pub foreign: u64,
    /// The first few of the skipped: line and text, cut to 200 characters.
    pub samples: Vec<(u64, String)>,
    /// Time zones that we do not know.
    pub zones: BTreeSet<String>,
    /// Those of the skipped that begin an entry in another form.
    pub strangers: Strangers,
}

/// Lines that begin an entry, but not in the form of the log that they stand in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Strangers {
    pub csv: u64,
    pub json: u64,
    /// With a severity, as stderr logs have it.
    pub stderr: u64,
    /// The first few of these, and the number of their lines.
    pub lines: Vec<(u64, Vec<u8>)>,
}

impl Strangers {
    /// Lines kept per input: enough to infer their prefix.
    const LINES: usize = 400;

    fn see(&mut self, line: u64, text: &[u8]) {
        if infer::severity_at(text).is_some() {
            self.stderr += 1;
            if self.lines.len() < Strangers::LINES {
                self.lines.push((line, text[..text.len().min(1000)].to_vec()));
            }
        } else if csv::begins_record(text) {
            self.csv += 1;
        } else if text.first() == Some(&b'{') && json::begins_record(text) {
            self.json += 1;
        }
    }

    fn merge(&mut self, later: Strangers) {
        self.csv += later.csv;
        self.json += later.json;
        self.stderr += later.stderr;
        self.lines.extend(later.lines);
        self.lines.truncate(Strangers::LINES);
    }
}

impl Tally {
    /// Samples kept per input.
    pub(super) const SAMPLES: usize = 3;

    pub(super) fn skip(&mut self, line: u64, text: &[u8]) {
        self.skipped += 1;
        self.strangers.see(line, text);
        if self.samples.len() < Tally::SAMPLES {
            self.samples.push((line, cut(text)));
        }
    }

    /// The samples for a person to look at.
    pub(super) fn shown(&self) -> impl Iterator<Item = String> {
        self.samples.iter().map(|(line, text)| format!("line {line}: {text}"))
    }

    /// The lines were those of an envelope's inner text.
    pub(super) fn place(&mut self, lines: &Piece) {
        for (line, _) in &mut self.samples {
            *line = lines.outer(*line);
        }
        for (line, _) in &mut self.strangers.lines {
            *line = lines.outer(*line);
        }
    }

    /// Adds what came after `self` in the input.
    pub(super) fn merge(&mut self, later: Tally) {
        self.entries += later.entries;
        self.skipped += later.skipped;
        self.foreign += later.foreign;
        self.samples.extend(later.samples);
        self.samples.truncate(Tally::SAMPLES);
        self.zones.extend(later.zones);
        self.strangers.merge(later.strangers);
    }
}

/// A line as a person can look at it: 200 characters at most, no control characters.
fn cut(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(800)]);
    let mut cut: String = text
        .chars()
        .take(200)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(200).is_some() {
        cut.push('…');
    }
    cut
}

/// Reads every entry of a chunk that begins and ends at entry boundaries.
pub(super) fn scan(
    format: &Format,
    chunk: &[u8],
    first_line: u64,
    tally: &mut Tally,
    sink: impl FnMut(&Entry<'_>),
) {
    match format {
        Format::Stderr(prefix) => stderr::scan(prefix, chunk, first_line, tally, sink),
        Format::Csv => csv::scan(chunk, first_line, tally, sink),
        Format::Json => json::scan(chunk, first_line, tally, sink),
    }
}
