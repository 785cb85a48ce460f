//! `SQLAlchemy`'s `sqlalchemy.engine` at INFO or DEBUG (`echo=True`, `echo="debug"`): a statement, and in the
//! next record its parameters: `[generated in 0.00031s] {'pk_1': 5}`.
//!
//! Durations are not in this log: the time in brackets is the age of the compiled statement. Records are
//! written before the statement is sent, so that their time is its start. A statement sent for many sets of
//! values (`executemany`) is one call, with the values of the first. At DEBUG every row that was fetched is
//! a line. `BEGIN (implicit)` and its `COMMIT` are the driver's own and are executions; in AUTOCOMMIT they
//! are only said, and bound a unit without being sent.
//!
//! `sqlalchemy/engine/base.py` and `sqlalchemy/engine/cursor.py` write these records.

use std::collections::BTreeMap;

use super::{
    Kind, Reader,
    django::python_binds,
    lines::{self, Draft, Sink},
    placeholders::{self, Style},
    python::{self, Head, Record},
    values::{self, Value},
};
use crate::{
    sources::pglog::Tally,
    workload::{Evidence, UnitId},
};

pub(super) const KIND: Kind = Kind { name: "sqlalchemy", fits, reader: || Box::<Sqlalchemy>::default() };

/// The loggers of engines and connections.
const LOGGER: &str = "sqlalchemy.engine";
/// Threads whose statements may be open at once.
const MOST_STREAMS: usize = 10_000;
/// Words between the logger's name and the message.
const MOST_WORDS: usize = 8;

fn fits(lines: &[&[u8]]) -> usize {
    let ours = |line: &&&[u8]| match Record::of(line) {
        Some(record) => record.logger().starts_with(LOGGER),
        None => split(&lines::text(line)).is_some(),
    };
    lines.iter().filter(ours).count()
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message<'a> {
    Statement(&'a str),
    /// What is printed after the brackets.
    Parameters(&'a str),
    Begin,
    Commit,
    Rollback,
    /// The beginning and the end of a transaction that is not sent.
    OpensUnsent,
    ClosesUnsent,
    Columns,
    Row,
    Other,
}

impl Message<'_> {
    fn of(text: &str) -> Message<'_> {
        const STATS: &[&str] = &[
            "[generated in ",
            "[cached since ",
            "[raw sql]",
            "[no key ",
            "[caching disabled",
            "[insertmanyvalues ",
            "[dialect ",
        ];
        if STATS.iter().any(|stats| text.starts_with(stats)) {
            return text.split_once(']').map_or(Message::Other, |(_, rest)| Message::Parameters(rest.trim()));
        }
        match text.trim_end() {
            "BEGIN (implicit)" | "BEGIN TWOPHASE (implicit)" => Message::Begin,
            "COMMIT" => Message::Commit,
            "ROLLBACK" => Message::Rollback,
            other if other.starts_with("BEGIN (implicit; ") => Message::OpensUnsent,
            other if other.starts_with("COMMIT using ") || other.starts_with("ROLLBACK using ") => {
                Message::ClosesUnsent
            }
            other if other.starts_with("ROLLBACK will be skipped") => Message::ClosesUnsent,
            other if other.starts_with("Col (") => Message::Columns,
            other if other.starts_with("Row (") => Message::Row,
            // SQL often begins with a new line or with a comment.
            other if other.is_empty() || other.starts_with("--") || lines::begins_sql(other) => {
                Message::Statement(text)
            }
            // Until 1.3 parameters had no brackets before them.
            other if parameters(other) => Message::Parameters(other),
            _ => Message::Other,
        }
    }
}

/// Whether a message is nothing but one set of values, or several; `[req-1] …` begins with a logging token.
fn parameters(text: &str) -> bool {
    ["(", "{", "[(", "[{"].iter().any(|start| text.starts_with(start))
        && values::read(text).is_some_and(|(_, rest)| rest.trim().is_empty())
}

