//! Laravel: what `DB::listen` hands to Monolog, or writes as JSON lines. Laravel logs no statement by
//! itself, so the forms are those that people use:
//!
//! ```text
//! [2026-11-23 09:42:48] local.DEBUG: select * from "users" where "id" = ? {"bindings":[1],"time":0.38}
//! [2026-11-23 09:42:48] local.DEBUG: select * from "users" where "id" = ? [1] []
//! [2026-11-23 09:42:48] local.INFO: query {"sql":"select …","bindings":[1],"time":0.38}
//! {"message":"query","context":{"sql":"select …","bindings":[1],"time":0.38},"datetime":"…"}
//! {"sql":"select …","bindings":[1],"time":0.38}
//! ```
//!
//! `time` is in milliseconds. Which connection ran a statement is not told.

use serde_json::Value as Json;

use super::{
    Kind, Reader,
    fields::{self, Fields},
    lines::{self, Draft, Sink, Stamp},
    placeholders::{self, Style},
    values::{self, Value},
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "laravel", fits, reader: || Box::<Laravel>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    let of_laravel = |line: &&&[u8]| {
        let text = lines::text(line);
        match Fields::json(&text) {
            Some(entry) => of_json(&entry).is_some(),
            None => Head::of(&text).is_some_and(|head| {
                lines::begins_sql(head.message)
                    || head.message.contains("{\"sql\":")
                    || head.message.contains("\"bindings\":[")
            }),
        }
    };
    lines.iter().filter(of_laravel).count()
}

/// `[2026-11-23 09:42:48] local.DEBUG: `.
struct Head<'a> {
    stamp: Stamp,
    message: &'a str,
}

impl Head<'_> {
    fn of(line: &str) -> Option<Head<'_>> {
        if !line.starts_with('[') {
            return None;
        }
        let (stamp, rest) = lines::stamp(line)?;
        let (channel, message) = rest.trim_start().split_once(": ")?;
        let (_, level) = channel.rsplit_once('.')?;
        let named =
            !level.is_empty() && level.bytes().all(|b| b.is_ascii_uppercase()) && !channel.contains(' ');
        named.then_some(Head { stamp, message })
    }
}

/// An entry whose context may reach over several lines.
#[derive(Debug)]
struct Open {
    line: u64,
    stamp: Stamp,
    message: String,
}

#[derive(Debug, Default)]
struct Laravel {
    open: Option<Open>,
}

impl Reader for Laravel {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        const LONGEST: usize = 64 << 20;
        let text = lines::text(line);
        if let Some(head) = Head::of(&text) {
            self.end(tally, sink);
            self.open = Some(Open { line: number, stamp: head.stamp, message: head.message.to_owned() });
            return;
        }
        let entry = Fields::json(&text);
        if let Some(mut draft) = entry.as_ref().and_then(of_json) {
            self.end(tally, sink);
            draft.line = number;
            draft.emit(tally, sink);
            return;
        }
        match &mut self.open {
            Some(open) if entry.is_none() && open.message.len() + text.len() < LONGEST => {
                open.message.push('\n');
                open.message.push_str(&text);
            }
            _ => tally.foreign += 1,
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let Some(open) = self.open.take() else { return };
        let draft = of_message(&open.message).or_else(|| of_exception(&open.message));
        match draft {
            Some(draft) => Draft { line: open.line, end: Some(open.stamp), ..draft }.emit(tally, sink),
            None if lines::begins_sql(&open.message) && open.message.contains("\"bindings\"") => {
                tally.skip(open.line, open.message.as_bytes());
            }
            None => tally.foreign += 1,
        }
    }
}

/// A message that is a statement, or whose context holds one.
fn of_message(message: &str) -> Option<Draft> {
    let (text, context) = split(message);
    let context = context.unwrap_or(Value::List(Vec::new()));
    if let Value::Map(entries) = &context
        && let Some(Value::Text(sql)) = find(entries, &["sql", "query", "statement"])
    {
        return Some(draft(sql, &context));
    }
    lines::begins_sql(text).then(|| draft(text, &context))
}

