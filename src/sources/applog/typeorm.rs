//! `TypeORM`: `query: … -- PARAMETERS: […]` of the console loggers, with colours or not,
//! `[time][QUERY]: …` of the file logger, and `typeorm:query:log query: …` of the debug logger.
//!
//! Only slow statements have a duration. They are logged twice, as is what failed: the second entry
//! adds to the first, which waits for it among the last [`WAITING`] statements.

use std::collections::VecDeque;

use super::{
    Kind, Reader, durations,
    lines::{self, Draft, Sink, Stamp},
    node, values,
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "typeorm", fits, reader: || Box::<TypeOrm>::default() };

/// Statements that wait for what is said of them later.
const WAITING: usize = 256;
/// Bytes of their texts.
const WAITING_BYTES: usize = 16 << 20;

fn fits(lines: &[&[u8]]) -> usize {
    let ours = |line: &&&[u8]| matches!(Head::of(&lines::text(line)), Some(Head { word: Word::Query(_, _), sql, .. }) if lines::begins_sql(sql));
    lines.iter().filter(ours).count()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Said again because it was slow or failed; the microseconds where they stand on this line.
    Query(Again, Option<u64>),
    /// `execution time: 29`: of the slow one above.
    Time,
    Error,
    Parameters,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Again {
    #[default]
    No,
    Slow,
    Failed,
}

struct Head<'a> {
    stamp: Option<Stamp>,
    word: Word,
    sql: &'a str,
}

impl Head<'_> {
    fn of(line: &str) -> Option<Head<'_>> {
        let stamp = lines::stamp(line);
        let mut rest = stamp.map_or(line, |(_, rest)| rest).trim_start();
        let stamp = stamp.map(|(stamp, _)| stamp);
        if let Some(tagged) = rest.strip_prefix("typeorm:") {
            rest = tagged.split_once(' ')?.1;
        }
        if let Some(inner) = rest.strip_prefix('[') {
            let (name, sql) = inner.split_once("]: ")?;
            let word = match name {
                "QUERY" => Word::Query(Again::No, None),
                "FAILED QUERY" => Word::Query(Again::Failed, None),
                "QUERY ERROR" => Word::Error,
                name => Word::Query(
                    Again::Slow,
                    Some(durations::microseconds(name.strip_prefix("SLOW QUERY: ")?)?),
                ),
            };
            return Some(Head { stamp, word, sql });
        }
        let words = [
            ("query: ", Word::Query(Again::No, None)),
            ("query is slow: ", Word::Query(Again::Slow, None)),
            ("query failed: ", Word::Query(Again::Failed, None)),
            ("execution time: ", Word::Time),
            ("error: ", Word::Error),
            ("parameters: ", Word::Parameters),
        ];
        words
            .iter()
            .find_map(|(prefix, word)| rest.strip_prefix(prefix).map(|sql| Head { stamp, word: *word, sql }))
    }
}

#[derive(Debug, Default)]
struct TypeOrm {
    open: Option<Draft>,
    again: Again,
    waiting: VecDeque<Draft>,
    bytes: usize,
}

impl TypeOrm {
    /// The open statement has ended: it waits, or adds to one that does.
    fn close(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let Some(open) = self.open.take() else { return };
        let again = std::mem::take(&mut self.again);
        let same = |draft: &&mut Draft| {
            draft.sql == open.sql
                && draft.binds == open.binds
                && draft.duration.is_none()
                && draft.error.is_none()
        };
        if again != Again::No
            && let Some(first) = self.waiting.iter_mut().find(same)
        {
            first.duration = open.duration;
            first.end = open.end.or(first.end);
            first.error = open.error;
            return;
        }
        self.bytes += open.sql.len();
        self.waiting.push_back(open);
        while self.waiting.len() > WAITING || self.bytes > WAITING_BYTES {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.bytes -= oldest.sql.len();
            oldest.emit(tally, sink);
        }
    }
}

impl Reader for TypeOrm {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        let Some(head) = Head::of(&text) else {
            match self.open.as_mut().filter(|open| open.binds.is_none() && node::goes_on(&open.sql, &text)) {
                Some(open) if open.error.is_none() && open.duration.is_none() => {
                    if !open.push(&text) {
                        tally.skip(number, line);
                    }
                    node::take_values(open, " -- PARAMETERS: ");
                }
                _ => tally.foreign += 1,
            }
            return;
        };
        match (head.word, &mut self.open) {
            (Word::Query(again, duration), _) => {
                self.close(tally, sink);
                let mut open = Draft {
                    line: number,
                    sql: head.sql.to_owned(),
                    end: head.stamp,
                    duration,
                    ..Draft::default()
                };
                node::take_values(&mut open, " -- PARAMETERS: ");
                if again == Again::Failed {
                    open.error = Some(String::new());
                }
                self.again = again;
                self.open = Some(open);
            }
            (Word::Time, Some(open)) if self.again == Again::Slow => {
                let ms: Option<u64> = head.sql.trim().parse().ok();
                open.duration = ms.and_then(|ms| ms.checked_mul(1000));
                if open.duration.is_none() {
                    tally.skip(number, line);
                }
            }
            (Word::Error, Some(open)) if self.again == Again::Failed => {
                open.error = Some(head.sql.trim_start_matches("error: ").to_owned());
            }
            (Word::Parameters, Some(open)) if open.binds.is_none() => open.binds = values::list(head.sql),
            _ => tally.foreign += 1,
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.close(tally, sink);
        for draft in std::mem::take(&mut self.waiting) {
            draft.emit(tally, sink);
        }
    }
}
