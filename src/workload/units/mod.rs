//! Steps of sessions → units of work: what one request did.
//!
//! A unit is, by the best evidence there is: one trace, one request tag, one explicit transaction, or
//! a burst of one session, as far as the rhythm of the log says that it is one (`rhythm`). Where a
//! connection pool spreads requests over its sessions, their loops come first (`pool`).
//!
//! **Invariant:** adding and merging only append, in the order of the log; nothing is decided before
//! [`WINDOW`] steps are there, or the log is over. So a log that is cut anywhere gives the same units.

mod pool;
mod rhythm;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    event::Event,
    repetition::{Evidence, Repetition, Repetitions},
};
use crate::sql::{Fingerprint, StatementKind};

/// Steps that are looked at together: enough to learn a rhythm from, little enough for bounded memory
/// (16 MB).
const WINDOW: usize = 1 << 18;
/// Steps of one unit that may wait for the next window: no request is longer.
const LONGEST: usize = 10_000;
/// A trace or a burst is over when the log has gone on for so long without it, in microseconds.
const IDLE: i64 = 10_000_000;
/// The same for an open transaction.
const TRANSACTION_IDLE: i64 = 600_000_000;

/// One execution (or the start or end of a session), as far as units of work need to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) query: Fingerprint,
    /// `None`: the session starts or ends here.
    pub(super) kind: Option<StatementKind>,
    /// Hash of constants and bind values; `None` when the log does not show the values.
    pub(super) values: Option<u32>,
    /// How many constants and bind values there are; a list counts each.
    pub(super) size: u16,
    pub(super) end: Option<i64>,
    /// Microseconds.
    pub(super) duration: u32,
    pub(super) session: u32,
    /// Hash of database, user and application: who sends it.
    pub(super) sender: u32,
    /// Hash of database and user, which a session never changes: two servers in one log may give the same
    /// number to two sessions.
    pub(super) owner: u32,
    /// Hash of the route tag; 0 where there is none.
    pub(super) route: u32,
    pub(super) coarse: bool,
    /// The trace or request that it names.
    pub(super) unit: Option<(Evidence, u64)>,
    /// Number of the explicit transaction within its session, from 1; 0 outside of one.
    transaction: u32,
    /// It belongs to a loop that a pool spreads over sessions, not to a burst of its session.
    pooled: bool,
}

impl Step {
    pub(super) fn of(event: &Event<'_>, query: Fingerprint, kind: Option<StatementKind>) -> Step {
        let hash = |names: &[Option<&[u8]>], from| {
            names.iter().fold(from, |hash: u32, name| {
                super::short(super::hash(name.unwrap_or_default())) ^ hash.rotate_left(5)
            })
        };
        let owner = hash(&[event.database, event.user], 0);
        Step {
            query,
            kind,
            values: None,
            size: 0,
            end: event.end,
            duration: event.duration.map_or(0, |us| u32::try_from(us).unwrap_or(u32::MAX)),
            session: event.session.unwrap_or(0),
            sender: hash(&[event.application], owner),
            owner,
            route: 0,
            coarse: event.coarse,
            unit: None,
            transaction: 0,
            pooled: false,
        }
    }

    /// When it began: microseconds since 1970.
    fn start(&self) -> Option<i64> {
        self.end.map(|end| end - i64::from(self.duration))
    }

    pub(super) fn transaction(&self) -> u32 {
        self.transaction
    }

