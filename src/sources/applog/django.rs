//! Django's `django.db.backends` at DEBUG: `(0.001) SELECT …; args=(1,); alias=default`, behind whatever
//! the formatter puts there, or as JSON lines.
//!
//! The duration is in seconds. On PostgreSQL the SQL has its values already; only `executemany` leaves
//! placeholders, and is one call with the values of its first row here. A statement may have many lines,
//! its arguments never (they are printed by `repr`). A request ends where the server logs it
//! (`"GET /orders/ HTTP/1.1" 200 610`), for the thread that logged it. That a statement failed is not said.
//!
//! `django/db/backends/utils.py` (`debug_sql`, `debug_transaction`) writes these records.

use std::collections::BTreeMap;

use super::{
    Kind, Reader, durations,
    lines::{self, Draft, Sink},
    placeholders::{self, Style},
    python::{self, Head, Record},
    values::{self, Value},
};
use crate::{
    sources::pglog::Tally,
    workload::{Evidence, UnitId},
};

pub(super) const KIND: Kind = Kind { name: "django", fits, reader: || Box::<Django>::default() };

/// The logger's name.
const LOGGER: &str = "django.db.backends";
/// Between a statement and its arguments.
const ARGS: &str = "; args=";
/// Where arguments may begin in one line: values can hold the same words.
const MOST_CANDIDATES: usize = 16;
/// Threads whose requests are counted.
const MOST_STREAMS: usize = 10_000;

fn fits(lines: &[&[u8]]) -> usize {
    let of_django = |line: &&&[u8]| match Record::of(line) {
        Some(record) => record.logger().starts_with(LOGGER) || Timed::of(record.message()).is_some(),
        None => Timed::of(&lines::text(line)).is_some(),
    };
    lines.iter().filter(of_django).count()
}

/// The first line of a statement's record.
struct Timed<'a> {
    before: &'a str,
    /// Microseconds.
    duration: u64,
    rest: &'a str,
}

impl Timed<'_> {
    /// `… (0.001) SELECT`, or nothing after it: SQL may begin with a new line.
    fn of(text: &str) -> Option<Timed<'_>> {
        text.match_indices('(').take(8).find_map(|(at, _)| {
            let (time, rest) = text[at + 1..].split_once(')')?;
            let (_, decimals) = time.split_once('.')?;
            let plain = time.bytes().all(|b| b.is_ascii_digit() || b == b'.') && decimals.len() == 3;
            let duration = plain.then(|| seconds(time.parse().ok()?)).flatten()?;
            let rest = rest.strip_prefix(' ')?;
            let sql = rest.trim().is_empty() || lines::begins_sql(rest) || rest.starts_with("--");
            sql.then_some(Timed { before: &text[..at], duration, rest })
        })
    }
}

fn seconds(seconds: f64) -> Option<u64> {
    durations::rounded(seconds * 1e6)
}

/// A statement whose arguments have not been seen.
#[derive(Debug)]
struct Open {
    draft: Draft,
    stream: u32,
}

#[derive(Debug, Default)]
struct Django {
    open: Option<Open>,
    /// Requests that ended, by thread; absent where no end was seen.
    requests: BTreeMap<u32, u64>,
}

impl Reader for Django {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        if let Some(record) = Record::of(line) {
            self.cut(tally);
            self.record(number, line, &record, tally, sink);
            return;
        }
        let text = lines::text(line);
        if let Some(timed) = Timed::of(&text) {
            self.cut(tally);
            let head = python::head(timed.before);
            self.begin(number, head, timed.duration);
            self.take(timed.rest, tally, sink);
        } else if let Some(before) = request(&text) {
            self.cut(tally);
            tally.foreign += 1;
            self.request_ends(python::head(before).stream);
        } else if self.open.is_some() {
            self.take(&text, tally, sink);
        } else if text.contains(LOGGER) || (text.contains(ARGS) && text.contains("; alias=")) {
            tally.skip(number, line);
        } else {
            tally.foreign += 1;
        }
    }

    fn end(&mut self, tally: &mut Tally, _: Sink<'_>) {
        self.cut(tally);
    }
}

impl Django {
    fn begin(&mut self, number: u64, head: Head, duration: u64) {
        let unit = self
            .requests
            .get(&head.stream)
            .map(|ended| UnitId::new(Evidence::Tag, format!("{} {ended}", head.stream).as_bytes()));
        let draft =
            Draft { line: number, duration: Some(duration), end: head.time, unit, ..Draft::default() };
        self.open = Some(Open { draft, stream: head.stream });
    }

    /// Takes the next line of the open statement, which may be its last.
    fn take(&mut self, line: &str, tally: &mut Tally, sink: Sink<'_>) {
        let Some(open) = &mut self.open else { return };
        match Arguments::of(line) {
            Some(found) => {
                if open.draft.push(found.sql) {
                    let Some(open) = self.open.take() else { return };
                    open.finish(&found.values, found.alias, tally, sink);
                } else {
                    self.cut(tally);
                }
            }
            None => {
                if !open.draft.push(line) {
                    self.cut(tally);
                }
            }
        }
    }

