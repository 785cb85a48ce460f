//! The inputs of a run by what they are: in which order they are read, what is said of each, and why
//! nothing was understood.

use super::{
    Collector, Gathered, Options, Progress,
    open::Source,
    pglog::{self, Format, Tally},
    pipeline::{self, Found, Log},
    recognise::{self, First, Kind, Prefixes},
    sqlfile,
};
use crate::{
    error::{Error, NotJudged},
    workload::InputSummary,
};

/// A log that was recognised, before it is read.
struct Recognised {
    source: Source,
    format: Format,
    first: First,
    notes: Vec<String>,
}

impl Recognised {
    /// The same first entry, written in another format (perhaps with a clock of whole seconds).
    fn is_copy_of(&self, other: &Recognised) -> bool {
        const SECOND: i64 = 1_000_000;
        let seconds = |log: &Recognised| log.first.time.map(|time| time.div_euclid(SECOND));
        let same_time = if self.format.coarse() || other.format.coarse() {
            seconds(self) == seconds(other)
        } else {
            self.first.time == other.first.time
        };
        self.format.rank() != other.format.rank()
            && self.first.time.is_some()
            && same_time
            && self.first.pid == other.first.pid
    }
}

/// The inputs by what they are.
#[derive(Default)]
pub(super) struct Sorted {
    logs: Vec<Recognised>,
    sql: Vec<Source>,
    /// Not read, each with why.
    others: Vec<InputSummary>,
    /// Lines that a person should see when nothing was understood, and what was tried.
    unknown: Vec<(String, String)>,
    not_judged: NotJudged,
    damaged: bool,
}

impl Sorted {
    pub(super) fn add(&mut self, source: Source, prefixes: &Prefixes) {
        let kind = recognise::recognise(&source, prefixes);
        if source.damage.is_some() {
            self.damaged = true;
        }
        let why = match kind {
            Kind::Log { format, first, notes } => {
                self.logs.push(Recognised { source, format, first, notes });
                return;
            }
            Kind::Sql => {
                self.sql.push(source);
                return;
            }
            Kind::Empty => match &source.damage {
                Some(damage) => format!("cannot be read: {damage}"),
                None => "is empty".to_owned(),
            },
            Kind::Binary => "is binary: neither a log nor SQL".to_owned(),
            Kind::Unknown { tried } => {
                self.unknown.push((first_lines(&source.head), tried));
                "is neither a PostgreSQL log nor SQL".to_owned()
            }
        };
        self.not_judged.add(source.name(), why.clone());
        if !source.found {
            self.others.push(InputSummary {
                name: source.name(),
                format: "unknown".to_owned(),
                bytes: source.head.len() as u64,
                notes: vec![why],
                ..InputSummary::default()
            });
        }
    }

    /// One run may have been logged in several formats (`log_destination = 'stderr,csvlog'`), and a folder
    /// holds them all: each execution counts once, so only the format that says the most is read.
    fn drop_copies(&mut self) {
        let mut kept: Vec<Recognised> = Vec::new();
        for log in std::mem::take(&mut self.logs) {
            let Some(copy) = kept.iter_mut().find(|other| other.is_copy_of(&log)) else {
                kept.push(log);
                continue;
            };
            let dropped =
                if log.format.rank() < copy.format.rank() { std::mem::replace(copy, log) } else { log };
            let note = format!("is the log of {} in another format: not read again", copy.source.name());
            self.others.push(InputSummary {
                name: dropped.source.name(),
                format: dropped.format.name().to_owned(),
                notes: vec![note],
                ..InputSummary::default()
            });
        }
        self.logs = kept;
    }

