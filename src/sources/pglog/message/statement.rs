//! What a message says about a statement.
//!
//! The forms come from `check_log_duration` and its callers in PostgreSQL's `tcop/postgres.c`, and
//! from `auto_explain`.

use memchr::memmem;

use super::{Entry, Message, number::milliseconds, without_sqlstate};
use crate::workload::{Binds, PlanFormat, ProtocolStep};

pub(super) fn timed<'a>(text: &'a [u8], entry: &Entry<'a>) -> Option<Message<'a>> {
    let (duration, rest) = milliseconds(text)?;
    let rest = rest.strip_prefix(b" ms")?;
    if rest.trim_ascii().is_empty() {
        return Some(Message::Duration(duration));
    }
    let rest = rest.strip_prefix(b"  ")?;
    if let Some(sql) = rest.strip_prefix(b"statement: ") {
        return Some(Message::Timed { duration, sql, binds: Binds::Unknown });
    }
    if let Some(rest) = rest.strip_prefix(b"execute ") {
        return Some(Message::Timed { duration, sql: named(rest)?, binds: binds(entry) });
    }
    if let Some(rest) = rest.strip_prefix(b"parse ") {
        return Some(Message::ParseOrBind { step: ProtocolStep::Parse, duration, sql: named(rest)? });
    }
    if let Some(rest) = rest.strip_prefix(b"bind ") {
        return Some(Message::ParseOrBind { step: ProtocolStep::Bind, duration, sql: named(rest)? });
    }
    let text = rest.strip_prefix(b"plan:")?.trim_ascii_start();
    Some(Message::Plan { duration, format: plan_format(text), text })
}

/// The text after `name: ` (`fetch from name: `, `name/portal: `).
pub(super) fn named(text: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr_iter(b':', text).find(|colon| text.get(colon + 1) == Some(&b' '))?;
    Some(&text[colon + 2..])
}

/// The DETAIL of an execution: `parameters: …`, and `Parameters: …` since PostgreSQL 16.
pub(super) fn binds<'a>(entry: &Entry<'a>) -> Binds<'a> {
    let list = entry.detail.and_then(|detail| {
        let (_, detail) = without_sqlstate(detail);
        detail.strip_prefix(b"parameters: ").or_else(|| detail.strip_prefix(b"Parameters: "))
    });
    list.map_or(Binds::Unknown, Binds::Postgres)
}

fn plan_format(text: &[u8]) -> PlanFormat {
    match text.first() {
        Some(b'{' | b'[') => PlanFormat::Json,
        Some(b'<') => PlanFormat::Xml,
        // YAML quotes the query and puts the tree under `Plan:`; the text form does neither.
        _ if text.starts_with(b"Query Text: \"") && memmem::find(text, b"\nPlan:").is_some() => {
            PlanFormat::Yaml
        }
        _ if text.starts_with(b"Plan:") => PlanFormat::Yaml,
        _ => PlanFormat::Text,
    }
}
