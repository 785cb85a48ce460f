//! Lines of a session known again: what its prefix says beside time and process id hardly ever changes.
//!
//! A stretch of the prefix that names the session (`user=%u,db=%d,app=%a,client=%h `) is kept as it stood
//! in the session's last line. Where a line has the same bytes there, its values are the same: only those
//! stretches are kept where no value could have ended elsewhere, so that what follows them decides nothing.
//!
//! The lines of one entry, and often the next entry of the same session, have the same prefix to the last
//! byte: that of the last line is looked at first.

use std::{collections::BTreeSet, hash::Hasher as _};

use rustc_hash::FxHasher;

use super::{
    Field, Fields, Head, Prefix, Step,
    matcher::{Search, begins_with, better, fixed},
};
use crate::sources::pglog::{severity, time::Clock};

/// Sessions that are kept apart: the last one with a number of the same remainder counts.
const SLOTS: usize = 256;

/// A reader of the lines of one chunk.
#[derive(Debug)]
pub(in crate::sources) struct Recall<'p, 'l> {
    prefix: &'p Prefix,
    pub clock: Clock,
    /// The last line's prefix and what it says, where nothing but its own bytes decided that.
    last: Option<(&'l [u8], Fields<'l>)>,
    /// Hash of the setting: two settings read the same bytes in two ways.
    seed: u64,
    /// No value is padded, so that its end is not a matter of trying.
    unpadded: bool,
    /// All names are among the steps that are kept.
    holds_names: bool,
    /// The steps that are kept.
    from: usize,
    to: usize,
    /// The process id is among them.
    holds_pid: bool,
    known: Vec<Option<Stretch>>,
    /// Of the prefixes that the log has elsewhere.
    later: Vec<Recall<'p, 'l>>,
}

#[derive(Debug)]
struct Stretch {
    bytes: Vec<u8>,
    /// Hash of them.
    hash: u64,
    pid: Option<u32>,
    user: Place,
    database: Place,
    application: Place,
    host: Place,
}

/// Of a value within the stretch.
#[derive(Clone, Copy, Debug, Default)]
struct Place(Option<(usize, usize)>);

impl Place {
    fn of(value: Option<&[u8]>, stretch: &[u8]) -> Place {
        Place(value.and_then(|value| {
            let start = value.as_ptr().addr().checked_sub(stretch.as_ptr().addr())?;
            (start + value.len() <= stretch.len()).then_some((start, start + value.len()))
        }))
    }

    fn read(self, stretch: &[u8]) -> Option<&[u8]> {
        self.0.and_then(|(start, end)| stretch.get(start..end))
    }
}

impl<'p, 'l> Recall<'p, 'l> {
    pub(in crate::sources) fn new(prefix: &'p Prefix) -> Recall<'p, 'l> {
        let steps = &prefix.steps;
        let leads = |step: &&Step| match step {
            Step::Literal(_) => true,
            Step::Field { what, padded } => !padded && !is_text(*what),
            Step::Quit => false,
        };
        let lead = steps.iter().take_while(leads).count();
        let is_field = |step: &Step| matches!(step, Step::Field { .. });
        // The bytes before a `%q` are not kept with it: it is looked at where the stretch begins.
        let from = if matches!(steps.get(lead), Some(Step::Quit)) {
            lead
        } else {
            steps[..lead].iter().rposition(is_field).map_or(0, |last| last + 1)
        };
        let stays = |(index, step): &(usize, &Step)| match step {
            Step::Literal(_) => true,
            Step::Field { what, padded } => !padded && is_of_session(*what),
            Step::Quit => *index == from,
        };
        let to = from + steps.iter().enumerate().skip(from).take_while(stays).count();
        let holds_pid = steps[from..to]
            .iter()
            .any(|step| matches!(step, Step::Field { what: Field::Pid | Field::SessionId, .. }));
        let any = steps[from..to].iter().any(is_field);
        let known = if any { (0..SLOTS).map(|_| None).collect() } else { Vec::new() };
        let later = prefix.later.iter().map(Recall::new).collect();
        let unpadded = !steps.iter().any(|step| matches!(step, Step::Field { padded: true, .. }));
        let is_name =
            |step: &Step| matches!(step, Step::Field { what, .. } if is_text(*what) && !is_unused(*what));
        let holds_names = !steps[..from].iter().chain(&steps[to..]).any(is_name);
        let mut hasher = FxHasher::default();
        hasher.write(prefix.text.as_bytes());
        Recall {
            prefix,
            clock: Clock::default(),
            last: None,
            seed: hasher.finish(),
            unpadded,
            holds_names,
            from,
            to,
            holds_pid,
            known,
            later,
        }
    }