    pub(super) fn read<C: Collector>(
        mut self,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Gathered<C>, Error> {
        // Rotated files in the order of the log, whatever order the shell gave them in.
        self.logs.sort_by_key(|log| log.first.time);
        self.drop_copies();
        let mut inputs = Vec::new();
        let mut logs = Vec::new();
        let mut heads = Vec::new();
        for (input, log) in (0..).zip(self.logs) {
            let tried = match &log.format {
                Format::Stderr(prefix) => {
                    let mut tried = format!("stderr with log_line_prefix `{}`", prefix.text);
                    for note in &log.notes {
                        tried = format!("{tried}; {note}");
                    }
                    tried
                }
                Format::Csv => "csvlog".to_owned(),
                Format::Json => "jsonlog".to_owned(),
            };
            heads.push((first_lines(&log.source.head), tried));
            inputs.push(InputSummary {
                name: log.source.name(),
                format: log.format.name().to_owned(),
                notes: log.notes,
                ..InputSummary::default()
            });
            if log.format.coarse()
                && let Some(summary) = inputs.last_mut()
            {
                summary.notes.push(
                    "its clock shows whole seconds (%t): gaps and overlaps cannot be measured".to_owned(),
                );
            }
            logs.push(Log { source: log.source, format: log.format, input });
        }
        let any_log = !logs.is_empty();
        let (collected, found) = pipeline::run(logs, options.threads, options.chunk_bytes, progress)?;
        let mut events = 0;
        let (mut entries, mut translated) = (0, 0);
        for (input, found) in found {
            events += found.events;
            entries += found.tally.entries;
            translated += found.translated;
            self.damaged |= found.damage.is_some();
            if let Some(summary) = inputs.get_mut(input as usize) {
                summarise(summary, found, &mut self.not_judged);
            }
        }
        if any_log && events == 0 {
            return Err(nothing_in(&heads, entries, translated));
        }
        let mut statements = Vec::new();
        for mut source in self.sql {
            let name = source.name();
            let mut summary =
                InputSummary { name: name.clone(), format: "sql".to_owned(), ..InputSummary::default() };
            let mut reader = source.reader()?;
            match sqlfile::read(&mut *reader) {
                Ok((text, bytes, replaced)) => {
                    let found = sqlfile::statements(&name, &text);
                    summary.bytes = bytes;
                    summary.entries = found.len() as u64;
                    if replaced {
                        summary.notes.push("is not UTF-8: bytes that are not were replaced".to_owned());
                    }
                    statements.extend(found);
                }
                Err(error) => {
                    self.damaged = true;
                    let why = format!("cannot be read: {error}");
                    self.not_judged.add(name, why.clone());
                    summary.notes.push(why);
                }
            }
            inputs.push(summary);
        }
        if events == 0 && statements.is_empty() {
            return Err(nothing(&self.others, &self.unknown));
        }
        inputs.extend(self.others);
        Ok(Gathered { collected, statements, inputs, not_judged: self.not_judged, damaged: self.damaged })
    }
}

fn summarise(summary: &mut InputSummary, found: Found, not_judged: &mut NotJudged) {
    summary.bytes = found.bytes;
    summary.entries = found.tally.entries;
    summary.skipped = found.tally.skipped;
    summary.skipped_samples = found.tally.samples;
    not_judged.add_many("log", "lines that belong to no log entry", found.tally.skipped);
    for zone in found.tally.zones {
        summary.notes.push(format!("time zone `{zone}` is not known and was read as UTC"));
    }
    not_judged.add_many(
        "log",
        "durations without a statement (parse and bind steps, or statements that log_statement leaves out)",
        found.lone_durations,
    );
    not_judged.add_many(
        "log",
        "statements and durations in another language than English (set lc_messages = 'C')",
        found.translated,
    );
    if let Some(damage) = found.damage {
        let why = format!("ends early: {damage}");
        not_judged.add(&summary.name, why.clone());
        summary.notes.push(why);
    }
}

/// The first lines of an input, cut, for a person to compare.
fn first_lines(head: &[u8]) -> String {
    let mut tally = pglog::Tally::default();
    for (number, line) in (1..).zip(head.split(|b| *b == b'\n').take(Tally::SAMPLES)) {
        tally.skip(number, line.trim_ascii_end());
    }
    tally.samples.join("\n  ")
}

/// Logs were read, and none held an event.
fn nothing_in(heads: &[(String, String)], entries: u64, translated: u64) -> Error {
    let lines = |(lines, tried): &(String, String)| format!("tried: {tried}\n  {lines}");
    let seen = heads.iter().take(3).map(lines).collect::<Vec<_>>().join("\n");
    if translated > 0 {
        return Error::NothingUnderstood {
            what: format!("the log is not in English\n{seen}"),
            hint: "set lc_messages = 'C' on the server, and let the workload run again".to_owned(),
        };
    }
    if entries > 0 {
        return Error::NothingUnderstood {
            what: format!("the log has {entries} entries, but none is a statement, a duration or an error\n{seen}"),
            hint: "set log_min_duration_statement = 0 (or log_statement = 'all' with log_duration = on), and let the workload run"
                .to_owned(),
        };
    }
    Error::NothingUnderstood {
        what: format!("no line of the log was understood\n{seen}"),
        hint: "pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')".to_owned(),
    }
}

fn nothing(others: &[InputSummary], unknown: &[(String, String)]) -> Error {
    let mut what = "nothing to read".to_owned();
    if let Some(summary) = others.first() {
        what = format!("{} {}", summary.name, summary.notes.join(", "));
    }
    if let Some((lines, tried)) = unknown.first() {
        what = format!("{what}\ntried: {tried}\n  {lines}");
    }
    Error::NothingUnderstood {
        what,
        hint: "name a PostgreSQL log (stderr, csvlog or jsonlog) or an SQL file; for a stderr log pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')".to_owned(),
    }
}
