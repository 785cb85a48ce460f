//! Steps of sessions → units of work: what one request did.
//!
//! A unit is, by the best evidence there is: one trace, one request tag, one explicit transaction, or
//! a burst of one session, as far as the rhythm of the log says that it is one (`rhythm`). What a unit does
//! again and again is a loop (`loops`). Where a connection pool spreads requests over its sessions, their
//! loops come first (`pool`).
//!
//! **Invariant:** adding and merging only append, in the order of the log; nothing is decided before
//! [`WINDOW`] steps are there, or the log is over. So a log that is cut anywhere gives the same units.

mod loops;
mod pool;
mod rhythm;
mod steps;

use std::ops::Range;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use self::steps::Steps;
pub(super) use self::steps::{Placed, Step};
use super::{
    identity::Identity,
    repetition::{Evidence, Repetition, Repetitions},
};

/// Steps that are looked at together: enough to learn a rhythm from, little enough for bounded memory
/// (4 MB while they wait, 20 MB while they are looked at).
const WINDOW: usize = 1 << 17;
/// Steps of one unit that may wait for the next window: no request is longer.
const LONGEST: usize = 10_000;
/// A trace or a burst is over when the log has gone on for so long without it, in microseconds.
const IDLE: i64 = 10_000_000;
/// The same for an open transaction.
const TRANSACTION_IDLE: i64 = 600_000_000;
const LEAST: usize = {
    #[expect(clippy::cast_possible_truncation, reason = "a small constant")]
    let least = Repetition::LEAST as usize;
    least
};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Units {
    /// In the order of the log.
    steps: Steps,
    pub(super) folded: Repetitions,
    /// Room for the steps of a window: to ask for it anew each time costs as much as to fill it.
    #[serde(skip)]
    room: Vec<Placed>,
}

impl Units {
    /// Hot.
    pub(super) fn step(&mut self, step: &Step, identity: &mut Identity) {
        self.steps.push(step, &mut identity.context);
    }

    /// Adds what came after.
    pub(super) fn merge(&mut self, later: Units) {
        self.folded.merge(later.folded);
        self.steps.append(later.steps);
    }

    /// Nothing came before: folds whole windows, so that memory stays bounded.
    pub(super) fn settle(&mut self) {
        while self.steps.len() >= WINDOW {
            let all = std::mem::take(&mut self.steps);
            let window = Window { steps: &all, len: WINDOW, last: false };
            let waiting = window.fold(&mut self.folded, &mut self.room);
            self.steps.take(&all, waiting.into_iter().map(|at| at as usize).chain(WINDOW..all.len()));
        }
    }

    /// The log ends here: units that are still open are over.
    pub(super) fn close(&mut self) {
        self.settle();
        let steps = std::mem::take(&mut self.steps);
        let window = Window { steps: &steps, len: steps.len(), last: true };
        window.fold(&mut self.folded, &mut std::mem::take(&mut self.room));
    }
}

/// The first `len` of the steps.
struct Window<'s> {
    steps: &'s Steps,
    len: usize,
    /// The log ends with it.
    last: bool,
}

/// A burst of one session.
struct Unit {
    /// Into the steps in the order of their sessions.
    steps: Range<usize>,
    /// It may go on after the window.
    open: bool,
}

