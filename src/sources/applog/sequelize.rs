//! Sequelize: `Executing (default): SELECT …`, or with `benchmark` `Executed (default): SELECT …` and its
//! milliseconds, as the application's `logging` function prints them.
//!
//! In parentheses stands the id of the transaction: it is a session and a unit of work of its own.

use super::{
    Kind, Reader,
    lines::{self, Draft, Sink},
    node, values,
};
use crate::{
    sources::pglog::Tally,
    workload::{Evidence, UnitId},
};

pub(super) const KIND: Kind = Kind { name: "sequelize", fits, reader: || Box::<Sequelize>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| Head::of(&lines::text(line)).is_some()).count()
}

struct Head<'a> {
    /// After it ran, so that what follows may be its time.
    after: bool,
    transaction: Option<&'a str>,
    sql: &'a str,
}

impl Head<'_> {
    fn of(line: &str) -> Option<Head<'_>> {
        let (at, after) = match (line.find("Executing ("), line.find("Executed (")) {
            (Some(at), None) => (at, false),
            (None, Some(at)) => (at, true),
            (Some(before), Some(at)) => (before.min(at), at < before),
            (None, None) => return None,
        };
        let inner = &line[at + if after { "Executed (".len() } else { "Executing (".len() }..];
        let (id, sql) = inner.split_once("): ")?;
        let is_id =
            !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let transaction = (id != "default").then_some(id);
        (is_id && !sql.is_empty()).then_some(Head { after, transaction, sql })
    }
}

#[derive(Debug, Default)]
struct Sequelize {
    open: Option<Draft>,
    after: bool,
    /// The time is printed as a bare number behind the statement (`logging: console.log`).
    bare: bool,
}

impl Sequelize {
    fn flush(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let Some(mut open) = self.open.take() else { return };
        if self.after {
            self.time(&mut open);
        }
        parameters(&mut open);
        open.emit(tally, sink);
    }

    /// Takes the milliseconds from the end: `Elapsed time: 3ms`, `[3ms]`, `3 ms`, or `; 3`.
    fn time(&mut self, draft: &mut Draft) {
        let sql = draft.sql.trim_end();
        let inner = sql.trim_end_matches([']', ')']);
        let (inner, unit) = match inner.strip_suffix("ms") {
            Some(inner) => (inner.trim_end(), true),
            None => (sql, false),
        };
        let digits = inner.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (before, number) = inner.split_at(inner.len() - digits);
        let Ok(ms) = number.parse::<u64>() else { return };
        let mut before = before.trim_end();
        if unit {
            before = before.trim_end_matches(['[', '(', '-', '|']).trim_end();
            before = before.strip_suffix("Elapsed time:").unwrap_or(before).trim_end();
        } else {
            self.bare |= before.ends_with(';');
            if !self.bare {
                return;
            }
        }
        draft.duration = ms.checked_mul(1000);
        let length = before.len();
        draft.sql.truncate(length);
    }
}

/// Takes the values of `logQueryParameters` from behind the statement: `… WHERE "id" = $2; 196, "a"`.
fn parameters(draft: &mut Draft) {
    if !draft.sql.contains('$') {
        return;
    }
    let found = draft.sql.match_indices("; ").find_map(|(at, _)| {
        let binds = values::list(&format!("[{}]", &draft.sql[at + 2..]))?;
        (!binds.is_empty()).then_some((at, binds))
    });
    if let Some((at, binds)) = found {
        draft.sql.truncate(at);
        draft.binds = Some(binds);
    }
}

impl Reader for Sequelize {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if let Some(head) = Head::of(&text) {
            self.flush(tally, sink);
            self.after = head.after;
            self.open = Some(Draft {
                line: number,
                sql: head.sql.to_owned(),
                end: lines::stamp(&text).map(|(stamp, _)| stamp),
                session: head.transaction.map(|id| lines::session(id.as_bytes())),
                unit: head.transaction.map(|id| UnitId::new(Evidence::Transaction, id.as_bytes())),
                ..Draft::default()
            });
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
    }
}
