//! Who waited for whom: lock waits with the statement that held the lock, and deadlocks.
//!
//! `still waiting` and `acquired` of one wait are put together, and the holder's statement is the last
//! one that its session began before the wait was told, also when that statement is logged later
//! because it was still running. A wait is therefore kept until both are known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    deadlock::DeadlockKey,
    sessions::{Seen, Statement},
    tally::{Counts, Tally},
    told::{LockWait, WaitState},
};
use crate::{sql::Fingerprint, workload::Event};

/// Waits of one statement for another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WaitKey {
    pub waiter: Option<Fingerprint>,
    /// What the holder's session ran last; `None` where the log does not show it.
    pub holder: Option<Fingerprint>,
    /// `ShareLock` …
    pub mode: String,
    /// What sort of thing is locked: `transaction`, `relation`, `tuple`, `advisory lock` …
    pub object: String,
    /// From the CONTEXT.
    pub relation: Option<String>,
    /// Where only the number is told.
    pub relation_oid: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    pub tally: Tally,
    pub acquired: u64,
    /// Microseconds. Of a wait that ended without the lock only the beginning is known.
    pub waited_us: u64,
    pub longest_us: u64,
}

/// One wait that may still change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "what was seen of it: each says another thing")]
struct Wait {
    key: WaitKey,
    pid: u32,
    /// As the log writes it: the same in `still waiting` and `acquired`.
    lock: Vec<u8>,
    tally: Tally,
    /// `still waiting` was seen, and not only the end.
    begun: bool,
    acquired: bool,
    waited_us: u64,
    holder_pid: Option<u32>,
    time: Option<i64>,
    holder: Option<Statement>,
    /// Nothing of the holder's session was seen before it in this piece, nor after it.
    before: bool,
    after: bool,
}

impl Wait {
    /// A statement of the holder's session: it is the one if it began before the wait was told, and no
    /// other did so later.
    fn consider(&mut self, seen: Seen) {
        if let Seen::Ran(statement) = seen
            && self.time.is_some_and(|time| statement.start <= time)
        {
            self.holder = self.holder.max(Some(statement));
        }
    }

    fn is_open(&self) -> bool {
        (self.after && self.holder_pid.is_some()) || !self.acquired
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Locks {
    /// In the order of the log.
    open: Vec<Wait>,
    waits: Counts<WaitKey, Waits>,
    pub deadlocks: Counts<DeadlockKey, Deadlocks>,
}

/// Deadlocks of the same statements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlocks {
    pub tally: Tally,
    /// How often each of the processes was the victim, in their order.
    pub victims: Vec<u64>,
}

/// Waits that are kept open; more than these are closed as they are, the oldest first.
const MOST_OPEN: usize = 10_000;

impl Locks {
    pub(super) fn wait(
        &mut self,
        event: &Event<'_>,
        told: &LockWait<'_>,
        query: Option<Fingerprint>,
        last: impl FnOnce(u32) -> Option<Seen>,
    ) {
        let mut lock = told.mode.to_vec();
        lock.push(b' ');
        lock.extend_from_slice(told.object);
        let acquired = told.state == WaitState::Acquired;
        if acquired && self.ended(told.waiter, &lock, told.waited) {
            return;
        }
        let mut tally = Tally::default();
        tally.add(event, query);
        let (object, relation_oid) = object(told.object);
        let relation = told.context.and_then(relation);
        let mut wait = Wait {
            key: WaitKey {
                waiter: query,
                holder: None,
                mode: String::from_utf8_lossy(told.mode).into_owned(),
                object,
                relation_oid: relation_oid.filter(|_| relation.is_none()),
                relation,
            },
            pid: told.waiter,
            lock,
            tally,
            begun: !acquired,
            acquired,
            waited_us: told.waited,
            holder_pid: told.holder,
            time: event.end,
            holder: None,
            before: true,
            after: true,
        };
        if let Some(seen) = told.holder.and_then(last) {
            wait.consider(seen);
            wait.before = false;
        }
        self.open.push(wait);
    }

    /// The lock of an open wait was given; `false` when there is none.
    fn ended(&mut self, pid: u32, lock: &[u8], waited_us: u64) -> bool {
        let last = self.open.iter_mut().rev().find(|wait| wait.pid == pid);
        let Some(wait) = last.filter(|wait| !wait.acquired && wait.lock == lock) else { return false };
        wait.acquired = true;
        wait.waited_us = waited_us;
        true
    }

    /// Whether what sessions run matters at the moment.
    pub(super) fn watches(&self) -> bool {
        !self.open.is_empty()
    }

