//! sqlx (Rust) through `tracing`, as text or JSON: target `sqlx::query`, with the statement, its rows and
//! its time. There are no bind values; spans around the line may name the request.
//!
//! Versions before 0.7 wrote `SELECT a, b …; rows affected: 1, rows returned: 1, elapsed: 1.2ms`, and
//! below it the whole statement where that is longer.

use serde_json::Value;

use super::{
    Kind, Reader, durations,
    fields::{self, Fields},
    lines::{self, Draft, Sink},
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "sqlx", fits, reader: || Box::<Sqlx>::default() };

const TARGET: &str = "sqlx::query";

fn fits(lines: &[&[u8]]) -> usize {
    let of_sqlx = |line: &&&[u8]| {
        memchr::memmem::find(line, TARGET.as_bytes()).is_some()
            && (memchr::memmem::find(line, b"elapsed").is_some()
                || memchr::memmem::find(line, b"summary").is_some())
    };
    lines.iter().filter(of_sqlx).count()
}

#[derive(Debug, Default)]
struct Sqlx {
    /// Waits for the lines of its statement (before 0.7).
    open: Option<Draft>,
}

impl Reader for Sqlx {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        let json = Fields::json(&text);
        let begins = json.is_some() || lines::stamp(&text).is_some();
        if let Some(open) = &mut self.open
            && !begins
        {
            if !open.push(&text) {
                tally.skip(number, line);
            }
            return;
        }
        self.end(tally, sink);
        let is_statement = text.contains(TARGET);
        let draft = match json {
            _ if !is_statement => None,
            Some(entry) => of_json(&entry),
            None => of_text(&text),
        };
        match draft {
            Some((mut draft, whole)) => {
                draft.line = number;
                if whole {
                    draft.emit(tally, sink);
                } else {
                    self.open = Some(draft);
                }
            }
            None if is_statement => tally.skip(number, line),
            None => tally.foreign += 1,
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        if let Some(mut open) = self.open.take() {
            // The statement below its summary takes the summary's place.
            if let Some((summary, whole)) = open.sql.split_once('\n')
                && (summary.ends_with('…') || !whole.trim().is_empty())
            {
                open.sql = whole.to_owned();
            }
            open.emit(tally, sink);
        }
    }
}

fn of_json(entry: &Fields) -> Option<(Draft, bool)> {
    let nested = |key: &str| match entry.get(key) {
        Some(Value::Object(object)) => Some(Fields(object.clone().into_iter().collect())),
        _ => None,
    };
    let statement = nested("fields").unwrap_or_else(|| entry.clone());
    let mut draft = of_fields(&statement)?;
    draft.end = entry.stamp();
    let span = nested("span").and_then(|span| span.unit());
    let outer = || match entry.get("spans") {
        Some(Value::Array(spans)) => spans.iter().find_map(|span| match span {
            Value::Object(span) => Fields(span.clone().into_iter().collect()).unit(),
            _ => None,
        }),
        _ => None,
    };
    draft.unit = span.or_else(outer).or_else(|| entry.unit());
    Some((draft, true))
}

fn of_text(text: &str) -> Option<(Draft, bool)> {
    let (head, body) = text.split_once(TARGET)?;
    let body = body.trim_start_matches([':', ']', ' ']);
    let (mut draft, whole) = match body.find("db.statement=").and_then(|_| of_fields(&Fields::pairs(body))) {
        Some(draft) => (draft, true),
        None => (of_summary(body)?, false),
    };
    draft.end = lines::stamp(text).map(|(stamp, _)| stamp);
    draft.unit = Fields::pairs(head).unit();
    Some((draft, whole))
}

fn of_fields(fields: &Fields) -> Option<Draft> {
    // A statement of four words or fewer is its own summary.
    let sql = fields
        .text("db.statement")
        .filter(|sql| !sql.trim().is_empty())
        .or_else(|| fields.text("summary"))?;
    let rows = ["rows_returned", "rows_affected"].map(|key| fields.number(key));
    let duration = fields
        .get("elapsed")
        .and_then(|elapsed| fields::duration(elapsed, 1e6))
        .or_else(|| fields::duration(fields.get("elapsed_secs")?, 1e6));
    Some(Draft { sql: sql.to_owned(), duration, rows: rows.into_iter().flatten().max(), ..Draft::default() })
}

fn of_summary(body: &str) -> Option<Draft> {
    let (sql, figures) = body.split_once("; rows")?;
    let figure = |name: &str| {
        let (_, after) = figures.split_once(name)?;
        Some(after.split([',', ' ']).next().unwrap_or(after))
    };
    let rows = ["returned: ", "affected: "].map(|name| figure(name).and_then(|n| n.parse().ok()));
    Some(Draft {
        sql: sql.to_owned(),
        duration: figure("elapsed: ").and_then(durations::microseconds),
        rows: rows.into_iter().flatten().max(),
        ..Draft::default()
    })
}