    pub(super) fn pooled(&self) -> bool {
        self.pooled
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Units {
    /// In the order of the log.
    steps: Vec<Step>,
    pub(super) folded: Repetitions,
}

impl Units {
    /// Hot.
    pub(super) fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Adds what came after.
    pub(super) fn merge(&mut self, later: Units) {
        self.folded.merge(later.folded);
        if self.steps.is_empty() {
            self.steps = later.steps;
        } else {
            self.steps.extend(later.steps);
        }
    }

    /// Nothing came before: folds whole windows, so that memory stays bounded.
    pub(super) fn settle(&mut self) {
        while self.steps.len() >= WINDOW {
            let rest = self.steps.split_off(WINDOW);
            let window = std::mem::replace(&mut self.steps, rest);
            let mut waiting = fold(&window, false, &mut self.folded);
            waiting.append(&mut self.steps);
            self.steps = waiting;
        }
    }

    /// The log ends here: units that are still open are over.
    pub(super) fn close(&mut self) {
        self.settle();
        fold(&std::mem::take(&mut self.steps), true, &mut self.folded);
    }
}

/// Folds every unit that is over; what may go on comes back, in the order of the log.
fn fold(steps: &[Step], all: bool, folded: &mut Repetitions) -> Vec<Step> {
    let newest = steps.iter().filter_map(|step| step.end).max();
    let open = |last: Option<i64>, idle: i64| {
        !all && newest.zip(last).is_some_and(|(newest, last)| newest - last <= idle)
    };
    let mut tagged: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut sessions: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        match step.unit {
            Some((_, id)) => tagged.entry(id).or_default().push(at),
            None => sessions.entry((step.session, step.owner)).or_default().push(at),
        }
    }
    let mut waiting: Vec<usize> = Vec::new();
    for indices in tagged.values() {
        // A tag that comes back after a long time names another unit.
        let near = |a: &usize, b: &usize| match (steps[*a].end, steps[*b].end) {
            (Some(end), Some(next)) => next - end <= IDLE,
            _ => true,
        };
        for unit in indices.chunk_by(near) {
            let last = unit.iter().filter_map(|&at| steps[at].end).max();
            if unit.len() < LONGEST && open(last, IDLE) {
                waiting.extend(unit);
            } else if let Some((evidence, _)) = unit.first().and_then(|&at| steps[at].unit) {
                let unit: Vec<Step> = unit.iter().map(|&at| steps[at]).collect();
                folded.fold(&unit, evidence);
            }
        }
    }
    let mut sessions: Vec<(Vec<usize>, Vec<Step>)> = sessions
        .into_values()
        .map(|indices| {
            let steps = numbered(indices.iter().map(|&at| steps[at]));
            (indices, steps)
        })
        .collect();
    let mut all_sessions = steps.to_vec();
    for (&at, step) in sessions.iter().flat_map(|(indices, steps)| indices.iter().zip(steps)) {
        all_sessions[at] = *step;
    }
    let mut done = vec![false; steps.len()];
    for found in pool::loops(&all_sessions) {
        let last = found.repeats.iter().filter_map(|&at| steps[at].end).max();
        let over = !open(last, IDLE);
        if over {
            let repeats: Vec<&Step> = found.repeats.iter().map(|&at| &steps[at]).collect();
            folded.fold_pooled(steps[found.parent].query, &repeats);
        } else {
            waiting.push(found.parent);
            waiting.extend(&found.repeats);
        }
        for at in found.repeats {
            all_sessions[at].pooled = true;
            done[at] = over;
        }
    }
    for (at, step) in sessions.iter_mut().flat_map(|(indices, steps)| indices.iter().zip(steps)) {
        step.pooled = all_sessions[*at].pooled;
    }
    let runs: Vec<&[Step]> = sessions.iter().map(|(_, steps)| &steps[..]).collect();
    for (starts, (indices, steps)) in rhythm::units(&runs).into_iter().zip(&sessions) {
        for (at, &start) in starts.iter().enumerate() {
            let next = starts.get(at + 1).copied();
            let unit = &steps[start..next.unwrap_or(steps.len())];
            let idle =
                if unit.last().is_some_and(|last| last.transaction > 0) { TRANSACTION_IDLE } else { IDLE };
            let last = unit.iter().filter_map(|step| step.end).max();
            if next.is_none() && unit.len() < LONGEST && open(last, idle) {
                waiting.extend(&indices[start..]);
            } else {
                folded.fold(unit, Evidence::Burst);
            }
        }
    }
    waiting.retain(|&at| !done[at]);
    waiting.sort_unstable();
    waiting.dedup();
    waiting.truncate(WINDOW / 2);
    waiting.into_iter().map(|at| steps[at]).collect()
}

/// The steps of one session, each with the number of its explicit transaction.
fn numbered(steps: impl Iterator<Item = Step>) -> Vec<Step> {
    let (mut number, mut within) = (0, false);
    steps
        .map(|mut step| {
            match step.kind {
                Some(StatementKind::Begin) => {
                    number += 1;
                    within = true;
                }
                None => within = false,
                _ => {}
            }
            step.transaction = if within { number } else { 0 };
            if matches!(step.kind, Some(StatementKind::Commit | StatementKind::Rollback)) {
                within = false;
            }
            step
        })
        .collect()
}