/// What stands before the logger's name, what stands between it and the message, and the message.
fn split(text: &str) -> Option<(&str, &str, Message<'_>)> {
    let at = text.find(LOGGER)?;
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let rest = text[at..].trim_start_matches(name);
    let after = text.len() - rest.len();
    // `%(name)s` need not stand right before `%(message)s`, and a logging token follows: `[req-1] `.
    let mut from = 0;
    for _ in 0..MOST_WORDS {
        from += rest[from..].len() - rest[from..].trim_start_matches([' ', ':', '|', '-', ']', '\t']).len();
        let message = Message::of(&rest[from..]);
        let blank = rest[from..].is_empty();
        if message != Message::Other && !blank {
            return Some((&text[..at], &text[after..after + from], message));
        }
        let word = &rest[from..from + rest[from..].find(' ').unwrap_or(rest.len() - from)];
        let decoration = word.contains(['[', ']', ':', '(', ')'])
            || matches!(word, "INFO" | "DEBUG")
            || word.contains(|c: char| c.is_ascii_digit());
        if blank || !decoration {
            break;
        }
        from += word.len();
    }
    let message = if rest[from..].trim().is_empty() { Message::Statement("") } else { Message::Other };
    Some((&text[..at], &text[after..after + from], message))
}

#[derive(Debug, Default)]
struct Sqlalchemy {
    /// Statements whose parameters or rows may still come.
    streams: BTreeMap<u32, Stream>,
    /// Whose statement the last record began: lines without a head go on with it.
    growing: Option<u32>,
    /// Transactions that were not sent.
    unsent: u64,
    /// Statements whose parameters the engine hides.
    hidden: u64,
}

#[derive(Debug, Default)]
struct Stream {
    open: Option<Draft>,
    /// Its parameters have come.
    complete: bool,
    unit: Option<UnitId>,
}

impl Reader for Sqlalchemy {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        if let Some(record) = Record::of(line) {
            self.growing = None;
            if record.logger().starts_with(LOGGER) {
                let message = Message::of(record.message());
                self.take(number, line, record.head(), message, tally, sink);
            } else {
                tally.foreign += 1;
            }
            return;
        }
        let text = lines::text(line);
        if let Some((before, between, message)) = split(&text) {
            let mut head = python::head(&format!("{before} {between}"));
            // A logging token is any word.
            if let Some(token) = between.trim().strip_suffix(']').and_then(|token| token.strip_prefix('[')) {
                head.stream = python::stream(&format!("{} {token}", head.stream));
            }
            self.take(number, line, head, message, tally, sink);
        } else if let Some(open) = self.growing().filter(|_| !has_head(&text)) {
            if !open.push(&text) {
                tally.skip(number, line);
                self.growing = None;
            }
        } else {
            self.growing = None;
            tally.foreign += 1;
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let mut open: Vec<Draft> =
            std::mem::take(&mut self.streams).into_values().filter_map(|stream| stream.open).collect();
        open.sort_by_key(|draft| draft.line);
        for draft in open {
            give(&draft, tally, sink);
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.hidden > 0 {
            notes.push(format!(
                "the parameters of {} statements are hidden: create the engine without hide_parameters",
                self.hidden
            ));
        }
        notes
    }
}

impl Sqlalchemy {
    fn growing(&mut self) -> Option<&mut Draft> {
        self.streams.get_mut(&self.growing?)?.open.as_mut()
    }

