//! What the logs of applications have in common: times in front of lines, names of threads, and a
//! statement that is still being read.

use super::{
    placeholders::{self, Style},
    terminal,
};
use crate::{
    sources::pglog::Tally,
    workload::{Binds, Event, EventKind, Position, ProtocolStep, UnitId},
};

pub(super) type Sink<'a> = &'a mut dyn FnMut(&Event<'_>);

/// A time as a logger wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Microseconds since 1970; without a zone read as UTC.
    pub(super) us: i64,
    /// It shows whole seconds only.
    pub(super) coarse: bool,
}

/// Reads a time from the front of a line, in brackets or not, and gives what follows:
/// `2026-11-23T08:49:19.100+09:00`, `2026/11/23 15:04:05`, `[2026-11-23 12:54:57,702]`.
pub(super) fn stamp(text: &str) -> Option<(Stamp, &str)> {
    let (inner, bracket) = match text.strip_prefix('[') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let bytes = inner.as_bytes();
    let number = |from: usize, len: usize| {
        let digits = bytes.get(from..from + len)?;
        digits.iter().try_fold(0_i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
    };
    let is = |at: usize, among: &[u8]| bytes.get(at).is_some_and(|b| among.contains(b));
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let shape = is(4, b"-/") && is(7, b"-/") && is(10, b"T ") && is(13, b":") && is(16, b":");
    if !shape
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut us = (((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000;
    let mut at = 19;
    let fraction =
        if is(at, b".,") { bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count() } else { 0 };
    if fraction > 0 {
        let digits = fraction.min(6);
        us += number(at + 1, digits)? * 10_i64.pow(6 - u32::try_from(digits).ok()?);
        at += 1 + fraction;
    }
    let zone = match bytes.get(at) {
        Some(b'Z') => {
            at += 1;
            0
        }
        Some(sign @ (b'+' | b'-')) => {
            let hours = number(at + 1, 2)?;
            let colon = usize::from(is(at + 3, b":"));
            let minutes = number(at + 3 + colon, 2)?;
            at += 5 + colon;
            (hours * 60 + minutes) * if *sign == b'+' { 1 } else { -1 }
        }
        _ => 0,
    };
    let mut rest = inner.get(at..)?;
    if bracket {
        rest = rest.strip_prefix(']')?;
    }
    Some((Stamp { us: us - zone * 60_000_000, coarse: fraction == 0 }, rest))
}

/// A time of day to the nanosecond, since 1970.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (stamp, _) = stamp(text)?;
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let below: String = fraction.chars().take_while(char::is_ascii_digit).skip(6).take(3).collect();
    let below = if below.is_empty() { 0 } else { format!("{below:0<3}").parse().ok()? };
    stamp.us.checked_mul(1000)?.checked_add(below)
}

/// Days since 1970 of a day of the Gregorian calendar, years counted from March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

/// A number for whatever names a session: there are few in one log, so that no two share one.
pub(super) fn session(name: &[u8]) -> u32 {
    let hash =
        name.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 24) ^ (hash & 0x00ff_ffff)
}

/// Words that only the middle of a statement begins with.
pub(super) const CLAUSES: &[&str] = &[
    "from",
    "where",
    "and",
    "or",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "full",
    "cross",
    "on",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "union",
    "values",
    "returning",
    "set",
];

/// A statement that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) line: u64,
    pub(super) sql: String,
    /// How its placeholders are written, where not as `$1`.
    pub(super) style: Option<Style>,
    pub(super) binds: Option<Vec<Option<String>>>,
    /// Microseconds.
    pub(super) duration: Option<u64>,
    pub(super) end: Option<Stamp>,
    pub(super) session: Option<u32>,
    pub(super) unit: Option<UnitId>,
    pub(super) caller: Option<String>,
    pub(super) rows: Option<u64>,
    pub(super) database: Option<String>,
    pub(super) user: Option<String>,
    pub(super) application: Option<String>,
    /// Why it failed.
    pub(super) error: Option<String>,
    /// Where the log has it apart from the words.
    pub(super) sqlstate: Option<String>,
    /// Microseconds of waiting for a connection of the application's pool.
    pub(super) pool_wait: Option<u64>,
    /// It was prepared, not run.
    pub(super) prepare: bool,
}

impl Draft {
    /// A statement of many lines is cut after this many bytes.
    const LONGEST: usize = 64 << 20;

    /// Takes in the next line of the statement; false when it has grown too long.
    pub(super) fn push(&mut self, line: &str) -> bool {
        let fits = self.sql.len() + line.len() < Draft::LONGEST;
        if fits {
            self.sql.push('\n');
            self.sql.push_str(line);
        }
        fits
    }

    /// Gives the statement as an event: an execution, or an error where it failed.
    pub(super) fn emit(&self, tally: &mut Tally, sink: Sink<'_>) {
        let sql = self.sql.trim();
        if sql.is_empty() {
            return;
        }
        tally.entries += 1;
        let numbered = self.style.map(|style| placeholders::number(sql.as_bytes(), style));
        let sql = numbered.as_ref().map_or(sql.as_bytes(), |numbered| &numbered.sql);
        let binds = self.binds.as_deref().map_or(Binds::Unknown, Binds::Values);
        let kind = match &self.error {
            Some(message) => {
                let sqlstate = self.sqlstate.as_deref().map(str::as_bytes).or_else(|| sqlstate(message));
                EventKind::Error { sqlstate, message: message.as_bytes(), sql: Some(sql) }
            }
            None if self.prepare => EventKind::ParseOrBind { step: ProtocolStep::Parse, sql },
            None => EventKind::Execution { sql, binds },
        };
        sink(&Event {
            end: self.end.map(|end| end.us),
            coarse: self.end.is_some_and(|end| end.coarse),
            duration: self.duration,
            session: self.session.or(Some(0)),
            mixed: self.session.is_none(),
            pool_wait: self.pool_wait,
            database: self.database.as_deref().map(str::as_bytes),
            user: self.user.as_deref().map(str::as_bytes),
            application: self.application.as_deref().map(str::as_bytes),
            unit: self.unit,
            caller: self.caller.as_deref().map(str::as_bytes),
            rows: self.rows,
            ..Event::new(kind, Position { input: 0, line: self.line })
        });
    }
}

/// `(SQLSTATE 42703)` in a driver's message.
fn sqlstate(message: &str) -> Option<&[u8]> {
    let (_, after) = message.split_once("SQLSTATE")?;
    let code = after.trim_start_matches([' ', '[', ':']).as_bytes().get(..5)?;
    code.iter().all(u8::is_ascii_alphanumeric).then_some(code)
}

/// A line as text, without colours.
pub(super) fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(&terminal::plain(line)).into_owned()
}