    /// A record as a JSON object.
    fn record(&mut self, number: u64, line: &[u8], record: &Record, tally: &mut Tally, sink: Sink<'_>) {
        let head = record.head();
        let message = record.message();
        if request(message).is_some() {
            tally.foreign += 1;
            self.request_ends(head.stream);
            return;
        }
        let Some(timed) = Timed::of(message) else {
            if record.logger().starts_with(LOGGER) {
                tally.skip(number, line);
            } else {
                tally.foreign += 1;
            }
            return;
        };
        // The field has more digits than the message.
        let duration = record.number("duration").and_then(seconds).unwrap_or(timed.duration);
        self.begin(number, head, duration);
        for text in timed.rest.split('\n') {
            self.take(text, tally, sink);
        }
        self.cut(tally);
    }

    fn request_ends(&mut self, stream: u32) {
        if self.requests.len() >= MOST_STREAMS && !self.requests.contains_key(&stream) {
            self.requests.clear();
        }
        *self.requests.entry(stream).or_default() += 1;
    }

    /// Gives up on a statement without an end.
    fn cut(&mut self, tally: &mut Tally) {
        if let Some(open) = self.open.take() {
            tally.skip(open.draft.line, open.draft.sql.trim().as_bytes());
        }
    }
}

impl Open {
    fn finish(mut self, values: &Value, alias: &str, tally: &mut Tally, sink: Sink<'_>) {
        let draft = &mut self.draft;
        if !lines::begins_sql(without_comments(&draft.sql)) {
            tally.skip(draft.line, draft.sql.trim().as_bytes());
            return;
        }
        // Each thread has a connection of its own to each database.
        let known = self.stream != 0 || !matches!(alias, "" | "default");
        draft.session = known.then(|| python::stream(&format!("{} {alias}", self.stream)));
        // Without arguments nothing in the text is a placeholder.
        if let Some(values) = one_set(values) {
            let numbered = placeholders::number(draft.sql.as_bytes(), Style::Percent);
            if numbered.count > 0 {
                draft.binds = python_binds(values, &numbered);
                draft.sql = String::from_utf8_lossy(&numbered.sql).into_owned();
            }
        }
        draft.emit(tally, sink);
    }
}

/// The values of one execution: of several, those of the first.
fn one_set(values: &Value) -> Option<&Value> {
    match values {
        Value::List(sets) => match &sets[..] {
            [] => None,
            [first @ (Value::List(_) | Value::Map(_)), ..]
                if sets.iter().all(|set| matches!(set, Value::List(_) | Value::Map(_))) =>
            {
                Some(first)
            }
            _ => Some(values),
        },
        Value::Map(_) => Some(values),
        _ => None,
    }
}

/// Values in the order of `$1`, `$2` …; `None` when they are not those of the statement.
pub(super) fn python_binds(
    values: &Value,
    numbered: &placeholders::Numbered<'_>,
) -> Option<Vec<Option<String>>> {
    match values {
        Value::List(values) if numbered.names.is_empty() && values.len() == numbered.count => {
            Some(values.iter().map(values::bind).collect())
        }
        Value::Map(entries) => {
            let pairs: Vec<_> =
                entries.iter().map(|(name, value)| (name.clone(), values::bind(value))).collect();
            numbered.in_order(&pairs)
        }
        _ => None,
    }
}

/// What stands at the end of a record's last line.
struct Arguments<'a> {
    sql: &'a str,
    values: Value,
    alias: &'a str,
}

impl Arguments<'_> {
    /// `…; args=(1,); alias=default`; before Django 4.2 without the alias.
    fn of(line: &str) -> Option<Arguments<'_>> {
        let parsed = line.match_indices(ARGS).take(MOST_CANDIDATES).find_map(|(at, _)| {
            let (values, rest) = values::read(&line[at + ARGS.len()..])?;
            let rest = rest.trim();
            let alias = if rest.is_empty() { "" } else { alias(rest)? };
            Some(Arguments { sql: &line[..at], values, alias })
        });
        // Values that cannot be read end where the alias says so.
        parsed.or_else(|| {
            let (before, _) = line.rsplit_once("; alias=")?;
            let alias = alias(line[before.len()..].trim_end())?;
            let (sql, _) = before.rsplit_once(ARGS)?;
            Some(Arguments { sql, values: Value::Null, alias })
        })
    }
}

fn alias(text: &str) -> Option<&str> {
    let alias = text.strip_prefix("; alias=")?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!alias.is_empty() && alias.chars().all(plain)).then_some(alias)
}

/// What stands before the line that a server writes at a request's end.
fn request(text: &str) -> Option<&str> {
    const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    text.match_indices('"').take(4).find_map(|(at, _)| {
        let (method, rest) = text[at + 1..].split_once(' ')?;
        (METHODS.contains(&method) && rest.contains(" HTTP/")).then_some(&text[..at])
    })
}

/// SQL from its first word on.
fn without_comments(sql: &str) -> &str {
    let mut sql = sql.trim_start();
    while sql.starts_with("--") {
        sql = sql.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    sql
}
