//! Clients and connections to the server, by database and user.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    reasons::{Cause, cause, plain},
    told::Told,
};
use crate::workload::{Event, Sketch, incidents::Open};

/// A pool is one user's in one database; `None` for a connection that had not told them yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PoolName {
    pub database: Option<String>,
    pub user: Option<String>,
}

impl PoolName {
    pub(super) fn of(event: &Event<'_>) -> PoolName {
        let text = |name: Option<&[u8]>| name.map(|name| String::from_utf8_lossy(name).into_owned());
        PoolName { database: text(event.database), user: text(event.user) }
    }
}

/// How often, and when first and last (microseconds since 1970).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    pub count: u64,
    pub first: Option<i64>,
    pub last: Option<i64>,
}

impl Times {
    pub(super) fn add(&mut self, time: Option<i64>) {
        self.merge(&Times { count: 1, first: time, last: time });
    }

    pub(super) fn merge(&mut self, other: &Times) {
        self.count += other.count;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }
}

/// Connections that were closed for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// `closing because:` (`log_disconnections`).
    pub closed: Times,
    /// `pooler error:` (`log_pooler_errors`), which tells of the same clients once more.
    pub errors: Times,
}

impl Closed {
    /// Connections: either sort of line may be switched off.
    pub fn times(&self) -> Times {
        if self.errors.count > self.closed.count { self.errors } else { self.closed }
    }

    fn merge(&mut self, other: &Closed) {
        self.closed.merge(&other.closed);
        self.errors.merge(&other.errors);
    }
}

/// Connections of one kind of one pool: its clients, or those to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// `log_connections`.
    pub opened: Times,
    /// Those whose age was told, in whole seconds.
    pub aged: u64,
    pub age_s: u64,
    /// Microseconds, of ages above 0.
    pub ages: Sketch,
    pub reasons: BTreeMap<String, Closed>,
    /// Of reasons that found no room.
    pub other_reasons: u64,
    open: Open,
}

/// Reasons of one pool: the program knows some 60.
const MOST_REASONS: usize = 100;

impl Connections {
    fn opens(&mut self, time: Option<i64>) {
        self.opened.add(time);
        self.open.change(1);
    }

    fn closes(&mut self, reason: &[u8], age_s: Option<u64>, time: Option<i64>) {
        self.open.change(-1);
        if let Some(age) = age_s {
            self.aged += 1;
            self.age_s = self.age_s.saturating_add(age);
            self.ages.add(age.saturating_mul(1_000_000));
        }
        if let Some(reason) = self.reason(plain(reason)) {
            reason.closed.add(time);
        }
    }

    fn reason(&mut self, reason: String) -> Option<&mut Closed> {
        if self.reasons.len() >= MOST_REASONS && !self.reasons.contains_key(&reason) {
            self.other_reasons += 1;
            return None;
        }
        Some(self.reasons.entry(reason).or_default())
    }

    fn merge(&mut self, later: Connections) {
        self.opened.merge(&later.opened);
        self.aged += later.aged;
        self.age_s = self.age_s.saturating_add(later.age_s);
        self.ages.merge(&later.ages);
        self.open.merge(&later.open);
        self.other_reasons += later.other_reasons;
        for (reason, closed) in later.reasons {
            if let Some(ours) = self.reason(reason) {
                ours.merge(&closed);
            }
        }
    }

    /// Closed for a reason of this kind.
    pub fn of(&self, wanted: Cause) -> Times {
        let mut times = Times::default();
        for (_, closed) in self.reasons.iter().filter(|(reason, _)| cause(reason) == wanted) {
            times.merge(&closed.times());
        }
        times
    }

    /// The most that were open at once; `None` where the log does not tell both beginnings and ends.
    pub fn peak(&self) -> Option<u64> {
        (self.opened.count > 0 && self.aged > 0).then(|| self.open.peak())
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub clients: Connections,
    pub servers: Connections,
    /// Connections beyond the pool's size.
    pub reserve: Times,
}

impl Pool {
    pub(super) fn add(&mut self, told: &Told<'_>, time: Option<i64>) {
        match told {
            Told::ClientConnects => self.clients.opens(time),
            Told::ClientCloses { reason, age_s } => {
                // Refused before it could tell its name: it never was a client.
                if cause(&plain(reason)) == Cause::Limit {
                    self.clients.open.change(1);
                }
                self.clients.closes(reason, *age_s, time);
            }
            Told::ClientFails { reason } => {
                if let Some(reason) = self.clients.reason(plain(reason)) {
                    reason.errors.add(time);
                }
            }
            Told::ServerConnects => self.servers.opens(time),
            Told::ServerCloses { reason, age_s } => {
                if told.change_of_servers() == 0 {
                    self.servers.open.change(1);
                }
                self.servers.closes(reason, *age_s, time);
            }
            Told::Reserve => self.reserve.add(time),
            _ => {}
        }
    }

    /// The process begins or ends: nothing is open.
    pub(super) fn restarts(&mut self) {
        self.clients.open.reset();
        self.servers.open.reset();
    }

    pub(super) fn merge(&mut self, later: Pool) {
        self.clients.merge(later.clients);
        self.servers.merge(later.servers);
        self.reserve.merge(&later.reserve);
    }
}
