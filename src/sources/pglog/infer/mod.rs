//! The first lines of a stderr log → its `log_line_prefix`.
//!
//! Common prefixes are tried, and those that the lines suggest: what stands before `LOG:  ` is cut into words and
//! separators ([`skeleton`]), and lines cut alike are laid under each other, so that a column tells by its values and by
//! what connection lines say what it is ([`columns`]). The prefix that reads the most lines is taken.

mod columns;
mod skeleton;

use std::cmp::Reverse;

use memchr::memmem;

use self::columns::{Guess, guesses};
use super::{prefix::Prefix, time::Clock};

/// Defaults of PostgreSQL, of distributions and of hosted services, and what log analysers ask for.
pub(in crate::sources) const COMMON: &[&str] = &[
    "%m [%p] ",
    "%m [%p] %q%u@%d ",
    "%t [%p] %q%u@%d ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%m [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: user=%u,db=%d ",
    "%m [%p]: user=%u,db=%d ",
    "%t [%p-%l] %q%u@%d ",
    "%m [%p-%l] %q%u@%d ",
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%m [%p] %q[user=%u,db=%d,app=%a,client=%h] ",
    "%m [%p-%l] %q[user=%u,db=%d,app=%a] ",
    "%m [%r] [%p]: [%l-1] user=%u,db=%d,host=%h,app=%a [%x] ",
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%m [%p] db=%d,user=%u,app=%a,client=%h ",
    "[%m] [%p] %q%u@%d ",
    // Heroku's, now and before; the second has no time, so that logplex' stands in front.
    "sql_error_code = %e time_ms = \"%m\" pid=\"%p\" proc_start_time=\"%s\" session_id=\"%c\" vtid=\"%v\" tid=\"%x\" log_line=\"%l\" %qdatabase=\"%d\" connection_source=\"%r\" user=\"%u\" application_name=\"%a\" ",
    "%m [%p] sql_error_code = %e ",
    "%t [%p] sql_error_code = %e ",
    "%t ",
    "%m ",
];

/// Lines looked at; enough to see a prefix, few enough to be quick.
const LINES: usize = 400;

/// How many lines (of the first [`LINES`]) begin with the prefix and a severity.
pub(in crate::sources) fn matches(prefix: &Prefix, lines: &[&[u8]]) -> usize {
    Read::of(prefix, lines).lines
}

/// What a prefix reads of some lines.
#[derive(Default)]
struct Read {
    lines: usize,
    /// Lines with a value that looks like several: `web,client=[local]`.
    odd: usize,
    /// Values of all lines.
    values: usize,
}

impl Read {
    fn of(prefix: &Prefix, lines: &[&[u8]]) -> Read {
        let mut clock = Clock::default();
        let mut read = Read::default();
        for line in lines.iter().take(LINES) {
            let Some(head) = prefix.head(line, &mut clock) else { continue };
            read.lines += 1;
            read.odd += usize::from(head.fields.look_merged());
            read.values += head.fields.known();
        }
        read
    }
}

/// How many lines hold a severity somewhere near their beginning.
pub(in crate::sources) fn heads(lines: &[&[u8]]) -> usize {
    lines.iter().take(LINES).filter(|line| severity_at(line).is_some()).count()
}

/// Whether a prefix reads nine tenths of the lines that hold a severity.
pub(in crate::sources) fn fits(prefix: &Prefix, lines: &[&[u8]], heads: usize) -> bool {
    let matched = matches(prefix, lines);
    matched > 0 && matched * 10 >= heads * 9
}

/// The prefix that reads the most lines; among equals the one with the fewest values that look like several, that
/// assumes the least and tells the most, then the first of [`COMMON`].
pub(in crate::sources) fn infer(lines: &[&[u8]]) -> Option<Prefix> {
    let mut best = None;
    let mut most = (0, Reverse(0), Reverse(0), 0, 0);
    let common = COMMON.iter().map(|text| Guess { text: (*text).to_owned(), assumed: 0 });
    for Guess { text, assumed } in common.chain(guesses(&lines[..lines.len().min(LINES)])) {
        let Ok(prefix) = Prefix::compile(&text) else { continue };
        let read = Read::of(&prefix, lines);
        let score = (read.lines, Reverse(read.odd), Reverse(assumed), read.values, prefix.fields());
        if score.0 > 0 && score > most {
            most = score;
            best = Some(prefix);
        }
    }
    best
}

/// Where `LOG:  ` or its like stands; not in a continuation line.
pub(in crate::sources) fn severity_at(line: &[u8]) -> Option<usize> {
    if matches!(line.first(), Some(b'\t' | b' ') | None) {
        return None;
    }
    let near = &line[..line.len().min(600)];
    memmem::find_iter(near, b":  ").find_map(|colon| {
        let word = near[..colon].iter().rev().take_while(|b| b.is_ascii_uppercase()).count();
        let at = colon - word;
        super::severity::read(&near[at..]).is_some().then_some(at)
    })
}
