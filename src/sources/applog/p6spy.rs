//! p6spy (Java): `now|elapsed|category|connection N|url U|prepared|sql`, with or without the URL, and the
//! two-line form `#now | took 3ms | category | connection N| url U`.
//!
//! Of the two statements the one with its values filled in is read; `||` and `|` within a statement are
//! told from the separator by the two being alike up to the first `?`. Categories other than `statement`,
//! `batch`, `commit` and `rollback` say nothing new.

use super::{
    Kind, Reader, fields,
    lines::{self, Draft, Sink},
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "p6spy", fits, reader: || Box::<P6Spy>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| Entry::of(&lines::text(line)).is_some()).count()
}

/// The fields of a line up to the statements.
struct Entry<'a> {
    now: &'a str,
    /// Milliseconds.
    elapsed: u64,
    category: &'a str,
    connection: u32,
    statements: &'a str,
    /// The statements stand on the lines below.
    below: bool,
}

impl Entry<'_> {
    fn of(line: &str) -> Option<Entry<'_>> {
        // A logger may stand in front.
        let at = line.find("|connection ").or_else(|| line.find("| connection "))?;
        let (before, after) = line.split_at(at);
        let mut parts = before.rsplitn(3, '|');
        let category = parts.next()?.trim();
        let took = parts.next()?.trim();
        let now = parts.next()?;
        let below = took.starts_with("took ");
        let elapsed = took.trim_start_matches("took ").trim_end_matches("ms").trim().parse().ok()?;
        let now = if below { now.rsplit('#').next()? } else { now.rsplit(" : ").next()? };
        let after = after.trim_start_matches(['|', ' ']).strip_prefix("connection ")?;
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let connection = after[..digits].parse().ok()?;
        let mut statements = after[digits..].strip_prefix('|').unwrap_or(&after[digits..]);
        if let Some(url) = statements.trim_start().strip_prefix("url ") {
            statements = url.split_once('|').map_or("", |(_, rest)| rest);
        }
        let known = !category.is_empty() && category.bytes().all(|b| b.is_ascii_lowercase());
        known.then_some(Entry { now: now.trim(), elapsed, category, connection, statements, below })
    }

    fn draft(&self, number: u64) -> Draft {
        let time = self.now.parse::<u64>().map_or_else(|_| self.now.into(), serde_json::Value::from);
        Draft {
            line: number,
            duration: Some(self.elapsed * 1000),
            end: fields::stamp(&time),
            session: Some(self.connection),
            ..Draft::default()
        }
    }
}

#[derive(Debug, Default)]
struct P6Spy {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    draft: Draft,
    below: bool,
}

impl Reader for P6Spy {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        let Some(entry) = Entry::of(&text) else {
            match &mut self.open {
                Some(open) => {
                    if !open.draft.push(&text) {
                        tally.skip(number, line);
                    }
                }
                None => tally.foreign += 1,
            }
            return;
        };
        self.end(tally, sink);
        let mut draft = entry.draft(number);
        match entry.category {
            "statement" | "batch" => {
                entry.statements.clone_into(&mut draft.sql);
                self.open = Some(Open { draft, below: entry.below });
            }
            category @ ("commit" | "rollback") => {
                category.clone_into(&mut draft.sql);
                draft.emit(tally, sink);
            }
            _ => tally.foreign += 1,
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let Some(Open { mut draft, below }) = self.open.take() else { return };
        let filled = if below { last_half(&draft.sql) } else { filled(&draft.sql) };
        draft.sql = filled.trim().trim_end_matches(';').to_owned();
        if draft.sql.is_empty() {
            tally.skip(draft.line, b"a statement without its text");
        }
        draft.emit(tally, sink);
    }
}

/// The second of `prepared|sql`.
fn filled(both: &str) -> &str {
    let alike = |(at, _): &(usize, &str)| {
        let (prepared, sql) = (both[..*at].trim(), both[at + 1..].trim());
        let fixed = prepared.split('?').next().unwrap_or(prepared);
        !sql.is_empty() && sql.starts_with(fixed) && (prepared.contains('?') || prepared.len() == sql.len())
    };
    match both.match_indices('|').find(alike) {
        Some((at, _)) => &both[at + 1..],
        // A statement without its prepared form.
        None => both.strip_prefix('|').unwrap_or(both),
    }
}

/// Below the two-line form stand the prepared statement, where there is one, and the filled one.
fn last_half(lines: &str) -> &str {
    let lines = lines.trim();
    let alike = |(at, _): &(usize, &str)| {
        let (prepared, sql) = (lines[..*at].trim(), lines[at + 1..].trim().trim_end_matches(';'));
        let fixed = prepared.split('?').next().unwrap_or(prepared);
        sql.starts_with(fixed) && (prepared.contains('?') || prepared.len() == sql.len())
    };
    lines.match_indices('\n').find(alike).map_or(lines, |(at, _)| &lines[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filled_statement_is_found() {
        for (both, expect) in [
            ("select 1|select 1", "select 1"),
            ("select * from t where id=?|select * from t where id=1", "select * from t where id=1"),
            ("select a||? from t|select a||'x|y' from t", "select a||'x|y' from t"),
            ("|select a||b", "select a||b"),
            ("select a||b", "select a||b"),
        ] {
            assert_eq!(filled(both), expect);
        }
        assert_eq!(last_half("select ?\nselect 1;"), "select 1;");
        assert_eq!(last_half("select\n 1;"), "select\n 1;");
    }
}