/// Whether a text begins as a statement does.
pub(super) fn begins_sql(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "select",
        "insert",
        "update",
        "delete",
        "with",
        "begin",
        "commit",
        "rollback",
        "savepoint",
        "release",
        "start",
        "set",
        "show",
        "create",
        "alter",
        "drop",
        "truncate",
        "merge",
        "values",
        "copy",
        "lock",
        "call",
        "explain",
        "table",
        "declare",
        "fetch",
        "listen",
        "notify",
        "refresh",
        "analyze",
        "vacuum",
        "do",
        "end",
        "comment",
        "grant",
        "revoke",
        "reset",
        "discard",
        "deallocate",
        "execute",
        "prepare",
        "close",
        "unlisten",
    ];
    let mut text = text.trim_start();
    while let Some(comment) = text.strip_prefix("/*") {
        let Some((_, after)) = comment.split_once("*/") else { return true };
        text = after.trim_start();
    }
    let text = text.trim_start_matches('(');
    let word = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    WORDS.iter().any(|known| text[..word].eq_ignore_ascii_case(known))
        && !text[word..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '=' | '.'))
}

/// Whether a quote or a parenthesis of a statement is still open, so that it goes on.
pub(super) fn is_open(sql: &str) -> bool {
    let (mut depth, mut quote) = (0_i64, None);
    for c in sql.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
    }
    depth > 0 || quote.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_many_loggers() {
        for (text, expect, rest) in [
            ("2026-11-23T09:31:42.162096 #5018]", (1_795_426_302_162_096, false), " #5018]"),
            ("2026-11-23T18:31:42.1620961+09:00 x", (1_795_426_302_162_096, false), " x"),
            ("2026/11/23 09:31:42 /app/main.go:42", (1_795_426_302_000_000, true), " /app/main.go:42"),
            ("[2026-11-23 09:31:42,5] local", (1_795_426_302_500_000, false), " local"),
            ("2024-02-29 00:00:00Z", (1_709_164_800_000_000, true), ""),
            ("1969-12-31 23:59:59-0030", (1_799_000_000, true), ""),
        ] {
            let (stamp, left) = stamp(text).expect(text);
            assert_eq!((stamp.us, stamp.coarse, left), (expect.0, expect.1, rest), "{text}");
        }
        for text in [
            "",
            "2026-13-01 00:00:00",
            "[2026-11-23 09:31:42 x",
            "2026-11-23",
            "20261123 09:31:42",
            "ü026-11-23",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }

    #[test]
    fn statements_are_told_from_words() {
        for text in ["SELECT 1", "/* a */ (select 1)", "COMMIT", "COMMIT;", "with x as (", "/*open"] {
            assert!(begins_sql(text), "{text}");
        }
        for text in ["Selected 3 rows", "set_user", "", "started", "update: 3", "Set-Cookie"] {
            assert_eq!(begins_sql(text), text == "Set-Cookie", "{text}");
        }
    }
}
