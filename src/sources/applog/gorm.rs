//! GORM (Go), version 2 (`gorm.io/gorm`) and 1 (`jinzhu/gorm`): the line of code, then the statement with
//! its values filled in.
//!
//! ```text
//! 2026/01/02 15:04:05 /app/main.go:42              (/app/main.go:42)
//! [0.512ms] [rows:1] SELECT * FROM "users"         [2026-01-02 15:04:05]  [0.51ms]  SELECT * FROM "users"
//!                                                  [1 rows affected or returned ]
//! ```
//!
//! Statements of many lines go on until a blank line or the next head. Which connection ran them is not
//! told, nor are BEGIN and COMMIT.

use super::{
    Kind, Reader, durations,
    lines::{self, Draft, Sink, Stamp},
};
use crate::{
    sources::pglog::Tally,
    workload::{Event, EventKind, Position},
};

pub(super) const KIND: Kind = Kind { name: "gorm", fits, reader: || Box::<Gorm>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| Statement::of(&lines::text(line)).is_some()).count()
}

/// A statement's first line.
struct Statement<'a> {
    stamp: Option<Stamp>,
    duration: u64,
    rows: Option<u64>,
    sql: &'a str,
}

impl Statement<'_> {
    fn of(line: &str) -> Option<Statement<'_>> {
        match lines::stamp(line) {
            Some((stamp, rest)) if line.starts_with('[') => {
                let (time, sql) = rest.trim_start().strip_prefix('[')?.split_once("]  ")?;
                let duration = durations::microseconds(time)?;
                Some(Statement { stamp: Some(stamp), duration, rows: None, sql })
            }
            _ => {
                let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
                let (rows, sql) = rest.strip_prefix("[rows:")?.split_once("] ")?;
                let duration = durations::microseconds(time)?;
                Some(Statement { stamp: None, duration, rows: rows.parse().ok(), sql })
            }
        }
    }
}

#[derive(Debug, Default)]
struct Gorm {
    /// The line of code of what follows.
    caller: Option<String>,
    stamp: Option<Stamp>,
    error: Option<String>,
    open: Option<Draft>,
    /// A blank line of the open statement, or the one behind it.
    blank: bool,
}

impl Reader for Gorm {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        let text = text.trim_end_matches('\r');
        if let Some(statement) = Statement::of(text) {
            self.flush(tally, sink);
            self.open = Some(Draft {
                line: number,
                sql: statement.sql.to_owned(),
                duration: Some(statement.duration),
                end: statement.stamp.or(self.stamp),
                caller: self.caller.take(),
                rows: statement.rows,
                error: self.error.take(),
                ..Draft::default()
            });
        } else if let Some(rows) = affected(text) {
            if let Some(open) = &mut self.open {
                open.rows = Some(rows);
            }
            self.flush(tally, sink);
        } else if let Some((caller, stamp, said)) = head(text) {
            self.flush(tally, sink);
            self.caller = Some(caller.to_owned());
            self.stamp = stamp;
            // `record not found` is an answer, and a slow statement has one.
            self.error = (said.contains("SQLSTATE") || said.starts_with("ERROR")).then(|| said.to_owned());
        } else if let Some(error) = lines::stamp(text).and_then(|(_, rest)| rest.trim().strip_prefix("pq: "))
        {
            self.flush(tally, sink);
            tally.entries += 1;
            let kind = EventKind::Error { sqlstate: None, message: error.as_bytes(), sql: None };
            sink(&Event { session: Some(0), ..Event::new(kind, Position { input: 0, line: number }) });
        } else if text.trim().is_empty() {
            self.blank = self.open.is_some();
        } else if let Some(open) = &mut self.open
            && lines::stamp(text).is_none()
            && !(self.blank && text.starts_with(|c: char| c.is_ascii_uppercase() || "[{".contains(c)))
        {
            if !open.push(text) {
                tally.skip(number, line);
            }
            self.blank = false;
        } else {
            self.flush(tally, sink);
            tally.foreign += 1;
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.flush(tally, sink);
    }
}

impl Gorm {
    fn flush(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.blank = false;
        if let Some(open) = self.open.take() {
            open.emit(tally, sink);
        }
    }
}

/// `2026/01/02 15:04:05 /app/main.go:42 SLOW SQL >= 200ms`, or `(/app/main.go:42)`: the line of code, the
/// time, what is said besides.
fn head(line: &str) -> Option<(&str, Option<Stamp>, &str)> {
    if let Some(caller) = line.trim_end().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return is_place(caller).then_some((caller, None, ""));
    }
    let (stamp, rest) = lines::stamp(line)?;
    let rest = rest.trim_start_matches(|c: char| c == ' ' || c == '.' || c.is_ascii_digit());
    let (caller, said) = rest.split_once(' ').unwrap_or((rest, ""));
    is_place(caller).then_some((caller, Some(stamp), said.trim()))
}

fn is_place(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(file, line)| {
        file.strip_suffix(".go").is_some() && !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit())
    })
}

/// `[8 rows affected or returned ]`.
fn affected(line: &str) -> Option<u64> {
    line.trim().strip_prefix('[')?.strip_suffix("rows affected or returned ]")?.trim().parse().ok()
}
