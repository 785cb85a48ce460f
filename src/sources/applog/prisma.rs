//! Prisma: `prisma:query SELECT …` on stdout, its query event printed as an object or as a JSON line, and
//! the three lines `Query:`, `Params:`, `Duration:` of its documentation.
//!
//! The event's `timestamp` is when a statement began where the client itself ran it (`ClientEngine`), and
//! when its entry was written where an engine did.

use super::{
    Kind, Reader, durations,
    lines::{self, Draft, Sink},
    node::{self, Object},
    values::{self, Value},
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "prisma", fits, reader: || Box::<Prisma>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    let ours = |line: &&&[u8]| {
        let text = lines::text(line);
        statement(&text).is_some()
            || is_json(&text)
            || text.trim_start().starts_with("target: 'ClientEngine'")
            || text.trim_start().starts_with("target: 'quaint::")
            || text.starts_with("Params: [")
            || (text.starts_with("Duration: ") && text.ends_with("ms"))
    };
    lines.iter().filter(ours).count()
}

fn statement(line: &str) -> Option<&str> {
    let (_, sql) = line.split_once("prisma:query ")?;
    lines::begins_sql(sql).then_some(sql)
}

fn is_json(line: &str) -> bool {
    line.starts_with('{')
        && ["\"query\":", "\"params\":", "\"duration\":"].iter().all(|key| line.contains(key))
}

#[derive(Debug, Default)]
struct Prisma {
    open: Option<Draft>,
    object: Option<Object>,
}

impl Prisma {
    fn flush(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        if let Some(open) = self.open.take() {
            open.emit(tally, sink);
        }
    }
}

/// One event; false when it is none.
fn event(line: u64, entries: &[(String, Value)], tally: &mut Tally, sink: Sink<'_>) -> bool {
    let (Some(sql), Some(duration)) = (node::text(entries, "query"), node::text(entries, "duration")) else {
        return false;
    };
    let duration = duration.parse::<f64>().ok().and_then(|ms| durations::rounded(ms * 1000.0));
    let mut end = node::text(entries, "timestamp").and_then(lines::stamp).map(|(stamp, _)| stamp);
    if node::text(entries, "target") == Some("ClientEngine")
        && let (Some(end), Some(duration)) = (&mut end, duration)
    {
        end.us = end.us.saturating_add_unsigned(duration);
    }
    let binds = match node::get(entries, "params") {
        Some(Value::Text(params)) => values::list(params),
        Some(params) => values::binds(params),
        None => None,
    };
    Draft { line, sql: sql.to_owned(), duration, end, binds, ..Draft::default() }.emit(tally, sink);
    true
}

impl Reader for Prisma {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if let Some(mut object) = self.object.take() {
            let fits = object.push(&text);
            if text.starts_with('}') {
                if !object.entries().is_some_and(|entries| event(object.line, &entries, tally, sink)) {
                    tally.skip(object.line, b"{");
                }
            } else if fits {
                self.object = Some(object);
            } else {
                tally.skip(number, line);
            }
            return;
        }
        let sql = statement(&text).or_else(|| text.strip_prefix("Query: "));
        if let Some(sql) = sql {
            self.flush(tally, sink);
            let end = lines::stamp(&text).map(|(stamp, _)| stamp);
            self.open = Some(Draft { line: number, sql: sql.to_owned(), end, ..Draft::default() });
        } else if text == "{" {
            self.flush(tally, sink);
            self.object = Some(Object::begin(number));
        } else if text.starts_with('{') {
            self.flush(tally, sink);
            let read = match values::read(&text) {
                Some((Value::Map(entries), _)) => event(number, &entries, tally, sink),
                _ => false,
            };
            if !read && is_json(&text) {
                tally.skip(number, line);
            } else if !read {
                tally.foreign += 1;
            }
        } else if let (Some(params), Some(open)) = (text.strip_prefix("Params: "), &mut self.open) {
            open.binds = values::list(params);
        } else if let (Some(time), Some(open)) = (text.strip_prefix("Duration: "), &mut self.open) {
            open.duration = durations::microseconds(time);
            self.flush(tally, sink);
        } else if let Some(open) = self.open.as_mut().filter(|open| node::goes_on(&open.sql, &text)) {
            if !open.push(&text) {
                tally.skip(number, line);
            }
        } else {
            tally.foreign += 1;
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.flush(tally, sink);
        if let Some(object) = self.object.take() {
            tally.skip(object.line, b"{");
        }
    }
}