impl Window<'_> {
    /// Folds every unit that is over; what may go on comes back, in the order of the log.
    fn fold(&self, folded: &mut Repetitions, room: &mut Vec<Placed>) -> Vec<u32> {
        let newest = (0..self.len).filter_map(|at| self.steps.end(at)).max();
        let mut tagged: Vec<(u64, u32)> = Vec::new();
        let mut others: Vec<u32> = Vec::new();
        for (number, at) in (0..).zip(0..self.len) {
            match self.steps.unit(at) {
                Some((_, id)) => tagged.push((id, number)),
                None => others.push(number),
            }
        }
        let mut waiting = self.fold_tagged(tagged, newest, folded);
        waiting.extend(self.fold_sessions(&others, newest, folded, room));
        waiting.sort_unstable();
        waiting.truncate(WINDOW / 2);
        waiting
    }

    fn is_open(&self, last: Option<i64>, newest: Option<i64>, idle: i64) -> bool {
        !self.last && newest.zip(last).is_some_and(|(newest, last)| newest - last <= idle)
    }

    fn fold_tagged(
        &self,
        mut tagged: Vec<(u64, u32)>,
        newest: Option<i64>,
        folded: &mut Repetitions,
    ) -> Vec<u32> {
        tagged.sort_unstable();
        let mut waiting = Vec::new();
        let end = |at: u32| self.steps.end(at as usize);
        // A tag that comes back after a long time names another unit.
        let near = |a: &(u64, u32), b: &(u64, u32)| {
            a.0 == b.0 && end(a.1).zip(end(b.1)).is_none_or(|(end, next)| next - end <= IDLE)
        };
        for unit in tagged.chunk_by(near) {
            let places: Vec<u32> = unit.iter().map(|&(_, at)| at).collect();
            let last = places.iter().filter_map(|&at| end(at)).max();
            if places.len() < LONGEST && self.is_open(last, newest, IDLE) {
                waiting.extend(places);
            } else if let Some((evidence, _)) = self.steps.unit(places[0] as usize) {
                let mut unit = Vec::with_capacity(places.len());
                self.steps.placed(&places, &mut unit);
                folded.outlines.fold(&unit, |_| false, evidence);
                for found in loops::loops(&unit, evidence) {
                    let repeats: Vec<&Placed> = found.repeats.iter().map(|&at| &unit[at]).collect();
                    folded.fold(found.parent, &repeats, evidence);
                }
            }
        }
        waiting
    }

    fn fold_sessions(
        &self,
        others: &[u32],
        newest: Option<i64>,
        folded: &mut Repetitions,
        steps: &mut Vec<Placed>,
    ) -> Vec<u32> {
        steps.clear();
        self.steps.placed_by_session(others, steps);
        let steps = &*steps;
        let units = self.units(steps, newest);
        let mut found: Vec<(usize, loops::Loop)> = Vec::new();
        for (number, unit) in units.iter().enumerate() {
            let loops = loops::loops(&steps[unit.steps.clone()], Evidence::Burst);
            found.extend(loops.into_iter().map(|mut found| {
                found.repeats.iter_mut().for_each(|at| *at += unit.steps.start);
                (number, found)
            }));
        }
        let mut in_loops: FxHashMap<pool::Child, usize> = FxHashMap::default();
        for step in found.iter().flat_map(|(_, found)| &found.repeats).map(|&at| &steps[at]) {
            if step.transaction == 0 && step.is_read() {
                *in_loops.entry((step.sender, step.route, step.query)).or_default() += 1;
            }
        }
        let (pooled, pools) = pool::loops(steps, &in_loops);

        let mut places = vec![Place::Session; steps.len()];
        let mut waits: Vec<usize> = Vec::new();
        for found in pooled {
            let repeats: Vec<&Placed> = found.repeats.iter().map(|&at| &steps[at as usize]).collect();
            let open = self.is_open(repeats.iter().filter_map(|step| step.end()).max(), newest, IDLE);
            if !open {
                let parent = found.parent.map(|at| steps[at as usize].query);
                folded.fold(parent, &repeats, Evidence::Pool);
            }
            for at in found.repeats {
                places[at as usize] = if open { Place::Open } else { Place::Done };
            }
            waits.extend(found.parent.filter(|_| open).map(|at| at as usize));
        }
        for (number, found) in found.iter().filter(|&&(number, _)| !units[number].open) {
            let first = &steps[units[*number].steps.start];
            let repeats: Vec<&Placed> = found
                .repeats
                .iter()
                .filter(|&&at| places[at] == Place::Session)
                .map(|&at| &steps[at])
                .collect();
            if !found.is_slow(steps, pools.contains(&first.sender)) {
                folded.fold(found.parent, &repeats, found.evidence);
            }
        }
        for unit in &units {
            if unit.open {
                waits.extend(unit.steps.clone());
            } else {
                let pooled = |at: usize| places[unit.steps.start + at] != Place::Session;
                folded.outlines.fold(&steps[unit.steps.clone()], pooled, Evidence::Burst);
            }
        }
        waits.extend((0..steps.len()).filter(|&at| places[at] == Place::Open));
        let mut waiting: Vec<u32> =
            waits.into_iter().filter(|&at| places[at] != Place::Done).map(|at| steps[at].at).collect();
        waiting.sort_unstable();
        waiting.dedup();
        waiting
    }

    fn units(&self, steps: &[Placed], newest: Option<i64>) -> Vec<Unit> {
        let sessions: Vec<&[Placed]> =
            steps.chunk_by(|a, b| (a.session, a.owner) == (b.session, b.owner)).collect();
        let mut units = Vec::new();
        let mut from = 0;
        for (starts, session) in rhythm::units(&sessions).into_iter().zip(&sessions) {
            for (number, &start) in starts.iter().enumerate() {
                let start = start as usize;
                let next = starts.get(number + 1).map(|&next| next as usize);
                let unit = &session[start..next.unwrap_or(session.len())];
                let within = unit.last().is_some_and(|last| last.transaction > 0);
                let idle = if within { TRANSACTION_IDLE } else { IDLE };
                let last = unit.iter().filter_map(Placed::end).max();
                let open = next.is_none() && unit.len() < LONGEST && self.is_open(last, newest, idle);
                units.push(Unit { steps: from + start..from + start + unit.len(), open });
            }
            from += session.len();
        }
        units
    }
}

/// What a step belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The burst of its session.
    Session,
    /// A loop that a pool spreads over sessions, which is over or may go on.
    Done,
    Open,
}