    /// Sessions whose next statement matters.
    pub(super) fn watched(&self) -> Vec<u32> {
        let mut pids: Vec<u32> =
            self.open.iter().filter(|wait| wait.after).filter_map(|wait| wait.holder_pid).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// A session did something.
    pub(super) fn ran(&mut self, pid: u32, seen: Seen) {
        for wait in self.open.iter_mut().filter(|wait| wait.after && wait.holder_pid == Some(pid)) {
            wait.consider(seen);
            wait.after = false;
        }
    }

    pub(super) fn deadlock(&mut self, event: &Event<'_>, key: DeadlockKey, victim: Option<usize>) {
        let processes = key.processes.len();
        let queries: Vec<Fingerprint> = key.processes.iter().filter_map(|process| process.query).collect();
        let Some(deadlocks) = self.deadlocks.at(key) else { return };
        deadlocks.tally.add(event, None);
        for query in queries {
            *deadlocks.tally.queries.entry(query).or_default() += 1;
        }
        deadlocks.victims.resize(processes, 0);
        if let Some(victim) = victim.and_then(|at| deadlocks.victims.get_mut(at)) {
            *victim += 1;
        }
    }

    /// Adds what came after; `last` knows what sessions of `self` ran last.
    pub(super) fn merge(&mut self, later: Locks, last: impl Fn(u32) -> Option<Seen>) {
        for mut wait in later.open {
            if wait.before
                && let Some(seen) = wait.holder_pid.and_then(&last)
            {
                wait.consider(seen);
                wait.before = false;
            }
            if wait.begun || !self.ended(wait.pid, &wait.lock, wait.waited_us) {
                self.open.push(wait);
            }
        }
        self.waits.merge(later.waits, |ours, theirs| add_waits(ours, &theirs));
        self.deadlocks.merge(later.deadlocks, |ours, theirs| {
            ours.tally.merge(&theirs.tally);
            ours.victims.resize(theirs.victims.len(), 0);
            for (ours, theirs) in ours.victims.iter_mut().zip(theirs.victims) {
                *ours += theirs;
            }
        });
    }

    /// Folds the waits that are over; only for a log that begins here.
    pub(super) fn settle(&mut self) {
        let mut spare = self.open.len().saturating_sub(MOST_OPEN);
        for wait in std::mem::take(&mut self.open) {
            if wait.is_open() && spare == 0 {
                self.open.push(wait);
            } else {
                spare = spare.saturating_sub(1);
                fold(&mut self.waits, wait);
            }
        }
    }

    /// All waits, those that are still open included.
    pub(super) fn waits(&self) -> BTreeMap<WaitKey, Waits> {
        let mut all = self.waits.clone();
        for wait in self.open.iter().cloned() {
            fold(&mut all, wait);
        }
        all.by_key
    }
}

fn fold(waits: &mut Counts<WaitKey, Waits>, wait: Wait) {
    let key = WaitKey { holder: wait.holder.map(|statement| statement.query), ..wait.key };
    let one = Waits {
        tally: wait.tally,
        acquired: u64::from(wait.acquired),
        waited_us: wait.waited_us,
        longest_us: wait.waited_us,
    };
    if let Some(ours) = waits.at(key) {
        add_waits(ours, &one);
    }
}

fn add_waits(ours: &mut Waits, theirs: &Waits) {
    ours.tally.merge(&theirs.tally);
    ours.acquired += theirs.acquired;
    ours.waited_us = ours.waited_us.saturating_add(theirs.waited_us);
    ours.longest_us = ours.longest_us.max(theirs.longest_us);
}

/// `tuple (0,1) of relation 16385 of database 5` → `tuple`, 16385. Its numbers are of one moment.
pub(super) fn object(text: &[u8]) -> (String, Option<u64>) {
    let text = String::from_utf8_lossy(text);
    let kind: Vec<&str> = text
        .split([' ', '[', '('])
        .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect();
    let kind = match kind.as_slice() {
        // `extension of relation 16385 of database 5`
        ["extension", ..] => "extension".to_owned(),
        ["page", ..] => "page".to_owned(),
        words => words.iter().take(3).copied().collect::<Vec<_>>().join(" "),
    };
    let oid = text.split_once("relation ").and_then(|(_, rest)| {
        rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
    });
    (kind, oid)
}

/// The table in `while updating tuple (0,21) in relation "orders"`.
pub(super) fn relation(context: &[u8]) -> Option<String> {
    let rest = &context[memchr::memmem::find(context, b"relation \"")? + 10..];
    let name = &rest[..memchr::memchr(b'"', rest)?];
    Some(String::from_utf8_lossy(name).into_owned())
}