    fn take(
        &mut self,
        number: u64,
        line: &[u8],
        head: Head,
        message: Message<'_>,
        tally: &mut Tally,
        sink: Sink<'_>,
    ) {
        self.growing = None;
        if self.streams.len() >= MOST_STREAMS && !self.streams.contains_key(&head.stream) {
            self.end(tally, sink);
        }
        let stream = self.streams.entry(head.stream).or_default();
        let draft = |sql: &str, unit| Draft {
            line: number,
            sql: sql.to_owned(),
            end: head.time,
            session: Some(head.stream),
            unit,
            ..Draft::default()
        };
        let bound = match message {
            Message::Begin => Some("BEGIN"),
            Message::Commit => Some("COMMIT"),
            Message::Rollback => Some("ROLLBACK"),
            _ => None,
        };
        match message {
            Message::Statement(sql) => {
                stream.flush(tally, sink);
                stream.open = Some(draft(sql, stream.unit));
                stream.complete = false;
                self.growing = Some(head.stream);
            }
            Message::Parameters(text) => match &mut stream.open {
                Some(open) if !stream.complete => {
                    stream.complete = true;
                    self.hidden += u64::from(text.starts_with("[SQL parameters hidden"));
                    set_parameters(open, text);
                }
                _ => tally.skip(number, line),
            },
            Message::Begin | Message::Commit | Message::Rollback => {
                stream.flush(tally, sink);
                stream.unit = None;
                draft(bound.unwrap_or_default(), None).emit(tally, sink);
            }
            Message::OpensUnsent => {
                stream.flush(tally, sink);
                self.unsent += 1;
                stream.unit =
                    Some(UnitId::new(Evidence::Transaction, format!("unsent {}", self.unsent).as_bytes()));
                tally.foreign += 1;
            }
            Message::ClosesUnsent => {
                stream.flush(tally, sink);
                stream.unit = None;
                tally.foreign += 1;
            }
            Message::Columns => match &mut stream.open {
                Some(open) => open.rows = Some(0),
                None => tally.foreign += 1,
            },
            Message::Row => match &mut stream.open {
                Some(Draft { rows: Some(rows), .. }) => *rows += 1,
                _ => tally.foreign += 1,
            },
            Message::Other => tally.foreign += 1,
        }
    }
}

impl Stream {
    fn flush(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        if let Some(open) = self.open.take() {
            give(&open, tally, sink);
        }
    }
}

fn give(draft: &Draft, tally: &mut Tally, sink: Sink<'_>) {
    if draft.sql.trim().is_empty() {
        tally.skip(draft.line, b"a statement without a text");
    } else {
        draft.emit(tally, sink);
    }
}

/// Brings the statement's placeholders to `$n`, with the values that were printed for them.
fn set_parameters(draft: &mut Draft, text: &str) {
    let Some(values) = one_set(text) else { return };
    let numbered = placeholders::number(draft.sql.as_bytes(), Style::Percent);
    if numbered.count > 0 {
        draft.binds = python_binds(&values, &numbered).filter(|binds| whole(binds));
        draft.sql = String::from_utf8_lossy(&numbered.sql).into_owned();
    } else if let Value::List(values) = values
        && !values.is_empty()
    {
        // asyncpg's are `$n` already.
        draft.binds = Some(values.iter().map(values::bind).collect()).filter(|binds: &Vec<_>| whole(binds));
    }
}

/// `{…}`, `(…)`, or of `[{…}, {…}]` the first; lists of more than ten sets have words in the middle.
fn one_set(text: &str) -> Option<Value> {
    let one = text.strip_prefix('[').unwrap_or(text);
    match values::read(one)?.0 {
        Value::Text(_) | Value::Null => None,
        set => Some(set),
    }
}

/// Long values are printed without their middle: then they are not known.
fn whole(binds: &[Option<String>]) -> bool {
    !binds.iter().flatten().any(|value| value.contains(" characters truncated) ... "))
}

/// Whether a line begins as another logger's record does.
fn has_head(text: &str) -> bool {
    const LEVELS: &[&str] = &["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
    lines::stamp(text).is_some()
        || LEVELS.iter().any(|level| {
            text.trim_start_matches('[')
                .strip_prefix(level)
                .is_some_and(|rest| rest.starts_with([':', ' ', ']', '\t']))
        })
}