    /// As [`Prefix::head`].
    pub(in crate::sources) fn head(&mut self, line: &'l [u8]) -> Option<Head<'l>> {
        let own = self.own(line);
        if self.later.is_empty() {
            return own;
        }
        better(own, self.later.iter_mut().map(|one| one.head(line)))
    }

    /// Time zones that are not known.
    pub(in crate::sources) fn unknown_zones(self) -> BTreeSet<String> {
        let mut zones = self.clock.unknown;
        zones.extend(self.later.into_iter().flat_map(Recall::unknown_zones));
        zones
    }

    fn own(&mut self, line: &'l [u8]) -> Option<Head<'l>> {
        if self.known.is_empty() {
            let mut search = Search::default();
            return self.prefix.step(0, line, 0, &mut self.clock, &mut search).then_some(search.head);
        }
        if let Some((last, fields)) = self.last
            && begins_with_all(line, last)
            && let Some((word, len)) = severity::read(&line[last.len()..])
        {
            return Some(Head { fields, word_at: last.len(), word, text_at: last.len() + len });
        }
        let search = self.search(line)?;
        let decided = search.reached.is_some() && !search.went_back && self.unpadded;
        self.last = decided.then(|| (&line[..search.head.word_at], search.head.fields));
        Some(search.head)
    }

    fn search(&mut self, line: &'l [u8]) -> Option<Search<'l>> {
        let mut search = Search { watched: self.to, ..Search::default() };
        let at = self.lead(line, &mut search.head.fields)?;
        let rest = &line[at..];
        let slot = slot(search.head.fields.pid, rest);
        if let Some(Some(stretch)) = self.known.get(slot)
            && begins_with_all(rest, &stretch.bytes)
            // Background processes stop at `%q`, which is looked at first.
            && (!matches!(self.prefix.steps[self.from], Step::Quit) || severity::read(rest).is_none())
        {
            let lead = search.head.fields;
            stretch.fill(rest, self.holds_pid, &mut search.head.fields);
            if self.prefix.step(self.to, line, at + stretch.bytes.len(), &mut self.clock, &mut search) {
                if self.holds_names {
                    search.head.fields.who = who(stretch.hash, search.head.fields.pid);
                }
                return Some(search);
            }
            search = Search { watched: self.to, ..Search::default() };
            search.head.fields = lead;
        }
        if !self.prefix.step(self.from, line, at, &mut self.clock, &mut search) {
            return None;
        }
        if let Some(end) = search.reached.filter(|_| !search.went_back) {
            let bytes = &line[at..end];
            let mut hasher = FxHasher::default();
            hasher.write_u64(self.seed);
            hasher.write(bytes);
            let hash = hasher.finish();
            let fields = &mut search.head.fields;
            if self.holds_names {
                fields.who = who(hash, fields.pid);
            }
            self.known[slot] = Some(Stretch {
                bytes: bytes.to_vec(),
                hash,
                pid: fields.pid,
                user: Place::of(fields.user, bytes),
                database: Place::of(fields.database, bytes),
                application: Place::of(fields.application, bytes),
                host: Place::of(fields.host, bytes),
            });
        }
        Some(search)
    }

    /// Reads the values before the stretch, none of which leaves a choice; where it begins.
    fn lead<'a>(&mut self, line: &'a [u8], fields: &mut Fields<'a>) -> Option<usize> {
        let mut at = 0;
        for step in &self.prefix.steps[..self.from] {
            at += match step {
                Step::Literal(literal) => begins_with(&line[at..], literal).then_some(literal.len())?,
                Step::Field { what, .. } => fixed(*what, &line[at..], &mut self.clock, fields)??,
                Step::Quit => return None,
            };
        }
        Some(at)
    }
}

impl Stretch {
    fn fill<'a>(&self, line: &'a [u8], holds_pid: bool, fields: &mut Fields<'a>) {
        if holds_pid {
            fields.pid = self.pid;
        }
        fields.user = self.user.read(line);
        fields.database = self.database.read(line);
        fields.application = self.application.read(line);
        fields.host = self.host.read(line);
    }
}

/// See [`crate::workload::Event::who`].
fn who(stretch: u64, pid: Option<u32>) -> u64 {
    (stretch ^ pid.map_or(0, u64::from).wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1 << 63
}

/// By the process id where it stands before the stretch, else by how the stretch begins.
fn slot(pid: Option<u32>, rest: &[u8]) -> usize {
    let number = pid.map_or_else(
        || {
            rest.iter()
                .take(24)
                .fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)))
        },
        |pid| pid as usize,
    );
    number % SLOTS
}

