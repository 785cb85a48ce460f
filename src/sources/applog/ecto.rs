//! Ecto (Elixir): a line of times, the statement with its values, and the line of code.
//!
//! ```text
//! 12:00:00.123 [debug] QUERY OK source="users" db=1.2ms decode=0.1ms queue=0.5ms idle=10.0ms
//! SELECT u0."id" FROM "users" AS u0 WHERE (u0."id" = $1) [1]
//! ↳ MyApp.Users.get/1, at: lib/my_app/users.ex:10
//! ```
//!
//! `db` is the duration. `queue` is how long the statement waited for a connection of the pool. Metadata
//! of the logger before the level may name the request. The default format shows no date: no times then.

use super::{
    Kind, Reader, durations,
    fields::Fields,
    lines::{self, Draft, Sink},
    values::{self, Value},
};
use crate::sources::pglog::Tally;

pub(super) const KIND: Kind = Kind { name: "ecto", fits, reader: || Box::<Ecto>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| head(&lines::text(line)).is_some()).count()
}

#[derive(Debug, Default)]
struct Ecto {
    open: Option<Draft>,
}

impl Reader for Ecto {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if let Some(mut draft) = head(&text) {
            self.end(tally, sink);
            draft.line = number;
            self.open = Some(draft);
        } else if let Some(caller) = text.trim_start().strip_prefix("↳ ") {
            if let Some(open) = &mut self.open {
                let place = caller.split_once(", at: ").map_or(caller, |(_, place)| place);
                open.caller = Some(place.trim().to_owned());
            }
            self.end(tally, sink);
        } else if is_entry(&text) || text.trim().is_empty() {
            // A blank line ends an entry of the default format.
            if self.open.as_ref().is_some_and(|open| !open.sql.is_empty()) {
                self.end(tally, sink);
            }
            tally.foreign += u64::from(!text.trim().is_empty());
        } else if let Some(open) = &mut self.open {
            if !open.push(&text) {
                tally.skip(number, line);
            }
        } else {
            tally.foreign += 1;
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        let Some(mut open) = self.open.take() else { return };
        // Before 3.? without values `[]` stands behind the statement, too.
        if open.sql.trim_end().ends_with(']') {
            let found = open.sql.match_indices(" [").find_map(|(at, _)| {
                let (value, rest) = values::read(&open.sql[at + 1..])?;
                (matches!(value, Value::List(_)) && rest.trim().is_empty()).then_some((at, value))
            });
            if let Some((at, Value::List(list))) = found {
                open.sql.truncate(at);
                open.binds = (!list.is_empty()).then(|| list.iter().map(values::bind).collect());
            }
        }
        open.emit(tally, sink);
    }
}

/// `QUERY OK source="users" db=1.2ms …`, with what the logger puts before it.
fn head(line: &str) -> Option<Draft> {
    let at = line.find("QUERY OK").or_else(|| line.find("QUERY ERROR"))?;
    let (before, after) = line.split_at(at);
    let fields = Fields::pairs(after);
    let time = |key: &str| fields.text(key).and_then(durations::microseconds);
    let duration = time("db");
    // Ecto writes at least one of its times.
    if duration.is_none() && time("queue").is_none() && time("decode").is_none() && time("idle").is_none() {
        return None;
    }
    let metadata = Fields::pairs(before);
    Some(Draft {
        duration,
        pool_wait: time("queue"),
        end: lines::stamp(before).map(|(stamp, _)| stamp),
        session: metadata.text("pid").map(|pid| lines::session(pid.as_bytes())),
        unit: metadata.unit(),
        error: after.starts_with("QUERY ERROR").then(|| "QUERY ERROR".to_owned()),
        ..Draft::default()
    })
}

/// Whether a line begins an entry: `12:00:00.123 [info] …` or `[info] …`.
fn is_entry(line: &str) -> bool {
    let rest = match lines::stamp(line) {
        Some((_, rest)) => rest.trim_start(),
        None => line.trim_start_matches(|c: char| c.is_ascii_digit() || ":. ".contains(c)),
    };
    ["[debug]", "[info]", "[notice]", "[warn", "[error]"].iter().any(|level| {
        rest.find(level)
            .is_some_and(|at| at == 0 || rest[..at].split_whitespace().all(|pair| pair.contains('=')))
    })
}
