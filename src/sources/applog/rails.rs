//! Rails: `  User Load (0.3ms)  SELECT …  [["id", 1], ["LIMIT", 1]]`, and the line of code below it.
//!
//! A request is what stands between `Started` and `Completed`, or what carries the same request id
//! (`config.log_tags`). Of the clock a log without a formatter shows only when requests began, in whole
//! seconds. `CACHE` lines are answers without a query: they are counted, not executed.
//!
//! `lib/active_record/log_subscriber.rb`, `lib/active_support/tagged_logging.rb` and `Logger::Formatter`
//! write these lines.

use std::collections::BTreeMap;

use super::{
    Kind, Reader, durations,
    lines::{self, CLAUSES, Draft, Sink, Stamp},
    values,
};
use crate::{
    sources::pglog::Tally,
    workload::{Event, EventKind, Evidence, Position, UnitId},
};

pub(super) const KIND: Kind = Kind { name: "rails", fits, reader: || Box::<Rails>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    let of_rails = |line: &&&[u8]| {
        let text = lines::text(line);
        let (_, message) = Head::of(&text);
        Sql::of(message).is_some_and(|sql| lines::begins_sql(sql.text)) || message.starts_with("  ↳ ")
    };
    lines.iter().filter(of_rails).count()
}

/// What stands before a message.
#[derive(Debug, Default)]
struct Head<'a> {
    /// Something did: then a line without it goes on with the message above.
    any: bool,
    time: Option<Stamp>,
    /// `5018`, or with the thread: `5018:tid`.
    process: Option<&'a str>,
    /// The first tag that can be a request's or a job's id.
    request: Option<&'a str>,
}

impl Head<'_> {
    fn of(line: &str) -> (Head<'_>, &str) {
        let mut head = Head::default();
        let mut rest = line;
        // `D, [2026-11-23T09:31:42.162096 #5018] DEBUG -- : `
        if let [b'A'..=b'Z', b',', b' ', b'[', ..] = line.as_bytes()
            && let Some((stamp, after)) = lines::stamp(&line[4..])
            && let Some((process, after)) = after.split_once("] ")
            && let Some((_, message)) = after.split_once(": ")
        {
            head.any = true;
            head.time = Some(stamp);
            head.process = Some(process.trim().trim_start_matches('#'));
            rest = message;
        }
        while let Some((tag, after)) = rest.strip_prefix('[').and_then(|tag| tag.split_once("] ")) {
            if tag.is_empty() || tag.contains(['"', '[', '\'']) {
                break;
            }
            let id = tag.len() >= 16 && tag.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
            if id && head.request.is_none() {
                head.request = Some(tag);
            }
            head.any = true;
            rest = after;
        }
        (head, rest)
    }
}

/// A statement's line.
struct Sql<'a> {
    name: &'a str,
    /// Microseconds.
    duration: u64,
    text: &'a str,
}

impl Sql<'_> {
    /// `  Name (1.2ms)  SELECT …`; asynchronous ones say `  ASYNC Name (wait ms) (db time 1.2ms)  …`.
    fn of(message: &str) -> Option<Sql<'_>> {
        let inner = message.strip_prefix("  ")?;
        let open = inner.find('(')?;
        let (name, after) = (inner[..open].trim(), &inner[open + 1..]);
        let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | ':' | '?' | '_' | '!' | '.');
        if open > 200 || !name.chars().all(plain) {
            return None;
        }
        let (mut times, text) = after.split_once(")  ")?;
        if let Some((_, database)) = times.split_once(") (db time ") {
            times = database;
        }
        let end = times.find("ms")? + 2;
        Some(Sql { name, duration: durations::microseconds(&times[..end])?, text })
    }
}

#[derive(Debug, Default)]
struct Rails {
    /// Waits for its continuation, its bind values and its line of code.
    open: Option<Draft>,
    /// The statement's line had something before the message.
    headed: bool,
    /// It ends in its bind values.
    complete: bool,
    /// By process.
    requests: BTreeMap<String, Request>,
    cached: u64,
    /// `Completed` lines without a request that is open.
    overlaps: u64,
}

#[derive(Debug)]
struct Request {
    unit: UnitId,
    started: Option<Stamp>,
}

/// Processes whose requests are remembered.
const MOST_PROCESSES: usize = 10_000;

impl Reader for Rails {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        let (head, message) = Head::of(&text);
        if let Some(sql) = Sql::of(message) {
            self.flush(tally, sink);
            if sql.name.starts_with("CACHE") {
                self.cached += 1;
            } else {
                self.begin(number, &head, &sql);
            }
            return;
        }
        if let Some(caller) = message.trim_start().strip_prefix("↳ ") {
            if let Some(open) = &mut self.open {
                open.caller = Some(place(caller).to_owned());
                self.flush(tally, sink);
            }
            return;
        }
        if self.open.is_some() && !head.any && self.continues(message) {
            if let Some(open) = &mut self.open
                && !open.push(message)
            {
                tally.skip(number, line);
            }
            self.finish();
            return;
        }
        self.flush(tally, sink);
        self.chatter(number, &head, message, tally, sink);
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.flush(tally, sink);
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.cached > 0 {
            notes.push(format!("{} answers of the query cache (CACHE) are no executions", self.cached));
        }
        if self.overlaps > 0 {
            notes.push(
                "requests overlap and cannot be told apart: set config.log_tags = [:request_id]".to_owned(),
            );
        }
        notes
    }
}

