//! Drizzle's logger: `Query: select … -- params: [1, "a"]`, one line a statement before it runs.
//!
//! It tells neither times, nor connections, nor failures.

use super::{
    Kind, Reader,
    lines::{self, Draft, Sink},
    node,
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "drizzle", fits, reader: || Box::<Drizzle>::default() };

const PARAMS: &str = " -- params: ";

fn fits(lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| statement(&lines::text(line)).is_some()).count()
}

/// The statement of a line, whatever a logger put before it.
fn statement(line: &str) -> Option<&str> {
    let at = line.find("Query: ")?;
    let sql = &line[at + "Query: ".len()..];
    (!line[..at].contains(['\'', '"']) && lines::begins_sql(sql)).then_some(sql)
}

#[derive(Debug, Default)]
struct Drizzle {
    open: Option<Draft>,
}

impl Drizzle {
    fn flush(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        if let Some(open) = self.open.take() {
            open.emit(tally, sink);
        }
    }
}

impl Reader for Drizzle {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if let Some(sql) = statement(&text) {
            self.flush(tally, sink);
            let end = lines::stamp(&text).map(|(stamp, _)| stamp);
            self.open = Some(Draft { line: number, sql: sql.to_owned(), end, ..Draft::default() });
        } else if let Some(open) = self.open.as_mut().filter(|open| node::goes_on(&open.sql, &text)) {
            if !open.push(&text) {
                tally.skip(number, line);
            }
        } else {
            tally.foreign += 1;
            return;
        }
        let done = self.open.as_mut().is_some_and(|open| node::take_values(open, PARAMS));
        if done {
            self.flush(tally, sink);
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.flush(tally, sink);
    }
}
