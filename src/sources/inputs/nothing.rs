//! Why nothing was understood: what was seen, what was tried, and what to pass.

use super::Recognised;
use crate::{
    error::Error,
    sources::pglog::{Format, Tally},
    workload::InputSummary,
};

/// The first lines of an input, cut, for a person to compare.
pub(super) fn first_lines(head: &[u8]) -> String {
    let mut tally = Tally::default();
    for (number, line) in (1..).zip(head.split(|b| *b == b'\n').take(Tally::SAMPLES)) {
        tally.skip(number, line.trim_ascii_end());
    }
    tally.shown().collect::<Vec<_>>().join("\n  ")
}

/// What a person needs to see of a log that gave nothing.
pub(super) struct Head {
    name: String,
    /// How it was read.
    tried: String,
    lines: String,
}

impl Head {
    pub(super) fn of(log: &Recognised) -> Head {
        let tried = match &log.format {
            Format::Stderr(prefix) => {
                let this = format!("log_line_prefix `{}`", prefix.text);
                // A note says where the prefix comes from, or which other one would fit.
                match log.notes.first() {
                    Some(note) if note.starts_with(&this) => format!("stderr with {note}"),
                    Some(note) => format!("stderr with {this}; {note}"),
                    None => format!("stderr with {this}"),
                }
            }
            Format::Csv => "csvlog".to_owned(),
            Format::Json => "jsonlog".to_owned(),
        };
        Head { name: log.source.name(), tried, lines: first_lines(&log.source.head) }
    }
}

/// Logs were read, and none held an event.
pub(super) fn nothing_in(heads: &[Head], entries: u64, translated: u64, damages: &[String]) -> Error {
    let (who, its) = match heads {
        [head] => (head.name.clone(), "tried: ".to_owned()),
        _ => (format!("{} logs", heads.len()), String::new()),
    };
    let (what, hint) = if translated > 0 {
        (
            "the log is not in English".to_owned(),
            "set lc_messages = 'C' on the server, and let the workload run again",
        )
    } else if entries > 0 {
        let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
        (
            format!("{entries}, but no statement, duration or error among them"),
            "set log_min_duration_statement = 0 (or log_statement = 'all' with log_duration = on), and let the workload run",
        )
    } else {
        (
            "no line was understood".to_owned(),
            "pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')",
        )
    };
    let mut what = format!("{who}: {what}");
    for damage in damages {
        what.push_str(&format!("\n{damage}"));
    }
    for head in heads.iter().take(3) {
        let its = if its.is_empty() { format!("{}: ", head.name) } else { its.clone() };
        what.push_str(&format!("\n{its}{}\n  {}", head.tried, head.lines));
    }
    Error::NothingUnderstood { what, hint: hint.to_owned() }
}

/// Logs were read as those of applications, and none held an event.
pub(super) fn nothing_as(inputs: &[InputSummary], silent: &[(String, String, String)]) -> Option<Error> {
    let (tried, lines, notes) = silent.first()?;
    let name = &inputs.first()?.name;
    let notes = if notes.is_empty() { String::new() } else { format!(" ({notes})") };
    Some(Error::NothingUnderstood {
        what: format!("{name}: no statement was found\ntried: {tried}{notes}\n  {lines}"),
        hint: "pass another --input-format, or correct the reader in sargable.yaml".to_owned(),
    })
}

pub(super) fn nothing(others: &[InputSummary], unknown: &[(String, String)]) -> Error {
    let mut what = "neither a log nor SQL was found".to_owned();
    if let Some(summary) = others.first() {
        what = format!("{} {}", summary.name, summary.notes.join(", "));
    }
    let mut hint =
        "name a PostgreSQL log (stderr, csvlog or jsonlog, plain or compressed) or an SQL file".to_owned();
    if let Some((lines, tried)) = unknown.first() {
        what = format!("{what}\ntried: {tried}\n  {lines}");
        hint.push_str("; for a stderr log pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')");
    }
    Error::NothingUnderstood { what, hint }
}
