//! pgx (Go): what its tracer hands to zerolog, zap, slog or logrus, as JSON or as `key=value` pairs.
//!
//! `pid` is the backend's: the session. Arguments are cut at 64 bytes by the tracer itself. A duration has
//! the unit of the logger: milliseconds in zerolog, seconds in zap, nanoseconds in slog and logrus.
//! zerolog's console leaves it out, and then there is none.

use serde_json::Value;

use super::{
    Kind, Reader,
    fields::{self, Fields},
    lines::{self, Draft, Sink},
    values,
};
use crate::{names, sources::pglog::Tally};

pub(super) const KIND: Kind = Kind { name: "pgx", fits, reader: || Box::new(Pgx) };

/// Messages about one statement.
const MESSAGES: &[&str] = &[
    "Query",
    "Exec",
    "BatchQuery",
    "BatchResult.Query",
    "BatchResult.Exec",
    "BatchResult.Close",
    "Prepare",
    "CopyFrom",
    "SendBatch",
];

fn fits(lines: &[&[u8]]) -> usize {
    lines
        .iter()
        .filter(|line| entry(&lines::text(line)).is_some_and(|(_, fields)| fields.get("pid").is_some()))
        .count()
}

#[derive(Debug)]
struct Pgx;

impl Reader for Pgx {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        let Some((message, fields)) = entry(&text) else {
            // The driver's other messages, and those of the application.
            tally.foreign += 1;
            return;
        };
        match draft(&message, &fields, text.trim_start().starts_with('{')) {
            Some(mut draft) => {
                draft.line = number;
                if draft.end.is_none() {
                    draft.end = lines::stamp(&text).map(|(stamp, _)| stamp);
                }
                draft.emit(tally, sink);
            }
            None => tally.skip(number, line),
        }
    }

    fn end(&mut self, _: &mut Tally, _: Sink<'_>) {}
}

/// The message and the data of a line about a statement.
fn entry(line: &str) -> Option<(String, Fields)> {
    let (message, fields) = match Fields::json(line) {
        Some(fields) => (fields.any(&["message", "msg"])?.as_str()?.to_owned(), fields),
        None if line.contains("sql=") || line.contains("tableName=") => {
            let fields = Fields::pairs(line);
            let message = if let Some(message) = fields.any(&["msg", "message"]) {
                message.as_str()?.to_owned()
            } else {
                // The last word before the first pair.
                let before = &line[..line.find('=')?];
                before.rsplit(' ').nth(1)?.to_owned()
            };
            (message, fields)
        }
        None => return None,
    };
    let known = MESSAGES.contains(&message.as_str());
    let of_pgx = fields.get("sql").is_some_and(Value::is_string) || fields.get("tableName").is_some();
    (known && of_pgx && message != "SendBatch").then_some((message, fields))
}

fn draft(message: &str, fields: &Fields, json: bool) -> Option<Draft> {
    let sql = match fields.text("sql") {
        Some(sql) => sql.to_owned(),
        None => copy(fields)?,
    };
    let count = || super::placeholders::parameters(sql.as_bytes());
    let binds = match fields.get("args") {
        Some(Value::String(text)) if !json => values::go_list(text, count()),
        Some(value) => fields::binds(value),
        None => None,
    };
    // An argument that the tracer cut.
    let cut = |value: &Option<String>| value.as_ref().is_some_and(|value| value.contains(" (truncated "));
    let rows = fields.number("rowCount").or_else(|| rows_of_tag(fields.text("commandTag")?));
    Some(Draft {
        binds: binds.filter(|binds| !binds.is_empty() && !binds.iter().any(cut)),
        duration: fields
            .get("time")
            .filter(|time| fields::stamp(time).is_none())
            .and_then(|time| {
                let unit = match (fields.get("msg"), fields.get("ts")) {
                    (None, _) => 1e3,
                    (Some(_), Some(Value::Number(_))) => 1e6,
                    (Some(_), _) => 1e-3,
                };
                fields::duration(time, unit)
            })
            .or_else(|| second_time(fields)),
        end: fields.stamp(),
        session: fields.number("pid").and_then(|pid| u32::try_from(pid).ok()),
        unit: fields.unit(),
        rows,
        error: fields.text("err").map(str::to_owned),
        prepare: message == "Prepare",
        sql,
        ..Draft::default()
    })
}

/// slog and logrus write the time of the day first, under the same name.
fn second_time(fields: &Fields) -> Option<u64> {
    let time = fields.0.iter().filter(|(key, _)| key == "time").nth(1)?;
    if fields::stamp(&time.1).is_some() { None } else { fields::duration(&time.1, 1e-3) }
}

/// What `CopyFrom` sends, from its table and columns.
fn copy(fields: &Fields) -> Option<String> {
    let quoted = |key: &str| match fields.get(key)? {
        Value::Array(names) => {
            Some(names.iter().filter_map(Value::as_str).map(names::quote_ident).collect::<Vec<_>>())
        }
        Value::String(text) => {
            Some(text.trim_matches(['[', ']', '"']).split_whitespace().map(names::quote_ident).collect())
        }
        _ => None,
    };
    Some(format!(
        "COPY {} ({}) FROM STDIN",
        quoted("tableName")?.join("."),
        quoted("columnNames")?.join(", ")
    ))
}

/// `INSERT 0 3`, also in base64, as version 4 writes it into JSON.
fn rows_of_tag(tag: &str) -> Option<u64> {
    let decoded;
    let tag = if tag.contains(' ') {
        tag
    } else {
        decoded = base64(tag)?;
        &decoded
    };
    tag.rsplit(' ').next()?.parse().ok()
}

fn base64(text: &str) -> Option<String> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::try_from(DIGITS.iter().position(|&digit| digit == byte)?).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}
