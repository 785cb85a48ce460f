//! `MyBatis`: `==>  Preparing: …`, `==> Parameters: 1(Integer), x(String)`, `<==      Total: 1`.
//!
//! The three lines are of one thread, in which others may stand between them. The logger is the mapper's
//! method: the line of code. There are no durations. Statements that a row of another one asks for have
//! longer arrows (`====>`): the outer one is given before them, without its rows.

use std::collections::BTreeMap;

use super::{
    Kind, Reader, java,
    lines::{self, Draft, Sink},
    placeholders::{self, Style},
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "mybatis", fits, reader: || Box::<MyBatis>::default() };

/// Threads whose statements may be open at once.
const MOST_THREADS: usize = 4096;

fn fits(lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| lines::text(line).contains("==>  Preparing: ")).count()
}

#[derive(Debug, Default)]
struct MyBatis {
    /// By thread.
    open: BTreeMap<String, Draft>,
    /// The thread whose `Preparing` line may go on.
    current: Option<String>,
}

impl Reader for MyBatis {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        let Some(at) = text.find("==>").into_iter().chain(text.find("<==")).min() else {
            match self.current.as_ref().and_then(|thread| self.open.get_mut(thread)) {
                Some(open) if !java::begins_entry(&text) => {
                    if !open.push(&text) {
                        tally.skip(number, line);
                    }
                }
                _ => {
                    self.current = None;
                    tally.foreign += 1;
                }
            }
            return;
        };
        let (before, said) = text.split_at(at);
        let before = before.trim_end_matches('=');
        let said = said.trim_start_matches(['=', '<', '>', ' ']);
        let head = java::head(&format!("{before}x"), &|_, message| message == "x")
            .map(|head| (head.stamp, head.thread.map(str::to_owned), head.logger.to_owned()));
        let (stamp, thread, logger) = head.unwrap_or_default();
        let key = thread.clone().unwrap_or_default();
        self.current = None;
        if let Some(sql) = said.strip_prefix("Preparing: ") {
            if self.open.len() >= MOST_THREADS {
                self.end(tally, sink);
            }
            self.current = Some(key.clone());
            let draft = Draft {
                line: number,
                sql: sql.to_owned(),
                style: Some(Style::Question),
                end: stamp,
                session: thread.map(|thread| lines::session(thread.as_bytes())),
                caller: (!logger.is_empty()).then_some(logger),
                ..Draft::default()
            };
            if let Some(before) = self.open.insert(key, draft) {
                before.emit(tally, sink);
            }
        } else if let Some(list) = said.strip_prefix("Parameters:") {
            let Some(open) = self.open.get_mut(&key) else {
                tally.skip(number, line);
                return;
            };
            // A batch gives values again.
            if open.binds.is_some() {
                open.emit(tally, sink);
            }
            let count = placeholders::number(open.sql.as_bytes(), Style::Question).count;
            open.binds = if count == 0 { None } else { parameters(list.trim(), count) };
        } else if let Some(rows) = said.strip_prefix("Total: ").or_else(|| said.strip_prefix("Updates: ")) {
            match self.open.remove(&key) {
                Some(mut open) => {
                    open.rows = rows.trim().parse().ok();
                    open.emit(tally, sink);
                }
                // Of an outer statement that was given before.
                None => tally.foreign += 1,
            }
        } else {
            tally.foreign += 1;
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let mut open: Vec<Draft> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|draft| draft.line);
        for draft in open {
            draft.emit(tally, sink);
        }
    }
}

/// `1(Integer), a, b(String), null`: values end in their type; `None` unless there are as many as the
/// statement takes.
fn parameters(list: &str, count: usize) -> Option<Vec<Option<String>>> {
    let mut values = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        if let Some(after) =
            rest.strip_prefix("null").filter(|after| after.is_empty() || after.starts_with(", "))
        {
            values.push(None);
            rest = after.strip_prefix(", ").unwrap_or("");
            continue;
        }
        // Up to `(Type)` before a comma or the end.
        let end = rest.match_indices(')').map(|(at, _)| at).find(|&at| {
            let ends = rest[at + 1..].is_empty() || rest[at + 1..].starts_with(", ");
            let typed = rest[..at].rfind('(').is_some_and(|open| {
                let name = &rest[open + 1..at];
                name.starts_with(|c: char| c.is_ascii_uppercase())
                    && name.chars().all(|c| c.is_alphanumeric() || "_.$[]".contains(c))
            });
            ends && typed
        })?;
        let open = rest[..end].rfind('(')?;
        values.push(Some(rest[..open].to_owned()));
        rest = rest[end + 1..].strip_prefix(", ").unwrap_or("");
    }
    (values.len() == count).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_in_their_type() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            parameters("1(Integer), a (b), c(String), null, 2026-11-23T10:00(LocalDateTime)", 4),
            Some(vec![some("1"), some("a (b), c"), None, some("2026-11-23T10:00")])
        );
        assert_eq!(parameters("(String)", 1), Some(vec![some("")]));
        assert_eq!(parameters("1(Integer)", 2), None);
        assert_eq!(parameters("cut short", 1), None);
    }
}