fn begins_with_all(text: &[u8], wanted: &[u8]) -> bool {
    text.get(..wanted.len()) == Some(wanted)
}

/// Plain text, of which only what follows tells where it ends.
fn is_text(what: Field) -> bool {
    matches!(
        what,
        Field::User
            | Field::Database
            | Field::Application
            | Field::Host
            | Field::HostAndPort
            | Field::Backend
            | Field::Ignored
    )
}

fn is_unused(what: Field) -> bool {
    matches!(what, Field::Backend | Field::Ignored)
}

/// Whether a value stays the same for as long as a session does, or hardly ever changes.
fn is_of_session(what: Field) -> bool {
    (is_text(what) && !is_unused(what)) || matches!(what, Field::Pid | Field::SessionId | Field::SessionStart)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the lines with one memory, again and again, and each as if it were the only one.
    #[track_caller]
    fn check(prefix: &str, lines: &[&str]) {
        let prefix = Prefix::compile(prefix).expect("a prefix with a time");
        let mut recall = Recall::new(&prefix);
        assert!(!recall.known.is_empty(), "nothing is kept");
        for line in lines.iter().chain(lines).chain(lines.iter().rev()) {
            let line = line.as_bytes();
            let alone = prefix.head(line, &mut Clock::default());
            let recalled = recall.head(line);
            let shown = |head: Option<Head<'_>>| {
                let head = head.map(|head| Head { fields: Fields { who: 0, ..head.fields }, ..head });
                format!("{head:?}")
            };
            assert_eq!(shown(recalled), shown(alone), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn what_is_recalled_is_what_is_read() {
        check(
            "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
            &[
                "2026-11-23 04:22:29.056 UTC [7]: user=o,db=d,app=a,client=h LOG:  x",
                "2026-11-23 04:22:29.057 UTC [7]: user=o,db=d,app=a,client=h DETAIL:  x",
                "2026-11-23 04:22:30.9 CET [7]: user=o,db=d,app=b,client=h LOG:  x",
                "2026-11-23 04:22:30.9 CETX [7]: user=o,db=d,app=b,client=h LOG:  x",
                "2026-11-23 04:22:29.056 UTC [263]: user=,db=,app=,client= LOG:  x",
                "2026-11-23 04:22:29.056 UTC [7]: user=o,db=d,app=a,client=b ,client=h LOG:  x",
                "2026-11-23 04:22:29.056 UTC [7]: user=o,db=d,app=a,client=h no word",
            ],
        );
        check(
            "%m [%p] %q%u@%d ",
            &[
                "2026-11-23 04:22:29.056 UTC [7] LOG:  x",
                "2026-11-23 04:22:29.056 UTC [7] o@shop LOG:  x",
                "2026-11-23 04:22:29.056 UTC [7] o@shop STATEMENT:  x",
                "2026-11-23 04:22:29.056 UTC [7] LOG:  @d LOG:  x",
            ],
        );
        check(
            "%t:%r:%u@%d:[%p]:",
            &[
                "2026-11-23 04:22:29 UTC:10.0.0.1(1):a@b:[9]:LOG:  x",
                "2026-11-23 04:22:29 UTC:10.0.0.1(1):a@b:[8]:LOG:  x",
                "2026-11-23 04:22:29 UTC::@:[9]:LOG:  x",
            ],
        );
        check(
            "%t [%p-%l] %q[user=%u,db=%d,app=%a,vxid=%v,xid=%x] ",
            &[
                "2026-11-23 04:22:29 UTC [7-1] [user=o,db=d,app=a,vxid=3/1,xid=0] LOG:  x",
                "2026-11-23 04:22:29 UTC [7-2] [user=o,db=d,app=a,vxid=3/2,xid=9] ERROR:  x",
                "2026-11-23 04:22:29 UTC [7-3] LOG:  x",
            ],
        );
    }
}
