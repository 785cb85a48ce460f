//! Query logs of applications: what an ORM or a driver wrote → events.
//!
//! One file a format. Each gives a [`Kind`]: how its lines are told from any other text, and a
//! [`Reader`] that takes the lines in order and gives events. These logs are small beside a server's, so
//! a reader may allocate, and it sees the whole log from its first line to its last; memory stays
//! bounded all the same: a reader keeps what is open, never what is done.
//!
//! What a reader owes:
//! * SQL with `$1`, `$2` … in place of the format's own placeholders, so that one query is one query
//!   whoever logged it; bind values in that order.
//! * `None` for what the log does not carry. A time since the last line is no duration.
//! * [`Event::session`] is whatever tells one stream of statements from another: a connection, a thread,
//!   a process, numbered from 0; a log that tells nothing is one stream, number 0.
//! * [`Event::unit`] only where the log names a request, a job, a trace or a transaction.
//! * A line of its own format that it cannot read is counted with [`Tally::skip`]. Other lines (the
//!   application's own chatter) are counted in [`Tally::foreign`].

mod configured;
mod django;
mod drizzle;
mod durations;
mod ecto;
mod fields;
mod gorm;
mod hibernate;
mod java;
mod knex;
mod laravel;
mod lines;
mod mybatis;
mod node;
mod otel;
mod p6spy;
mod pgx;
mod placeholders;
mod prisma;
mod python;
mod rails;
mod sequelize;
mod sqlalchemy;
mod sqlx;
mod terminal;
mod typeorm;
mod values;

use std::{
    io::{self, BufRead as _, BufReader, Read as _},
    sync::Arc,
};

pub use configured::Readers;
pub(super) use configured::{Configured, parallel};

use super::{envelope::Lines, pglog::Tally, pipeline::Found, tail};
use crate::workload::{Event, Position};

/// The formats, in the order in which they are tried; where two fit equally many lines the first wins.
const KINDS: &[&Kind] = &[
    &rails::KIND,
    &gorm::KIND,
    &ecto::KIND,
    &pgx::KIND,
    &sqlx::KIND,
    &laravel::KIND,
    &p6spy::KIND,
    &mybatis::KIND,
    &hibernate::KIND,
    &otel::KIND,
    &django::KIND,
    &sqlalchemy::KIND,
    &prisma::KIND,
    &drizzle::KIND,
    &knex::KIND,
    &sequelize::KIND,
    &typeorm::KIND,
    // Of the pooler in between; a log like the others otherwise.
    &super::pgbouncer::KIND,
];

/// One format.
pub(super) struct Kind {
    /// As reports and `--input-format` name it.
    pub name: &'static str,
    /// How many of these lines (without their ends) only this format could have written. The lines are
    /// the beginning of an input; the last may be cut.
    pub fits: fn(&[&[u8]]) -> usize,
    pub reader: fn() -> Box<dyn Reader>,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(self.name)
    }
}

/// A format of these, or one that the user defined.
#[derive(Clone, Debug)]
pub(super) enum Format {
    Known(&'static Kind),
    Configured(Arc<Configured>),
}

impl Format {
    /// As reports and `--input-format` name it.
    pub(super) fn name(&self) -> &str {
        match self {
            Format::Known(kind) => kind.name,
            Format::Configured(configured) => &configured.name,
        }
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        match self {
            Format::Known(kind) => (kind.reader)(),
            Format::Configured(configured) => configured.reader(),
        }
    }
}

/// Reads one log from its first line to its last.
pub(super) trait Reader {
    /// Takes the next line, without its end. Positions of events hold the line alone: the input's number
    /// is set for it.
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: &mut dyn FnMut(&Event<'_>));

    /// The log ends: gives what is open.
    fn end(&mut self, tally: &mut Tally, sink: &mut dyn FnMut(&Event<'_>));

    /// What a person should know of how it was read.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The names of the formats.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// The format of a name.
pub(super) fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name).copied()
}

/// How many lines the best format fits.
pub(super) fn fits(lines: &[&[u8]]) -> usize {
    KINDS.iter().map(|kind| (kind.fits)(lines)).max().unwrap_or(0)
}

/// The format that fits the most lines, if any does.
pub(super) fn recognise(lines: &[&[u8]]) -> Option<&'static Kind> {
    let fitting = KINDS.iter().map(|kind| ((kind.fits)(lines), *kind)).filter(|(lines, _)| *lines > 0);
    // The first of those that fit best.
    fitting.rev().max_by_key(|(lines, _)| *lines).map(|(_, kind)| kind)
}

/// What comes of reading a log.
pub(super) enum Read<'e, 'a> {
    Event(&'e Event<'a>),
    /// Nothing new has come for a while in a log that still grows; bytes so far.
    Quiet {
        bytes: u64,
    },
}

/// A line is cut after this many bytes.
const LONGEST_LINE: u64 = 64 << 20;

/// Reads a log to its end, or to where it cannot be read any further.
///
/// `lines` tells where a line stands in the user's file, when it was unwrapped. Sessions are numbered apart from those of every other input: two logs share none.
pub(super) fn read(
    format: &Format,
    from: Box<dyn io::Read + Send>,
    lines: Option<&Lines>,
    input: u32,
    sink: &mut dyn FnMut(Read<'_, '_>),
) -> Found {
    let mut found = Found::default();
    let mut reader = format.reader();
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut events = 0;
    let mut number = 0;
    let mut line = Vec::new();
    let mut give = |event: &Event<'_>, sink: &mut dyn FnMut(Read<'_, '_>)| {
        events += 1;
        sink(Read::Event(&placed(event, input)));
    };
    loop {
        match from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) if line.is_empty() => break,
            Ok(_) => {}
            // What was read of a line waits for the rest of it.
            Err(error) if tail::is_quiet(&error) => {
                sink(Read::Quiet { bytes: found.bytes });
                continue;
            }
            Err(error) => {
                found.damage = Some(error.to_string());
                break;
            }
        }
        number += 1;
        found.bytes += line.len() as u64;
        let text = without_end(&line);
        let number = lines.map_or(number, |lines| lines.outer(number));
        reader.line(number, text, &mut found.tally, &mut |event| give(event, sink));
        line.clear();
    }
    reader.end(&mut found.tally, &mut |event| give(event, sink));
    found.events = events;
    found.notes = reader.notes();
    found
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The event as one of this input: two inputs share no session.
fn placed<'a>(event: &Event<'a>, input: u32) -> Event<'a> {
    let position = Position { input, ..event.position };
    let session = event.session.map(|session| ((input + 1) << SESSION_BITS) | (session & SESSIONS));
    Event { session, position, ..event.clone() }
}

/// Room for the sessions of one log; a process id of a server never comes near what lies above it.
const SESSION_BITS: u32 = 24;
const SESSIONS: u32 = (1 << SESSION_BITS) - 1;
