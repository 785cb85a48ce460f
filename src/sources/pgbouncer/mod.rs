//! `PgBouncer`'s own log: one entry a line.
//!
//! ```text
//! 2026-11-23 12:19:40.917 UTC [26435] LOG stats: 2 xacts/s, 2 queries/s, in 11 B/s, …
//! 2016-02-09 09:00:47.264 27930 LOG Stats: 4284 req/s, in 2736595 b/s, …           before 1.11: no zone
//! C-0x563a5124d630: shop/app@127.0.0.1:36754 closing because: client close request (age=2s)    by syslog
//! ```
//!
//! By syslog it writes neither time, process nor level; the envelope's reader puts the first two in front.
//! Lines of DEBUG and NOISE are known, and tell nothing more.

mod line;
mod message;

use line::Line;

use super::{
    applog::{Kind, Reader},
    pglog::{Tally, time::Clock},
};
use crate::workload::{
    Event, EventKind, Position,
    pooler::{Period, Told, Wait},
};

pub(super) const KIND: Kind = Kind { name: "pgbouncer", fits, reader: || Box::<PgBouncer>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    let mut clock = Clock::default();
    lines.iter().filter(|line| line::read(line, &mut clock).is_some_and(|line| line.is_certain())).count()
}

/// Whether a text without time and process is one of its entries.
pub(super) fn is_bare_entry(text: &[u8]) -> bool {
    line::read(text, &mut Clock::default()).is_some_and(|line| line.is_certain() && line.pid.is_none())
}

#[derive(Default)]
struct PgBouncer {
    clock: Clock,
    /// Major and minor number, as a start told them.
    version: Option<(u32, u32)>,
    /// Times without a zone were read as UTC.
    zoneless: bool,
    /// Statistics told waits whose meaning depends on a version that is not known.
    ambiguous: bool,
    processes: Vec<Process>,
    /// Statistics whose period is not known yet: its length shows with the next.
    first: Option<(Position, Option<i64>, Option<u32>, Period)>,
}

/// A process that told statistics before.
#[derive(Clone, Copy, Debug)]
struct Process {
    pid: Option<u32>,
    /// Microseconds.
    last: i64,
    seconds: Option<u64>,
}

/// Processes that write one log (`so_reuseport`), at most; more are told apart no longer.
const MOST_PROCESSES: usize = 64;
/// Since this version the wait is told for each client that got a connection.
const EACH: (u32, u32) = (1, 23);

impl Reader for PgBouncer {
    fn line(&mut self, number: u64, text: &[u8], tally: &mut Tally, sink: &mut dyn FnMut(&Event<'_>)) {
        if text.trim_ascii().is_empty() {
            return;
        }
        let Some(line) = line::read(text, &mut self.clock) else {
            tally.skip(number, text);
            return;
        };
        let Some(told) = message::read(&line) else {
            if line.level.is_some() {
                tally.entries += 1;
                give(&line, Told::Besides, number, sink);
            } else {
                // Another program's, in an envelope.
                tally.foreign += 1;
            }
            return;
        };
        tally.entries += 1;
        self.zoneless |= line.zoneless;
        match told {
            Told::Starts { version } => {
                self.version = version.and_then(message::version);
                give(&line, told, number, sink);
            }
            Told::Period(period) => self.period(&line, period, number, sink),
            told => give(&line, told, number, sink),
        }
    }

    fn end(&mut self, _tally: &mut Tally, sink: &mut dyn FnMut(&Event<'_>)) {
        self.release(None, sink);
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.zoneless {
            notes.push("its lines name no time zone: read as UTC".to_owned());
        }
        if self.ambiguous {
            notes.push(
                "its version is not in the log: waits are read as PgBouncer 1.23 and later writes them"
                    .to_owned(),
            );
        }
        notes
    }
}

impl PgBouncer {
    fn period(&mut self, line: &Line<'_>, mut period: Period, number: u64, sink: &mut dyn FnMut(&Event<'_>)) {
        if let Some(Wait::Each(us)) = period.wait {
            match self.version {
                Some(version) if version < EACH => period.wait = Some(Wait::ASecond(us)),
                Some(_) => {}
                None => self.ambiguous = true,
            }
        } else if let (Some(Wait::ASecond(us)), Some(version)) = (period.wait, self.version)
            && version >= EACH
        {
            period.wait = Some(Wait::Each(us));
        }
        let position = Position { input: 0, line: number };
        let Some(time) = line.time else {
            emit(position, None, period, sink);
            return;
        };
        let known = self.processes.iter_mut().find(|process| process.pid == line.pid);
        let Some(known) = known else {
            self.release(None, sink);
            if self.processes.len() == MOST_PROCESSES {
                self.processes.remove(0);
            }
            self.processes.push(Process { pid: line.pid, last: time, seconds: None });
            self.first = Some((position, Some(time), line.pid, period));
            return;
        };
        let gap = u64::try_from(time.saturating_sub(known.last)).ok();
        // stats_period is in whole seconds; the clock of a busy process is late.
        let gap = gap.map(|us| us.saturating_add(500_000) / 1_000_000).filter(|seconds| *seconds > 0);
        known.last = time;
        known.seconds = match (known.seconds, gap) {
            // Lines are missing in between.
            (Some(seconds), Some(gap)) if gap > seconds && gap.is_multiple_of(seconds) => Some(seconds),
            (known, gap) => gap.or(known),
        };
        let seconds = known.seconds;
        if self.first.as_ref().is_some_and(|(_, _, pid, _)| *pid == line.pid) {
            self.release(seconds, sink);
        }
        emit(position, Some(time), Period { seconds, ..period }, sink);
    }

    /// Gives the first statistics, which waited for the length of their period.
    fn release(&mut self, seconds: Option<u64>, sink: &mut dyn FnMut(&Event<'_>)) {
        if let Some((position, time, _, period)) = self.first.take() {
            emit(position, time, Period { seconds, ..period }, sink);
        }
    }
}

fn emit(position: Position, end: Option<i64>, period: Period, sink: &mut dyn FnMut(&Event<'_>)) {
    sink(&Event { end, ..Event::new(EventKind::Pooler(&Told::Period(period)), position) });
}

fn give(line: &Line<'_>, told: Told<'_>, number: u64, sink: &mut dyn FnMut(&Event<'_>)) {
    let position = Position { input: 0, line: number };
    sink(&Event {
        end: line.time,
        database: line.database,
        user: line.user,
        // Of a connection to the server it is the server's address.
        host: line.host.filter(|_| line.side == Some(line::Side::Client)),
        ..Event::new(EventKind::Pooler(&told), position)
    });
}
