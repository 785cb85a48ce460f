//! Hibernate: `org.hibernate.SQL` and its bind values by thread, or `Hibernate: select …` of `show_sql`.
//!
//! A statement is logged when it is prepared, then its values, each on a line of the same thread: so it
//! waits for the thread's next statement. Where values come again for one statement, a batch runs it
//! again. With `show_sql` besides the logger each statement stands there twice, and counts once.
//! `org.hibernate.SQL_SLOW` gives the duration of slow ones; others have none.

use std::collections::BTreeMap;

use super::{
    Kind, Reader,
    java::{self, Head},
    lines::{self, Draft, Sink},
    placeholders::{self, Style},
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "hibernate", fits, reader: || Box::<Hibernate>::default() };

/// `show_sql` writes this before each statement.
const SHOWN: &str = "Hibernate: ";

/// Threads whose statements may be open at once.
const MOST_THREADS: usize = 4096;

fn fits(lines: &[&[u8]]) -> usize {
    let of_hibernate = |line: &&&[u8]| {
        let text = lines::text(line);
        text.starts_with(SHOWN)
            || text == SHOWN.trim_end()
            || head(&text).is_some_and(|head| is_sql(head.logger))
    };
    lines.iter().filter(of_hibernate).count()
}

fn is_sql(logger: &str) -> bool {
    matches!(logger, "org.hibernate.SQL" | "o.hibernate.SQL" | "o.h.SQL" | "SQL")
}

/// A line of Hibernate's own loggers about a statement.
fn head(line: &str) -> Option<Head<'_>> {
    java::head(line, &|logger, message| {
        (is_sql(logger) && (message.trim().is_empty() || lines::begins_sql(message)))
            || logger.ends_with("SQL_SLOW")
            || message.starts_with("binding parameter ")
    })
}

#[derive(Debug, Default)]
struct Hibernate {
    /// By thread; that of `show_sql` has no name.
    open: BTreeMap<String, Statement>,
    /// The thread whose line may go on, and what of it does.
    current: Option<(String, Part)>,
    /// The logger is there, so that `show_sql` only repeats it.
    logged: bool,
    repeated: u64,
}

#[derive(Clone, Debug, Default)]
struct Statement {
    draft: Draft,
    /// By number.
    values: BTreeMap<usize, Option<String>>,
    /// The number of the value that is being read.
    last: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Sql,
    Value,
    /// What `show_sql` repeats.
    Repeated,
}

impl Reader for Hibernate {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if let Some(shown) =
            text.strip_prefix(SHOWN.trim_end()).filter(|rest| rest.is_empty() || rest.starts_with(' '))
        {
            if self.logged {
                self.repeated += 1;
                self.current = Some((String::new(), Part::Repeated));
            } else {
                let draft = Draft { line: number, sql: shown.trim().to_owned(), ..Draft::default() };
                self.begin(String::new(), draft, tally, sink);
            }
            return;
        }
        if let Some(head) = head(&text) {
            let thread = head.thread.unwrap_or_default().to_owned();
            if is_sql(head.logger) {
                self.logged = true;
                let draft = Draft {
                    line: number,
                    sql: head.message.to_owned(),
                    end: head.stamp,
                    session: head.thread.map(|thread| lines::session(thread.as_bytes())),
                    ..Draft::default()
                };
                self.begin(thread, draft, tally, sink);
            } else if let Some((index, value)) = binding(head.message) {
                self.value(&thread, index, value, tally, sink);
            } else if let Some(us) = slow(head.message)
                && let Some(statement) = self.open.get_mut(&thread)
            {
                statement.draft.duration = Some(us);
                self.current = None;
            } else {
                self.current = None;
                tally.foreign += 1;
            }
            return;
        }
        // show_sql prints without a head, so that a statement of many lines is told by its margin.
        let margin = self.logged || text.starts_with([' ', '\t']) || text.is_empty();
        match &self.current {
            Some((thread, part)) if margin && !java::begins_entry(&text) => {
                let Some(statement) = self.open.get_mut(thread) else { return };
                match part {
                    Part::Sql => {
                        if !statement.draft.push(&text) {
                            tally.skip(number, line);
                        }
                    }
                    Part::Value => {
                        if let Some(Some(value)) = statement.values.get_mut(&statement.last) {
                            value.push('\n');
                            value.push_str(&text);
                        }
                    }
                    Part::Repeated => {}
                }
            }
            _ => {
                self.current = None;
                tally.foreign += 1;
            }
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let mut open: Vec<Statement> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|statement| statement.draft.line);
        for statement in open {
            statement.emit(tally, sink);
        }
    }

    fn notes(&self) -> Vec<String> {
        if self.repeated == 0 {
            return Vec::new();
        }
        vec![format!(
            "{} statements of show_sql repeat those of the logger and are not counted",
            self.repeated
        )]
    }
}

impl Hibernate {
    fn begin(&mut self, thread: String, draft: Draft, tally: &mut Tally, sink: Sink<'_>) {
        if self.open.len() >= MOST_THREADS {
            self.end(tally, sink);
        }
        let statement = Statement { draft, ..Statement::default() };
        if let Some(before) = self.open.insert(thread.clone(), statement) {
            before.emit(tally, sink);
        }
        self.current = Some((thread, Part::Sql));
    }

    fn value(
        &mut self,
        thread: &str,
        index: usize,
        value: Option<String>,
        tally: &mut Tally,
        sink: Sink<'_>,
    ) {
        let Some(statement) = self.open.get_mut(thread) else {
            tally.foreign += 1;
            return;
        };
        if statement.values.contains_key(&index) {
            statement.emit(tally, sink);
            statement.values.clear();
        }
        statement.values.insert(index, value);
        statement.last = index;
        self.current = Some((thread.to_owned(), Part::Value));
    }
}

impl Statement {
    fn emit(&self, tally: &mut Tally, sink: Sink<'_>) {
        let count = placeholders::number(self.draft.sql.as_bytes(), Style::Question).count;
        // `[x]` in the newer forms; a value that holds lines ends below.
        let closed = |value: &String| match value.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').unwrap_or(inner).to_owned(),
            None => value.clone(),
        };
        let complete = count > 0 && (1..=count).all(|index| self.values.contains_key(&index));
        let binds = complete
            .then(|| self.values.range(1..=count).map(|(_, value)| value.as_ref().map(closed)).collect());
        Draft { style: Some(Style::Question), binds, ..self.draft.clone() }.emit(tally, sink);
    }
}

/// `binding parameter (1:VARCHAR) <- [x]`, `binding parameter [1] as [BIGINT] - [1]`, and of version 3
/// `binding parameter [1] as [BIGINT] - 1`.
fn binding(message: &str) -> Option<(usize, Option<String>)> {
    let rest = message.strip_prefix("binding parameter ")?;
    let digits = rest.get(1..)?.bytes().take_while(u8::is_ascii_digit).count();
    let index = rest.get(1..=digits)?.parse().ok()?;
    let (_, value) = rest.split_once(" <- ").or_else(|| rest.split_once("] - "))?;
    let null = matches!(value, "[null]" | "<null>" | "null");
    Some((index, (!null).then(|| value.to_owned())))
}

/// `SlowQuery: 12 milliseconds. SQL: '…'`, in microseconds.
fn slow(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("uery")?;
    let (number, _) = rest.trim_start_matches([':', ' ']).split_once(" milliseconds")?;
    Some(number.rsplit(' ').next()?.parse::<u64>().ok()? * 1000)
}
