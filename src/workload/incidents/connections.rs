//! Connections: how many, by whom, for how long, and how many at once.

use serde::{Deserialize, Serialize};

use super::tally::{Counts, known};
use crate::workload::{Event, Sketch};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    pub received: u64,
    pub authenticated: u64,
    pub authorized: u64,
    pub by_user: Counts<String, u64>,
    pub by_database: Counts<String, u64>,
    pub by_host: Counts<String, u64>,
    pub by_application: Counts<String, u64>,
    /// Sessions whose end was told (`log_disconnections`), with how long they were, in microseconds.
    pub ended: u64,
    pub total_us: u64,
    pub longest_us: u64,
    /// Shorter than [`Connections::SHORT_US`].
    pub short: u64,
    pub lengths: Sketch,
    open: Open,
}

impl Connections {
    /// A session shorter than this did hardly more than connect: to open one (a process, authentication,
    /// empty caches) takes some milliseconds.
    pub const SHORT_US: u64 = 1_000_000;

    pub(super) fn begins(&mut self, event: &Event<'_>) {
        self.authorized += 1;
        self.open.change(1);
        for (counts, name) in [
            (&mut self.by_user, event.user),
            (&mut self.by_database, event.database),
            (&mut self.by_host, event.host),
            (&mut self.by_application, event.application),
        ] {
            if let Some(name) = known(name)
                && let Some(count) = counts.at(String::from_utf8_lossy(name).into_owned())
            {
                *count += 1;
            }
        }
    }

    pub(super) fn ends(&mut self, session_us: u64) {
        self.ended += 1;
        self.open.change(-1);
        self.total_us = self.total_us.saturating_add(session_us);
        self.longest_us = self.longest_us.max(session_us);
        self.short += u64::from(session_us < Connections::SHORT_US);
        self.lengths.add(session_us);
    }

    /// An authorized session was refused after all.
    pub(super) fn refused(&mut self) {
        self.open.change(-1);
    }

    /// A server begins: no session is open.
    pub(super) fn server_starts(&mut self) {
        self.open.reset();
    }

    /// The most sessions open at once; `None` when the log does not tell both beginnings and ends.
    pub fn peak(&self) -> Option<u64> {
        (self.authorized > 0 && self.ended > 0).then(|| self.open.peak())
    }

    pub(super) fn merge(&mut self, other: Connections) {
        self.received += other.received;
        self.authenticated += other.authenticated;
        self.authorized += other.authorized;
        for (ours, theirs) in [
            (&mut self.by_user, other.by_user),
            (&mut self.by_database, other.by_database),
            (&mut self.by_host, other.by_host),
            (&mut self.by_application, other.by_application),
        ] {
            ours.merge(theirs, |ours, theirs| *ours += theirs);
        }
        self.ended += other.ended;
        self.total_us = self.total_us.saturating_add(other.total_us);
        self.longest_us = self.longest_us.max(other.longest_us);
        self.short += other.short;
        self.lengths.merge(&other.lengths);
        self.open.merge(&other.open);
    }
}

/// A count that goes up and down, of which only the change is known: where it began is told by how far
/// it fell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    change: i64,
    highest: i64,
    lowest: i64,
}

impl Stretch {
    fn add(&mut self, next: Stretch) {
        self.highest = self.highest.max(self.change + next.highest);
        self.lowest = self.lowest.min(self.change + next.lowest);
        self.change += next.change;
    }

    fn peak(self) -> u64 {
        u64::try_from(self.highest - self.lowest).unwrap_or(0)
    }
}

/// Sessions open at once: a stretch up to the first start of a server, the highest of those between two
/// starts, and the stretch after the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    head: Stretch,
    between: u64,
    tail: Option<Stretch>,
}

impl Open {
    pub(in crate::workload) fn change(&mut self, by: i64) {
        let one = Stretch { change: by, highest: by.max(0), lowest: by.min(0) };
        self.tail.as_mut().unwrap_or(&mut self.head).add(one);
    }

    pub(in crate::workload) fn reset(&mut self) {
        if let Some(tail) = self.tail.replace(Stretch::default()) {
            self.between = self.between.max(tail.peak());
        }
    }

    pub(in crate::workload) fn merge(&mut self, later: &Open) {
        self.tail.as_mut().unwrap_or(&mut self.head).add(later.head);
        self.between = self.between.max(later.between);
        if let Some(tail) = later.tail {
            self.reset();
            self.tail = Some(tail);
        }
    }

    pub(in crate::workload) fn peak(&self) -> u64 {
        self.between.max(self.head.peak()).max(self.tail.map_or(0, Stretch::peak))
    }
}