impl Rails {
    fn begin(&mut self, number: u64, head: &Head<'_>, sql: &Sql<'_>) {
        let request = self.requests.get(head.process.unwrap_or_default());
        self.open = Some(Draft {
            line: number,
            sql: sql.text.to_owned(),
            duration: Some(sql.duration),
            end: head.time.or(request.and_then(|request| request.started)),
            session: Some(head.process.map_or(0, |process| lines::session(process.as_bytes()))),
            unit: head
                .request
                .map(|id| UnitId::new(Evidence::Tag, id.as_bytes()))
                .or(request.map(|request| request.unit)),
            ..Draft::default()
        });
        self.headed = head.any;
        self.finish();
    }

    /// Takes the bind values from the statement's end.
    fn finish(&mut self) {
        self.complete = false;
        let Some(open) = &mut self.open else { return };
        if !open.sql.trim_end().ends_with(']') {
            return;
        }
        // Values may hold anything, so the list that reaches the end counts, from the first on.
        let found = open.sql.match_indices("  [[").find_map(|(at, _)| {
            let binds = values::list(&open.sql[at + 2..])?;
            Some((at, binds))
        });
        if let Some((at, binds)) = found {
            open.sql.truncate(at);
            open.binds = Some(binds);
            self.complete = true;
        }
    }

    /// Whether a line without a head belongs to the open statement.
    fn continues(&self, line: &str) -> bool {
        !self.complete
            && (self.headed
                || line.is_empty()
                || line.starts_with([' ', '\t', ')'])
                || line.trim_end().ends_with("]]")
                || self.open.as_ref().is_some_and(|open| lines::is_open(&open.sql))
                || goes_on(line))
    }

    fn flush(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        if let Some(open) = self.open.take() {
            open.emit(tally, sink);
        }
    }

    /// A line that is no statement's: perhaps where a request begins or ends.
    fn chatter(&mut self, number: u64, head: &Head<'_>, message: &str, tally: &mut Tally, sink: Sink<'_>) {
        let process = head.process.unwrap_or_default();
        if message.starts_with("Started ") && message.contains(" for ") {
            let started = message.rsplit_once(" at ").and_then(|(_, time)| rails_time(time));
            let unit = UnitId::new(Evidence::Tag, format!("{number} {message}").as_bytes());
            if self.requests.len() >= MOST_PROCESSES {
                self.requests.clear();
            }
            self.requests.insert(process.to_owned(), Request { unit, started });
        } else if message.starts_with("Completed ") && message.contains(" in ") {
            if self.requests.remove(process).is_none() && head.request.is_none() {
                self.overlaps += 1;
            }
        } else if let Some(error) = server_error(message) {
            let kind = EventKind::Error { sqlstate: None, message: error.as_bytes(), sql: None };
            tally.entries += 1;
            sink(&Event {
                end: head.time.map(|time| time.us),
                session: Some(lines::session(process.as_bytes())),
                ..Event::new(kind, Position { input: 0, line: number })
            });
            return;
        }
        tally.foreign += 1;
    }
}

/// `2026-11-23 09:30:33 +0000`.
fn rails_time(text: &str) -> Option<Stamp> {
    let (time, zone) = text.trim().rsplit_once(' ')?;
    lines::stamp(&format!("{time}{zone}")).map(|(stamp, _)| stamp)
}

/// `app/models/user.rb:4:in 'name'` without the method.
fn place(caller: &str) -> &str {
    caller.split_once(":in ").map_or(caller, |(place, _)| place).trim()
}

/// `PG::UndefinedColumn: ERROR:  column "x" does not exist` in an exception's line.
fn server_error(message: &str) -> Option<&str> {
    let (_, after) = message.split_once("PG::")?;
    let (_, error) = after.split_once(": ERROR:")?;
    Some(error.trim())
}

/// Whether a line begins with a word that a statement goes on with.
fn goes_on(line: &str) -> bool {
    // Subqueries and expressions on lines of their own, too.
    const BEGINNINGS: &[&str] = &[
        "intersect",
        "except",
        "select",
        "insert",
        "update",
        "delete",
        "as",
        "for",
        "window",
        "fetch",
        "using",
        "case",
        "when",
        "then",
        "else",
        "end",
    ];
    let word = line.bytes().take_while(u8::is_ascii_alphabetic).count();
    let word = &line[..word];
    // Keywords of a statement in the same case throughout; a sentence begins with a capital letter.
    CLAUSES.iter().chain(BEGINNINGS).any(|known| word.eq_ignore_ascii_case(known))
        && (word.bytes().all(|b| b.is_ascii_uppercase()) || word.bytes().all(|b| b.is_ascii_lowercase()))
}