/// The message and its context: the first printed list or map that reaches the end, but for what Monolog
/// writes behind it (`[]`).
fn split(message: &str) -> (&str, Option<Value>) {
    let starts = message
        .char_indices()
        .filter(|&(at, c)| matches!(c, '[' | '{') && at > 0 && message[..at].ends_with(' '));
    for (at, _) in starts {
        if let Some((value, rest)) = values::read(&message[at..])
            && matches!(value, Value::List(_) | Value::Map(_))
        {
            let rest = rest.trim();
            let extra = values::read(rest).is_some_and(|(extra, left)| {
                matches!(extra, Value::List(_) | Value::Map(_)) && left.trim().is_empty()
            });
            if rest.is_empty() || extra {
                return (message[..at].trim_end(), Some(value));
            }
        }
    }
    (message.trim_end(), None)
}

fn find<'a>(entries: &'a [(String, Value)], names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| entries.iter().find(|(key, _)| key == name)).map(|(_, value)| value)
}

fn draft(sql: &str, context: &Value) -> Draft {
    let (bindings, time) = match context {
        // Without these keys it is the list of bindings itself, by name.
        Value::Map(entries) if find(entries, &["bindings", "params", "binding", "time", "sql"]).is_some() => {
            (
                find(entries, &["bindings", "params", "binding"]).cloned(),
                find(entries, &["time", "duration", "execution_time"]).and_then(values::bind),
            )
        }
        values => (Some(values.clone()), None),
    };
    let (style, binds) = styled(sql, bindings.as_ref());
    let duration = time.and_then(|time| fields::duration(&Json::String(time), 1e3));
    Draft { sql: sql.to_owned(), style: Some(style), binds, duration, ..Draft::default() }
}

/// How the statement is written, and its values in order.
fn styled(sql: &str, bindings: Option<&Value>) -> (Style, Option<Vec<Option<String>>>) {
    match bindings {
        Some(Value::Map(entries)) if !entries.is_empty() => {
            let values: Vec<_> = entries
                .iter()
                .map(|(name, value)| (name.trim_start_matches(':').to_owned(), values::bind(value)))
                .collect();
            (Style::Colon, placeholders::number(sql.as_bytes(), Style::Colon).in_order(&values))
        }
        Some(Value::List(values)) if !values.is_empty() => {
            (Style::Question, Some(values.iter().map(values::bind).collect()))
        }
        _ => (Style::Question, None),
    }
}

/// A JSON line: Monolog's, or one that holds what `QueryExecuted` has.
fn of_json(entry: &Fields) -> Option<Draft> {
    let nested = match entry.get("context") {
        Some(Json::Object(context)) => Some(Fields(context.clone().into_iter().collect())),
        _ => None,
    };
    let inner = nested.as_ref().unwrap_or(entry);
    let message = entry.text("message").filter(|message| nested.is_some() && lines::begins_sql(message));
    let sql = inner.text("sql").or(message)?;
    let bindings = inner.get("bindings");
    if bindings.is_none() && nested.is_none() {
        return None;
    }
    let bindings = bindings.and_then(|value| Some(values::read(&value.to_string())?.0));
    let (style, binds) = styled(sql, bindings.as_ref());
    Some(Draft {
        sql: sql.to_owned(),
        style: Some(style),
        binds,
        duration: inner.any(&["time", "duration"]).and_then(|time| fields::duration(time, 1e3)),
        end: entry.get("datetime").and_then(fields::stamp),
        unit: inner.unit().or_else(|| entry.unit()),
        ..Draft::default()
    })
}

/// `SQLSTATE[42703]: Undefined column: 7 ERROR:  … (SQL: select …)`.
fn of_exception(message: &str) -> Option<Draft> {
    let (_, said) = message.split_once("SQLSTATE[")?;
    let (_, said) = said.split_once("ERROR:")?;
    let error = said.lines().next().unwrap_or_default();
    let (_, after) = said.split_once("SQL: ")?;
    let sql = after.split_once(")\"").or_else(|| after.split_once(") {")).map_or(after, |(sql, _)| sql);
    let sql = sql.strip_suffix(')').unwrap_or(sql);
    Some(Draft { sql: sql.to_owned(), error: Some(error.trim().to_owned()), ..Draft::default() })
}
